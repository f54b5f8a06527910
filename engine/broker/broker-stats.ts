/** Counters of a broker and their rates over three windows (admin-protocol C.1). Increments are plain additions; sampling is once a second. */
import type { StoreTrafficView } from "../store/store-api.ts";
import type { BrokerStats } from "./broker-context.ts";

const WINDOWS_SECONDS = [10, 60, 600] as const;
const SAMPLES_MAX = 601;

/** Counters that have rates. */
interface Rated {
  readonly putMessages: number;
  readonly getMessages: number;
  readonly getFound: number;
  readonly getMiss: number;
}

interface Sample extends Rated {
  readonly atMs: number;
}

/** The one owner of the broker's counters. */
export class BrokerCounters implements BrokerStats {
  getMessages = 0;
  getBytes = 0;
  getFound = 0;
  getMiss = 0;
  getLongestMs = 0;
  ackedOkOffset = 0;
  ackedWeakOffset = 0;
  private readonly traffic: StoreTrafficView;
  private readonly samples: Sample[] = [];
  private dayStart = new Date().toDateString();
  private readonly morning = { putMessages: 0, getMessages: 0, putYesterday: 0, getYesterday: 0 };

  /** @param traffic what the store counts itself */
  constructor(traffic: StoreTrafficView) {
    this.traffic = traffic;
  }

  get putMessages(): number {
    return this.traffic.messages;
  }

  /** Called once a second. @param nowMs wall clock */
  sample(nowMs: number): void {
    const { putMessages, getMessages, getFound, getMiss } = this;
    this.samples.push({ atMs: nowMs, putMessages, getMessages, getFound, getMiss });
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
    const today = new Date(nowMs).toDateString();
    if (today === this.dayStart) return;
    this.dayStart = today;
    this.morning.putYesterday = this.morning.putMessages;
    this.morning.getYesterday = this.morning.getMessages;
    this.morning.putMessages = this.putMessages;
    this.morning.getMessages = this.getMessages;
  }

  /** @returns a counter's rate a second over the last 10 s, 60 s and 600 s, or as much of them as has passed */
  rates(counter: keyof Rated): readonly [number, number, number] {
    const [a, b, c] = WINDOWS_SECONDS;
    return [this.rate(counter, a), this.rate(counter, b), this.rate(counter, c)];
  }

  /** @returns rates of all reads, found or not */
  totalRates(): readonly number[] {
    const miss = this.rates("getMiss");
    return this.rates("getFound").map((found, i) => found + (miss[i] ?? 0));
  }

  /** Counters at the last two midnights since the start. */
  mornings(): Readonly<typeof this.morning> {
    return this.morning;
  }

  private rate(counter: keyof Rated, seconds: number): number {
    const last = this.samples.at(-1);
    const first = this.samples[Math.max(0, this.samples.length - 1 - seconds)];
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return ((last[counter] - first[counter]) * 1_000) / (last.atMs - first.atMs);
  }
}
