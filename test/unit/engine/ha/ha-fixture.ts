/** Raw peers of the replication protocol, on real sockets, and a service and client that a test disposes of. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { createLogger, type Logger } from "../../../../engine/base/logger.ts";
import type { HaClient, HaService } from "../../../../engine/ha/ha-api.ts";
import { createHaClient, type HaClientOptions } from "../../../../engine/ha/ha-client.ts";
import { createHaService, type HaServiceOptions } from "../../../../engine/ha/ha-service.ts";
import { Cleanup } from "../../../helpers/cleanup.ts";
import type { MemoryReplicaLog } from "../../../helpers/memory-replica-log.ts";

/** An offset as 8 bytes of hexadecimal text. */
export function offsetHex(offset: number): string {
  return offset.toString(16).padStart(16, "0");
}

/** A frame's header as hexadecimal text. */
export function headerHex(offset: number, size: number): string {
  return offsetHex(offset) + size.toString(16).padStart(8, "0");
}

/** One end of a connection that keeps all it receives. */
export class RawPeer {
  readonly socket: Socket;
  isClosed = false;
  private chunks: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.chunks.push(chunk);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.isClosed = true;
    });
  }

  /** All bytes so far. */
  get received(): Buffer {
    const all = Buffer.concat(this.chunks);
    this.chunks = [all];
    return all;
  }

  get hex(): string {
    return this.received.toString("hex");
  }

  sendHex(hex: string): void {
    this.socket.write(Buffer.from(hex, "hex"));
  }

  report(offset: number): void {
    this.sendHex(offsetHex(offset));
  }

  /** Bodies of all frames so far, back to back; heartbeats have none. */
  bodies(): Buffer {
    return Buffer.concat(this.frames().map((frame) => frame.body));
  }

  /** Whole frames so far. */
  frames(): { readonly offset: number; readonly body: Buffer }[] {
    const frames = [];
    for (let at = 0; at + 12 <= this.received.length;) {
      const size = this.received.readInt32BE(at + 8);
      if (at + 12 + size > this.received.length) break;
      const offset = Number(this.received.readBigInt64BE(at));
      frames.push({ offset, body: this.received.subarray(at + 12, at + 12 + size) });
      at += 12 + size;
    }
    return frames;
  }
}

export class HaFixture implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly logger: Logger = createLogger("ha", "debug", (line) => this.lines.push(line));
  private readonly cleanup = new Cleanup();

  /** Starts a master's service. */
  async service(
    log: MemoryReplicaLog,
    options: Partial<HaServiceOptions> = {},
  ): Promise<{ readonly service: HaService; readonly port: number; readonly address: string }> {
    const service = createHaService({
      host: "127.0.0.1",
      port: 0,
      log,
      required: true,
      logger: this.logger,
      ...options,
    });
    const port = await service.start();
    this.cleanup.defer(() => service.stop());
    return { service, port, address: `127.0.0.1:${port}` };
  }

  /** Makes a slave's client; attempts follow each other quickly. */
  client(log: MemoryReplicaLog, options: Partial<HaClientOptions> = {}): HaClient {
    const client = createHaClient({
      log,
      logger: this.logger,
      retry: { firstMs: 5, maxMs: 20 },
      ...options,
    });
    this.cleanup.defer(() => client.stop());
    return client;
  }

  /** Connects as a slave that the test plays by hand. */
  async slave(port: number, localAddress = "127.0.0.1"): Promise<RawPeer> {
    const socket = connect({ host: "127.0.0.1", port, localAddress, noDelay: true });
    this.cleanup.defer(() => void socket.destroy());
    await once(socket, "connect");
    return new RawPeer(socket);
  }

  /** Listens as a master that the test plays by hand. */
  async master(port = 0): Promise<{
    readonly server: Server;
    readonly port: number;
    readonly address: string;
    readonly peers: RawPeer[];
  }> {
    const peers: RawPeer[] = [];
    const server = createServer((socket) => {
      this.cleanup.defer(() => void socket.destroy());
      socket.setNoDelay(true);
      peers.push(new RawPeer(socket));
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    this.cleanup.defer(() => void server.close());
    const address = server.address();
    const taken = typeof address === "object" && address !== null ? address.port : 0;
    return { server, port: taken, address: `127.0.0.1:${taken}`, peers };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cleanup[Symbol.asyncDispose]();
  }
}

/** A payload of `size` bytes that differ by `seed`. */
export function payload(size: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + seed * 17) & 0xff));
}
