import type { Socket } from "node:net";
import type { Logger } from "../base/logger.ts";
import type { ReplicaLog } from "../store/store-api.ts";
import type { SlaveState } from "./ha-api.ts";
import { decodeReport, encodeTransferHeader, REPORT_BYTES } from "./transfer-header.ts";

/** Read from the log at once; several frames (engine-performance 4: catch-up reads use 256 KiB to 1 MiB). */
const READ_BYTES = 262_144;
/** Bytes handed to the socket that the slave has not taken: no more is read from the log above this (H-03 allows 4 MiB). */
const WINDOW_BYTES = 1_048_576;
/** A started report must be complete by then, ms (H-03). */
const REPORT_MS = 5_000;

/** Wiring of one connection; the same for all of a service. */
export interface HaConnectionOptions {
  readonly log: ReplicaLog;
  readonly logger: Logger;
  /** Monotonic clock, ms. */
  readonly now: () => number;
  readonly heartbeatMs: number;
  readonly housekeepingMs: number;
  /** Largest body of one frame. */
  readonly frameBytesMax: number;
  /** Its ack rose, or it stopped counting as a slave. */
  readonly onChanged: () => void;
  /** It reported what cannot be (H-02). */
  readonly onRefused: () => void;
}

/** Master side of one slave: streams raw log bytes from where it asked, and knows how far it is. */
export class HaConnection {
  readonly remote: string;
  private readonly socket: Socket;
  private readonly options: HaConnectionOptions;
  private readonly connectedAtMs = Date.now();
  private readonly held = Buffer.alloc(REPORT_BYTES);
  private heldBytes = 0;
  private heldSinceMs = 0;
  private acked = -1;
  private sent = -1;
  private behindMinimum = false;
  private lastReportMs: number;
  private lastSentMs = -Infinity;

  /**
   * @param socket accepted and allowed
   * @param remote `host:port`
   * @param options wiring
   */
  constructor(socket: Socket, remote: string, options: HaConnectionOptions) {
    this.socket = socket;
    this.remote = remote;
    this.options = options;
    this.lastReportMs = options.now();
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.received(chunk));
    socket.on("error", () => undefined);
  }

  get state(): SlaveState {
    return {
      remote: this.remote,
      ackedOffset: this.acked,
      sentOffset: this.sent,
      connectedAtMs: this.connectedAtMs,
      isBehindMinimum: this.behindMinimum,
    };
  }

  /** Acknowledged end if this is a slave that can follow, else -1. */
  get usableAck(): number {
    return this.behindMinimum || this.socket.destroyed ? -1 : this.acked;
  }

  /** Sends what is written and not sent yet, as far as the slave takes it; called in the tick of the write. */
  pump(): void {
    if (this.sent < 0 || this.socket.destroyed) return;
    this.socket.cork();
    try {
      // Also as an answer to the first report, and before data that follows at once, as 4.9 does (store-and-ha 9.5).
      if (this.options.now() - this.lastSentMs > this.options.heartbeatMs) this.sendHeartbeat();
      while (this.socket.writableLength < WINDOW_BYTES && this.sendSome());
    } catch (error) {
      this.close(`the log cannot be read at ${this.sent}: ${String(error)}`);
    }
    this.socket.uncork();
  }

  /** Checks every deadline; called a few times a heartbeat interval. */
  tick(): void {
    const now = this.options.now();
    if (now - this.lastReportMs > this.options.housekeepingMs) {
      this.close(`no report for ${this.options.housekeepingMs} ms`);
    } else if (this.heldBytes > 0 && now - this.heldSinceMs > REPORT_MS) {
      this.close("a report was started and not completed");
    } else {
      this.pump();
    }
  }

  /** Destroys the connection. */
  close(reason: string): void {
    if (this.socket.destroyed) return;
    this.options.logger.warn("replication connection closed", { remote: this.remote, reason });
    this.socket.destroy();
  }

  private sendHeartbeat(): void {
    this.socket.write(encodeTransferHeader(this.sent, 0));
    this.lastSentMs = this.options.now();
  }

  /** Hands one read of the log to the socket, without copying it. @returns false when there is nothing to send */
  private sendSome(): boolean {
    const { log, frameBytesMax } = this.options;
    if (this.sent < log.minOffset) {
      this.fallBehindMinimum();
      return false;
    }
    const raw = log.readRaw(this.sent, READ_BYTES);
    const { bytes } = raw;
    for (let at = 0; at < bytes.length; at += frameBytesMax) {
      const body = bytes.subarray(at, at + frameBytesMax);
      this.socket.write(encodeTransferHeader(this.sent, body.length));
      this.sent += body.length;
      if (at + body.length < bytes.length) this.socket.write(body);
      else this.socket.write(body, () => this.taken(raw));
    }
    if (bytes.length === 0) {
      raw.release();
      return false;
    }
    this.lastSentMs = this.options.now();
    return true;
  }

  /** The kernel took a read's bytes, or the connection is gone. */
  private taken(raw: { release(): void }): void {
    raw.release();
    this.pump();
  }

  private fallBehindMinimum(): void {
    if (this.behindMinimum) return;
    this.behindMinimum = true;
    const { minOffset } = this.options.log;
    this.options.logger.error(
      "a slave needs bytes this master has deleted: it gets heartbeats only; set it up anew",
      { remote: this.remote, wanted: this.sent, minOffset },
    );
    this.options.onChanged();
  }

  private received(chunk: Buffer): void {
    let last = -1;
    for (let at = 0; at < chunk.length && !this.socket.destroyed;) {
      if (this.heldBytes === 0) this.heldSinceMs = this.options.now();
      const taken = chunk.copy(this.held, this.heldBytes, at);
      this.heldBytes += taken;
      at += taken;
      if (this.heldBytes < REPORT_BYTES) break;
      this.heldBytes = 0;
      last = this.checkedReport(decodeReport(this.held, 0), last);
    }
    if (last >= 0 && !this.socket.destroyed) this.applyReport(last);
  }

  /**
   * H-02: no report above the own end, above what was sent, negative, or lower than the one before; the first one included.
   * @returns the report; -1 after closing the connection
   */
  private checkedReport(offset: number, before: number): number {
    const lowest = Math.max(0, this.acked, before);
    const highest = this.sent < 0 ? this.options.log.writtenOffset : this.sent;
    if (offset >= lowest && offset <= highest) return offset;
    this.options.onRefused();
    this.close(`reported ${offset}, which must be ${lowest} to ${highest} (H-02)`);
    return -1;
  }

  /** The last complete report of a chunk counts (store-and-ha 7.3): the first is the start, every one is an ack. */
  private applyReport(offset: number): void {
    this.lastReportMs = this.options.now();
    const isFirst = this.sent < 0;
    if (isFirst) this.startAt(offset);
    if (offset > this.acked) {
      this.acked = offset;
      this.options.onChanged();
    }
    if (isFirst) this.pump();
  }

  /** Store-and-ha 7.4: 0 asks for the start of the last file, anything else for exactly that byte. */
  private startAt(requested: number): void {
    const { writtenOffset, fileSize, minOffset } = this.options.log;
    const lastFile = Math.max(minOffset, writtenOffset - (writtenOffset % fileSize));
    this.sent = requested === 0 ? lastFile : requested;
    this.options.logger.info("slave follows", {
      remote: this.remote,
      requested,
      from: this.sent,
      end: writtenOffset,
    });
  }
}
