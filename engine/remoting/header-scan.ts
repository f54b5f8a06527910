/**
 * Reads a request header on the message path into positions, without strings or objects (engine-performance 1.4). Whatever it does not
 * fully recognise (nested values, numbers as ext values, a repeated member …) makes it return false, and the frame takes the general
 * path; a property test holds both equal.
 */
import { SERIALIZE_JSON } from "./command.ts";
import type { FrameView } from "./processor.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const MINUS = 0x2d;
const ENTRIES_MAX = 40;

/** `{"code":` as every Java and Go client starts a header. */
const CODE_PREFIX = Buffer.from('{"code":');

/**
 * @returns the request code, or -1 when the header does not start in the usual way
 */
export function peekCode(frame: FrameView): number {
  const { buffer, headerStart, bodyStart } = frame;
  if (frame.serializeType !== SERIALIZE_JSON)
    return bodyStart - headerStart >= 2 ? buffer.readInt16BE(headerStart) : -1;
  for (let i = 0; i < CODE_PREFIX.length; i += 1) {
    if (buffer[headerStart + i] !== CODE_PREFIX[i]) return -1;
  }
  let at = headerStart + CODE_PREFIX.length;
  let code = 0;
  for (; at < bodyStart; at += 1) {
    const digit = (buffer[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) break;
    code = code * 10 + digit;
  }
  return code;
}

/**
 * @returns the integer in decimal digits, or NaN when the bytes are anything else (F-16)
 */
export function integerAt(buffer: Buffer, start: number, end: number): number {
  const negative = buffer[start] === MINUS;
  let at = negative ? start + 1 : start;
  if (at >= end || end - at > 16) return Number.NaN;
  let value = 0;
  for (; at < end; at += 1) {
    const digit = (buffer[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Positions of one header's parts; reused for every frame. */
export class HeaderScan {
  code = 0;
  opaque = 0;
  flag = 0;
  version = 0;
  entryCount = 0;
  readonly keyStart = new Int32Array(ENTRIES_MAX);
  readonly keyEnd = new Int32Array(ENTRIES_MAX);
  readonly valueStart = new Int32Array(ENTRIES_MAX);
  readonly valueEnd = new Int32Array(ENTRIES_MAX);
  /** 1 when the value contains a backslash. */
  readonly escaped = new Uint8Array(ENTRIES_MAX);
  /** Entry of a one-letter key a…z, or -1 (SEND_MESSAGE_V2). */
  readonly byLetter = new Int8Array(26);
  private buffer: Buffer = Buffer.alloc(0);
  private at = 0;
  private end = 0;
  private stringStart = 0;
  private stringEnd = 0;
  private stringEscaped = 0;

  /** @returns true when every part of the header was recognised */
  scan(frame: FrameView): boolean {
    this.buffer = frame.buffer;
    this.at = frame.headerStart;
    this.end = frame.bodyStart;
    this.entryCount = 0;
    this.byLetter.fill(-1);
    this.code = -1;
    this.opaque = 0;
    this.flag = 0;
    this.version = 0;
    return frame.serializeType === SERIALIZE_JSON ? this.scanJson() : this.scanBinary();
  }

  /** @returns index of the entry with this name, or -1 */
  find(name: Buffer): number {
    for (let i = 0; i < this.entryCount; i += 1) {
      const start = this.keyStart[i] ?? 0;
      const end = this.keyEnd[i] ?? 0;
      if (
        end - start === name.length &&
        this.buffer.compare(name, 0, name.length, start, end) === 0
      )
        return i;
    }
    return -1;
  }

  /** @returns the entry's integer, or NaN when it is missing, escaped or no integer */
  integer(entry: number): number {
    if (entry < 0 || this.escaped[entry] === 1) return Number.NaN;
    return integerAt(this.buffer, this.valueStart[entry] ?? 0, this.valueEnd[entry] ?? 0);
  }

  private scanJson(): boolean {
    if (this.buffer[this.at] !== OPEN) return false;
    this.at += 1;
    for (;;) {
      if (!this.readString() || !this.readColon()) return false;
      if (!this.readMember(this.stringStart, this.stringEnd - this.stringStart)) return false;
      this.skipSpace();
      const next = this.buffer[this.at];
      this.at += 1;
      if (next === CLOSE) break;
      if (next !== COMMA) return false;
      this.skipSpace();
    }
    this.skipSpace();
    return this.at === this.end && this.code >= 0;
  }

  /** Members are told apart by length and first byte; an unknown string member is skipped, any other unknown one refused. */
  private readMember(start: number, length: number): boolean {
    const first = this.buffer[start] ?? 0;
    if (first === 0x65 && length === 9) return this.readExt();
    if (this.buffer[this.at] === QUOTE) return this.readString();
    const value = this.readNumber();
    if (!Number.isFinite(value) || value !== (value | 0)) return false;
    this.setMember(first, length, value);
    return true;
  }

  /** code, opaque, flag or version; anything else is unknown and skipped. */
  private setMember(first: number, length: number, value: number): void {
    if (first === 0x63 && length === 4) this.code = value;
    else if (first === 0x6f && length === 6) this.opaque = value;
    else if (first === 0x66 && length === 4) this.flag = value;
    else if (first === 0x76 && length === 7) this.version = value;
  }

  private readExt(): boolean {
    if (this.buffer[this.at] !== OPEN || this.entryCount > 0) return false;
    this.at += 1;
    this.skipSpace();
    if (this.buffer[this.at] === CLOSE) {
      this.at += 1;
      return true;
    }
    for (;;) {
      if (!this.readString() || this.stringEscaped === 1) return false;
      const keyStart = this.stringStart;
      const keyEnd = this.stringEnd;
      if (!this.readColon() || !this.readString() || !this.addEntry(keyStart, keyEnd)) return false;
      this.skipSpace();
      const next = this.buffer[this.at];
      this.at += 1;
      if (next === CLOSE) return true;
      if (next !== COMMA) return false;
      this.skipSpace();
    }
  }

  private addEntry(keyStart: number, keyEnd: number): boolean {
    const index = this.entryCount;
    if (index >= ENTRIES_MAX) return false;
    this.keyStart[index] = keyStart;
    this.keyEnd[index] = keyEnd;
    this.valueStart[index] = this.stringStart;
    this.valueEnd[index] = this.stringEnd;
    this.escaped[index] = this.stringEscaped;
    const letter = (this.buffer[keyStart] ?? 0) - 97;
    if (keyEnd - keyStart === 1 && letter >= 0 && letter < 26) {
      if (this.byLetter[letter] !== -1) return false;
      this.byLetter[letter] = index;
    }
    this.entryCount = index + 1;
    return true;
  }

  private skipSpace(): void {
    while (this.at < this.end && isSpace(this.buffer[this.at])) this.at += 1;
  }

  private readColon(): boolean {
    this.skipSpace();
    if (this.buffer[this.at] !== COLON) return false;
    this.at += 1;
    this.skipSpace();
    return true;
  }

  /** Reads a quoted string; its inside becomes stringStart … stringEnd. */
  private readString(): boolean {
    const buffer = this.buffer;
    if (buffer[this.at] !== QUOTE) return false;
    let at = this.at + 1;
    this.stringStart = at;
    this.stringEscaped = 0;
    for (; at < this.end; at += 1) {
      const byte = buffer[at] ?? 0;
      if (byte === QUOTE) {
        this.stringEnd = at;
        this.at = at + 1;
        return true;
      }
      // JSON forbids bare control characters; the general path says so.
      if (byte < 0x20) return false;
      if (byte === BACKSLASH) {
        this.stringEscaped = 1;
        at += 1;
      }
    }
    return false;
  }

  private readNumber(): number {
    const start = this.at;
    while (this.at < this.end) {
      const byte = this.buffer[this.at] ?? 0;
      if (byte !== MINUS && (byte < 48 || byte > 57)) break;
      this.at += 1;
    }
    return integerAt(this.buffer, start, this.at);
  }

  private scanBinary(): boolean {
    const { buffer, at, end } = this;
    if (end - at < 21) return false;
    this.code = buffer.readInt16BE(at);
    this.version = buffer.readInt16BE(at + 3);
    this.opaque = buffer.readInt32BE(at + 5);
    this.flag = buffer.readInt32BE(at + 9);
    const remarkLength = buffer.readInt32BE(at + 13);
    if (remarkLength < 0 || remarkLength > end - at - 21) return false;
    let entry = at + 21 + remarkLength;
    if (buffer.readInt32BE(entry - 4) !== end - entry) return false;
    while (entry < end) {
      entry = this.scanBinaryEntry(entry);
      if (entry < 0) return false;
    }
    return this.code >= 0;
  }

  /** @returns where the next entry starts, or -1 */
  private scanBinaryEntry(at: number): number {
    const { buffer, end } = this;
    if (at + 2 > end) return -1;
    const keyEnd = at + 2 + buffer.readInt16BE(at);
    if (keyEnd < at + 2 || keyEnd + 4 > end) return -1;
    const valueEnd = keyEnd + 4 + buffer.readInt32BE(keyEnd);
    if (valueEnd < keyEnd + 4 || valueEnd > end) return -1;
    this.stringStart = keyEnd + 4;
    this.stringEnd = valueEnd;
    this.stringEscaped = 0;
    return this.addEntry(at + 2, keyEnd) ? valueEnd : -1;
  }
}

/** By the character behind the backslash: what it stands for, 0 for none. */
const SHORT_ESCAPES = new Uint8Array(256);
for (const [letter, character] of Object.entries({
  '"': 0x22,
  "\\": 0x5c,
  "/": 0x2f,
  b: 0x08,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
})) {
  SHORT_ESCAPES[letter.charCodeAt(0)] = character;
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/**
 * Copies the inside of a JSON string, unescaped, byte by byte: property strings are short and full of escapes, and a native copy
 * a run costs more than the run.
 * @param source buffer and range of the string's inside
 * @param target large enough for the range
 * @param at where to write
 * @returns one past the last byte written, or -1 on an escape the general path must judge (surrogates, above U+007F, bad ones)
 */
export function unescapeInto(
  source: { readonly buffer: Buffer; readonly start: number; readonly end: number },
  target: Buffer,
  at: number,
): number {
  const { buffer, end } = source;
  let from = source.start;
  let to = at;
  while (from < end) {
    const byte = buffer[from] ?? 0;
    if (byte !== BACKSLASH) {
      target[to] = byte;
      from += 1;
    } else {
      const escape = buffer[from + 1] ?? 0;
      const isUnicode = escape === 0x75;
      const value = isUnicode ? unicodeEscape(buffer, from + 2, end) : (SHORT_ESCAPES[escape] ?? 0);
      if (value < 0 || (!isUnicode && value === 0)) return -1;
      target[to] = value;
      from += isUnicode ? 6 : 2;
    }
    to += 1;
  }
  return to;
}

/** @returns the ASCII character of four hexadecimal digits, or -1 */
function unicodeEscape(buffer: Buffer, at: number, end: number): number {
  if (at + 4 > end || buffer[at] !== 48 || buffer[at + 1] !== 48) return -1;
  const high = hexValue(buffer[at + 2] ?? 0);
  const low = hexValue(buffer[at + 3] ?? 0);
  return high < 0 || high > 7 || low < 0 ? -1 : high * 16 + low;
}
