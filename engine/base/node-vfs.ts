import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  read,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { EngineError } from "./engine-error.ts";
import type { Vfs, VfsFile, VfsStat } from "./vfs.ts";

/** N-05: nobody but the broker's own user reads the store. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

const OPEN_FLAGS = {
  read: constants.O_RDONLY | constants.O_NOFOLLOW,
  write: constants.O_RDWR | constants.O_NOFOLLOW,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
} as const;

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Runs a call whose "there is no such thing" is an answer. */
function unlessMissing<Value>(call: () => Value, missing: Value): Value {
  try {
    return call();
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return missing;
    throw error;
  }
}

class NodeFile implements VfsFile {
  readonly path: string;
  private fd: number;

  constructor(path: string, fd: number) {
    this.path = path;
    this.fd = fd;
  }

  read(buffer: Buffer, start: number, length: number, position: number): number {
    let done = 0;
    while (done < length) {
      const count = readSync(this.fd, buffer, start + done, length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async readAsync(
    buffer: Buffer,
    start: number,
    length: number,
    position: number,
  ): Promise<number> {
    let done = 0;
    while (done < length) {
      const count = await this.readOnce(buffer, start + done, length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  private readOnce(
    buffer: Buffer,
    start: number,
    length: number,
    position: number,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.fd, buffer, start, length, position, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  write(buffer: Buffer, start: number, length: number, position: number): void {
    let done = 0;
    while (done < length) {
      const count = writeSync(this.fd, buffer, start + done, length - done, position + done);
      // S-02: the kernel may take less than asked without an error, and nothing at all only when something is wrong.
      if (count === 0) {
        throw new EngineError("STORE_FAILED", {
          message: `write of ${length - done} bytes at ${position + done} of ${this.path} took none`,
        });
      }
      done += count;
    }
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.fd, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  datasyncSync(): void {
    fdatasyncSync(this.fd);
  }

  truncate(size: number): void {
    ftruncateSync(this.fd, size);
  }

  size(): number {
    return fstatSync(this.fd).size;
  }

  close(): void {
    const { fd } = this;
    // The kernel gives the number to the next file opened: a late write must fail, not land there.
    this.fd = -1;
    closeSync(fd);
  }
}

/** Windows keeps no permission bits: what it reports says nothing about who may read. */
function permissionBits(mode: number): number {
  return process.platform === "win32" ? FILE_MODE : mode & 0o777;
}

function stat(path: string): VfsStat | null {
  const found = unlessMissing(() => statSync(path), null);
  if (found === null) return null;
  const { size, mtimeMs } = found;
  return { size, mtimeMs, isDirectory: found.isDirectory(), mode: permissionBits(found.mode) };
}

function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function space(path: string): { readonly total: number; readonly available: number } | null {
  const found = unlessMissing(() => statfsSync(path), null);
  if (found === null || found.blocks === 0) return null;
  return { total: found.blocks * found.bsize, available: found.bavail * found.bsize };
}

/**
 * The real file system. The only module of the engine that imports `node:fs` (S-01).
 */
export const nodeVfs: Vfs = {
  open: (path, mode) => new NodeFile(path, openSync(path, OPEN_FLAGS[mode], FILE_MODE)),
  readText: (path) => unlessMissing(() => readFileSync(path, "utf8"), null),
  list: (directory) => unlessMissing(() => readdirSync(directory).toSorted(), []),
  stat,
  makeDirectory: (path) => {
    mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
  },
  rename: (from, to) => renameSync(from, to),
  remove: (path) => unlessMissing(() => unlinkSync(path), undefined),
  removeDirectory: (path) => unlessMissing(() => rmdirSync(path), undefined),
  syncDirectory,
  space,
};
