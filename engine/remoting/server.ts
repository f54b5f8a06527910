import { createServer, Socket, type Server } from "node:net";
import { Connection, type ConnectionEvents } from "./connection.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { RemotingServer, RemotingServerOptions } from "./server-api.ts";
import { TlsAcceptor } from "./tls-acceptor.ts";

const READ_BUFFER_BYTES = 65_536;
const BACKLOG = 1_024;
const CONNECTIONS_MAX = 10_000;
const IDLE_MS = 120_000;
const TICK_MS = 1_000;

/**
 * One read buffer for all server connections of the process: every frame is parsed, and what must outlive it copied, before the
 * callback returns (engine-performance 1.2).
 */
let sharedReadBuffer: Buffer | undefined;

function readBuffer(): Buffer {
  sharedReadBuffer ??= Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  return sharedReadBuffer;
}

interface HandleOwner {
  _handle?: { reading?: boolean; readStop?: () => unknown } | null;
}

/**
 * Moves an accepted, paused socket's handle into a socket that reads into the shared buffer. The handle is an internal field: when it
 * is not there the accepted socket itself is used, with `data` events.
 * @param accepted from a server with `pauseOnConnect`
 * @param received called with the shared buffer (or the chunk) and its length
 * @param useHandle false forces the fallback, for its test
 * @returns the socket to use from now on
 */
export function adoptSocket(
  accepted: Socket,
  received: (socket: Socket, buffer: Buffer, length: number) => void,
  useHandle = true,
): Socket {
  const owner = accepted as unknown as HandleOwner;
  const handle = owner._handle;
  if (!useHandle || handle === undefined || handle === null) {
    accepted.on("data", (chunk: Buffer) => received(accepted, chunk, chunk.length));
    accepted.resume();
    return accepted;
  }
  // A socket whose first bytes were looked at reads already; its successor starts reading by itself.
  if (handle.reading === true) {
    handle.readStop?.();
    handle.reading = false;
  }
  owner._handle = null;
  const moved: Socket = new Socket({
    handle,
    onread: {
      buffer: readBuffer(),
      callback: (length: number, buffer: Uint8Array) => {
        received(moved, buffer as Buffer, length);
        return true;
      },
    },
  } as never);
  moved.resume();
  moved.read(0);
  return moved;
}

class TcpServer implements RemotingServer {
  private readonly options: RemotingServerOptions;
  private readonly server: Server;
  private readonly dispatcher: Dispatcher;
  private readonly connections = new Map<Socket, Connection>();
  private readonly acceptor: TlsAcceptor | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(options: RemotingServerOptions) {
    this.options = options;
    this.acceptor = options.tls === undefined ? undefined : new TlsAcceptor(options.tls);
    this.dispatcher = new Dispatcher(options.table, options.logger);
    this.server = createServer({ pauseOnConnect: true, allowHalfOpen: false }, (socket) =>
      this.accept(socket),
    );
    // F-23: running out of descriptors must not end the process.
    this.server.on("error", (error) =>
      options.logger.error("listener failed", { name: options.name, reason: error.message }),
    );
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  start(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      const { host, port } = this.options;
      this.server.listen(
        { port, ...(host === undefined ? {} : { host }), backlog: BACKLOG },
        () => {
          this.server.off("error", reject);
          this.timer = setInterval(() => this.tick(), TICK_MS);
          this.timer.unref();
          const address = this.server.address();
          resolve(typeof address === "object" && address !== null ? address.port : port);
        },
      );
    });
  }

  async stop(drainMs: number): Promise<void> {
    clearInterval(this.timer);
    this.server.close();
    this.acceptor?.close();
    const open = [...this.connections.values()];
    for (const connection of open) connection.end();
    const closed = Promise.all(
      open.map((connection) => new Promise<void>((resolve) => connection.onClose(resolve))),
    );
    const timer = setTimeout(
      () => open.forEach((connection) => connection.close("server stopped")),
      drainMs,
    );
    await closed;
    clearTimeout(timer);
  }

  private accept(accepted: Socket): void {
    const limit = this.options.connectionsMax ?? CONNECTIONS_MAX;
    if (this.connections.size + (this.acceptor?.pendingCount ?? 0) >= limit) {
      accepted.on("error", () => undefined);
      accepted.destroy();
      this.options.logger.warn("connection refused: too many are open (F-22)", {
        name: this.options.name,
        limit,
      });
      return;
    }
    if (this.acceptor === undefined) this.serve(accepted, null);
    else {
      this.acceptor.accept(accepted, {
        plain: (socket, first) => this.serve(socket, first),
        secure: (socket) => this.serveSecure(socket),
      });
    }
  }

  /** @param accepted paused @param first bytes that were read of it already */
  private serve(accepted: Socket, first: Buffer | null): void {
    const socket = adoptSocket(accepted, (from, buffer, length) =>
      this.connections.get(from)?.received(buffer, length),
    );
    const connection = this.open(socket);
    if (first !== null) connection.received(first, first.length);
  }

  private serveSecure(socket: Socket): void {
    const connection = this.open(socket);
    socket.on("data", (chunk: Buffer) => connection.received(chunk, chunk.length));
  }

  private open(socket: Socket): Connection {
    const connection = new Connection(socket, this.events());
    this.connections.set(socket, connection);
    this.options.onOpen?.(connection);
    return connection;
  }

  private events(): ConnectionEvents {
    return {
      logger: this.options.logger,
      onFrame: (connection) => (frame) => this.dispatcher.dispatch(frame, connection),
      onClose: (connection) => {
        this.connections.delete(connection.socket);
        this.options.onClose?.(connection);
      },
    };
  }

  private tick(): void {
    const now = performance.now();
    for (const connection of this.connections.values())
      connection.tick(now, this.options.idleTimeoutMs ?? IDLE_MS);
  }
}

/** @param options port, limits and who serves which code @returns a server that does not listen yet */
export function createRemotingServer(options: RemotingServerOptions): RemotingServer {
  return new TcpServer(options);
}
