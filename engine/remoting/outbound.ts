/**
 * The outgoing bytes of one connection (engine-performance 1.1): encoders write into a slab, large bodies are appended without a copy, and
 * everything of one tick leaves in one write, from a microtask that runs when the current callback is done.
 */
import type { Socket } from "node:net";
import type { Outbound } from "./channel.ts";

const SLAB_BYTES_FIRST = 4_096;
const SLAB_BYTES = 65_536;

interface Piece {
  readonly bytes: Buffer;
  readonly released: (() => void) | undefined;
}

const dirty: SocketOutbound[] = [];
let flushQueued = false;

function flushDirty(): void {
  flushQueued = false;
  const batch = dirty.splice(0, dirty.length);
  for (const outbound of batch) outbound.flush();
}

/** Implementation of Outbound over a socket. */
export class SocketOutbound implements Outbound {
  slab: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  private readonly socket: Socket;
  private readonly pieces: Piece[] = [];
  private used = 0;
  private sealed = 0;
  private waitingBytes = 0;
  private isScheduled = false;

  /** @param socket where the bytes go */
  constructor(socket: Socket) {
    this.socket = socket;
  }

  get pendingBytes(): number {
    return this.waitingBytes + (this.used - this.sealed) + this.socket.writableLength;
  }

  reserve(bytes: number): number {
    if (this.used + bytes > this.slab.length) this.makeRoom(bytes);
    return this.used;
  }

  commit(end: number): void {
    this.used = end;
  }

  append(buffer: Buffer, released?: () => void): void {
    this.seal();
    this.pieces.push({ bytes: buffer, released });
    this.waitingBytes += buffer.length;
  }

  schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    dirty.push(this);
    if (flushQueued) return;
    flushQueued = true;
    queueMicrotask(flushDirty);
  }

  /** Hands everything to the socket now. */
  flush(): void {
    this.isScheduled = false;
    this.seal();
    const pieces = this.pieces.splice(0, this.pieces.length);
    this.waitingBytes = 0;
    if (this.socket.destroyed || !this.socket.writable) {
      for (const piece of pieces) piece.released?.();
      return;
    }
    if (pieces.length > 1) this.socket.cork();
    for (const { bytes, released } of pieces) {
      if (released === undefined) this.socket.write(bytes);
      else this.socket.write(bytes, released);
    }
    if (pieces.length > 1) this.socket.uncork();
  }

  /** Forgets the slab of a connection that has been quiet, so that an idle one costs little (L-12). */
  shrink(): void {
    if (this.used !== this.sealed || this.slab.length === 0) return;
    this.slab = Buffer.alloc(0);
    this.view = new DataView(new ArrayBuffer(0));
    this.used = 0;
    this.sealed = 0;
  }

  /** Gives waiting buffers back when the connection is gone. */
  discard(): void {
    for (const piece of this.pieces.splice(0, this.pieces.length)) piece.released?.();
    this.waitingBytes = 0;
  }

  private seal(): void {
    if (this.used === this.sealed) return;
    const bytes = this.slab.subarray(this.sealed, this.used);
    this.pieces.push({ bytes, released: undefined });
    this.waitingBytes += bytes.length;
    this.sealed = this.used;
  }

  /** The slab is used again from its start when the kernel has all of it: a new one costs page faults and collections. */
  private makeRoom(bytes: number): void {
    const isSent = this.used === this.sealed && this.pieces.length === 0;
    if (isSent && this.socket.writableLength === 0 && bytes <= this.slab.length) {
      this.used = 0;
      this.sealed = 0;
    } else this.renewSlab(bytes);
  }

  private renewSlab(bytes: number): void {
    this.seal();
    const size = Math.max(bytes, this.slab.length === 0 ? SLAB_BYTES_FIRST : SLAB_BYTES);
    this.slab = Buffer.allocUnsafeSlow(size);
    this.view = new DataView(this.slab.buffer, this.slab.byteOffset, this.slab.length);
    this.used = 0;
    this.sealed = 0;
  }
}
