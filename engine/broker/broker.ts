/** One broker: wiring only. Every part owns its state; this file makes the parts, joins them, starts and stops them in order. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { EngineError } from "../base/engine-error.ts";
import type { Logger } from "../base/logger.ts";
import type { Vfs } from "../base/vfs.ts";
import { parseAllowedAddresses } from "../ha/allowed-addresses.ts";
import type { HaClient, HaService } from "../ha/ha-api.ts";
import { createHaClient } from "../ha/ha-client.ts";
import { createHaService } from "../ha/ha-service.ts";
import { addressBytes } from "../message/message-id.ts";
import { createRemotingClient } from "../remoting/client.ts";
import type { ProcessorTable } from "../remoting/processor.ts";
import { formatAddress } from "../remoting/remote-address.ts";
import { createRemotingServer } from "../remoting/server.ts";
import type { RemotingServer } from "../remoting/server-api.ts";
import { openMessageStore } from "../store/message-store.ts";
import type { HostBytes, MessageStore } from "../store/store-api.ts";
import { namesrvAddresses, type BrokerConfig } from "./broker-config.ts";
import type { BrokerContext } from "./broker-context.ts";
import { BrokerCounters } from "./broker-stats.ts";
import { BrokerClients } from "./client-registry.ts";
import { BrokerOffsets } from "./consumer-offsets.ts";
import { DelayedMessages } from "./delayed-messages.ts";
import { brokerProcessors } from "./processors/index.ts";
import type { RuntimeInfoParts } from "./processors/runtime-info.ts";
import { PullPath } from "./pull-path.ts";
import { createPutInternal } from "./put-internal.ts";
import { QueueLocks } from "./queue-locks.ts";
import { Registration, type MasterAddresses } from "./registration.ts";
import { SendPath } from "./send-path.ts";
import { SlaveSync } from "./slave-sync.ts";
import { BrokerGroups } from "./subscription-groups.ts";
import { BrokerTopics } from "./topic-config.ts";

/** The fast port (4.9's VIP channel) stands this far below the plain one, the replication port one above (remoting-protocol 1.7). */
const FAST_PORT_BELOW = 2;
/** Answers in progress have this long to leave when the broker stops, ms. */
const DRAIN_MS = 3_000;
const CLIENT_SCAN_MS = 10_000;
const SAMPLE_MS = 1_000;
/** A configured haMasterAddress shorter than this is none, as in 4.9 (store-and-ha 7.1). */
const HA_MASTER_ADDRESS_MIN = 6;

/** What a broker is made from. */
export interface BrokerOptions {
  readonly config: BrokerConfig;
  readonly vfs: Vfs;
  readonly logger: Logger;
  /** Wall clock, ms. Default Date.now. */
  readonly now?: () => number;
}

/** A broker that serves. */
export interface RunningBroker extends AsyncDisposable {
  readonly context: BrokerContext;
  /** `host:port` it is registered under. */
  readonly brokerAddr: string;
  readonly port: number;
  /** Null on a slave. */
  readonly haService: HaService | null;
  /** Null on a master. */
  readonly haClient: HaClient | null;
  /** Pulls that wait for a message now. */
  readonly heldPulls: number;
  /** S-03: the store failed for the life of the process. */
  onStoreFailed(listener: (error: Error) => void): void;
  /** Takes nothing new, leaves the name servers, answers what is in progress, writes everything down. */
  stop(): Promise<void>;
}

async function storeHostOf(config: BrokerConfig): Promise<HostBytes> {
  const { brokerIP1, listenPort: port } = config;
  if (isIP(brokerIP1) !== 0) return { address: addressBytes(brokerIP1), port };
  try {
    const { address } = await lookup(brokerIP1);
    return { address: addressBytes(address), port };
  } catch (cause) {
    throw new EngineError("BROKER_CONFIG_INVALID", {
      message: `brokerIP1=${brokerIP1} is neither an IP address nor a name that resolves`,
      hint: "records keep this broker's address: set brokerIP1 to one that clients can reach",
      cause,
    });
  }
}

