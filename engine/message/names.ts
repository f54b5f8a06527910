/**
 * Topic names found in bytes that others wrote: an old log, a replication stream. They become directory names, so they are
 * checked before anything else happens with them (N-01, N-05): `^[%|a-zA-Z0-9_-]{1,127}$`.
 */
import { TOPIC_BYTES_MAX } from "./topic-name.ts";

const LEGAL = new Uint8Array(256);
for (const character of "%|_-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") {
  LEGAL[character.charCodeAt(0)] = 1;
}

/**
 * @param bytes where the name stands
 * @param start first byte
 * @param end one past the last
 * @returns true when it is a legal topic name
 */
export function isTopicName(bytes: Uint8Array, start: number, end: number): boolean {
  if (end <= start || end - start > TOPIC_BYTES_MAX) return false;
  for (let i = start; i < end; i += 1) {
    if (LEGAL[bytes[i] ?? 0] === 0) return false;
  }
  return true;
}
