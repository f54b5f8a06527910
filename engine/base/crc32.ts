import { crc32 as nativeCrc32 } from "node:zlib";

/**
 * CRC-32 (IEEE, the one of zlib and java.util.zip). Slicing-by-8 in JavaScript up to 256 bytes, zlib above: the call into
 * zlib costs more than the work below about 300 bytes (engine-performance 3.1).
 */
const NATIVE_FROM_BYTES = 256;
const POLYNOMIAL = 0xedb88320;

/** Table k, entry i at index `256 * k + i`: the CRC of byte i followed by k zero bytes. */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let i = 0; i < 256; i += 1) {
    let crc = i;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    tables[i] = crc;
  }
  for (let i = 256; i < tables.length; i += 1) {
    const previous = tables[i - 256] ?? 0;
    tables[i] = (previous >>> 8) ^ (tables[previous & 0xff] ?? 0);
  }
  return tables;
}

function table(k: number, byte: number): number {
  return TABLES[(k << 8) | byte] as number;
}

function sliced(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24));
    crc =
      table(7, low & 0xff) ^
      table(6, (low >>> 8) & 0xff) ^
      table(5, (low >>> 16) & 0xff) ^
      table(4, low >>> 24) ^
      table(3, bytes[at + 4] as number) ^
      table(2, bytes[at + 5] as number) ^
      table(1, bytes[at + 6] as number) ^
      table(0, bytes[at + 7] as number);
  }
  for (; at < end; at += 1) crc = (crc >>> 8) ^ table(0, (crc ^ (bytes[at] as number)) & 0xff);
  return ~crc >>> 0;
}

/**
 * @param bytes where the data is
 * @param start first byte
 * @param end one past the last
 * @returns the CRC-32, 0 … 2^32-1
 */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  if (end - start <= NATIVE_FROM_BYTES) return sliced(bytes, start, end);
  return nativeCrc32(bytes.subarray(start, end));
}
