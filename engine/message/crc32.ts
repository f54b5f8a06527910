import { crc32 } from "../base/crc32.ts";

/**
 * @param bytes buffer that holds the body
 * @param start first byte
 * @param end one past the last
 * @returns CRC-32 AND 0x7FFFFFFF, as records keep it (store-and-ha 2.1); 0 for an empty body
 */
export function bodyCrc(bytes: Uint8Array, start: number, end: number): number {
  return end === start ? 0 : crc32(bytes, start, end) & 0x7fffffff;
}
