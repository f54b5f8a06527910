/**
 * The body of a batch (remoting-protocol 4.1.3), big endian, members back to back:
 *
 *   i32 size of this entry │ i32 0 │ i32 0 │ i32 flag │ i32 n, body │ i16 n, properties
 */
import { EngineError } from "../base/engine-error.ts";
import { PROPERTIES_BYTES_MAX } from "./record-layout.ts";

/** One message of a batch. */
export interface BatchEntry {
  readonly flag: number;
  readonly body: Buffer;
  readonly properties: Buffer;
}

/** L-04. */
export const BATCH_MEMBERS_MAX = 1_024;
const ENTRY_BYTES_MIN = 22;

function refuse(message: string): never {
  throw new EngineError("MESSAGE_INVALID", { message });
}

function readEntry(bytes: Buffer, at: number, end: number): BatchEntry {
  const bodyStart = at + 20;
  const bodyEnd = bodyStart + bytes.readInt32BE(at + 16);
  if (bodyEnd < bodyStart || bodyEnd + 2 > end) refuse("a batch member's body passes its end");
  const propertiesStart = bodyEnd + 2;
  const propertiesEnd = propertiesStart + bytes.readInt16BE(bodyEnd);
  if (propertiesEnd !== end) refuse("a batch member's parts do not add up to its size");
  return {
    flag: bytes.readInt32BE(at + 12),
    body: bytes.subarray(bodyStart, bodyEnd),
    properties: bytes.subarray(propertiesStart, propertiesEnd),
  };
}

/**
 * @param bytes the whole body; entries are views into it
 * @throws EngineError MESSAGE_INVALID
 */
export function decodeBatch(bytes: Buffer): readonly BatchEntry[] {
  const entries: BatchEntry[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + ENTRY_BYTES_MIN > bytes.length) refuse("a batch member is cut off");
    const size = bytes.readInt32BE(at);
    if (size < ENTRY_BYTES_MIN || at + size > bytes.length)
      refuse(`a batch member claims ${size} bytes`);
    entries.push(readEntry(bytes, at, at + size));
    if (entries.length > BATCH_MEMBERS_MAX)
      refuse(`more than ${BATCH_MEMBERS_MAX} messages in a batch`);
    at += size;
  }
  return entries.length === 0 ? refuse("a batch without messages") : entries;
}

/** @returns the body a producer sends @throws EngineError MESSAGE_INVALID when properties are too long */
export function encodeBatch(entries: readonly BatchEntry[]): Buffer {
  const parts = entries.map((entry) => {
    if (entry.properties.length > PROPERTIES_BYTES_MAX)
      refuse("properties longer than 32,767 bytes");
    const size = ENTRY_BYTES_MIN + entry.body.length + entry.properties.length;
    const bytes = Buffer.alloc(size);
    bytes.writeInt32BE(size, 0);
    bytes.writeInt32BE(entry.flag, 12);
    bytes.writeInt32BE(entry.body.length, 16);
    entry.body.copy(bytes, 20);
    bytes.writeInt16BE(entry.properties.length, 20 + entry.body.length);
    entry.properties.copy(bytes, 22 + entry.body.length);
    return bytes;
  });
  return Buffer.concat(parts);
}
