/**
 * One consume queue (topic, queueId): 20 bytes an entry, big endian (store-and-ha 3.1, 3.2).
 *
 *   0        8     12             20
 *   ├────────┼──────┼──────────────┤
 *   │ offset │ size │ tags code    │
 *   │ i64    │ i32  │ i64          │
 *
 * Entry n stands at byte 20·n of the chain of files; valid if offset ≥ 0 and size > 0. The newest entries are kept in memory and written in
 * batches: a queue is always rebuilt from the log (S-15).
 */
import { join } from "node:path";
import { readLong, writeLong } from "../message/record-encode.ts";
import type { Vfs, VfsFile } from "../base/vfs.ts";
import { nameOffset, offsetName } from "./store-layout.ts";

export const UNIT_BYTES = 20;
/** Size field of the blank entries that fill a file whose first entry is not its first place (3.2 step 3). */
export const PREFILL_SIZE = 0x7fffffff;
const MEMORY_UNITS_FIRST = 64;
const MEMORY_UNITS_MAX = 2_048;

/** One entry. */
export interface Unit {
  physicalOffset: number;
  size: number;
  /** High and low word of the 64-bit tags code, signed. */
  tagsHigh: number;
  tagsLow: number;
}

interface QueueFile {
  readonly start: number;
  readonly file: VfsFile;
}

