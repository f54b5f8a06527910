/**
 * Which offset a slave may report: ends of verified records only, and with `ackFlushed` only those an fdatasync covers (H-06).
 * The flushed offset may lie inside a record, so the verified ends in front of it are remembered, one a received chunk.
 */
export class Acknowledgement {
  private readonly ackFlushed: boolean;
  private readonly waiting: number[] = [];
  private reportable: number;

  /**
   * @param start own end when the connection began; on a record boundary and, with `ackFlushed`, flushed
   * @param ackFlushed report durable ends only
   */
  constructor(start: number, ackFlushed: boolean) {
    this.reportable = start;
    this.ackFlushed = ackFlushed;
  }

  /** Highest offset that may be reported. */
  get offset(): number {
    return this.reportable;
  }

  /** Records up to `end` are appended and verified. */
  verified(end: number): void {
    if (!this.ackFlushed) this.reportable = end;
    else if (end > (this.waiting.at(-1) ?? this.reportable)) this.waiting.push(end);
  }

  /** Bytes up to `offset` are durable. */
  flushed(offset: number): void {
    let covered = 0;
    while (covered < this.waiting.length && (this.waiting[covered] ?? 0) <= offset) covered += 1;
    if (covered === 0) return;
    this.reportable = this.waiting[covered - 1] ?? this.reportable;
    this.waiting.splice(0, covered);
  }
}
