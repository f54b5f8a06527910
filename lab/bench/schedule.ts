/**
 * When the next send is due. A closed loop sends as soon as a sender is free. An open loop fixes every send's intended time in
 * advance, so that a stall of the server cannot hide the sends it held up (lab-and-drills 4.2, items 1, 2 and 11).
 */

/** Leave to send one message. */
export interface Slot {
  /** On the clock of `performance.now()`. */
  readonly intendedMs: number;
  /** A sender stood ready before the time came: its lateness is the generator's own, not the server's. */
  readonly senderWasFree: boolean;
}

export interface Schedule {
  /** The next slot; null when there is none any more. */
  next(): Slot | null | Promise<Slot | null>;
  /** Gives out nothing more. */
  stop(): void;
  /** Intended times whose message nobody got to send, after `stop`. */
  unsent(): readonly number[];
}

/** When sending begins and ends, ms on the clock of `performance.now()`. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** As fast as senders are free. */
export function closedSchedule(span: Span): Schedule {
  let isStopped = false;
  return {
    next() {
      const now = performance.now();
      return isStopped || now >= span.endMs ? null : { intendedMs: now, senderWasFree: false };
    },
    stop() {
      isStopped = true;
    },
    unsent: () => [],
  };
}

class OpenSchedule implements Schedule {
  private readonly span: Span;
  private readonly intervalMs: number;
  private readonly slots: number;
  private taken = 0;
  private waiters: ((slot: Slot | null) => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private stoppedAtMs = Infinity;

  constructor(span: Span, ratePerSecond: number) {
    this.span = span;
    this.intervalMs = 1_000 / ratePerSecond;
    this.slots = Math.ceil((span.endMs - span.startMs) / this.intervalMs);
  }

  private intended(index: number): number {
    return this.span.startMs + index * this.intervalMs;
  }

  private get isOver(): boolean {
    return this.isStopped || this.taken >= this.slots;
  }

  next(): Slot | null | Promise<Slot | null> {
    if (this.isOver) return null;
    const intendedMs = this.intended(this.taken);
    if (intendedMs <= performance.now()) {
      this.taken += 1;
      return { intendedMs, senderWasFree: false };
    }
    return new Promise((resolve) => {
      this.waiters.push(resolve);
      this.arm();
    });
  }

  private arm(): void {
    if (this.timer !== undefined) return;
    const delay = Math.max(1, this.intended(this.taken) - performance.now());
    this.timer = setTimeout(() => this.release(), delay);
  }

  /** Timers are a millisecond coarse: each tick everything that is due goes out. */
  private release(): void {
    this.timer = undefined;
    const now = performance.now();
    let count = 0;
    while (count < this.waiters.length && !this.isOver && this.intended(this.taken) <= now) {
      this.waiters[count]?.({ intendedMs: this.intended(this.taken), senderWasFree: true });
      this.taken += 1;
      count += 1;
    }
    this.waiters = this.waiters.slice(count);
    if (this.isOver) this.dismiss();
    else if (this.waiters.length > 0) this.arm();
  }

  private dismiss(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const waiters = this.waiters;
    this.waiters = [];
    for (const waiter of waiters) waiter(null);
  }

  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.stoppedAtMs = performance.now();
    this.dismiss();
  }

  unsent(): readonly number[] {
    const due = Math.min(
      this.slots,
      Math.floor((this.stoppedAtMs - this.span.startMs) / this.intervalMs) + 1,
    );
    const count = Math.max(0, due - this.taken);
    return Array.from({ length: count }, (_, index) => this.intended(this.taken + index));
  }
}

/** `ratePerSecond` sends a second, evenly spaced, whatever the answers do. */
export function openSchedule(span: Span, ratePerSecond: number): Schedule {
  return new OpenSchedule(span, ratePerSecond);
}
