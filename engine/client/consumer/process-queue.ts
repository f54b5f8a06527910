/** Messages of one queue between pull and done (remoting-protocol 5.1, 5.6 step 7). Pure. */
import type { MessageQueue } from "../client-api.ts";
import type { StoredMessage } from "./received-message.ts";

/** Local flow control (5.1). */
export const IN_FLIGHT_MESSAGES_MAX = 1_000;
export const IN_FLIGHT_BYTES_MAX = 100 * 1_024 * 1_024;
export const IN_FLIGHT_SPAN_MAX = 2_000;
/** How long a granted queue lock counts here; brokers keep it twice as long. */
const LOCK_VALID_MS = 30_000;

/** What of a message matters here. */
export type InFlight = Pick<StoredMessage, "queueOffset" | "storedBytes">;

/** One queue this consumer owns. Once dropped it belongs to somebody else, and what is still in progress commits nothing. */
export class ProcessQueue {
  readonly queue: MessageQueue;
  readonly sinceMs = Date.now();
  lastPullMs = 0;
  lastConsumeMs = 0;
  /** Wall clock of the last time its broker granted the lock; 0 when never, or lost. In order only. */
  lockedAtMs = 0;
  /** Added in the order of their offsets, so the first key is the lowest. */
  private readonly inFlight = new Map<number, InFlight>();
  private bytes = 0;
  private highest = -1;
  private pulledTo = 0;
  private isDropped = false;
  private isPaused = false;
  private isLeaving = false;
  private readonly roomWaiters: (() => void)[] = [];
  private readonly emptyWaiters: (() => void)[] = [];

  constructor(queue: MessageQueue) {
    this.queue = queue;
  }

  get dropped(): boolean {
    return this.isDropped;
  }

  /** True once no further listener call may begin. */
  get leaving(): boolean {
    return this.isLeaving || this.isDropped;
  }

  get paused(): boolean {
    return this.isPaused;
  }

  /** @param nowMs wall clock @returns true while the lock can be relied on */
  isLocked(nowMs: number): boolean {
    return nowMs - this.lockedAtMs < LOCK_VALID_MS;
  }

  get count(): number {
    return this.inFlight.size;
  }

  get byteCount(): number {
    return this.bytes;
  }

  /** Lowest offset in progress. */
  get lowest(): number | undefined {
    return this.inFlight.keys().next().value;
  }

  /** Highest offset ever added. */
  get highestAdded(): number {
    return this.highest;
  }

  /**
   * Takes pulled messages in; offsets grow from call to call.
   * @param nextOffset first offset not examined: what lies between the messages and it was not for us
   */
  add(messages: readonly InFlight[], nextOffset: number): void {
    if (nextOffset > this.pulledTo) this.pulledTo = nextOffset;
    for (const message of messages) {
      if (this.inFlight.has(message.queueOffset)) continue;
      this.inFlight.set(message.queueOffset, message);
      this.bytes += message.storedBytes;
      if (message.queueOffset > this.highest) this.highest = message.queueOffset;
    }
  }

  /**
   * Takes done messages out.
   * @returns the offset to commit: all below it are done
   */
  remove(messages: readonly InFlight[]): number {
    for (const message of messages) {
      if (this.inFlight.delete(message.queueOffset)) this.bytes -= message.storedBytes;
    }
    if (this.hasRoom) wake(this.roomWaiters);
    if (this.inFlight.size === 0) wake(this.emptyWaiters);
    return this.lowest ?? Math.max(this.highest + 1, this.pulledTo);
  }

  get hasRoom(): boolean {
    const lowest = this.lowest;
    return (
      !this.isPaused &&
      this.inFlight.size < IN_FLIGHT_MESSAGES_MAX &&
      this.bytes < IN_FLIGHT_BYTES_MAX &&
      (lowest === undefined || this.highest - lowest <= IN_FLIGHT_SPAN_MAX)
    );
  }

  /** Resolves when there is room for another pull, or the queue was dropped. */
  whenRoom(): Promise<void> {
    if (this.hasRoom || this.isDropped) return Promise.resolve();
    return new Promise((resolve) => this.roomWaiters.push(resolve));
  }

  /** Resolves when nothing is in progress. */
  whenEmpty(): Promise<void> {
    if (this.inFlight.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.emptyWaiters.push(resolve));
  }

  /** No further pull begins until `resume`. */
  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    if (this.hasRoom) wake(this.roomWaiters);
  }

  /** In order: it is about to be dropped. The call in progress may still commit; what waits behind it is for the next owner. */
  leave(): void {
    this.isLeaving = true;
    this.isPaused = true;
  }

  /** The queue is not ours any more. */
  drop(): void {
    this.isDropped = true;
    wake(this.roomWaiters);
  }
}

function wake(waiters: (() => void)[]): void {
  for (const resolve of waiters.splice(0)) resolve();
}