/** All parts of one broker, made but not started. */
class Broker implements RunningBroker {
  readonly context: BrokerContext;
  readonly brokerAddr: string;
  readonly port: number;
  readonly haService: HaService | null = null;
  readonly haClient: HaClient | null = null;
  private readonly options: BrokerOptions;
  private readonly store: MessageStore;
  private readonly topics: BrokerTopics;
  private readonly offsets: BrokerOffsets;
  private readonly clients: BrokerClients;
  private readonly counters = new BrokerCounters();
  private readonly delayed: DelayedMessages;
  private readonly slaveSync: SlaveSync;
  private readonly registration: Registration;
  private readonly sends: SendPath;
  private readonly pulls: PullPath;
  private readonly servers: readonly RemotingServer[];
  private readonly timers: NodeJS.Timeout[] = [];
  private stopping: Promise<void> | null = null;

  /** @param store recovered and open @param storeHost address stamped into records */
  constructor(options: BrokerOptions, store: MessageStore, storeHost: HostBytes) {
    const { config, vfs, logger } = options;
    const now = options.now ?? Date.now;
    this.options = options;
    this.store = store;
    this.port = config.listenPort;
    this.brokerAddr = formatAddress(config.brokerIP1, config.listenPort);
    const registerSoon = (): void => this.registration.soon();
    this.topics = new BrokerTopics({ config, vfs, logger, now, registerSoon });
    const groups = new BrokerGroups({ config, vfs, now });
    this.offsets = new BrokerOffsets({ vfs, storePathRootDir: config.storePathRootDir });
    this.clients = new BrokerClients({
      logger,
      now,
      mayNotify: (group) => groups.get(group)?.notifyConsumerIdsChangedEnable !== false,
    });
    const remoting = createRemotingClient({
      logger,
      connectTimeoutMs: config.connectTimeoutMillis,
      idleTimeoutMs: config.clientChannelMaxIdleTimeSeconds * 1_000,
    });
    this.context = {
      config,
      logger,
      vfs,
      store,
      topics: this.topics,
      groups,
      offsets: this.offsets,
      clients: this.clients,
      remoting,
      now,
      storeHost,
      isSlave: config.brokerRole === "SLAVE",
      putInternal: createPutInternal({ store, config, storeHost }),
      registerSoon,
      bootTimestamp: now(),
      stats: this.counters,
    };
    this.registration = this.makeRegistration();
    this.delayed = new DelayedMessages(this.context);
    this.slaveSync = new SlaveSync(this.context, this.delayed);
    this.sends = new SendPath(this.context);
    this.pulls = new PullPath(this.context, () => performance.now());
    if (this.context.isSlave) this.haClient = this.makeHaClient();
    else this.haService = this.makeHaService();
    const { context, clients, delayed, sends, pulls } = this;
    const locks = new QueueLocks(now);
    const table = brokerProcessors({
      context,
      clients,
      delayed,
      sends,
      pulls,
      locks,
      runtime: this.runtimeParts(),
    });
    this.servers = [
      this.makeServer("broker", config.listenPort, table),
      this.makeServer("broker-fast", config.listenPort - FAST_PORT_BELOW, table),
    ];
  }

  /** Opens the ports, then tells the name servers. */
  async start(): Promise<void> {
    const { config } = this.context;
    if (this.haService !== null) await this.haService.start();
    for (const server of this.servers) await server.start();
    if (!this.context.isSlave) this.delayed.start();
    this.every(config.flushConsumerOffsetInterval, () => this.offsets.persist());
    this.every(config.flushDelayOffsetInterval, () => this.delayed.persist());
    this.every(CLIENT_SCAN_MS, () => this.clients.expire());
    this.every(SAMPLE_MS, () => this.counters.sample(this.context.now()));
    if (this.haClient !== null && config.haMasterAddress.length >= HA_MASTER_ADDRESS_MIN) {
      this.haClient.setMaster(config.haMasterAddress);
    }
    await this.registration.start();
  }

  get heldPulls(): number {
    return this.pulls.held.size;
  }

  onStoreFailed(listener: (error: Error) => void): void {
    this.store.onFailed(listener);
  }

