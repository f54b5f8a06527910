import { assert } from "../base/assert.ts";

/**
 * How far the log is, in bytes from its start. All move forward only, except when a record that was never shown is taken back.
 *
 *   dispatched ≤ confirm ≤ written ≤ appended        flushed ≤ written
 *
 * appended: encoded in memory. written: handed to the file system. flushed: covered by a successful fdatasync that started
 * after the write. dispatched: in the consume queues.
 */
export class Positions {
  appended = 0;
  written = 0;
  flushed = 0;
  dispatched = 0;

  /** The log was recovered, or is empty and starts, at `end`. */
  reset(end: number): void {
    this.appended = end;
    this.written = end;
    this.flushed = end;
    this.dispatched = end;
  }

  /** The file system took everything up to `to`. */
  advanceWritten(to: number): void {
    assert(to >= this.written && to <= this.appended, `written ${this.written} to ${to}`);
    this.written = to;
  }

  /** A sync that started when `to` was written has succeeded. */
  advanceFlushed(to: number): void {
    assert(to >= this.flushed && to <= this.written, `flushed ${this.flushed} to ${to}`);
    this.flushed = to;
  }

  /** Takes back what was appended or written behind `to`. Nothing of it may have been dispatched. */
  cutTo(to: number): void {
    assert(to >= this.dispatched && to <= this.appended, `cut ${this.appended} to ${to}`);
    this.appended = to;
    this.written = Math.min(this.written, to);
    this.flushed = Math.min(this.flushed, to);
  }
}
