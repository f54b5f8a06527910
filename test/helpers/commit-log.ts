/** Commit logs as files, without a broker: records with a right head and a body that tells them apart. */
import { mkdirSync, openSync, closeSync, writeSync, ftruncateSync } from "node:fs";
import { join } from "node:path";
import { AT, BLANK_MAGIC, MESSAGE_MAGIC } from "../../engine/message/record-layout.ts";

/** Bytes of every record made here. */
export const RECORD_BYTES = 200;
/** Bytes of every file made here: five records and a blank. */
export const FILE_BYTES = 5 * RECORD_BYTES + 40;

function recordAt(offset: number, mark: number): Buffer {
  const record = Buffer.alloc(RECORD_BYTES, mark);
  record.writeInt32BE(RECORD_BYTES, AT.totalSize);
  record.writeInt32BE(MESSAGE_MAGIC, AT.magic);
  record.writeBigInt64BE(BigInt(offset), AT.physicalOffset);
  return record;
}

/**
 * @param store folder of a store
 * @param marks what fills each record, oldest first
 * @param start offset of the first file
 * @returns offset behind the last record
 */
export function writeLog(store: string, marks: readonly number[], start = 0): number {
  const folder = join(store, "commitlog");
  mkdirSync(folder, { recursive: true });
  let end = start;
  for (let first = 0; first === 0 || first < marks.length; first += 5) {
    const at = start + (first / 5) * FILE_BYTES;
    const file = openSync(join(folder, String(at).padStart(20, "0")), "w");
    const part = marks.slice(first, first + 5);
    for (const [index, mark] of part.entries()) {
      end = at + index * RECORD_BYTES;
      writeSync(file, recordAt(end, mark), 0, RECORD_BYTES, end - at);
      end += RECORD_BYTES;
    }
    if (first + 5 < marks.length) {
      const blank = Buffer.alloc(8);
      blank.writeInt32BE(at + FILE_BYTES - end, 0);
      blank.writeInt32BE(BLANK_MAGIC, 4);
      writeSync(file, blank, 0, 8, end - at);
    }
    ftruncateSync(file, FILE_BYTES);
    closeSync(file);
  }
  return end;
}
