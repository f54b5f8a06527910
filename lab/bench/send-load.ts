/** Senders side by side on one schedule, and the book of what they measured. Knows no client: a send is a function. */
import { setTimeout as sleep } from "node:timers/promises";
import { Latency, type LatencySummary } from "./latency.ts";
import { isWeak, OutcomeCounter, type OutcomeCounts, type SendOutcome } from "./outcome.ts";
import type { Schedule, Slot } from "./schedule.ts";

/** Sends one message of a lane. Never rejects: errors are outcomes. */
export type Send = (lane: number) => Promise<SendOutcome>;

/** A sender whose message was refused waits this long, so that a dead cluster is not asked in a tight loop. */
const REFUSED_PAUSE_MS = 20;

/** One second of a run. */
export interface SecondSample {
  /** Seconds since sending began; negative while warming up. */
  readonly second: number;
  readonly ok: number;
  readonly weak: number;
  readonly failed: number;
  readonly unknown: number;
  readonly handed: number;
  /** Microseconds, intended time to answer. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** Everything measured between `measureFromMs` and `endMs`. */
export interface LoadFigures {
  readonly counts: OutcomeCounts;
  /** Answers (or hand-overs) inside the measured time. */
  readonly completedInTime: number;
  /** Actual send → answer. */
  readonly service: LatencySummary;
  /** Intended send → answer. */
  readonly response: LatencySummary;
  /** Intended → actual send, of sends whose sender stood ready: the generator's own lateness. */
  readonly lateness: LatencySummary;
  /** Due sends that waited for a free sender. */
  readonly waitedForSender: number;
  /** Due sends that never went out; they count in `response` with the time they had waited. */
  readonly unsent: number;
}

/** Times on the clock of `performance.now()`. */
export interface MeasuredSpan {
  readonly measureFromMs: number;
  readonly endMs: number;
}

/** Where every ended send is written down. */
export class LoadBook {
  readonly samples: SecondSample[] = [];
  private readonly span: MeasuredSpan;
  private readonly total = new OutcomeCounter();
  private readonly measured = new OutcomeCounter();
  private second = new OutcomeCounter();
  private readonly secondLatency = new Latency();
  private readonly service = new Latency();
  private readonly response = new Latency();
  private readonly lateness = new Latency();
  private completedInTime = 0;
  private waitedForSender = 0;
  private unsent = 0;

  constructor(span: MeasuredSpan) {
    this.span = span;
  }

  private isMeasured(atMs: number): boolean {
    return atMs >= this.span.measureFromMs && atMs < this.span.endMs;
  }

  /** A send has ended now. */
  record(slot: Slot, startMs: number, outcome: SendOutcome): void {
    const now = performance.now();
    this.total.add(outcome);
    this.second.add(outcome);
    const wasAnswered = outcome === "SEND_OK" || isWeak(outcome) || outcome === "HANDED";
    if (wasAnswered) this.secondLatency.record(now - slot.intendedMs);
    if (wasAnswered && this.isMeasured(now)) this.completedInTime += 1;
    if (!this.isMeasured(slot.intendedMs)) return;
    this.measured.add(outcome);
    if (slot.senderWasFree) this.lateness.record(startMs - slot.intendedMs);
    else if (startMs - slot.intendedMs > 1) this.waitedForSender += 1;
    if (!wasAnswered) return;
    this.service.record(now - startMs);
    this.response.record(now - slot.intendedMs);
  }

  /** Slots that were due and never went out: leaving them out would flatter the tail. */
  recordUnsent(intendedTimes: readonly number[]): void {
    const now = performance.now();
    for (const intendedMs of intendedTimes.filter((time) => this.isMeasured(time))) {
      this.unsent += 1;
      this.response.record(now - intendedMs);
    }
  }

  /** Closes one second of the series. */
  sample(second: number): SecondSample {
    const counts = this.second.read();
    const sample: SecondSample = {
      second,
      ok: counts.ok,
      weak: counts.attempted - counts.ok - counts.failed - counts.unknown - counts.handed,
      failed: counts.failed,
      unknown: counts.unknown,
      handed: counts.handed,
      p50: this.secondLatency.at(50),
      p99: this.secondLatency.at(99),
      max: this.secondLatency.at(100),
    };
    this.samples.push(sample);
    this.second = new OutcomeCounter();
    this.secondLatency.reset();
    return sample;
  }

  /** Every send of the run, warm-up included. */
  totals(): OutcomeCounts {
    return this.total.read();
  }

  figures(): LoadFigures {
    return {
      counts: this.measured.read(),
      completedInTime: this.completedInTime,
      service: this.service.summary(),
      response: this.response.summary(),
      lateness: this.lateness.summary(),
      waitedForSender: this.waitedForSender,
      unsent: this.unsent,
    };
  }
}

async function runLane(
  lane: number,
  work: { readonly schedule: Schedule; readonly send: Send; readonly book: LoadBook },
): Promise<void> {
  for (;;) {
    const slot = await work.schedule.next();
    if (slot === null) return;
    const startMs = performance.now();
    const outcome = await work.send(lane);
    work.book.record(slot, startMs, outcome);
    if (outcome === "FAILED") await sleep(REFUSED_PAUSE_MS);
  }
}

/**
 * Runs `lanes` senders until the schedule ends.
 * @param lanes sends in flight at most
 * @returns when the last send has ended
 */
export async function sendLoad(
  lanes: number,
  work: { readonly schedule: Schedule; readonly send: Send; readonly book: LoadBook },
): Promise<void> {
  await Promise.all(Array.from({ length: lanes }, (_, lane) => runLane(lane, work)));
  work.book.recordUnsent(work.schedule.unsent());
}
