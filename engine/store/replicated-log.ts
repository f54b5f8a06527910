/** The log as replication sees it: raw bytes out on a master, raw bytes in on a slave, checked record by record (H-05, H-06). */
import { EngineError } from "../base/engine-error.ts";
import { checkRecord } from "../message/record-decode.ts";
import { AT, BLANK_BYTES, BLANK_MAGIC } from "../message/record-layout.ts";
import type { CommitLog } from "./commit-log.ts";
import type { ReplicaLog } from "./store-api.ts";

/** What it needs of the store. */
export interface ReplicatedLogParts {
  readonly log: CommitLog;
  readonly flushedOffset: () => number;
  /** Writes what was appended and tells everybody. */
  readonly commit: () => void;
  /** The log was cut back to here. */
  readonly onCut: (end: number) => void;
}

/** See the file's head. */
export class ReplicatedLog implements ReplicaLog {
  private readonly parts: ReplicatedLogParts;
  private readonly writtenListeners: ((offset: number) => void)[] = [];
  private readonly flushedListeners: ((offset: number) => void)[] = [];
  /** End of the last checked record; null on a master that serves, whose own records need no check. */
  private verified: number | null = null;
  /** Slave: bytes behind `verified`. */
  private partial: Buffer = Buffer.alloc(0);

  constructor(parts: ReplicatedLogParts) {
    this.parts = parts;
  }

  get fileSize(): number {
    return this.parts.log.files.fileSize;
  }

  get minOffset(): number {
    return this.parts.log.minOffset;
  }

  get writtenOffset(): number {
    return this.parts.log.written;
  }

  get flushedOffset(): number {
    return this.parts.flushedOffset();
  }

  /** Everything below is whole, checked records. */
  verifiedOffset(): number {
    return this.verified ?? this.parts.log.written;
  }

  readRaw(offset: number, bytesMax: number): { readonly bytes: Buffer; release(): void } {
    return this.parts.log.lend(offset, bytesMax);
  }

  appendRaw(offset: number, bytes: Buffer): number {
    const { log } = this.parts;
    if (log.end === 0 && log.files.all.length === 0 && offset > 0) {
      log.end = offset;
      log.written = offset;
      this.verified = offset;
    }
    if (offset !== log.end)
      throw new EngineError("HA_PROTOCOL", {
        message: `bytes for offset ${offset}, the log ends at ${log.end}`,
      });
    this.verified ??= log.end;
    log.appendRaw(bytes);
    this.partial = this.partial.length === 0 ? bytes : Buffer.concat([this.partial, bytes]);
    const good = this.check();
    this.parts.commit();
    if (!good) {
      this.dropPartialRecord();
      throw new EngineError("HA_DIVERGED", {
        message: `the bytes at offset ${this.verified} are no record of this log`,
      });
    }
    return this.verified;
  }

  dropPartialRecord(): number {
    const { log } = this.parts;
    const end = this.verified ?? log.end;
    this.partial = Buffer.alloc(0);
    if (end < log.end) {
      this.parts.onCut(end);
      log.truncate(end);
    }
    return end;
  }

  /** Lets a master that starts append records of another broker; afterwards all are its own and need no check. */
  async adopt(append: (log: ReplicaLog) => Promise<void>): Promise<void> {
    try {
      await append(this);
    } finally {
      this.dropPartialRecord();
    }
    this.verified = null;
  }

  onWritten(listener: (writtenOffset: number) => void): void {
    this.writtenListeners.push(listener);
  }

  onFlushed(listener: (flushedOffset: number) => void): void {
    this.flushedListeners.push(listener);
  }

  /** The store wrote a tick. */
  wrote(): void {
    for (const listener of this.writtenListeners) listener(this.parts.log.written);
  }

  /** A sync finished. */
  flushed(offset: number): void {
    for (const listener of this.flushedListeners) listener(offset);
  }

  /** Moves `verified` over every whole record received. @returns false when one is invalid */
  private check(): boolean {
    let at = 0;
    let end = this.verified ?? 0;
    const { partial, fileSize } = this;
    while (at + BLANK_BYTES <= partial.length) {
      const size = partial.readInt32BE(at);
      const isBlank =
        partial.readInt32BE(at + AT.magic) === BLANK_MAGIC && size === fileSize - (end % fileSize);
      if (at + size > partial.length && size > 0 && size <= fileSize) break;
      if (!isBlank && typeof checkRecord(partial, at, partial.length, end) === "string")
        return this.keep(at, end, false);
      at += size;
      end += size;
    }
    return this.keep(at, end, true);
  }

  private keep(at: number, end: number, good: boolean): boolean {
    this.partial =
      at === this.partial.length ? Buffer.alloc(0) : Buffer.from(this.partial.subarray(at));
    this.verified = end;
    return good;
  }
}
