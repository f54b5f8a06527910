/**
 * Finds where the log really ends after a stop (store-and-ha 5.3; S-11, S-13, S-20, S-21, S-25). It returns what it found and did; it never
 * guesses silently, and a damaged log is never cut where it was durable.
 */
import { join } from "node:path";
import { EngineError } from "../base/engine-error.ts";
import type { Logger } from "../base/logger.ts";
import type { Vfs } from "../base/vfs.ts";
import { checkRecord, type RecordFault } from "../message/record-decode.ts";
import { AT, BLANK_BYTES, BLANK_MAGIC, storeTimestampAt } from "../message/record-layout.ts";
import { readLong } from "../message/record-encode.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { LogFile, LogFiles } from "./log-files.ts";

const CHUNK_BYTES = 4_194_304;
/** A record never spans more than this (4 MiB body and 64 KiB around it). */
const RECORD_BYTES_MAX = 4_194_304 + 131_072;

const ZEROS = Buffer.alloc(1_048_576);

/** What recovery found. */
export interface Recovered {
  /** Where the next record goes. */
  readonly end: number;
  /** Where the walk began: everything from here on was checked. */
  readonly from: number;
  readonly records: number;
  /** Bytes cut off behind the end (a torn tail), 0 when it ended clean. */
  readonly tornBytes: number;
}

/** What recovery needs. */
export interface RecoveryParts {
  readonly files: LogFiles;
  readonly vfs: Vfs;
  readonly quarantine: string;
  readonly checkpoint: Checkpoint;
  readonly wasClean: boolean;
  readonly logger: Logger;
}

/** A clean stop of ours left nothing to find: more than this before its end is left to the scrub (S-24). */
const CLEAN_WALK_BYTES_MAX = 67_108_864;

/** We stopped cleanly at `durableEnd`, and no broker of Apache ran since: the log ends there and only zeros follow. */
function endedClean({ wasClean, checkpoint }: RecoveryParts): boolean {
  return wasClean && checkpoint.durableEnd > 0;
}

/** First file the walk must begin with: the third-last after a clean stop of 4.9, else the newest one that was durable whole (5.3 b). */
function startFile(parts: RecoveryParts): number {
  const { files, checkpoint, wasClean } = parts;
  if (wasClean && !endedClean(parts)) return Math.max(0, files.all.length - 3);
  if (checkpoint.durableEnd > 0) {
    const safe = wasClean
      ? checkpoint.durableEnd
      : Math.min(checkpoint.durableEnd, checkpoint.queuesDurableEnd);
    return Math.max(
      0,
      files.all.findLastIndex((file) => file.start <= safe),
    );
  }
  const limit = Math.max(
    0,
    Math.min(checkpoint.physicMsgTimestamp, checkpoint.logicsMsgTimestamp) - 3_000,
  );
  return Math.max(
    0,
    files.all.findLastIndex((file) => {
      const time = firstTimestamp(file);
      return time > 0 && time <= limit;
    }),
  );
}

function firstTimestamp(file: LogFile): number {
  const head = Buffer.alloc(96);
  file.file.read(head, 0, head.length, 0);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  return readLong(view, storeTimestampAt(view.getInt32(AT.sysFlag)));
}

interface Walk {
  /** Position in the file where the walk stopped. */
  readonly at: number;
  readonly records: number;
  /** The file is full: a blank record ended it. */
  readonly isComplete: boolean;
  readonly fault: RecordFault | null;
}

/** Where in its first file the walk begins. */
function startPosition(parts: RecoveryParts, file: LogFile): number {
  const used = parts.checkpoint.durableEnd - file.start;
  return endedClean(parts) && used > CLEAN_WALK_BYTES_MAX && used < parts.files.fileSize ? used : 0;
}

/** Checks one file's records from a record's start on. */
function walkFile(file: LogFile, fileSize: number, from: number): Walk {
  let chunkStart = from;
  let chunk = readChunk(file, from, fileSize);
  let at = from;
  let records = 0;
  for (;;) {
    const inChunk = at - chunkStart;
    if (at + BLANK_BYTES > fileSize) return { at, records, isComplete: false, fault: null };
    if (inChunk + RECORD_BYTES_MAX > chunk.length && chunkStart + chunk.length < fileSize) {
      chunkStart = at;
      chunk = readChunk(file, at, fileSize);
      continue;
    }
    if (
      chunk.readInt32BE(inChunk + AT.magic) === BLANK_MAGIC &&
      chunk.readInt32BE(inChunk) === fileSize - at
    ) {
      return { at, records, isComplete: true, fault: null };
    }
    const record = checkRecord(chunk, inChunk, chunk.length, file.start + at);
    if (typeof record === "string") return { at, records, isComplete: false, fault: record };
    at += record.totalSize;
    records += 1;
  }
}