  stop(): Promise<void> {
    this.stopping ??= this.shutDown();
    return this.stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private async shutDown(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.slaveSync.stop();
    this.delayed.stop();
    await Promise.all([this.registration.stop(), this.sends.close(DRAIN_MS)]);
    this.pulls.held.stop();
    await Promise.all(this.servers.map((server) => server.stop(DRAIN_MS)));
    this.context.remoting.close();
    await this.haService?.stop();
    await this.haClient?.stop();
    this.offsets.persist();
    this.delayed.persist();
    await this.store.stop();
  }

  /** What GET_BROKER_RUNTIME_INFO reads besides the tables. */
  private runtimeParts(): RuntimeInfoParts {
    const { context, counters, delayed } = this;
    return {
      context,
      counters,
      delayed,
      slaves: () => this.haService?.slaves() ?? [],
      replicationState: () => this.haClient?.state ?? "none",
      heldPulls: () => this.heldPulls,
      connectionCount: () => this.servers.reduce((sum, server) => sum + server.connectionCount, 0),
    };
  }

  /** A failing periodic write is reported each time and ends nothing: the state is still in memory. */
  private every(periodMs: number, run: () => void): void {
    const guarded = (): void => {
      try {
        run();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.context.logger.error("a periodic job failed", { reason });
      }
    };
    const timer = setInterval(guarded, periodMs);
    timer.unref();
    this.timers.push(timer);
  }

  private get bindHost(): string | undefined {
    const { bindAddress } = this.context.config;
    return bindAddress === "" ? undefined : bindAddress;
  }

  private makeServer(name: string, port: number, table: ProcessorTable): RemotingServer {
    return createRemotingServer({
      name,
      host: this.bindHost,
      port,
      table,
      logger: this.options.logger.child(name),
      idleTimeoutMs: this.context.config.serverChannelMaxIdleTimeSeconds * 1_000,
      onClose: (channel) => this.clients.channelClosed(channel),
    });
  }

  private makeRegistration(): Registration {
    const { config, logger, remoting } = this.context;
    return new Registration({
      config,
      namesrvAddresses: namesrvAddresses(config),
      brokerAddr: this.brokerAddr,
      haServerAddr: formatAddress(config.brokerIP2, config.haListenPort),
      remoting,
      logger: logger.child("registration"),
      table: () => this.topics.toBody(),
      onMaster: (master) => this.masterChanged(master),
      onOrderedTopics: (topics) => this.topics.setOrdered(topics),
    });
  }

  /** Slave only (7.1): tables stop being synchronised without a master, replication keeps its last address and tries on. */
  private masterChanged(master: MasterAddresses): void {
    if (!this.context.isSlave) return;
    const isSelf = master.masterAddr === this.brokerAddr;
    this.slaveSync.setMaster(isSelf ? null : master.masterAddr);
    const isFixed = this.context.config.haMasterAddress.length >= HA_MASTER_ADDRESS_MIN;
    if (master.haServerAddr !== null && !isFixed) this.haClient?.setMaster(master.haServerAddr);
  }

  private makeHaService(): HaService {
    const { config, logger, store } = this.context;
    const service = createHaService({
      host: this.bindHost,
      port: config.haListenPort,
      log: store.log,
      required: config.brokerRole === "SYNC_MASTER",
      logger: logger.child("ha"),
      allowed: parseAllowedAddresses(config.haAllowedAddresses),
      housekeepingMs: config.haHousekeepingInterval,
      heartbeatMs: config.haSendHeartbeatInterval,
      transferBytesMax: config.haTransferBatchSize,
      fallbehindMax: config.haSlaveFallbehindMax,
      onGateChanged: () => store.replicationChanged(),
    });
    store.setReplicationGate(service.gate);
    return service;
  }

  private makeHaClient(): HaClient {
    const { config, logger, store } = this.context;
    return createHaClient({
      log: store.log,
      logger: logger.child("ha"),
      ackFlushed: config.flushDiskType === "SYNC_FLUSH",
      heartbeatMs: config.haSendHeartbeatInterval,
      housekeepingMs: config.haHousekeepingInterval,
    });
  }
}

/**
 * Starts a broker: recovers its store, opens its ports, registers.
 * @param options settings and surroundings
 * @returns once it serves; a name server that cannot be reached does not hold it up
 * @throws EngineError BROKER_CONFIG_INVALID | STORE_LOCKED | STORE_CORRUPT | STORE_LAYOUT_INVALID, or the system error of listen
 */
export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { config, vfs, logger } = options;
  const storeHost = await storeHostOf(config);
  const store = openMessageStore({ config, vfs, logger: logger.child("store") });
  await store.start();
  let broker: Broker | null = null;
  try {
    broker = new Broker(options, store, storeHost);
    await broker.start();
    return broker;
  } catch (error) {
    await (broker ?? store).stop();
    throw error;
  }
}
