import type { Logger } from "../base/logger.ts";
import type { Channel } from "./channel.ts";
import type { RemotingCommand, RequestCommand } from "./command.ts";
import type { ProcessorTable } from "./processor.ts";
import type { ClientTls, ServerTls } from "./tls.ts";

/** Limits and wiring of one listening port. Defaults are those of faults-and-security 5 and 7. */
export interface RemotingServerOptions {
  /** For logs: `namesrv`, `broker`, `broker-fast`. */
  readonly name: string;
  /** Address to bind; undefined binds every interface, as 4.9 does. */
  readonly host?: string | undefined;
  /** 0 picks a free port. */
  readonly port: number;
  readonly table: ProcessorTable;
  readonly logger: Logger;
  /** No read and no write for this long closes a connection (F-20). Default 120,000. */
  readonly idleTimeoutMs?: number;
  /** Default 10,000 (L-01). */
  readonly connectionsMax?: number;
  /** Undefined: plain connections only (E-12 `disabled`). */
  readonly tls?: ServerTls | undefined;
  readonly onOpen?: (channel: Channel) => void;
  readonly onClose?: (channel: Channel) => void;
}

/** A listening port; made by `createRemotingServer` of server.ts. */
export interface RemotingServer {
  /** @returns the port it listens on */
  start(): Promise<number>;
  /** Stops accepting, lets answers in progress leave for at most `drainMs`, then closes every connection. */
  stop(drainMs: number): Promise<void>;
  readonly connectionCount: number;
}

/** Adds to a request what its receiver believes the sender by; the body stays as it is. */
export type RequestSigner = (request: RequestCommand) => RequestCommand;

/** Wiring of outgoing connections. */
export interface RemotingClientOptions {
  readonly logger: Logger;
  /** Default 3,000. */
  readonly connectTimeoutMs?: number;
  /** Default 120,000. */
  readonly idleTimeoutMs?: number;
  /** Requests that the other side starts on our connections (callbacks 39, 40, 220 …). */
  readonly table?: ProcessorTable;
  /** Applied to every request; answers are not signed (remoting-protocol 6.1). */
  readonly sign?: RequestSigner | undefined;
  /** Asked for each new connection; undefined: plain. */
  readonly tls?: (() => ClientTls) | undefined;
  /** An outgoing connection was lost. */
  readonly onDisconnect?: (address: string) => void;
}

/**
 * Keeps one connection an address (`host:port`, also `[v6]:port`), opened on first use and after a loss.
 * Made by `createRemotingClient` of client.ts.
 */
export interface RemotingClient {
  /**
   * @param address `host:port`
   * @param request code, fields, body
   * @param timeoutMs connect and answer together
   * @returns the response, whatever its code
   * @throws EngineError REMOTING_CONNECT_FAILED (surely not sent) | REMOTING_TIMEOUT | REMOTING_CONNECTION_CLOSED
   */
  invoke(address: string, request: RequestCommand, timeoutMs: number): Promise<RemotingCommand>;
  /** Resolves when the bytes are handed to the socket. @throws EngineError REMOTING_CONNECT_FAILED */
  sendOneway(address: string, request: RequestCommand): Promise<void>;
  /** Closes one connection, if open. */
  disconnect(address: string): void;
  /** Closes all; what is in flight rejects with REMOTING_CONNECTION_CLOSED. */
  close(): void;
}
