import { createServer, type Server, type Socket } from "node:net";
import type { Logger } from "../base/logger.ts";
import type { ReplicaLog, ReplicationGate } from "../store/store-api.ts";
import type { HaService, SlaveState } from "./ha-api.ts";
import { HaConnection, type HaConnectionOptions } from "./ha-connection.ts";

/** H-03. */
const CONNECTIONS_MAX = 16;
const BACKLOG = 16;
/** The defaults of 4.9 (store-and-ha appendix A). */
const HOUSEKEEPING_MS = 20_000;
const HEARTBEAT_MS = 5_000;
const TRANSFER_BYTES_MAX = 32_768;
const FALLBEHIND_MAX = 268_435_456;

/** Wiring of the master side. */
export interface HaServiceOptions {
  /** Address to bind; undefined binds every interface, as 4.9. */
  readonly host?: string | undefined;
  /** listenPort + 1; 0 picks a free port. */
  readonly port: number;
  readonly log: ReplicaLog;
  /** This broker promises replication (SYNC_MASTER). */
  readonly required: boolean;
  readonly logger: Logger;
  /** Encrypts accepted connections (E-13): takes a paused one, hands on the one to talk over. Default: plain, as 4.9. */
  readonly secure?: ((accepted: Socket, ready: (socket: Socket) => void) => void) | undefined;
  /** Who may connect (H-04); default everybody, as 4.9. See parseAllowedAddresses. */
  readonly allowed?: (address: string) => boolean;
  /** haHousekeepingInterval, ms. */
  readonly housekeepingMs?: number;
  /** haSendHeartbeatInterval, ms. */
  readonly heartbeatMs?: number;
  /** haTransferBatchSize, bytes. */
  readonly transferBytesMax?: number;
  /** haSlaveFallbehindMax, bytes. */
  readonly fallbehindMax?: number;
  /** The gate's numbers moved: an ack rose, or a slave came, went or can no longer follow. */
  readonly onGateChanged?: () => void;
  /** Monotonic clock, ms. */
  readonly now?: () => number;
}

/** @returns the address without the IPv4-mapped prefix */
function plainAddress(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}

class SlaveListener implements HaService {
  readonly gate: ReplicationGate;
  private readonly options: HaServiceOptions;
  private readonly connectionOptions: HaConnectionOptions;
  private readonly server: Server;
  private readonly connections = new Map<Socket, HaConnection>();
  private timer: NodeJS.Timeout | undefined;
  /** Highest ack of a live slave that can follow; -1 without one. Never a stored high-water mark (H-01). */
  private bestAck = -1;
  private refused = 0;

  constructor(options: HaServiceOptions) {
    this.options = options;
    this.connectionOptions = {
      log: options.log,
      logger: options.logger,
      now: options.now ?? (() => performance.now()),
      heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
      housekeepingMs: options.housekeepingMs ?? HOUSEKEEPING_MS,
      frameBytesMax: options.transferBytesMax ?? TRANSFER_BYTES_MAX,
      onChanged: () => this.recompute(),
      onRefused: () => (this.refused += 1),
    };
    this.gate = this.makeGate();
    const pauseOnConnect = options.secure !== undefined;
    this.server = createServer({ pauseOnConnect }, (socket) => this.accept(socket));
    this.server.on("error", (error) => {
      options.logger.error("replication listener failed", { reason: error.message });
    });
    options.log.onWritten(() => this.pumpAll());
  }

  get refusedReports(): number {
    return this.refused;
  }

  start(): Promise<number> {
    const { host, port } = this.options;
    const { heartbeatMs, housekeepingMs } = this.connectionOptions;
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen({ port, ...(host !== undefined && { host }), backlog: BACKLOG }, () => {
        this.server.off("error", reject);
        const period = Math.min(1_000, heartbeatMs / 5, housekeepingMs / 5);
        this.timer = setInterval(() => this.tickAll(), period);
        this.timer.unref();
        const address = this.server.address();
        resolve(typeof address === "object" && address !== null ? address.port : port);
      });
    });
  }

  stop(): Promise<void> {
    clearInterval(this.timer);
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      for (const socket of this.connections.keys()) socket.destroy();
    });
  }

  slaves(): readonly SlaveState[] {
    return [...this.connections.values()].map((connection) => connection.state);
  }

  private makeGate(): ReplicationGate {
    const fallbehindMax = this.options.fallbehindMax ?? FALLBEHIND_MAX;
    const bestAck = (): number => this.bestAck;
    return {
      required: this.options.required,
      get replicatedOffset() {
        return Math.max(0, bestAck());
      },
      isSlaveAvailable: (endOffset) =>
        this.bestAck >= 0 && endOffset - this.bestAck < fallbehindMax,
    };
  }

  private accept(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress);
    const host = address.includes(":") ? `[${address}]` : address;
    const remote = `${host}:${socket.remotePort ?? 0}`;
    const isAllowed = this.options.allowed?.(address) ?? true;
    if (!isAllowed || this.connections.size >= CONNECTIONS_MAX) {
      const reason = isAllowed ? `${CONNECTIONS_MAX} are open` : "not in haAllowedAddresses";
      this.options.logger.warn("replication connection refused", { remote, reason });
      socket.on("error", () => undefined);
      socket.destroy();
      return;
    }
    if (this.options.secure === undefined) this.serve(socket, remote);
    else this.options.secure(socket, (ready) => this.serve(ready, remote));
  }

  private serve(socket: Socket, remote: string): void {
    this.connections.set(socket, new HaConnection(socket, remote, this.connectionOptions));
    socket.on("close", () => this.closed(socket));
  }

  private closed(socket: Socket): void {
    const connection = this.connections.get(socket);
    this.connections.delete(socket);
    this.options.logger.info("slave connection gone", {
      remote: connection?.remote,
      acked: connection?.state.ackedOffset,
    });
    this.recompute();
  }

  private recompute(): void {
    let best = -1;
    for (const connection of this.connections.values()) {
      best = Math.max(best, connection.usableAck);
    }
    if (best === this.bestAck) return;
    this.bestAck = best;
    this.options.onGateChanged?.();
  }

  private pumpAll(): void {
    for (const connection of this.connections.values()) connection.pump();
  }

  private tickAll(): void {
    for (const connection of this.connections.values()) connection.tick();
  }
}

/** @param options port, log and limits @returns the master side of replication, not listening yet */
export function createHaService(options: HaServiceOptions): HaService {
  return new SlaveListener(options);
}
