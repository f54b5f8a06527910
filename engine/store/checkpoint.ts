/**
 * The checkpoint file, 4096 bytes, big endian (store-and-ha 3.8). The first 24 bytes are 4.9's; ours stand far behind them, where 4.9 has zeros
 * and never writes:
 *
 * 1052 holds one i64 more of ours: the physical offset of the last indexed message.
 *
 *   0                      8                       16                     1024          1028           1036                1044
 *   ├──────────────────────┼───────────────────────┼───────────────────┄──┼─────────────┼──────────────┼───────────────────┼──────────────────
 *   │ physicMsgTimestamp   │ logicsMsgTimestamp    │ indexMsgTimestamp    │ i32 'LAB1'  │ i64 durable  │ i64 queues durable│ i64 copy of byte 0
 *
 * Our offsets count only while the copy equals byte 0: a 4.9 broker that ran in between moved it (S-10).
 */
import type { Vfs, VfsFile } from "../base/vfs.ts";
import { readLong, writeLong } from "../message/record-encode.ts";

const FILE_BYTES = 4_096;
const OWN_AT = 1_024;
const OWN_MAGIC = 0x4c414231;

/** What a checkpoint says. */
export interface Checkpoint {
  physicMsgTimestamp: number;
  logicsMsgTimestamp: number;
  indexMsgTimestamp: number;
  /** End of the log that was durable; 0 when not known. */
  durableEnd: number;
  /** Everything below was in durable queue files; 0 when not known. */
  queuesDurableEnd: number;
  /** The index reached this message at the last clean stop; -1 when not known. */
  indexedOffset: number;
}

/** @returns the checkpoint; zeros when there is none */
export function readCheckpoint(vfs: Vfs, path: string): Checkpoint {
  const empty = {
    physicMsgTimestamp: 0,
    logicsMsgTimestamp: 0,
    indexMsgTimestamp: 0,
    durableEnd: 0,
    queuesDurableEnd: 0,
    indexedOffset: -1,
  };
  if ((vfs.stat(path)?.size ?? 0) < FILE_BYTES) return empty;
  const file = vfs.open(path, "read");
  const bytes = Buffer.alloc(FILE_BYTES);
  file.read(bytes, 0, FILE_BYTES, 0);
  file.close();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isOurs =
    view.getInt32(OWN_AT) === OWN_MAGIC && readLong(view, OWN_AT + 20) === readLong(view, 0);
  return {
    physicMsgTimestamp: readLong(view, 0),
    logicsMsgTimestamp: readLong(view, 8),
    indexMsgTimestamp: readLong(view, 16),
    durableEnd: isOurs ? readLong(view, OWN_AT + 4) : 0,
    queuesDurableEnd: isOurs ? readLong(view, OWN_AT + 12) : 0,
    indexedOffset: isOurs ? readLong(view, OWN_AT + 28) : -1,
  };
}

/** @returns the 4096 bytes of the file */
export function encodeCheckpoint(checkpoint: Checkpoint): Buffer {
  const bytes = Buffer.alloc(FILE_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  writeLong(view, 0, checkpoint.physicMsgTimestamp);
  writeLong(view, 8, checkpoint.logicsMsgTimestamp);
  writeLong(view, 16, checkpoint.indexMsgTimestamp);
  view.setInt32(OWN_AT, OWN_MAGIC);
  writeLong(view, OWN_AT + 4, checkpoint.durableEnd);
  writeLong(view, OWN_AT + 12, checkpoint.queuesDurableEnd);
  writeLong(view, OWN_AT + 20, checkpoint.physicMsgTimestamp);
  view.setInt32(
    OWN_AT + 28,
    checkpoint.indexedOffset < 0 ? -1 : Math.floor(checkpoint.indexedOffset / 2 ** 32),
  );
  view.setInt32(OWN_AT + 32, checkpoint.indexedOffset | 0);
  return bytes;
}

/** @returns the file, made when it is not there, open for writing in place */
export function openCheckpoint(vfs: Vfs, path: string): VfsFile {
  return vfs.open(path, vfs.stat(path) === null ? "create" : "write");
}
