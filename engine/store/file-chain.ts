/**
 * Files of one fixed size that hold one endless run of bytes (RocketMQ: MappedFileQueue; store-and-ha 1.2). A file is named by
 * the offset of its first byte, a multiple of the file size:
 *
 *   00000000000000000000   00000000000000001024   00000000000000002048
 *   ├──────────────────────┼──────────────────────┼──────────────────────┤   file size 1024
 *
 * Every file has exactly the file size from its first moment on; what was never written is zeros.
 */
import { join } from "node:path";
import { assert } from "../base/assert.ts";
import { EngineError } from "../base/engine-error.ts";
import type { Logger } from "../base/logger.ts";
import type { Vfs, VfsFile } from "../base/vfs.ts";
import { createSizedFile } from "./sized-file.ts";
import { offsetName, parseOffsetName } from "./store-layout.ts";

export interface FileChainOptions {
  readonly vfs: Vfs;
  readonly logger: Logger;
  readonly directory: string;
  readonly fileSize: number;
  /** Where a new file stands until it has its size (S-04). */
  readonly temporary: string;
  /** New files are synced before use; see SizedFile. */
  readonly isDurable: boolean;
}

/** One file of a chain. */
export interface ChainFile {
  readonly start: number;
  readonly path: string;
  handle: VfsFile | null;
  /** Holds bytes no datasync has covered. */
  isDirty: boolean;
}

export class FileChain {
  readonly fileSize: number;
  readonly files: ChainFile[] = [];
  private readonly options: FileChainOptions;

  /** @param options directory and sizes; call `load` for what is there already */
  constructor(options: FileChainOptions) {
    assert(options.fileSize > 0, `file size ${options.fileSize}`);
    this.options = options;
    this.fileSize = options.fileSize;
  }

  /** Start of the first file; 0 when there is none. */
  get start(): number {
    return this.files[0]?.start ?? 0;
  }

  /** End of the last file; 0 when there is none. */
  get end(): number {
    const last = this.files.at(-1);
    return last === undefined ? 0 : last.start + this.fileSize;
  }

  /**
   * Takes over the files on disk (S-25).
   * @throws EngineError STORE_LAYOUT_INVALID naming a file of the wrong length or a gap
   */
  load(): void {
    const { vfs, logger, directory } = this.options;
    const names = vfs.list(directory);
    const strange = names.filter((name) => parseOffsetName(name) === null);
    if (strange.length > 0) {
      logger.warn("ignored what is no store file", { directory, names: strange.join(" ") });
    }
    const starts = names.flatMap((name) => parseOffsetName(name) ?? []);
    starts.forEach((start, i) => this.adopt(start, i === starts.length - 1));
  }

  private adopt(start: number, isLast: boolean): void {
    const { vfs, logger, directory } = this.options;
    const path = join(directory, offsetName(start));
    const size = vfs.stat(path)?.size ?? 0;
    if (isLast && size === 0) {
      logger.warn("removed a file whose creation was cut short", { path });
      vfs.remove(path);
      return;
    }
    if (isLast && size < this.fileSize) {
      logger.warn("extended a short last file with zeros", { path, size, to: this.fileSize });
      const handle = vfs.open(path, "write");
      handle.truncate(this.fileSize);
      handle.close();
    } else if (size !== this.fileSize) {
      throw new EngineError("STORE_LAYOUT_INVALID", {
        message: `${path} has ${size} bytes, but files of this store have ${this.fileSize}`,
        hint: "start with the file size the store was made with (mappedFileSizeCommitLog, mappedFileSizeConsumeQueue)",
      });
    }
    this.checkPlace(start, path);
    this.files.push({ start, path, handle: null, isDirty: false });
  }

  private checkPlace(start: number, path: string): void {
    const expected = this.files.length === 0 ? start : this.end;
    if (start % this.fileSize === 0 && start === expected) return;
    throw new EngineError("STORE_LAYOUT_INVALID", {
      message: `${path} does not follow the file before it: expected one that starts at ${expected}`,
      hint: "restore the missing file, or start with the file size the store was made with",
    });
  }

  /** @returns the file that holds the byte at `offset`, or undefined */
  find(offset: number): ChainFile | undefined {
    const first = this.files[0];
    if (first === undefined || offset < first.start) return undefined;
    return this.files[Math.floor((offset - first.start) / this.fileSize)];
  }