function readChunk(file: LogFile, at: number, fileSize: number): Buffer {
  const length = Math.min(CHUNK_BYTES + RECORD_BYTES_MAX, fileSize - at);
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, file.file.read(bytes, 0, length, at));
}

/** @returns one past the last byte of the file that is not zero, at or after `from` */
function lastUsedByte(file: LogFile, from: number, fileSize: number): number {
  const chunk = Buffer.allocUnsafe(Math.min(ZEROS.length, fileSize));
  for (let end = fileSize; end > from; end -= chunk.length) {
    const start = Math.max(from, end - chunk.length);
    const bytes = chunk.subarray(0, end - start);
    file.file.read(bytes, 0, bytes.length, start);
    // Most of a file is usually untouched: whole chunks are compared natively.
    if (bytes.compare(ZEROS, 0, bytes.length) === 0) continue;
    for (let i = bytes.length - 1; i >= 0; i -= 1) if (bytes[i] !== 0) return start + i + 1;
  }
  return from;
}

function keepCopy(parts: RecoveryParts, file: LogFile, from: number, to: number): void {
  const { vfs, quarantine } = parts;
  vfs.makeDirectory(quarantine);
  const bytes = Buffer.allocUnsafe(to - from);
  file.file.read(bytes, 0, bytes.length, from);
  const path = join(quarantine, `${file.start + from}.log`);
  vfs.remove(path);
  const copy = vfs.open(path, "create");
  copy.write(bytes, 0, bytes.length, 0);
  copy.datasyncSync();
  copy.close();
}

/** Zeroes what stands behind the end, keeping a copy, and removes later files (S-13). @returns bytes cut off */
function cutTail(parts: RecoveryParts, file: LogFile, at: number): number {
  const { files } = parts;
  const used = lastUsedByte(file, at, files.fileSize);
  if (used > at) {
    keepCopy(parts, file, at, used);
    const zeros = Buffer.alloc(Math.min(CHUNK_BYTES, used - at));
    for (let position = at; position < used; position += zeros.length) {
      file.file.write(zeros, 0, Math.min(zeros.length, used - position), position);
    }
    file.file.datasyncSync();
  }
  for (const later of files.all.filter((other) => other.start > file.start)) {
    const laterUsed = lastUsedByte(later, 0, files.fileSize);
    if (laterUsed > 0) keepCopy(parts, later, 0, laterUsed);
  }
  files.removeFrom(file.start + files.fileSize);
  return used - at;
}

/** S-21: bytes that were durable are no record any more. */
function corrupt(file: LogFile, at: number, fault: RecordFault, durableEnd: number): EngineError {
  return new EngineError("STORE_CORRUPT", {
    message: `the commit log is damaged at offset ${file.start + at} (${fault}); it was durable up to ${durableEnd}`,
    hint: `file ${file.file.path}, byte ${at}; restore it from a copy or from the slave's store`,
  });
}

/** The walk ended in `file`: this is the log's end, unless it cannot be. @returns bytes cut off behind it */
function settleEnd(parts: RecoveryParts, file: LogFile, walk: Walk): number {
  const { files, checkpoint, logger } = parts;
  const end = file.start + walk.at;
  if (end < checkpoint.durableEnd && walk.fault !== null)
    throw corrupt(file, walk.at, walk.fault, checkpoint.durableEnd);
  const isLast = file === files.last;
  if (endedClean(parts) && end === checkpoint.durableEnd && isLast) return 0;
  const tornBytes = cutTail(parts, file, walk.at);
  if (tornBytes > 0)
    logger.warn("a torn tail was cut off the commit log; a copy is in quarantine", {
      end,
      bytes: tornBytes,
      fault: walk.fault,
    });
  return tornBytes;
}

/**
 * @returns the log's end and what was cut
 * @throws EngineError STORE_CORRUPT when bytes that were durable are no record any more, or are gone (S-21)
 */
export function recoverLog(parts: RecoveryParts): Recovered {
  const { files, checkpoint } = parts;
  if (files.all.length === 0 && checkpoint.durableEnd > 0) throw gone(parts);
  const first = startFile(parts);
  const from = files.all[first]?.start ?? 0;
  let records = 0;
  for (const [index, file] of files.all.entries()) {
    if (index < first) continue;
    const walk = walkFile(file, files.fileSize, index === first ? startPosition(parts, file) : 0);
    records += walk.records;
    if (walk.isComplete && file !== files.last) continue;
    const tornBytes = settleEnd(parts, file, walk);
    return { end: file.start + walk.at, from, records, tornBytes };
  }
  return { end: from, from, records, tornBytes: 0 };
}

/** A store without its log must not start as if it had been empty. */
function gone({ files, checkpoint }: RecoveryParts): EngineError {
  return new EngineError("STORE_CORRUPT", {
    message: `the commit log in ${files.directory} is gone; it was durable up to ${checkpoint.durableEnd}`,
    hint: "put it back, check storePathCommitLog, or remove the whole store to start empty",
  });
}
