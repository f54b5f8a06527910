/** What went into the log since the start, and how long appending took (admin-protocol C.1: putMessage…). Counters only; times are per tick. */

/** Upper ends of 4.9's time classes, ms; everything above falls into a last one. */
const CLASS_ENDS_MS = [
  0, 10, 50, 100, 200, 500, 1_000, 2_000, 3_000, 4_000, 5_000, 10_000,
] as const;
/** 4.9.0 starts its distribution anew every minute. */
const DISTRIBUTION_MS = 60_000;

function classOf(ms: number): number {
  const at = CLASS_ENDS_MS.findIndex((end) => ms <= end);
  return at < 0 ? CLASS_ENDS_MS.length : at;
}

/** The one owner of these counters; the append path and, on a slave, dispatch add to them. */
export class StoreTraffic {
  messages = 0;
  bytes = 0;
  /** Slowest append, whole ms. */
  longestMs = 0;
  private readonly now: () => number;
  private written = 0;
  private distribution: number[] = [];
  private distributionSinceMs: number;

  /** @param now monotonic clock, ms */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.distributionSinceMs = now();
    this.clear();
  }

  /** A record that came in. */
  count(bytes: number): void {
    this.messages += 1;
    this.bytes += bytes;
  }

  /** Once a tick: everything counted since the last call was written together. @param ms what the write took */
  wrote(ms: number): void {
    const messages = this.messages - this.written;
    if (messages === 0) return;
    this.written = this.messages;
    const whole = Math.floor(ms);
    if (whole > this.longestMs) this.longestMs = whole;
    if (this.now() - this.distributionSinceMs > DISTRIBUTION_MS) this.clear();
    const at = classOf(whole);
    this.distribution[at] = (this.distribution[at] ?? 0) + messages;
  }

  get timeClasses(): readonly number[] {
    return this.distribution;
  }

  private clear(): void {
    this.distribution = Array.from({ length: CLASS_ENDS_MS.length + 1 }, () => 0);
    this.distributionSinceMs = this.now();
  }
}