  /** Adds a file of zeros behind the last one, or the first one. @throws the system error, nothing changed then */
  create(start: number): ChainFile {
    assert(start % this.fileSize === 0, `${start} is no start of a ${this.fileSize} byte file`);
    assert(this.files.length === 0 || start === this.end, `${start} is not behind the last file`);
    const { vfs, directory, temporary, isDurable } = this.options;
    const path = join(directory, offsetName(start));
    const handle = createSizedFile(vfs, { path, size: this.fileSize, temporary, isDurable });
    const file = { start, path, handle, isDirty: false };
    this.files.push(file);
    return file;
  }

  /** @returns the file's handle, opened when it is not open yet */
  open(file: ChainFile): VfsFile {
    file.handle ??= this.options.vfs.open(file.path, "write");
    return file.handle;
  }

  /** Reads bytes of one file. @returns how many there were up to the end of the file; 0 when no file holds `offset` */
  read(buffer: Buffer, at: number, length: number, offset: number): number {
    const file = this.find(offset);
    if (file === undefined) return 0;
    const room = file.start + this.fileSize - offset;
    return this.open(file).read(buffer, at, Math.min(length, room), offset - file.start);
  }

  /** As `read`, through the thread pool. */
  async readAsync(buffer: Buffer, at: number, length: number, offset: number): Promise<number> {
    const file = this.find(offset);
    if (file === undefined) return 0;
    const room = file.start + this.fileSize - offset;
    return this.open(file).readAsync(buffer, at, Math.min(length, room), offset - file.start);
  }

  /** Writes bytes into one file that exists. */
  write(buffer: Buffer, at: number, length: number, offset: number): void {
    const file = this.find(offset);
    assert(file !== undefined, `no file holds offset ${offset}`);
    assert(
      offset + length <= file.start + this.fileSize,
      `${length} bytes at ${offset} pass the end of a file`,
    );
    file.isDirty = true;
    this.open(file).write(buffer, at, length, offset - file.start);
  }

  /** Makes every byte written so far durable, oldest file first. Never call again after a rejection (S-03). */
  async sync(): Promise<void> {
    for (const file of this.files.filter(({ isDirty }) => isDirty)) {
      file.isDirty = false;
      await this.open(file).datasync();
    }
  }

  /** As `sync`, blocking: for start and stop. */
  syncNow(): void {
    for (const file of this.files.filter(({ isDirty }) => isDirty)) {
      file.isDirty = false;
      this.open(file).datasyncSync();
    }
  }

  /** Makes everything from `offset` to the end of its file zeros (S-13), without writing them. */
  zeroFrom(offset: number): void {
    const file = this.find(offset);
    if (file === undefined || offset === file.start + this.fileSize) return;
    const handle = this.open(file);
    handle.truncate(offset - file.start);
    handle.truncate(this.fileSize);
    file.isDirty = true;
  }

  /** Takes the last file out of the chain; it stays on disk for the caller to move or remove. */
  detachLast(): ChainFile | undefined {
    const file = this.files.pop();
    if (file !== undefined) this.closeFile(file);
    return file;
  }

  /** Deletes the first file. */
  removeFirst(): void {
    const file = this.files.shift();
    if (file === undefined) return;
    this.closeFile(file);
    this.options.vfs.remove(file.path);
    if (this.options.isDurable) this.options.vfs.syncDirectory(this.options.directory);
  }

  /** Deletes the last file. */
  removeLast(): void {
    const file = this.detachLast();
    if (file === undefined) return;
    this.options.vfs.remove(file.path);
    if (this.options.isDurable) this.options.vfs.syncDirectory(this.options.directory);
  }

  /** Deletes everything, the directory included. */
  removeAll(): void {
    for (const file of this.files.splice(0)) {
      this.closeFile(file);
      this.options.vfs.remove(file.path);
    }
    this.options.vfs.removeDirectory(this.options.directory);
  }

  /** Gives descriptors back; files are opened again when needed. */
  close(): void {
    for (const file of this.files) this.closeFile(file);
  }

  private closeFile(file: ChainFile): void {
    file.handle?.close();
    file.handle = null;
  }
}
