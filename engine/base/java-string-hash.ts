/**
 * Java's `String.hashCode`: h = 31·h + UTF-16 code unit, signed 32 bits (store-and-ha 2.8). Tag codes and index keys use it.
 */

/**
 * @param text any string
 * @returns the hash a JVM computes, as a signed 32-bit integer
 */
export function javaStringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/**
 * The same over UTF-8 bytes, without making a string when they are ASCII.
 * @param bytes UTF-8
 * @param start first byte
 * @param end one past the last
 * @param seed hash of what stands before (for `topic#key` without joining)
 */
export function javaHashOfBytes(bytes: Buffer, start: number, end: number, seed = 0): number {
  let hash = seed;
  for (let i = start; i < end; i += 1) {
    const byte = bytes[i] ?? 0;
    if (byte > 0x7f) return continueHash(seed, bytes.toString("utf8", start, end));
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  return hash;
}

function continueHash(seed: number, text: string): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}
