/**
 * The ROCKETMQ binary header (remoting-protocol 1.4), big endian.
 *
 *   0      2          3         5        9      13            17             17+r          21+r
 *   ├──────┼──────────┼─────────┼────────┼──────┼─────────────┼──────────────┼─────────────┼───────────
 *   │ code │ language │ version │ opaque │ flag │ remark len  │ remark r     │ ext len     │ entries
 *   │ i16  │ u8       │ i16     │ i32    │ i32  │ i32         │              │ i32         │
 *
 * Each entry: i16 key length, key, i32 value length, value. Lengths are compared with what is there BEFORE anything is allocated (F-07).
 */
import { EngineError } from "../base/engine-error.ts";
import type { DecodedHeader, HeaderValues } from "./header-values.ts";

const FIXED_BYTES = 21;
const EXT_FIELDS_MAX = 256;
const EXT_KEY_BYTES_MAX = 255;

const strictDecoder = new TextDecoder("utf-8", { fatal: true });

function refuse(what: string): never {
  throw new EngineError("REMOTING_FRAME_INVALID", { message: `binary header: ${what}` });
}

/** Reads strings and notes invalid UTF-8 instead of replacing it silently. */
class TextReader {
  validUtf8 = true;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  text(start: number, length: number, limit: number): string {
    if (length < 0 || start + length > limit) refuse(`a length of ${length} bytes passes the end`);
    const part = this.bytes.subarray(start, start + length);
    try {
      return strictDecoder.decode(part);
    } catch {
      this.validUtf8 = false;
      return part.toString("utf8");
    }
  }
}

function decodeEntries(
  bytes: Buffer,
  start: number,
  reader: TextReader,
): { ext: Map<string, string>; problem: string | null } {
  const ext = new Map<string, string>();
  let problem: string | null = null;
  let at = start;
  while (at < bytes.length) {
    if (at + 2 > bytes.length) refuse("an entry is cut off");
    const keyLength = bytes.readInt16BE(at);
    const key = reader.text(at + 2, keyLength, bytes.length);
    at += 2 + keyLength;
    if (at + 4 > bytes.length) refuse("an entry is cut off");
    const valueLength = bytes.readInt32BE(at);
    const value = reader.text(at + 4, valueLength, bytes.length);
    at += 4 + valueLength;
    if (keyLength > EXT_KEY_BYTES_MAX) problem = "an ext field's name is longer than 255 bytes";
    if (ext.size > EXT_FIELDS_MAX) problem = `more than ${EXT_FIELDS_MAX} ext fields`;
    else ext.set(key, value);
  }
  return { ext, problem };
}

/**
 * @param bytes the header
 * @throws EngineError REMOTING_FRAME_INVALID when a length is wrong: the connection must be closed
 */
export function decodeBinaryHeader(bytes: Buffer): DecodedHeader {
  if (bytes.length < FIXED_BYTES) refuse(`${bytes.length} bytes`);
  const reader = new TextReader(bytes);
  const remarkLength = bytes.readInt32BE(13);
  const remark = reader.text(17, remarkLength, bytes.length - 4);
  const extLength = bytes.readInt32BE(17 + remarkLength);
  const extStart = 21 + remarkLength;
  if (extLength < 0 || extStart + extLength !== bytes.length)
    refuse(`ext fields of ${extLength} bytes`);
  const { ext, problem } = decodeEntries(bytes, extStart, reader);
  return {
    code: bytes.readInt16BE(0),
    language: bytes.readUInt8(2),
    version: bytes.readInt16BE(3),
    opaque: bytes.readInt32BE(5),
    flag: bytes.readInt32BE(9),
    remark: remark === "" ? null : remark,
    extFields: ext,
    problem: reader.validUtf8 ? problem : "invalid UTF-8 in the header",
  };
}

/** @param header values to announce @returns the header's bytes */
export function encodeBinaryHeader(header: HeaderValues): Buffer {
  const remark = Buffer.from(header.remark ?? "", "utf8");
  const entries = [...(header.extFields ?? [])].map(
    ([key, value]) => [Buffer.from(key, "utf8"), Buffer.from(value, "utf8")] as const,
  );
  const extLength = entries.reduce((sum, [key, value]) => sum + 6 + key.length + value.length, 0);
  const bytes = Buffer.allocUnsafe(FIXED_BYTES + remark.length + extLength);
  bytes.writeInt16BE(header.code, 0);
  bytes.writeUInt8(header.language < 0 ? 7 : header.language, 2);
  bytes.writeInt16BE(header.version, 3);
  bytes.writeInt32BE(header.opaque, 5);
  bytes.writeInt32BE(header.flag, 9);
  bytes.writeInt32BE(remark.length, 13);
  remark.copy(bytes, 17);
  bytes.writeInt32BE(extLength, 17 + remark.length);
  let at = FIXED_BYTES + remark.length;
  for (const [key, value] of entries) {
    at = bytes.writeInt16BE(key.length, at);
    at += key.copy(bytes, at);
    at = bytes.writeInt32BE(value.length, at);
    at += value.copy(bytes, at);
  }
  return bytes;
}
