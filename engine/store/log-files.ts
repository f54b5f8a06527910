/**
 * The chain of commit log files (RocketMQ: MappedFileQueue): fixed size, named by their first byte's offset, never grown gradually
 * (store-and-ha 1.2). `prepareAhead` fills blocks ahead of the writer with zeros, so that a sync somebody waits for has no metadata to write
 * (engine-performance 2.2).
 */
import { join } from "node:path";
import { assert } from "../base/assert.ts";
import { EngineError } from "../base/engine-error.ts";
import type { Logger } from "../base/logger.ts";
import type { Vfs, VfsFile } from "../base/vfs.ts";
import { nameOffset, offsetName } from "./store-layout.ts";

/** One file of the log. */
export interface LogFile {
  /** Absolute offset of its first byte. */
  readonly start: number;
  readonly file: VfsFile;
  /** Bytes from its start that hold written blocks. */
  preparedBytes: number;
}

const ZEROS = Buffer.alloc(262_144);
/**
 * Zeroed this far ahead of the writer, in one go whenever half of it is used up: new blocks make the next fdatasync commit the file
 * system's journal, so they must be rare, not a little with every commit (engine-performance 2.2).
 */
const WINDOW_BYTES = 16_777_216;
const BLOCK_BYTES = 4_096;

/** What the chain needs. */
export interface LogFilesParts {
  readonly vfs: Vfs;
  readonly directory: string;
  readonly fileSize: number;
  readonly logger: Logger;
}

/** All files of one commit log, in order. */
export class LogFiles {
  readonly fileSize: number;
  readonly directory: string;
  private readonly vfs: Vfs;
  private readonly logger: Logger;
  private files: LogFile[] = [];
  /** A stretch ahead of the writer is being zeroed. */
  private isPreparing = false;

  /** Opens what is there. @throws EngineError STORE_LAYOUT_INVALID on a file of a wrong size (S-25) */
  constructor(parts: LogFilesParts) {
    this.vfs = parts.vfs;
    this.directory = parts.directory;
    this.fileSize = parts.fileSize;
    this.logger = parts.logger;
    this.vfs.makeDirectory(this.directory);
    for (const name of this.vfs.list(this.directory)) {
      const start = nameOffset(name);
      if (start === null) this.logger.warn("not a commit log file: ignored", { name });
      else this.open(start);
    }
    this.checkChain();
  }

  get all(): readonly LogFile[] {
    return this.files;
  }

  get last(): LogFile | undefined {
    return this.files.at(-1);
  }

  /** Offset of the first byte that is there; 0 when there is no file. */
  get minOffset(): number {
    return this.files[0]?.start ?? 0;
  }

  /** @returns the file that holds an offset */
  fileAt(offset: number): LogFile | undefined {
    const first = this.files[0];
    if (first === undefined || offset < first.start) return undefined;
    return this.files[Math.floor((offset - first.start) / this.fileSize)];
  }

  /** The file an append at `offset` goes to; made when it is the next one of the chain. */
  fileForAppend(offset: number): LogFile {
    const known = this.fileAt(offset);
    if (known !== undefined) return known;
    const start = offset - (offset % this.fileSize);
    const last = this.last;
    assert(
      last === undefined || start === last.start + this.fileSize,
      `the log would have a hole at ${start}`,
    );
    return this.create(start);
  }

  /** Zeroes blocks ahead of the writer; called between ticks. @returns true when there is more to do */
  prepareAhead(offset: number): boolean {
    const target = this.fileAt(offset);
    if (target === undefined) return false;
    const used = offset - target.start;
    const wanted = Math.min(this.fileSize, used + WINDOW_BYTES);
    const from = Math.max(target.preparedBytes, Math.ceil(used / BLOCK_BYTES) * BLOCK_BYTES);
    const isDue = from - used < WINDOW_BYTES / 2;
    this.isPreparing = from < wanted && (this.isPreparing || isDue);
    if (!this.isPreparing) return false;
    // Whole blocks: the file system zeroes what a write leaves of a new block by itself, which would be done twice.
    const length = Math.min(ZEROS.length - (from % BLOCK_BYTES), wanted - from);
    target.file.write(ZEROS, 0, length, from);
    target.preparedBytes = from + length;
    return target.preparedBytes < wanted;
  }

  /** Makes everything from `offset` on zeros, without writing them: the size is taken away and given back. @returns files touched */
  zeroFrom(offset: number): readonly LogFile[] {
    const touched = this.files.filter((file) => file.start + this.fileSize > offset);
    for (const file of touched) {
      const kept = Math.max(0, offset - file.start);
      file.file.truncate(kept);
      file.file.truncate(this.fileSize);
      file.preparedBytes = Math.min(file.preparedBytes, kept);
    }
    return touched;
  }

  /** Removes whole files from the front, never the last. @returns the new minimum offset */
  removeFirst(): number {
    assert(this.files.length > 1, "the last commit log file is never removed");
    const first = this.files.shift();
    if (first !== undefined) this.drop(first);
    return this.minOffset;
  }

  /** Removes every file that starts at or after an offset (recovery). */
  removeFrom(offset: number): void {
    for (const doomed of this.files.filter((file) => file.start >= offset)) this.drop(doomed);
    this.files = this.files.filter((file) => file.start < offset);
  }

  close(): void {
    for (const { file } of this.files) file.close();
  }

  private drop(doomed: LogFile): void {
    doomed.file.close();
    this.vfs.remove(doomed.file.path);
    this.vfs.syncDirectory(this.directory);
  }

  private open(start: number): void {
    const path = join(this.directory, offsetName(start));
    const size = this.vfs.stat(path)?.size ?? 0;
    if (size === 0) {
      // A crash between creating and sizing a file (S-25).
      this.vfs.remove(path);
      return;
    }
    const file = this.vfs.open(path, "write");
    this.files.push({ start, file, preparedBytes: 0 });
    if (size === this.fileSize) return;
    const isLast =
      this.vfs
        .list(this.directory)
        .filter((name) => nameOffset(name) !== null)
        .at(-1) === offsetName(start);
    if (!isLast || size > this.fileSize) {
      throw new EngineError("STORE_LAYOUT_INVALID", {
        message: `${path} has ${size} bytes; mappedFileSizeCommitLog is ${this.fileSize}`,
        hint: "start with the size this store was written with",
      });
    }
    file.truncate(this.fileSize);
  }

  private checkChain(): void {
    for (let i = 1; i < this.files.length; i += 1) {
      const expected = (this.files[i - 1]?.start ?? 0) + this.fileSize;
      const start = this.files[i]?.start ?? 0;
      if (start === expected) continue;
      throw new EngineError("STORE_LAYOUT_INVALID", {
        message: `the commit log has a hole: after ${offsetName(expected - this.fileSize)} comes ${offsetName(start)}`,
        hint: "put the missing file back, or start with the mappedFileSizeCommitLog this store was written with",
      });
    }
  }

  private create(start: number): LogFile {
    const path = join(this.directory, offsetName(start));
    const file = this.vfs.open(path, "create");
    file.truncate(this.fileSize);
    file.datasyncSync();
    this.vfs.syncDirectory(this.directory);
    const made: LogFile = { start, file, preparedBytes: 0 };
    this.files.push(made);
    return made;
  }
}
