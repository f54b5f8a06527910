/**
 * One frame of the remoting protocol (remoting-protocol 1.1), all integers big endian.
 *
 *   0              4                8               8 + header length      4 + total
 *   ├──────────────┼────────────────┼───────────────┼──────────────────────┤
 *   │ total length │ type │ header  │ header        │ body                 │
 *   │ i32          │ u8   │ u24 len │               │                      │
 *
 * `total` counts everything after itself. Frames are parsed where they lie in the read buffer; only an incomplete last frame is copied
 * (engine-performance 1.3). Nothing is buffered for a frame that the limits refuse (F-01..F-04).
 */
import { EngineError } from "../base/engine-error.ts";
import { SERIALIZE_JSON, SERIALIZE_ROCKETMQ, type SerializeType } from "./command.ts";
import type { FrameView } from "./processor.ts";

/** Largest frame, its length field included (L-02). */
export const FRAME_BYTES_MAX = 16_777_216;
/** Largest header (F-03). */
export const HEADER_BYTES_MAX = 262_144;

const PREFIX_BYTES = 8;
const TAIL_BYTES_FIRST = 4_096;

/** Called for each whole frame; the view and its buffer are valid during the call only. */
export type FrameListener = (frame: FrameView) => void;

interface MutableFrameView {
  buffer: Buffer;
  headerStart: number;
  bodyStart: number;
  end: number;
  serializeType: SerializeType;
}

function invalid(message: string): EngineError {
  return new EngineError("REMOTING_FRAME_INVALID", { message });
}

/** @returns bytes of the whole frame @throws EngineError REMOTING_FRAME_INVALID (F-01, F-02) */
function frameLength(buffer: Buffer, at: number): number {
  const total = buffer.readInt32BE(at);
  if (total < 4) throw invalid(`frame length ${total}`);
  if (total + 4 > FRAME_BYTES_MAX)
    throw invalid(`frame of ${total + 4} bytes, more than ${FRAME_BYTES_MAX}`);
  return total + 4;
}

/** Turns a stream of chunks into whole frames. One a connection. */
export class FrameReader {
  private readonly onFrame: FrameListener;
  private readonly view: MutableFrameView = {
    buffer: Buffer.alloc(0),
    headerStart: 0,
    bodyStart: 0,
    end: 0,
    serializeType: SERIALIZE_JSON,
  };
  private tail: Buffer | null = null;
  private tailLength = 0;

  /** @param onFrame called in the order of arrival, within `feed` */
  constructor(onFrame: FrameListener) {
    this.onFrame = onFrame;
  }

  /** Bytes of the incomplete last frame that are held. */
  get heldBytes(): number {
    return this.tailLength;
  }

  /**
   * Takes the next bytes of the stream.
   * @throws EngineError REMOTING_FRAME_INVALID: the connection must be closed
   */
  feed(chunk: Buffer, start: number, end: number): void {
    let at = start;
    if (this.tail !== null) at = this.finishTail(this.tail, chunk, { start, end });
    while (end - at >= 4) {
      const length = frameLength(chunk, at);
      if (end - at >= PREFIX_BYTES) this.checkPrefix(chunk, at, length);
      if (end - at < length) break;
      this.emit(chunk, at, length);
      at += length;
    }
    if (at < end && this.tail === null) this.keepTail(chunk, at, end);
  }

  private checkPrefix(buffer: Buffer, at: number, length: number): void {
    const type = buffer[at + 4];
    const headerLength = buffer.readUInt32BE(at + 4) & 0xffffff;
    if (type !== SERIALIZE_JSON && type !== SERIALIZE_ROCKETMQ)
      throw invalid(`serialize type ${type}`);
    if (headerLength > length - PREFIX_BYTES || headerLength > HEADER_BYTES_MAX) {
      throw invalid(`header of ${headerLength} bytes in a frame of ${length}`);
    }
  }

  private emit(buffer: Buffer, at: number, length: number): void {
    if (length < PREFIX_BYTES) throw invalid(`frame of ${length} bytes has no header`);
    const view = this.view;
    view.buffer = buffer;
    view.headerStart = at + PREFIX_BYTES;
    view.bodyStart = view.headerStart + (buffer.readUInt32BE(at + 4) & 0xffffff);
    view.end = at + length;
    view.serializeType = buffer[at + 4] === SERIALIZE_JSON ? SERIALIZE_JSON : SERIALIZE_ROCKETMQ;
    this.onFrame(view);
  }

  private keepTail(chunk: Buffer, at: number, end: number): void {
    const length = end - at;
    const tail = Buffer.allocUnsafe(Math.max(TAIL_BYTES_FIRST, length));
    chunk.copy(tail, 0, at, end);
    this.tail = tail;
    this.tailLength = length;
  }

  /** Completes the held frame from the chunk. @returns where the rest of the chunk starts */
  private finishTail(
    held: Buffer,
    chunk: Buffer,
    range: { readonly start: number; readonly end: number },
  ): number {
    let tail = held;
    let at = range.start;
    let wanted = this.tailLength < PREFIX_BYTES ? PREFIX_BYTES : frameLength(tail, 0);
    for (;;) {
      const missing = Math.min(wanted - this.tailLength, range.end - at);
      tail = this.grow(tail, this.tailLength + missing, wanted);
      chunk.copy(tail, this.tailLength, at, at + missing);
      this.tailLength += missing;
      at += missing;
      if (this.tailLength >= 4) frameLength(tail, 0);
      if (this.tailLength < wanted) return at;
      const length = frameLength(tail, 0);
      this.checkPrefix(tail, 0, length);
      if (this.tailLength >= length) {
        this.tail = null;
        this.tailLength = 0;
        this.emit(tail, 0, length);
        return at;
      }
      wanted = length;
    }
  }

  /** Doubles up to the frame's length, so that a peer that only claims a large frame costs little. */
  private grow(tail: Buffer, needed: number, wanted: number): Buffer {
    if (needed <= tail.length) return tail;
    const larger = Buffer.allocUnsafe(Math.max(needed, Math.min(wanted, tail.length * 2)));
    tail.copy(larger, 0, 0, this.tailLength);
    this.tail = larger;
    return larger;
  }
}
