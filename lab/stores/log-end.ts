/**
 * Where the commit log of a node that does not run ends (store-and-ha 2.1, 5.3). Read only: nothing is repaired. A record counts when its magic
 * number is right and its own position is the one it stands at, so old bytes behind the end are never taken for the log.
 */
import { open, readdir, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import {
  AT,
  BLANK_BYTES,
  BLANK_MAGIC,
  MESSAGE_MAGIC,
  RECORD_BYTES_MIN,
} from "../../engine/message/record-layout.ts";

/** A log that was read. */
export interface LogFacts {
  /** Offset of the oldest file; 0 without one. */
  readonly start: number;
  /** Offset behind the last whole record. */
  readonly end: number;
  /** Records at or behind the offset that was asked for. */
  readonly recordsSince: number;
}

const FILE_NAME = /^\d{20}$/;
const CHUNK_BYTES = 1_048_576;
const HEAD_BYTES = AT.physicalOffset + 8;

/** A file read in order through one buffer. */
class Reader {
  private readonly file: FileHandle;
  private readonly buffer = Buffer.alloc(CHUNK_BYTES);
  private from = 0;
  private length = 0;

  constructor(file: FileHandle) {
    this.file = file;
  }

  /** @returns the bytes at a position, as many as there are up to `size` */
  async at(position: number, size: number): Promise<Buffer> {
    if (position < this.from || position + size > this.from + this.length) {
      this.from = position;
      this.length = (await this.file.read(this.buffer, 0, CHUNK_BYTES, position)).bytesRead;
    }
    const start = position - this.from;
    return this.buffer.subarray(start, Math.min(start + size, this.length));
  }
}

interface FileWalk {
  /** Where the walk stopped: the file's size when it is full. */
  readonly position: number;
  readonly full: boolean;
  readonly records: number;
}

async function walk(path: string, start: number, since: number): Promise<FileWalk> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const reader = new Reader(file);
  let position = 0;
  let records = 0;
  while (position + BLANK_BYTES <= size) {
    const head = await reader.at(position, HEAD_BYTES);
    if (head.length < BLANK_BYTES) break;
    const bytes = head.readInt32BE(AT.totalSize);
    const magic = head.readInt32BE(AT.magic);
    if (magic === BLANK_MAGIC && bytes === size - position)
      return { position: size, full: true, records };
    const isRecord =
      magic === MESSAGE_MAGIC &&
      bytes >= RECORD_BYTES_MIN &&
      position + bytes <= size &&
      head.length === HEAD_BYTES &&
      Number(head.readBigInt64BE(AT.physicalOffset)) === start + position;
    if (!isRecord) break;
    if (start + position >= since) records += 1;
    position += bytes;
  }
  return { position, full: false, records };
}

async function logFiles(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => FILE_NAME.test(name)).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** The files that may hold the end or records that count: all from the one that holds `since`, and the last two. */
function interesting(names: readonly string[], since: number): readonly string[] {
  const holding = names.findLastIndex((name) => Number(name) <= since);
  return names.slice(Math.max(0, Math.min(holding, names.length - 2)));
}

/**
 * @param folder a commit log's
 * @param since records from this offset on are counted; default none
 */
export async function readLog(folder: string, since = Number.MAX_SAFE_INTEGER): Promise<LogFacts> {
  const names = await logFiles(folder);
  const start = Number(names[0] ?? 0);
  let end = start;
  let recordsSince = 0;
  for (const name of interesting(names, since)) {
    const at = Number(name);
    const { position, full, records } = await walk(join(folder, name), at, since);
    recordsSince += records;
    // A file made ahead holds nothing yet: the log ends in the one before.
    if (position > 0) end = at + position;
    if (!full) break;
  }
  return { start, end, recordsSince };
}

/** Two logs side by side. */
export interface LogComparison {
  readonly end: number;
  readonly otherEnd: number;
  /** The bytes below the shorter end are equal, as far as they were compared. */
  readonly same: boolean;
}

/** How far below the shorter end bytes are compared (H-08). */
const WINDOW_BYTES = 1_048_576;

/** @returns the log's bytes from one offset to another; what no file holds is left out */
async function bytesOf(folder: string, from: number, to: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const name of await logFiles(folder)) {
    const start = Number(name);
    await using file = await open(join(folder, name), "r");
    const { size } = await file.stat();
    const [first, last] = [Math.max(from, start), Math.min(to, start + size)];
    if (first >= last) continue;
    const part = Buffer.alloc(last - first);
    await file.read(part, 0, part.length, first - start);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/**
 * A log that went another way differs from there to its end, so the last bytes both have tell it.
 * @param folder a commit log's
 * @param other another one's; its node may run
 */
export async function compareLogs(folder: string, other: string): Promise<LogComparison> {
  const [own, theirs] = [await readLog(folder), await readLog(other)];
  const to = Math.min(own.end, theirs.end);
  const from = Math.max(own.start, theirs.start, to - WINDOW_BYTES);
  const same =
    from >= to || (await bytesOf(folder, from, to)).equals(await bytesOf(other, from, to));
  return { end: own.end, otherEnd: theirs.end, same };
}
