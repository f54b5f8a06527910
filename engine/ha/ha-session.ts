import { connect, type Socket } from "node:net";
import { EngineError } from "../base/engine-error.ts";
import type { ReplicaLog } from "../store/store-api.ts";
import { Acknowledgement } from "./acknowledgement.ts";
import { encodeReport, TransferReader } from "./transfer-header.ts";

/** Engine-performance 4. */
const READ_BUFFER_BYTES = 262_144;

/**
 * How a connection ended: `lost` (network, time-out, the master closed it), `bad` (the master's bytes do not continue the own log), `failed`
 * (the own log could not take or sync them).
 */
export type SessionEnd = "lost" | "bad" | "failed";

/** Wiring of one connection to a master. */
export interface HaSessionOptions {
  readonly host: string;
  readonly port: number;
  readonly log: ReplicaLog;
  /** Monotonic clock, ms. */
  readonly now: () => number;
  readonly heartbeatMs: number;
  readonly housekeepingMs: number;
  readonly connectTimeoutMs: number;
  readonly ackFlushed: boolean;
  /** Opens an encrypted connection; undefined: plain. */
  readonly secure: ((host: string, port: number) => Socket) | undefined;
  /** The first frame was accepted. */
  readonly onFollowing: () => void;
  /** Called once. The log may end in a partial record. */
  readonly onEnd: (end: SessionEnd, reason: string) => void;
}

/** Slave side of one connection: reports, takes frames apart, appends their bytes as they arrive. */
export class HaSession {
  private readonly options: HaSessionOptions;
  private readonly socket: Socket;
  private readonly reader: TransferReader;
  private readonly ack: Acknowledgement;
  /** Next byte wanted; runs ahead of the verified end inside a record. */
  private end: number;
  private verified: number;
  private lastReported = -1;
  private sentByMaster = -1;
  private lastHeardMs: number;
  private lastWriteMs = -Infinity;
  private isConnected = false;
  private isEnded = false;

  /** @param options the log must end on a record boundary */
  constructor(options: HaSessionOptions) {
    this.options = options;
    this.end = options.log.writtenOffset;
    this.verified = this.end;
    this.ack = new Acknowledgement(this.end, options.ackFlushed);
    this.lastHeardMs = options.now();
    this.reader = new TransferReader({
      onHeader: (offset, bodySize) => this.header(offset, bodySize),
      onBody: (bytes) => this.body(bytes),
    });
    this.socket = this.open();
    this.socket.on("error", (error) => this.finish("lost", error.message));
    this.socket.on("close", () => this.finish("lost", "the master closed the connection"));
  }

