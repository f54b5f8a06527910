/**
 * Checks the signature of a request where it lies in the read buffer, for the codes on the message path: no header map, no strings but the
 * access key and the resources. Whatever is unusual (a field twice, an escape beyond U+007F, a body that does not fit) makes it say no, and
 * the request takes the general path, which decides; so this file can only be too strict.
 */
import { hash, type KeyObject } from "node:crypto";
import { HeaderScan, unescapeInto } from "../remoting/header-scan.ts";
import type { FrameView } from "../remoting/processor.ts";

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 20;
/** Header values and body of one request; larger ones take the general path. */
const CONTENT_BYTES_MAX = 131_072;
const BASE64_DIGEST_LENGTH = 28;

const ACCESS_KEY = Buffer.from("AccessKey", "latin1");
const SIGNATURE = Buffer.from("Signature", "latin1");

/** HMAC's two key blocks of one secret (RFC 2104), made once. */
interface KeyBlocks {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

function keyBlocks(secret: KeyObject): KeyBlocks {
  const exported = secret.export();
  const key = exported.length > BLOCK_BYTES ? hash("sha1", exported, "buffer") : exported;
  const block = (pad: number): Buffer => {
    const bytes = Buffer.alloc(BLOCK_BYTES, pad);
    for (let i = 0; i < key.length; i += 1) bytes[i] = pad ^ (key[i] ?? 0);
    return bytes;
  };
  return { inner: block(0x36), outer: block(0x5c) };
}

/** One a server; its buffers are reused for every request. */
export class FrameSignature {
  /** Of the frame read last. */
  readonly header = new HeaderScan();
  private readonly content = Buffer.allocUnsafeSlow(BLOCK_BYTES + CONTENT_BYTES_MAX);
  private readonly outer = Buffer.allocUnsafeSlow(BLOCK_BYTES + DIGEST_BYTES);
  private readonly order = new Uint8Array(64);
  private readonly blocks = new WeakMap<KeyObject, KeyBlocks>();
  private signature = -1;

  /** @returns the frame's access key, or null when it takes the general path */
  read(frame: FrameView): string | null {
    const { header } = this;
    if (!header.scan(frame)) return null;
    this.signature = header.find(SIGNATURE);
    return this.signature < 0 ? null : this.text(frame.buffer, header.find(ACCESS_KEY));
  }

  /** @returns the value of an entry that is plain ASCII without escapes, or null */
  text(buffer: Buffer, entry: number): string | null {
    const { header } = this;
    if (entry < 0 || header.escaped[entry] === 1) return null;
    return buffer.toString("latin1", header.valueStart[entry] ?? 0, header.valueEnd[entry] ?? 0);
  }

  /** @returns true when the frame read last is signed with the secret */
  isSignedWith(secret: KeyObject, frame: FrameView): boolean {
    let blocks = this.blocks.get(secret);
    if (blocks === undefined) {
      blocks = keyBlocks(secret);
      this.blocks.set(secret, blocks);
    }
    const end = this.sort(frame.buffer) ? this.collect(frame) : -1;
    if (end < 0) return false;
    blocks.inner.copy(this.content, 0);
    const inner = hash("sha1", this.content.subarray(0, end), "binary");
    blocks.outer.copy(this.outer, 0);
    this.outer.write(inner, BLOCK_BYTES, DIGEST_BYTES, "latin1");
    return this.equals(hash("sha1", this.outer, "base64"), frame.buffer);
  }

  /** Compares all characters, wherever the first difference is (E-04). */
  private equals(expected: string, buffer: Buffer): boolean {
    const start = this.header.valueStart[this.signature] ?? 0;
    if ((this.header.valueEnd[this.signature] ?? 0) - start !== BASE64_DIGEST_LENGTH) return false;
    let difference = 0;
    for (let i = 0; i < BASE64_DIGEST_LENGTH; i += 1)
      difference |= expected.charCodeAt(i) ^ (buffer[start + i] ?? 0);
    return difference === 0;
  }

  /** Orders the entries by name. @returns false when two have the same */
  private sort(buffer: Buffer): boolean {
    const { order } = this;
    const count = this.header.entryCount;
    for (let i = 0; i < count; i += 1) {
      let at = i;
      while (at > 0) {
        const difference = this.compareNames(buffer, order[at - 1] ?? 0, i);
        if (difference === 0) return false;
        if (difference < 0) break;
        order[at] = order[at - 1] ?? 0;
        at -= 1;
      }
      order[at] = i;
    }
    return true;
  }

  private compareNames(buffer: Buffer, left: number, right: number): number {
    const { keyStart, keyEnd } = this.header;
    const leftStart = keyStart[left] ?? 0;
    const rightStart = keyStart[right] ?? 0;
    const leftLength = (keyEnd[left] ?? 0) - leftStart;
    const rightLength = (keyEnd[right] ?? 0) - rightStart;
    const shorter = Math.min(leftLength, rightLength);
    for (let i = 0; i < shorter; i += 1) {
      const difference = (buffer[leftStart + i] ?? 0) - (buffer[rightStart + i] ?? 0);
      if (difference !== 0) return difference;
    }
    return leftLength - rightLength;
  }

  /** Puts values and body behind the place of the key block. @returns the end, or -1 when they do not fit or cannot be unescaped here */
  private collect(frame: FrameView): number {
    const { header, content, order } = this;
    const { buffer } = frame;
    const headerBytes = frame.bodyStart - frame.headerStart;
    const bodyBytes = frame.end - frame.bodyStart;
    if (headerBytes + bodyBytes > CONTENT_BYTES_MAX) return -1;
    let at = BLOCK_BYTES;
    for (let i = 0; i < header.entryCount; i += 1) {
      const entry = order[i] ?? 0;
      if (entry === this.signature) continue;
      const start = header.valueStart[entry] ?? 0;
      const end = header.valueEnd[entry] ?? 0;
      if (header.escaped[entry] === 1) {
        at = unescapeInto({ buffer, start, end }, content, at);
        if (at < 0) return -1;
      } else at += buffer.copy(content, at, start, end);
    }
    return at + buffer.copy(content, at, frame.bodyStart, frame.end);
  }
}
