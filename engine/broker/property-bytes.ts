/**
 * A message's property string as bytes (remoting-protocol 4.1.6), looked at once and never turned into objects on the message path:
 *
 *   name 0x01 value 0x02  name 0x01 value 0x02  …  name 0x01 value [0x02]
 *
 * 4.9.0 writes the last 0x02, 4.9.8 does not. The broker stores what it got and adds CLUSTER.
 */

const NAME_END = 0x01;
const PAIR_END = 0x02;

/** Records keep the length in 16 bits, signed. */
export const PROPERTIES_BYTES_MAX = 32_767;

/** More pairs than this are checked for repeated names by the general path only. */
const NAMES_MAX = 64;

function ascii(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

const WAIT = ascii("WAIT");
const DELAY = ascii("DELAY");
const TRAN_MSG = ascii("TRAN_MSG");
const CLUSTER = ascii("CLUSTER");
const FALSE = ascii("false");
const TRUE = ascii("true");

function rangeEquals(bytes: Buffer, start: number, end: number, text: Buffer): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i += 1) {
    if (bytes[start + i] !== text[i]) return false;
  }
  return true;
}

/** What the broker has to know of a property string. One object serves every message. */
export class PropertyScan {
  /** False: not name-value pairs, an empty or a repeated name. */
  isWellFormed = true;
  /** False only for WAIT=false. */
  waitStoreMsgOk = true;
  hasDelay = false;
  isTransaction = false;
  /** The client sent a CLUSTER of its own, which must be replaced, not repeated. */
  hasCluster = false;
  /** False: whoever stores it must make sure it is UTF-8 (F-08). */
  isAscii = true;
  private readonly nameStart = new Int32Array(NAMES_MAX);
  private readonly nameEnd = new Int32Array(NAMES_MAX);
  private nameCount = 0;

  /**
   * @param bytes UTF-8
   * @param start first byte
   * @param end one past the last
   */
  scan(bytes: Buffer, start: number, end: number): void {
    this.isWellFormed = true;
    this.waitStoreMsgOk = true;
    this.hasDelay = false;
    this.isTransaction = false;
    this.hasCluster = false;
    this.isAscii = true;
    this.nameCount = 0;
    let nameStart = start;
    while (nameStart < end && this.isWellFormed) {
      nameStart = this.readPair(bytes, nameStart, end);
    }
  }

  /** @returns where the next pair starts */
  private readPair(bytes: Buffer, start: number, end: number): number {
    let at = start;
    let nameEnd = -1;
    for (; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte > 0x7f) this.isAscii = false;
      if (byte > PAIR_END) continue;
      if (byte === PAIR_END) break;
      if (byte !== NAME_END) continue;
      if (nameEnd >= 0) this.isWellFormed = false;
      nameEnd = at;
    }
    if (nameEnd <= start || this.isRepeated(bytes, start, nameEnd)) this.isWellFormed = false;
    else this.note(bytes, { start, nameEnd, end: at });
    return at + 1;
  }

  private isRepeated(bytes: Buffer, start: number, end: number): boolean {
    const count = this.nameCount;
    for (let i = 0; i < count; i += 1) {
      const otherStart = this.nameStart[i] ?? 0;
      const otherEnd = this.nameEnd[i] ?? 0;
      if (otherEnd - otherStart !== end - start || bytes[otherStart] !== bytes[start]) continue;
      if (bytes.compare(bytes, otherStart, otherEnd, start, end) === 0) return true;
    }
    if (count < NAMES_MAX) {
      this.nameStart[count] = start;
      this.nameEnd[count] = end;
      this.nameCount = count + 1;
    }
    return false;
  }

  private note(
    bytes: Buffer,
    pair: { readonly start: number; readonly nameEnd: number; readonly end: number },
  ): void {
    const { start, nameEnd, end } = pair;
    const valueStart = nameEnd + 1;
    switch (bytes[start] ?? 0) {
      case 0x57:
        if (rangeEquals(bytes, start, nameEnd, WAIT)) {
          this.waitStoreMsgOk = !rangeEquals(bytes, valueStart, end, FALSE);
        }
        break;
      case 0x44:
        if (rangeEquals(bytes, start, nameEnd, DELAY)) this.hasDelay = true;
        break;
      case 0x54:
        if (rangeEquals(bytes, start, nameEnd, TRAN_MSG)) {
          this.isTransaction = rangeEquals(bytes, valueStart, end, TRUE);
        }
        break;
      case 0x43:
        if (rangeEquals(bytes, start, nameEnd, CLUSTER)) this.hasCluster = true;
        break;
      default:
        break;
    }
  }
}

/**
 * @param clusterName of this broker
 * @returns the pair every stored message ends with, final 0x02 included as 4.9.0 writes it
 */
export function clusterPair(clusterName: string): Buffer {
  return Buffer.from(`CLUSTER\u0001${clusterName}\u0002`, "utf8");
}

/**
 * Ends a property string in `target` with one more pair, putting the 0x02 in between that 4.9.8 clients leave out.
 * @param target holds the string in [start, end) and has room behind it
 * @param start first byte of the string
 * @param end one past its last byte
 * @param pair from clusterPair
 * @returns the new end
 */
export function appendPair(target: Buffer, start: number, end: number, pair: Buffer): number {
  let at = end;
  if (at > start && target[at - 1] !== PAIR_END) {
    target[at] = PAIR_END;
    at += 1;
  }
  return at + pair.copy(target, at);
}
