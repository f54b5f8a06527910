import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { EngineError } from "../base/engine-error.ts";
import { Connection, type ConnectionEvents } from "./connection.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { RemotingCommand, RequestCommand } from "./command.ts";
import { parseAddress } from "./remote-address.ts";
import type { RemotingClient, RemotingClientOptions } from "./server-api.ts";
import { clientOptions } from "./tls.ts";

const CONNECT_MS = 3_000;
const IDLE_MS = 120_000;
const TICK_MS = 1_000;
const READ_BUFFER_BYTES = 65_536;

let sharedReadBuffer: Buffer | undefined;

function readBuffer(): Buffer {
  sharedReadBuffer ??= Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  return sharedReadBuffer;
}

class TcpClient implements RemotingClient {
  private readonly options: RemotingClientOptions;
  private readonly dispatcher: Dispatcher;
  private readonly open = new Map<string, Connection>();
  private readonly opening = new Map<string, Promise<Connection>>();
  private readonly timer: NodeJS.Timeout;
  private closed = false;

  constructor(options: RemotingClientOptions) {
    this.options = options;
    this.dispatcher = new Dispatcher(options.table ?? { processors: new Map() }, options.logger);
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  async invoke(
    address: string,
    request: RequestCommand,
    timeoutMs: number,
  ): Promise<RemotingCommand> {
    const signed = this.options.sign?.(request) ?? request;
    const ready = this.open.get(address);
    if (ready?.isOpen === true) return ready.invoke(signed, timeoutMs);
    const started = performance.now();
    const connection = await this.connect(address, timeoutMs);
    return connection.invoke(signed, Math.max(1, timeoutMs - (performance.now() - started)));
  }

  async sendOneway(address: string, request: RequestCommand): Promise<void> {
    const ready = this.open.get(address);
    const connection =
      ready?.isOpen === true
        ? ready
        : await this.connect(address, this.options.connectTimeoutMs ?? CONNECT_MS);
    connection.sendOneway(this.options.sign?.(request) ?? request);
  }

  disconnect(address: string): void {
    this.open.get(address)?.close("no longer wanted");
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    for (const connection of this.open.values()) connection.close("client closed");
    this.open.clear();
  }

  private connect(address: string, timeoutMs: number): Promise<Connection> {
    if (this.closed)
      return Promise.reject(
        new EngineError("REMOTING_CONNECTION_CLOSED", { message: "this client is closed" }),
      );
    const under = this.opening.get(address);
    if (under !== undefined) return under;
    const attempt = this.openConnection(
      address,
      Math.min(timeoutMs, this.options.connectTimeoutMs ?? CONNECT_MS),
    ).finally(() => this.opening.delete(address));
    this.opening.set(address, attempt);
    return attempt;
  }

  private openConnection(address: string, timeoutMs: number): Promise<Connection> {
    const { host, port } = parseAddress(address);
    return new Promise((resolve, reject) => {
      let connection: Connection | undefined;
      const fail = (reason: string): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(
          new EngineError("REMOTING_CONNECT_FAILED", {
            message: `cannot connect to ${address}: ${reason}`,
          }),
        );
      };
      const onread = {
        buffer: readBuffer(),
        callback: (length: number, buffer: Uint8Array): boolean => {
          connection?.received(buffer as Buffer, length);
          return true;
        },
      };
      const tls = this.options.tls?.();
      const socket: Socket =
        tls === undefined
          ? connect({ host, port, onread })
          : connectTls({ host, port, ...clientOptions(tls) });
      if (tls !== undefined)
        socket.on("data", (chunk: Buffer) => connection?.received(chunk, chunk.length));
      const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
      const onError = (error: Error): void => fail(error.message);
      socket.once("error", onError);
      socket.once(tls === undefined ? "connect" : "secureConnect", () => {
        clearTimeout(timer);
        socket.off("error", onError);
        connection = new Connection(socket, this.events(address));
        if (this.closed) connection.close("client closed");
        else this.open.set(address, connection);
        resolve(connection);
      });
    });
  }

  private events(address: string): ConnectionEvents {
    return {
      logger: this.options.logger,
      onFrame: (connection) => (frame) => this.dispatcher.dispatch(frame, connection),
      onClose: (connection) => {
        if (this.open.get(address) === connection) this.open.delete(address);
        if (!this.closed) this.options.onDisconnect?.(address);
      },
    };
  }

  private tick(): void {
    const now = performance.now();
    for (const connection of this.open.values())
      connection.tick(now, this.options.idleTimeoutMs ?? IDLE_MS);
  }
}

/** @param options timeouts and callbacks @returns a client with no connection yet */
export function createRemotingClient(options: RemotingClientOptions): RemotingClient {
  return new TcpClient(options);
}
