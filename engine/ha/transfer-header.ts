/**
 * The two frames of the replication protocol (store-and-ha 7.2 to 7.5), all integers big endian.
 *
 * Master to slave:
 *
 *   0                       8            12                  12 + n
 *   ├───────────────────────┼────────────┼───────────────────┤
 *   │ physical offset       │ body size  │ raw commit log    │
 *   │ i64, of the 1st byte  │ i32 n      │ bytes             │
 *
 * n = 0 is a heartbeat: the offset is the next byte. A frame never crosses the end of a log file; it may start and stop inside a record.
 *
 * Slave to master:
 *
 *   0                       8
 *   ├───────────────────────┤
 *   │ offset, i64           │   first: next byte wanted; then: everything before it is written
 */
import { EngineError } from "../base/engine-error.ts";

export const TRANSFER_HEADER_BYTES = 12;
export const REPORT_BYTES = 8;
/** Largest body a slave of ours takes, 32 times what a master sends by default (H-05). */
export const TRANSFER_BODY_BYTES_MAX = 32 * 32_768;

const TWO_POW_32 = 4_294_967_296;

function writeOffset(buffer: Buffer, offset: number, at: number): void {
  buffer.writeUInt32BE(Math.floor(offset / TWO_POW_32), at);
  buffer.writeUInt32BE(offset % TWO_POW_32, at + 4);
}

/** @returns the value; anything beyond 2^53 is rounded, which no limit lets through */
function readOffset(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * TWO_POW_32 + buffer.readUInt32BE(at + 4);
}

/**
 * @param offset physical offset of the first body byte
 * @param bodySize 0 for a heartbeat
 */
export function encodeTransferHeader(offset: number, bodySize: number): Buffer {
  const header = Buffer.allocUnsafe(TRANSFER_HEADER_BYTES);
  writeOffset(header, offset, 0);
  header.writeInt32BE(bodySize, 8);
  return header;
}

/** @param offset the slave's end: a record boundary */
export function encodeReport(offset: number): Buffer {
  const report = Buffer.allocUnsafe(REPORT_BYTES);
  writeOffset(report, offset, 0);
  return report;
}

/** @returns the reported offset, negative and absurd ones as they are: the caller judges them (H-02) */
export function decodeReport(buffer: Buffer, at: number): number {
  return readOffset(buffer, at);
}

/** What the slave does with a frame as its bytes arrive. Whatever it throws ends the connection. */
export interface TransferListener {
  /** A header is complete; its body, if any, follows. */
  onHeader(offset: number, bodySize: number): void;
  /** Next bytes of the body, as many as arrived; valid during the call only. */
  onBody(bytes: Buffer): void;
}

/** Takes the master's stream apart where it lies in the read buffer: only a broken header is copied. */
export class TransferReader {
  private readonly listener: TransferListener;
  private readonly held = Buffer.alloc(TRANSFER_HEADER_BYTES);
  private heldBytes = 0;
  private bodyLeft = 0;

  /** @param listener called within `feed`, in the order of the stream */
  constructor(listener: TransferListener) {
    this.listener = listener;
  }

  /**
   * @param chunk next bytes of the stream
   * @throws EngineError HA_PROTOCOL on a header no master sends, and what the listener throws
   */
  feed(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      at = this.bodyLeft > 0 ? this.takeBody(chunk, at) : this.takeHeader(chunk, at);
    }
  }

  private takeBody(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.bodyLeft);
    this.bodyLeft -= end - at;
    this.listener.onBody(chunk.subarray(at, end));
    return end;
  }

  private takeHeader(chunk: Buffer, at: number): number {
    const wanted = TRANSFER_HEADER_BYTES - this.heldBytes;
    if (wanted === TRANSFER_HEADER_BYTES && chunk.length - at >= wanted) {
      this.headerComplete(chunk, at);
      return at + wanted;
    }
    const end = Math.min(chunk.length, at + wanted);
    this.heldBytes += chunk.copy(this.held, this.heldBytes, at, end);
    if (this.heldBytes === TRANSFER_HEADER_BYTES) {
      this.heldBytes = 0;
      this.headerComplete(this.held, 0);
    }
    return end;
  }

  private headerComplete(buffer: Buffer, at: number): void {
    const offset = readOffset(buffer, at);
    const bodySize = buffer.readInt32BE(at + 8);
    const isPossible =
      offset >= 0 &&
      Number.isSafeInteger(offset + TRANSFER_BODY_BYTES_MAX) &&
      bodySize >= 0 &&
      bodySize <= TRANSFER_BODY_BYTES_MAX;
    if (!isPossible) {
      throw new EngineError("HA_PROTOCOL", {
        message: `a frame of ${bodySize} bytes at ${offset} is none a master sends`,
        hint: "is the address really a master's replication port (listenPort + 1)?",
      });
    }
    this.bodyLeft = bodySize;
    this.listener.onHeader(offset, bodySize);
  }
}
