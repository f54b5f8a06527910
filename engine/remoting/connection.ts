/** One TCP connection: frames in, commands out, limits and deadlines. The only file that knows both a socket and the protocol. */
import type { Socket } from "node:net";
import { EngineError } from "../base/engine-error.ts";
import type { Logger } from "../base/logger.ts";
import type { Channel, Outbound } from "./channel.ts";
import {
  FLAG_ONEWAY,
  FLAG_RESPONSE,
  LANGUAGE_JAVA,
  SERIALIZE_JSON,
  VERSION_4_9_0,
  type RemotingCommand,
  type RequestCommand,
  type ResponseCommand,
  type SerializeType,
} from "./command.ts";
import { FrameReader, type FrameListener } from "./frame.ts";
import { encodeFrameHead } from "./header.ts";
import type { HeaderValues } from "./header-values.ts";
import { Invocations } from "./invocations.ts";
import { SocketOutbound } from "./outbound.ts";
import { formatAddress, plainAddress } from "./remote-address.ts";

/** Above this a peer that does not read gets nothing more to answer: its socket is not read (F-27 soft limit). */
export const OUTBOUND_SOFT_BYTES = 1_048_576;
/** Above this, or when nothing drained for DRAIN_MS, the connection is closed (F-27). */
export const OUTBOUND_HARD_BYTES = 33_554_432;
const DRAIN_MS = 30_000;
/** A started frame must be complete by then (F-19). */
const FRAME_MS = 30_000;

/** Ids of channels in this process. */
let nextChannelId = 1;
/** Opaques of requests we start; one counter for the process, as Java's client (remoting-protocol 1.5). */
let nextOpaque = 0;

/** What a connection reports to its owner. */
export interface ConnectionEvents {
  readonly onFrame: (connection: Connection) => FrameListener;
  readonly onClose: (connection: Connection) => void;
  readonly logger: Logger;
}

/** Implementation of Channel over one socket. */
export class Connection implements Channel {
  readonly id: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly remote: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly outbound: Outbound;
  readonly socket: Socket;
  readonly invocations = new Invocations();
  private readonly slabs: SocketOutbound;
  private readonly reader: FrameReader;
  private readonly events: ConnectionEvents;
  private readonly closeListeners: (() => void)[] = [];
  private closed = false;
  private paused = false;
  private lastActiveMs = performance.now();
  private frameStartedMs = 0;
  private lastDrainMs = performance.now();

  /** @param socket connected, not read yet; `received` must be called with its bytes */
  constructor(socket: Socket, events: ConnectionEvents) {
    this.id = nextChannelId;
    nextChannelId += 1;
    this.socket = socket;
    this.events = events;
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.remote = formatAddress(this.remoteAddress, this.remotePort);
    this.localAddress = plainAddress(socket.localAddress);
    this.localPort = socket.localPort ?? 0;
    this.slabs = new SocketOutbound(socket);
    this.outbound = this.slabs;
    this.reader = new FrameReader(events.onFrame(this));
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("drain", () => this.drained());
    socket.on("close", () => this.handleClose());
    socket.on("end", () => socket.end());
  }

  get isOpen(): boolean {
    return !this.closed && !this.socket.destroyed;
  }

  /** Takes bytes from the socket; closes on a frame that breaks the protocol. */
  received(buffer: Buffer, length: number): void {
    const now = performance.now();
    this.lastActiveMs = now;
    try {
      this.reader.feed(buffer, 0, length);
    } catch (error) {
      this.close(error instanceof Error ? error.message : String(error));
      return;
    }
    if (this.reader.heldBytes === 0) this.frameStartedMs = 0;
    else if (this.frameStartedMs === 0) this.frameStartedMs = now;
    if (!this.paused && this.outbound.pendingBytes > OUTBOUND_SOFT_BYTES) {
      this.paused = true;
      this.socket.pause();
    }
  }

  respond(opaque: number, serializeType: SerializeType, response: ResponseCommand): void {
    const ext = response.extFields ?? null;
    const flag = FLAG_RESPONSE;
    const remark = response.remark ?? null;
    this.write(
      {
        code: response.code,
        language: LANGUAGE_JAVA,
        version: VERSION_4_9_0,
        opaque,
        flag,
        remark,
        extFields: ext,
      },
      serializeType,
      response.body ?? null,
    );
  }

  sendOneway(request: RequestCommand): void {
    nextOpaque = (nextOpaque + 1) | 0;
    this.writeRequest(request, nextOpaque, FLAG_ONEWAY);
  }

  invoke(request: RequestCommand, timeoutMs: number): Promise<RemotingCommand> {
    if (!this.isOpen) return Promise.reject(this.closedError());
    nextOpaque = (nextOpaque + 1) | 0;
    const answer = this.invocations.add(nextOpaque, timeoutMs);
    this.writeRequest(request, nextOpaque, 0);
    return answer;
  }

  onClose(listener: () => void): void {
    if (this.closed) listener();
    else this.closeListeners.push(listener);
  }

  close(reason: string): void {
    if (this.closed || this.socket.destroyed) return;
    this.events.logger.debug("connection closed by us", { remote: this.remote, reason });
    this.socket.destroy();
  }

  /** Lets what is queued leave, then ends the connection. */
  end(): void {
    this.slabs.flush();
    this.socket.end();
  }

  /** Checks every deadline; called about once a second. */
  tick(now: number, idleTimeoutMs: number): void {
    if (now - this.lastActiveMs > idleTimeoutMs) this.close("idle");
    else if (this.frameStartedMs > 0 && now - this.frameStartedMs > FRAME_MS)
      this.close("a frame did not complete in time (F-19)");
    else this.checkDrain(now);
    if (now - this.lastActiveMs > 5_000) this.slabs.shrink();
  }

  private checkDrain(now: number): void {
    const pending = this.outbound.pendingBytes;
    if (pending === 0) this.lastDrainMs = now;
    const stuck = now - this.lastDrainMs > DRAIN_MS;
    if (pending > OUTBOUND_HARD_BYTES || stuck) this.close("the peer does not read (F-27)");
  }

  private drained(): void {
    this.lastDrainMs = performance.now();
    if (!this.paused) return;
    this.paused = false;
    this.socket.resume();
  }

  private writeRequest(request: RequestCommand, opaque: number, flag: number): void {
    const extFields = request.extFields ?? null;
    this.write(
      {
        code: request.code,
        language: LANGUAGE_JAVA,
        version: VERSION_4_9_0,
        opaque,
        flag,
        remark: null,
        extFields,
      },
      SERIALIZE_JSON,
      request.body ?? null,
    );
  }

  private write(header: HeaderValues, type: SerializeType, body: Buffer | null): void {
    if (!this.isOpen) return;
    this.lastActiveMs = performance.now();
    this.outbound.append(encodeFrameHead(header, type, body?.length ?? 0));
    if (body !== null && body.length > 0) this.outbound.append(body);
    this.outbound.schedule();
  }

  private closedError(): EngineError {
    return new EngineError("REMOTING_CONNECTION_CLOSED", {
      message: `the connection to ${this.remote} is closed`,
    });
  }

  private handleClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.slabs.discard();
    this.invocations.failAll(this.closedError());
    for (const listener of this.closeListeners.splice(0)) listener();
    this.events.onClose(this);
  }
}
