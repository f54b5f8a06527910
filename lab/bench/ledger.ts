/** One byte a message: how its send ended and how often it arrived. Kept only when consumers verify a run. */
import { isWeak, type SendOutcome } from "./outcome.ts";

/** What became of the messages of a run. */
export interface LedgerCounts {
  /** Different messages that arrived. */
  readonly received: number;
  /** Deliveries past the first of a message. */
  readonly duplicates: number;
  /** Acknowledged with SEND_OK, never arrived. */
  readonly lostOk: number;
  /** Acknowledged with a weak status, never arrived. */
  readonly lostWeak: number;
  /** Answered by nobody or refused, and yet arrived. */
  readonly recovered: number;
  /** Arrived without ever having been sent. */
  readonly unexpected: number;
}

const SENT_OK = 0x01;
const SENT_WEAK = 0x02;
const SENT_OTHER = 0x04;
const SENT_MASK = 0x07;
const RECEIVED = 0x10;
const INITIAL_CAPACITY = 65_536;

function sentBit(outcome: SendOutcome): number {
  if (outcome === "SEND_OK") return SENT_OK;
  return isWeak(outcome) ? SENT_WEAK : SENT_OTHER;
}

/** Messages by producer and sequence number. */
export class Ledger {
  private readonly states: Uint8Array[];
  private duplicates = 0;
  private unexpected = 0;
  private receivedCount = 0;

  /** @param producers of the run */
  constructor(producers: number) {
    this.states = Array.from({ length: producers }, () => new Uint8Array(INITIAL_CAPACITY));
  }

  private mark(producer: number, sequence: number, bit: number): number | null {
    let states = this.states[producer];
    if (states === undefined) return null;
    if (sequence >= states.length) {
      const larger = new Uint8Array(Math.max(states.length * 2, sequence + 1));
      larger.set(states);
      this.states[producer] = larger;
      states = larger;
    }
    const before = states[sequence] ?? 0;
    states[sequence] = before | bit;
    return before;
  }

  /** A send has ended. */
  sent(producer: number, sequence: number, outcome: SendOutcome): void {
    this.mark(producer, sequence, sentBit(outcome));
  }

  /** A message has arrived; it may be before its send has ended. */
  arrived(producer: number, sequence: number): void {
    const before = this.mark(producer, sequence, RECEIVED);
    if (before === null) this.unexpected += 1;
    else if ((before & RECEIVED) !== 0) this.duplicates += 1;
    else this.receivedCount += 1;
  }

  /** Different messages so far. */
  get received(): number {
    return this.receivedCount;
  }

  /** @returns the balance; call it when all sends have ended */
  counts(): LedgerCounts {
    let lostOk = 0;
    let lostWeak = 0;
    let recovered = 0;
    let neverSent = 0;
    for (const states of this.states) {
      for (const state of states) {
        if (state === SENT_OK) lostOk += 1;
        else if (state === SENT_WEAK) lostWeak += 1;
        else if (state === (SENT_OTHER | RECEIVED)) recovered += 1;
        else if ((state & SENT_MASK) === 0 && state !== 0) neverSent += 1;
      }
    }
    return {
      received: this.receivedCount - neverSent,
      duplicates: this.duplicates,
      lostOk,
      lostWeak,
      recovered,
      unexpected: this.unexpected + neverSent,
    };
  }
}
