import type { RemotingCommand, RequestCommand, ResponseCommand, SerializeType } from "./command.ts";

/**
 * What a processor sees of a connection: who is there and how to reach it. Never the socket.
 * Implemented by connection.ts.
 */
export interface Channel {
  /** Unique in the process, never reused. */
  readonly id: number;
  /** Peer address without IPv4-mapped prefix: `198.51.100.20` or `2001:db8::1`. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** `remoteAddress:remotePort`, for logs and `clientAddr` fields. */
  readonly remote: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly isOpen: boolean;

  /**
   * Answers a request later than its processor returned (held pulls). Ignored when the channel is closed.
   * @param opaque of the request
   * @param serializeType of the request
   * @param response what to answer
   */
  respond(opaque: number, serializeType: SerializeType, response: ResponseCommand): void;

  /** Sends a request nobody answers. Ignored when the channel is closed. */
  sendOneway(request: RequestCommand): void;

  /**
   * Sends a request and waits for its answer.
   * @param request code, fields, body
   * @param timeoutMs after which it rejects
   * @returns the response, whatever its code
   * @throws EngineError REMOTING_TIMEOUT | REMOTING_CONNECTION_CLOSED
   */
  invoke(request: RequestCommand, timeoutMs: number): Promise<RemotingCommand>;

  /** Calls back once when the channel has closed, at once if it already has. */
  onClose(listener: () => void): void;

  /** Destroys the connection. */
  close(reason: string): void;

  /** Outgoing bytes of this tick; see outbound.ts. For encoders on the message path only. */
  readonly outbound: Outbound;
}

/**
 * The outgoing bytes of one connection. Everything reserved or appended in one event-loop tick leaves in one write
 * (engine-performance 1.1). Whoever writes here must call `schedule()` once after the last byte.
 */
export interface Outbound {
  /** The slab that `reserve` handed out a place in. Read it again after every `reserve`: it may have changed. */
  readonly slab: Buffer;
  /** DataView over the slab's memory (absolute positions = slab positions). */
  readonly view: DataView;
  /**
   * Makes room for up to `bytes` bytes.
   * @returns position in `slab` where the caller may write
   */
  reserve(bytes: number): number;
  /** Makes the bytes up to `end` (a position in `slab`) part of the stream. */
  commit(end: number): void;
  /**
   * Adds a buffer without copying it, after everything committed so far. The caller must not change it until
   * `released` is called (after the kernel took it, or the connection closed).
   */
  append(buffer: Buffer, released?: () => void): void;
  /** Has the bytes sent at the end of this tick. */
  schedule(): void;
  /** Bytes handed to the socket that the peer has not read yet, plus those waiting here (F-27). */
  readonly pendingBytes: number;
}
