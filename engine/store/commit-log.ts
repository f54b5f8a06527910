/**
 * The commit log: assigns offsets, encodes records into the tail's slab, writes the bytes of one tick at once (store-and-ha 2.6;
 * engine-performance 2.1). Positions: flushed ≤ written ≤ end; `end` is where the next record goes, `written` what the file system has.
 */
import { assert } from "../base/assert.ts";
import { encodeRecord, type RecordInput } from "../message/record-encode.ts";
import { readRecord, type RecordView } from "../message/record-decode.ts";
import { BLANK_BYTES, BLANK_MAGIC } from "../message/record-layout.ts";
import type { LogFiles } from "./log-files.ts";
import { LogTail, reading, type Slab } from "./log-tail.ts";

/** See the file's head. */
export class CommitLog {
  readonly files: LogFiles;
  readonly tail = new LogTail();
  /** Where the next byte goes. */
  end: number;
  written: number;
  private readonly onWrite: (file: LogFiles["last"]) => void;

  /**
   * @param files the chain, opened
   * @param end where recovery found the log to end
   * @param onWrite called for each file that got bytes
   */
  constructor(files: LogFiles, end: number, onWrite: (file: LogFiles["last"]) => void) {
    this.files = files;
    this.end = end;
    this.written = end;
    this.onWrite = onWrite;
  }

  get minOffset(): number {
    return this.files.minOffset;
  }

  /**
   * Makes room for `length` bytes that must stand in one file, ending the present file with a blank record when they do not fit
   * (2.6 step 5).
   * @returns the offset they will stand at
   */
  makeRoom(length: number): number {
    const room = this.files.fileSize - (this.end % this.files.fileSize);
    if (length + BLANK_BYTES > room) {
      this.files.fileForAppend(this.end + room);
      this.writeBlank(room);
    }
    this.files.fileForAppend(this.end);
    return this.end;
  }

  /** Encodes one record at the end. `makeRoom` must have been called. @returns one past its last byte */
  append(input: RecordInput, length: number): number {
    const slab = this.tail.reserve(this.end, length, this.written);
    const end = encodeRecord(slab.bytes, slab.view, slab.used, input);
    assert(end - slab.used === length, "a record's bytes do not match its computed size");
    slab.used = end;
    this.end += length;
    return this.end;
  }

  /** Adds raw bytes (replication). They must not pass the end of a file. */
  appendRaw(bytes: Buffer): void {
    this.files.fileForAppend(this.end);
    const slab = this.tail.reserve(this.end, bytes.length, this.written);
    bytes.copy(slab.bytes, slab.used);
    slab.used += bytes.length;
    this.end += bytes.length;
  }

  /** Writes everything appended since the last call. @throws the system error of a refused write */
  commit(): void {
    while (this.written < this.end) {
      const slab = this.tail.find(this.written);
      assert(slab !== undefined, "appended bytes are no longer in memory");
      this.writeSlab(slab);
    }
  }

  /** Raw bytes from `offset`, never past the end of a file nor past `written`; from memory for the tail, valid during the call only. */
  read(offset: number, bytesMax: number): Buffer {
    const slab = this.tail.find(offset);
    if (slab !== undefined) {
      const from = offset - slab.base;
      const limit = Math.min(slab.used, this.written - slab.base, from + bytesMax);
      const fileRoom = this.files.fileSize - (offset % this.files.fileSize);
      return slab.bytes.subarray(from, Math.max(from, Math.min(limit, from + fileRoom)));
    }
    return this.readFile(offset, bytesMax);
  }

  /** As `read`, for longer: the bytes stay until `release` is called. */
  lend(offset: number, bytesMax: number): { readonly bytes: Buffer; release(): void } {
    const slab = this.tail.find(offset);
    const bytes = this.read(offset, bytesMax);
    return { bytes, release: reading(slab === undefined ? [] : [slab]) };
  }

  /**
   * Like `read`, but never cut short by the border between two slabs: on a slave, slabs end where a received chunk ended, in the middle of
   * a record.
   */
  readWhole(offset: number, bytesMax: number): Buffer {
    const slab = this.tail.find(offset);
    const isInside = slab !== undefined && offset - slab.base + bytesMax <= slab.used;
    return isInside || slab === undefined
      ? this.read(offset, bytesMax)
      : this.readFile(offset, bytesMax);
  }

  /** @returns the slab that holds all of these written bytes, or null */
  inMemory(offset: number, length: number): Slab | null {
    const slab = this.tail.find(offset);
    const end = offset + length;
    const isWhole = slab !== undefined && end <= slab.base + slab.used && end <= this.written;
    return isWhole ? slab : null;
  }

  /** As `read`, always from the file. */
  readFile(offset: number, bytesMax: number): Buffer {
    const file = this.files.fileAt(offset);
    if (file === undefined || offset >= this.written) return Buffer.alloc(0);
    const at = offset - file.start;
    const length = Math.min(bytesMax, this.files.fileSize - at, this.written - offset);
    const bytes = Buffer.allocUnsafe(length);
    return bytes.subarray(0, file.file.read(bytes, 0, length, at));
  }

  /** Cuts the log back to `offset` (a half-received record, a refused write); what stood behind is zeros again (S-13). */
  truncate(offset: number): void {
    this.tail.clear();
    this.end = offset;
    this.written = offset;
    for (const file of this.files.zeroFrom(offset)) this.onWrite(file);
  }

  /** Goes over the records that are appended and not written yet. */
  forEachPending(visit: (bytes: Buffer, record: RecordView) => void): void {
    for (let at = this.written; at < this.end;) {
      const slab = this.tail.find(at);
      if (slab === undefined) return;
      const record = readRecord(slab.bytes, at - slab.base, slab.used);
      if (typeof record === "string") at += slab.bytes.readInt32BE(at - slab.base);
      else {
        visit(slab.bytes, record);
        at += record.totalSize;
      }
    }
  }

  private writeBlank(room: number): void {
    const slab = this.tail.reserve(this.end, room, this.written);
    slab.bytes.fill(0, slab.used, slab.used + room);
    slab.view.setInt32(slab.used, room);
    slab.view.setInt32(slab.used + 4, BLANK_MAGIC);
    slab.used += room;
    this.end += room;
  }

  private writeSlab(slab: Slab): void {
    const from = this.written - slab.base;
    const file = this.files.fileForAppend(this.written);
    const length = Math.min(slab.used - from, file.start + this.files.fileSize - this.written);
    file.file.write(slab.bytes, from, length, this.written - file.start);
    file.preparedBytes = Math.max(file.preparedBytes, this.written - file.start + length);
    this.written += length;
    this.onWrite(file);
  }
}
