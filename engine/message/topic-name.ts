import { assert } from "../base/assert.ts";

/**
 * Topic names as small integers and ready-made bytes (engine-performance 3.3, 7): the message path looks a name up once,
 * by its bytes, and from then on compares and indexes by `id`.
 */
export interface TopicName {
  /** Index for arrays; unique in the process. */
  readonly id: number;
  readonly text: string;
  /** UTF-8 bytes of `text`. Never changed. */
  readonly bytes: Buffer;
}

/** Records keep the topic's length in one byte (store-and-ha 2.1); clients are held to 127 (N-01). */
export const TOPIC_BYTES_MAX = 127;

const byText = new Map<string, TopicName>();
const byHash = new Map<number, TopicName[]>();

function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let i = start; i < end; i += 1) hash = (Math.imul(hash, 31) + (bytes[i] ?? 0)) | 0;
  return hash;
}

/** Byte by byte: names are short, and a native comparison costs more than the loop. */
function equalsAt(name: TopicName, bytes: Buffer, start: number, end: number): boolean {
  const { length } = name.bytes;
  if (length !== end - start) return false;
  for (let i = 0; i < length; i += 1) {
    if (bytes[start + i] !== name.bytes[i]) return false;
  }
  return true;
}

/**
 * @param text a topic name already checked against N-01
 * @returns the one TopicName of that text
 */
export function internTopic(text: string): TopicName {
  const known = byText.get(text);
  if (known !== undefined) return known;
  const bytes = Buffer.from(text, "utf8");
  assert(
    bytes.length > 0 && bytes.length <= TOPIC_BYTES_MAX,
    `topic name of ${bytes.length} bytes`,
  );
  const name: TopicName = { id: byText.size, text, bytes };
  byText.set(text, name);
  const hash = hashBytes(bytes, 0, bytes.length);
  byHash.set(hash, [...(byHash.get(hash) ?? []), name]);
  return name;
}

/**
 * Finds a name by its bytes without making a string.
 * @returns the name if it was interned before, else undefined
 */
export function findTopic(bytes: Buffer, start: number, end: number): TopicName | undefined {
  const candidates = byHash.get(hashBytes(bytes, start, end));
  if (candidates === undefined) return undefined;
  for (const name of candidates) {
    if (equalsAt(name, bytes, start, end)) return name;
  }
  return undefined;
}