/** See the file's head. */
export class ConsumeQueue {
  /** First entry that may be read. */
  minOffset = 0;
  /** Next entry to be written. */
  maxOffset = 0;
  /** End (offset + size) of the newest entry. */
  maxPhysicalOffset = -1;
  private readonly vfs: Vfs;
  private readonly directory: string;
  private readonly fileSize: number;
  private files: QueueFile[] = [];
  private memory: Buffer = Buffer.alloc(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  /** Entry the memory starts with. */
  private memoryStart = 0;
  /** Entries below this are in the files. */
  private flushedOffset = 0;

  /** Opens the files that are there, without judging their content. */
  constructor(parts: { readonly vfs: Vfs; readonly directory: string; readonly fileSize: number }) {
    this.vfs = parts.vfs;
    this.directory = parts.directory;
    this.fileSize = parts.fileSize;
    for (const name of this.vfs.list(this.directory)) {
      const start = nameOffset(name);
      if (start !== null) this.openFile(start);
    }
  }

  /**
   * Adds the entry of one message. Entries that are already there are skipped (dispatch runs again after a restart).
   * Entry n is always the record with queue offset n (S-14): entries a later record contradicts are the ones of a topic that was deleted
   * and made again, and go; places whose records are missing from the log stay blank.
   * @param queueOffset the record's own
   */
  put(unit: Unit, queueOffset: number): void {
    if (unit.physicalOffset + unit.size <= this.maxPhysicalOffset) return;
    if (queueOffset !== this.maxOffset) this.moveEnd(queueOffset);
    const at = this.reserve();
    writeLong(this.view, at, unit.physicalOffset);
    this.view.setInt32(at + 8, unit.size);
    this.view.setInt32(at + 12, unit.tagsHigh);
    this.view.setInt32(at + 16, unit.tagsLow);
    this.maxOffset += 1;
    this.maxPhysicalOffset = unit.physicalOffset + unit.size;
  }

  /** Entries that are in memory only. */
  get pendingUnits(): number {
    return this.maxOffset - this.flushedOffset;
  }

  /** Writes what is in memory only. @returns files that got bytes */
  flush(): VfsFile[] {
    const touched: VfsFile[] = [];
    while (this.flushedOffset < this.maxOffset) {
      const position = this.flushedOffset * UNIT_BYTES;
      const target = this.fileFor(position);
      const units = Math.min(
        this.maxOffset - this.flushedOffset,
        (target.start + this.fileSize - position) / UNIT_BYTES,
      );
      const from = (this.flushedOffset - this.memoryStart) * UNIT_BYTES;
      target.file.write(this.memory, from, units * UNIT_BYTES, position - target.start);
      this.flushedOffset += units;
      touched.push(target.file);
    }
    return touched;
  }

  /**
   * Reads entries from `offset` on, at most `units` and never past the end of a file.
   * @returns a buffer of whole entries; empty when there is none
   */
  read(offset: number, units: number): Buffer {
    const count = Math.min(units, this.maxOffset - offset);
    if (count <= 0 || offset < 0) return Buffer.alloc(0);
    if (offset >= this.memoryStart && this.memory.length > 0) {
      const from = (offset - this.memoryStart) * UNIT_BYTES;
      return this.memory.subarray(from, from + count * UNIT_BYTES);
    }
    const position = offset * UNIT_BYTES;
    const source = this.files.find(
      (file) => position >= file.start && position < file.start + this.fileSize,
    );
    if (source === undefined) return Buffer.alloc(0);
    // Entries from memoryStart on may not have reached the file: a read that starts before them ends there.
    const inFile = this.memory.length > 0 ? Math.min(count, this.memoryStart - offset) : count;
    const length = Math.min(inFile * UNIT_BYTES, source.start + this.fileSize - position);
    const bytes = Buffer.allocUnsafe(length);
    const read = source.file.read(bytes, 0, length, position - source.start);
    return bytes.subarray(0, read - (read % UNIT_BYTES));
  }

  /** @returns one entry, or null */
  unitAt(offset: number): Unit | null {
    if (offset < this.minOffset) return null;
    const bytes = this.read(offset, 1);
    return bytes.length < UNIT_BYTES ? null : readUnit(bytes, 0);
  }

  /** Finds the end: entries are valid while their size is positive and they lie below `logEnd` (5.4). */
  recover(logEnd: number): void {
    const first = this.files[0];
    if (first === undefined) return;
    let offset =
      Math.max(0, this.files.length - 3) * (this.fileSize / UNIT_BYTES) + first.start / UNIT_BYTES;
    let last: Unit | null = null;
    const unitsPerRead = 1_024;
    this.maxOffset = Number.MAX_SAFE_INTEGER;
    scan: for (;;) {
      const bytes = this.read(offset, unitsPerRead);
      if (bytes.length === 0) break;
      for (let at = 0; at < bytes.length; at += UNIT_BYTES) {
        const unit = readUnit(bytes, at);
        const isPrefill = unit.size === PREFILL_SIZE && unit.physicalOffset === 0;
        if (
          unit.size <= 0 ||
          unit.physicalOffset < 0 ||
          (!isPrefill && unit.physicalOffset + unit.size > logEnd)
        )
          break scan;
        if (!isPrefill) last = unit;
        offset += 1;
      }
    }
    this.maxOffset = offset;
    this.flushedOffset = offset;
    this.memoryStart = offset;
    this.maxPhysicalOffset = last === null ? -1 : last.physicalOffset + last.size;
    this.dropBehind(offset * UNIT_BYTES);
    this.minOffset = first.start / UNIT_BYTES;
  }

  /** Moves the first readable entry up to the first whose message is still in the log (3.3). */
  raiseMinOffset(logMinOffset: number): void {
    const first = this.files[0];
    let offset = Math.max(this.minOffset, (first?.start ?? 0) / UNIT_BYTES);
    for (; offset < this.maxOffset; offset += 1) {
      const bytes = this.read(offset, 1);
      if (bytes.length < UNIT_BYTES) break;
      const unit = readUnit(bytes, 0);
      if (unit.size !== PREFILL_SIZE && unit.physicalOffset >= logMinOffset) break;
    }
    this.minOffset = offset;
  }

  /** Deletes leading files, never the last, whose last entry lies below the log's start (4.6). */
  removeExpired(logMinOffset: number): void {
    while (this.files.length > 1) {
      const second = this.files[1]?.start ?? 0;
      const last = this.read(second / UNIT_BYTES - 1, 1);
      if (last.length < UNIT_BYTES || readUnit(last, 0).physicalOffset >= logMinOffset) break;
      const doomed = this.files.shift();
      doomed?.file.close();
      if (doomed !== undefined) this.vfs.remove(doomed.file.path);
    }
    this.raiseMinOffset(logMinOffset);
  }

  /** Closes and removes everything (topic deleted). */
  destroy(): void {
    for (const { file } of this.files) {
      file.close();
      this.vfs.remove(file.path);
    }
    this.files = [];
    this.vfs.removeDirectory(this.directory);
  }

  close(): void {
    for (const { file } of this.files) file.close();
  }

  private moveEnd(queueOffset: number): void {
    if (this.maxOffset === 0) {
      this.startAt(queueOffset);
    } else if (queueOffset > this.maxOffset) {
      while (this.maxOffset < queueOffset) this.addBlank();
    } else {
      this.cutTo(queueOffset);
    }
  }

  private addBlank(): void {
    const at = this.reserve();
    this.memory.fill(0, at, at + UNIT_BYTES);
    this.view.setInt32(at + 8, PREFILL_SIZE);
    this.maxOffset += 1;
  }

  private cutTo(offset: number): void {
    this.flush();
    this.dropBehind(offset * UNIT_BYTES);
    this.maxOffset = offset;
    this.flushedOffset = offset;
    this.memoryStart = offset;
    this.setMemory(Buffer.alloc(0));
    this.minOffset = Math.min(this.minOffset, offset);
  }

  /** A queue whose first known message is not its first (3.2 step 3): blank entries fill the file up to it. */
  private startAt(queueOffset: number): void {
    this.minOffset = queueOffset;
    this.maxOffset = queueOffset;
    this.flushedOffset = queueOffset;
    this.memoryStart = queueOffset;
    const position = queueOffset * UNIT_BYTES;
    const target = this.fileFor(position);
    const blank = Buffer.alloc(position - target.start);
    for (let at = 0; at < blank.length; at += UNIT_BYTES) blank.writeInt32BE(PREFILL_SIZE, at + 8);
    if (blank.length > 0) target.file.write(blank, 0, blank.length, 0);
  }

  /** Place for the next entry in memory; flushes and moves the window when it is full. */
  private reserve(): number {
    const index = this.maxOffset - this.memoryStart;
    if ((index + 1) * UNIT_BYTES <= this.memory.length) return index * UNIT_BYTES;
    if (this.memory.length < MEMORY_UNITS_MAX * UNIT_BYTES) {
      const larger = Buffer.alloc(
        Math.max(MEMORY_UNITS_FIRST * UNIT_BYTES, this.memory.length * 2),
      );
      this.memory.copy(larger, 0, 0, index * UNIT_BYTES);
      this.setMemory(larger);
      return index * UNIT_BYTES;
    }
    this.flush();
    // Readers may hold views of the old window: a new one takes over, with the newer half.
    const keep = MEMORY_UNITS_MAX / 2;
    const next = Buffer.alloc(this.memory.length);
    this.memory.copy(next, 0, (index - keep) * UNIT_BYTES, index * UNIT_BYTES);
    this.memoryStart += index - keep;
    this.setMemory(next);
    return keep * UNIT_BYTES;
  }

  private setMemory(memory: Buffer): void {
    this.memory = memory;
    this.view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  }

  private fileFor(position: number): QueueFile {
    const known = this.files.find(
      (file) => position >= file.start && position < file.start + this.fileSize,
    );
    if (known !== undefined) return known;
    const start = position - (position % this.fileSize);
    this.vfs.makeDirectory(this.directory);
    const file = this.vfs.open(join(this.directory, offsetName(start)), "create");
    file.truncate(this.fileSize);
    const made = { start, file };
    this.files.push(made);
    return made;
  }

  private openFile(start: number): void {
    const path = join(this.directory, offsetName(start));
    if ((this.vfs.stat(path)?.size ?? 0) === 0) {
      this.vfs.remove(path);
      return;
    }
    const file = this.vfs.open(path, "write");
    if (file.size() !== this.fileSize) file.truncate(this.fileSize);
    this.files.push({ start, file });
  }

  /** Zeroes what stands behind the end and removes later files, so that nothing stale comes back to life (S-13). */
  private dropBehind(position: number): void {
    for (const { start, file } of this.files) {
      if (start >= position && start > 0) {
        file.close();
        this.vfs.remove(file.path);
      } else if (position < start + this.fileSize) {
        file.truncate(Math.max(0, position - start));
        file.truncate(this.fileSize);
      }
    }
    this.files = this.files.filter(({ start }) => start < position || start === 0);
  }
}

/** @returns the entry at a position of a buffer */
export function readUnit(bytes: Buffer, at: number): Unit {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    physicalOffset: readLong(view, at),
    size: view.getInt32(at + 8),
    tagsHigh: view.getInt32(at + 12),
    tagsLow: view.getInt32(at + 16),
  };
}
