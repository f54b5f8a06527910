/**
 * Who waits for a put to be safe. Completed strictly in log order, by comparing END offsets with written, durable and replicated ones
 * deadlines count per request from its append, one timer for all.
 */
import { PUT_STATUS, type PutStatus, type PutWaiter, type ReplicationGate } from "./store-api.ts";

const TICK_MS = 50;

interface Waiting {
  readonly waiter: PutWaiter;
  /** No slave could take it when it was appended: 11 once it is flushed. */
  readonly slaveMissing: boolean;
  readonly flushDeadlineMs: number;
  readonly slaveDeadlineMs: number;
}

/** What decides. */
export interface PutWaitersParts {
  /** SYNC_FLUSH: durable; else written. */
  readonly localOffset: () => number;
  readonly gate: () => ReplicationGate | null;
  readonly flushTimeoutMs: number;
  readonly slaveTimeoutMs: number;
  /** Somebody was answered a weak status: his message may be seen now (C-02). */
  readonly onDegraded: () => void;
}

const noop = (): void => undefined;

/** A queue that gives its array back in bulk. */
class Fifo<Item> {
  private items: Item[] = [];
  private head = 0;

  get isEmpty(): boolean {
    return this.head === this.items.length;
  }

  peek(): Item | undefined {
    return this.items[this.head];
  }

  takeAll(): readonly Item[] {
    const taken = this.items.slice(this.head);
    this.items = [];
    this.head = 0;
    return taken;
  }

  push(item: Item): void {
    this.items.push(item);
  }

  shift(): void {
    this.head += 1;
    if (this.head < 4_096 && this.head < this.items.length) return;
    this.items = this.items.slice(this.head);
    this.head = 0;
  }
}

/** See the file's head. */
export class PutWaiters {
  /** Highest end offset answered although no slave has it (10, 11, 12 by replication): visible all the same (C-02). */
  degradedEnd = 0;
  private readonly parts: PutWaitersParts;
  private readonly safe = new Fifo<Waiting>();
  private readonly written = new Fifo<PutWaiter>();
  private timer: NodeJS.Timeout | undefined;

  constructor(parts: PutWaitersParts) {
    this.parts = parts;
  }

  /** @param waits false: complete after the write of this tick */
  add(waiter: PutWaiter, waits: boolean): void {
    const gate = this.parts.gate();
    const slaveMissing = gate !== null && gate.required && !gate.isSlaveAvailable(waiter.endOffset);
    if (!waits) {
      this.written.push(waiter);
      if (gate === null || !gate.required) return;
    }
    const now = performance.now();
    this.safe.push({
      // Who does not wait is answered after the write; his message still becomes visible only with a slave, or without one in time (C-02).
      waiter: waits ? waiter : { endOffset: waiter.endOffset, complete: noop },
      slaveMissing,
      flushDeadlineMs: now + this.parts.flushTimeoutMs,
      slaveDeadlineMs: now + this.parts.slaveTimeoutMs,
    });
    this.timer ??= setInterval(() => this.checkDeadlines(), TICK_MS);
  }

  /** The tick's bytes are in the file system. */
  releaseWritten(writtenOffset: number): void {
    for (
      let head = this.written.peek();
      head !== undefined && head.endOffset <= writtenOffset;
      head = this.written.peek()
    ) {
      this.written.shift();
      head.complete(PUT_STATUS.OK);
    }
  }

  /** Something moved (flush, replication, time): completes from the head as far as it goes. */
  release(): void {
    const gate = this.parts.gate();
    const local = this.parts.localOffset();
    const replicated =
      gate !== null && gate.required ? gate.replicatedOffset : Number.MAX_SAFE_INTEGER;
    const degradedBefore = this.degradedEnd;
    for (let head = this.safe.peek(); head !== undefined; head = this.safe.peek()) {
      const status = statusOf(head, local, replicated);
      if (status === null) break;
      this.safe.shift();
      if (status !== PUT_STATUS.OK)
        this.degradedEnd = Math.max(this.degradedEnd, head.waiter.endOffset);
      head.waiter.complete(status);
    }
    if (this.degradedEnd !== degradedBefore) this.parts.onDegraded();
  }

  /** The timer outlives the waiters it was made for by a tick: one a burst, not one a message. */
  private checkDeadlines(): void {
    this.release();
    if (!this.safe.isEmpty) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** The store failed: nobody gets a better answer than 10 (S-03). */
  failAll(): void {
    this.failBehind(-1);
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Bytes behind `end` were not written, and will not be: their senders get 10. */
  failBehind(end: number): void {
    for (const waiter of this.written.takeAll()) {
      if (waiter.endOffset <= end) this.written.push(waiter);
      else waiter.complete(PUT_STATUS.FLUSH_DISK_TIMEOUT);
    }
    for (const waiting of this.safe.takeAll()) {
      if (waiting.waiter.endOffset <= end) this.safe.push(waiting);
      else waiting.waiter.complete(PUT_STATUS.FLUSH_DISK_TIMEOUT);
    }
  }
}

/** What the head of the queue is answered now; null: not yet. The replication code wins. */
function statusOf(head: Waiting, local: number, replicated: number): PutStatus | null {
  const end = head.waiter.endOffset;
  const isLocal = local >= end;
  const isReplicated = head.slaveMissing || replicated >= end;
  if (isLocal && isReplicated)
    return head.slaveMissing ? PUT_STATUS.SLAVE_NOT_AVAILABLE : PUT_STATUS.OK;
  const now = performance.now();
  if (!isReplicated && now >= head.slaveDeadlineMs) return PUT_STATUS.FLUSH_SLAVE_TIMEOUT;
  if (!isLocal && now >= head.flushDeadlineMs)
    return head.slaveMissing ? PUT_STATUS.SLAVE_NOT_AVAILABLE : PUT_STATUS.FLUSH_DISK_TIMEOUT;
  return null;
}