  private open(): Socket {
    const { host, port, secure } = this.options;
    if (secure !== undefined) {
      const socket = secure(host, port);
      socket.setNoDelay(true);
      socket.on("data", (chunk: Buffer) => this.received(chunk, chunk.length));
      socket.on("secureConnect", () => this.connected());
      return socket;
    }
    const socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
        callback: (length, buffer) => this.received(buffer as Buffer, length),
      },
    });
    socket.on("connect", () => this.connected());
    return socket;
  }

  /** End of the last verified record. */
  get verifiedOffset(): number {
    return this.verified;
  }

  /** Last offset reported; -1 before the first. */
  get reportedOffset(): number {
    return this.lastReported;
  }

  /** End of the master's last frame or heartbeat; -1 before the first. */
  get masterSentOffset(): number {
    return this.sentByMaster;
  }

  /** Since the master was last heard, ms; null before the first frame. */
  get silentMs(): number | null {
    return this.sentByMaster < 0 ? null : this.options.now() - this.lastHeardMs;
  }

  /** An fdatasync covered the log up to `offset`. */
  flushed(offset: number): void {
    if (this.isEnded || !this.options.ackFlushed) return;
    this.ack.flushed(offset);
    if (this.isConnected) this.reportProgress();
  }

  /** Heartbeats and deadlines; called a few times a heartbeat interval. */
  tick(): void {
    const { now, connectTimeoutMs, housekeepingMs, heartbeatMs } = this.options;
    const silentMs = now() - this.lastHeardMs;
    if (!this.isConnected) {
      if (silentMs > connectTimeoutMs) this.finish("lost", "the connection was not made in time");
    } else if (silentMs > housekeepingMs) {
      this.finish("lost", `the master was silent for ${housekeepingMs} ms`);
    } else if (this.lastReported >= 0 && now() - this.lastWriteMs > heartbeatMs) {
      this.report(this.lastReported);
    }
  }

  /** Ends the connection without telling the owner. */
  close(): void {
    this.isEnded = true;
    this.socket.destroy();
  }

  private connected(): void {
    this.isConnected = true;
    this.lastHeardMs = this.options.now();
    this.reportProgress();
  }

  private finish(end: SessionEnd, reason: string): void {
    if (this.isEnded) return;
    this.close();
    this.options.onEnd(end, reason);
  }

  /** @returns true: go on reading */
  private received(buffer: Buffer, length: number): boolean {
    if (this.isEnded) return false;
    try {
      this.reader.feed(buffer.subarray(0, length));
    } catch (error) {
      this.refused(error);
      return false;
    }
    this.lastHeardMs = this.options.now();
    this.ack.verified(this.verified);
    if (this.options.ackFlushed) this.ack.flushed(this.options.log.flushedOffset);
    this.reportProgress();
    return true;
  }

  private refused(error: unknown): void {
    const isBad =
      error instanceof EngineError &&
      (error.code === "HA_DIVERGED" || error.code === "HA_PROTOCOL");
    this.finish(isBad ? "bad" : "failed", error instanceof Error ? error.message : String(error));
  }

  /** H-05: the frame must continue the own log; an empty log takes the start of any file. Heartbeats are checked too. */
  private header(offset: number, bodySize: number): void {
    const { fileSize } = this.options.log;
    const isStart = this.end === 0 && offset % fileSize === 0;
    if (offset !== this.end && !isStart) {
      throw new EngineError("HA_PROTOCOL", {
        message: `the master sends from ${offset}, the own log ends at ${this.end}`,
      });
    }
    if ((offset % fileSize) + bodySize > fileSize) {
      throw new EngineError("HA_PROTOCOL", {
        message: `a frame of ${bodySize} bytes at ${offset} crosses the end of a ${fileSize} byte file`,
        hint: "mappedFileSizeCommitLog must be the same on master and slave",
      });
    }
    if (bodySize > 0) this.end = offset;
    const isFirst = this.sentByMaster < 0;
    this.sentByMaster = offset + bodySize;
    if (isFirst) this.options.onFollowing();
  }

  private body(bytes: Buffer): void {
    const { log } = this.options;
    const verified = log.appendRaw(this.end, bytes);
    this.end += bytes.length;
    // H-06: a log that took the bytes and could not write them is not acknowledged, whoever else is told of the failure.
    if (log.writtenOffset < this.end) {
      throw new EngineError("STORE_FAILED", {
        message: `the log ends at ${log.writtenOffset} after bytes up to ${this.end} were appended`,
      });
    }
    this.verified = verified;
  }

  /** The first report is the own end and asks for the next byte; each further one acknowledges, once a chunk or sync. */
  private reportProgress(): void {
    if (this.isEnded) return;
    const { log, ackFlushed } = this.options;
    const isFirst = this.lastReported < 0;
    // A first report is an acknowledgement too: with ackFlushed it waits for the sync that covers the own end.
    if (isFirst && ackFlushed && log.flushedOffset < this.end) return;
    if (this.ack.offset > this.lastReported) this.report(this.ack.offset);
  }

  private report(offset: number): void {
    this.socket.write(encodeReport(offset));
    this.lastReported = offset;
    this.lastWriteMs = this.options.now();
  }
}
