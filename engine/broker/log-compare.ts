/** Comparing two brokers' logs by checksum (H-09). */
import { crc32 } from "../base/crc32.ts";
import type { ReplicaLog } from "../store/store-api.ts";

/** How far below the shorter end two logs are compared, bytes. */
export const LOG_COMPARE_BYTES_MAX = 1_048_576;

/**
 * @param log whose bytes are read
 * @param from physical offset of the first byte
 * @param to one past the last
 * @returns CRC-32 of the bytes; null when the log does not hold all of them, or they are more than LOG_COMPARE_BYTES_MAX
 */
export function crc32Of(log: ReplicaLog, from: number, to: number): number | null {
  const length = to - from;
  if (length < 0 || length > LOG_COMPARE_BYTES_MAX) return null;
  if (from < log.minOffset || to > log.writtenOffset) return null;
  const all = Buffer.allocUnsafe(length);
  for (let at = 0; at < length;) {
    const part = log.readRaw(from + at, length - at);
    if (part.bytes.length === 0) return null;
    part.bytes.copy(all, at);
    at += part.bytes.length;
    part.release();
  }
  return crc32(all, 0, length) >>> 0;
}
