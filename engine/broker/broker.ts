/** One broker: wiring only. Every part owns its state; this file makes the parts, joins them, starts and stops them in order. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { EngineError } from "../base/engine-error.ts";
import type { Logger } from "../base/logger.ts";
import type { Vfs } from "../base/vfs.ts";
import type { HaClient, HaService, SlaveState } from "../ha/ha-api.ts";
import { addressBytes } from "../message/message-id.ts";
import type { TopicName } from "../message/topic-name.ts";
import type { ProcessorTable } from "../remoting/processor.ts";
import { formatAddress } from "../remoting/remote-address.ts";
import { createRemotingServer } from "../remoting/server.ts";
import type { RemotingServer } from "../remoting/server-api.ts";
import { openMessageStore } from "../store/message-store.ts";
import type { HostBytes, MessageStore } from "../store/store-api.ts";
import { bindHost, namesrvAddresses, type BrokerConfig } from "./broker-config.ts";
import type { BrokerContext } from "./broker-context.ts";
import { openBrokerSecurity, type BrokerSecurity } from "./broker-security.ts";
import { createBrokerClient, openBrokerTables, type BrokerTables } from "./broker-tables.ts";
import { DelayedMessages } from "./delayed-messages.ts";
import { OP_TOPIC } from "./names.ts";
import { brokerProcessors } from "./processors/index.ts";
import type { RuntimeInfoParts } from "./processors/runtime-info.ts";
import { PullPath } from "./pull-path.ts";
import { QueueLocks } from "./queue-locks.ts";
import { Registration, type MasterAddresses } from "./registration.ts";
import { fixedHaMaster, followMaster, replicateToSlaves } from "./replication.ts";
import { STATS_SAMPLE_MS } from "./stats-items.ts";
import { SendPath } from "./send-path.ts";
import { SlaveSync } from "./slave-sync.ts";
import { recoverTailFrom } from "./tail-recovery.ts";
import { CheckBack } from "./transactions/check-back.ts";
import { OpenTransactions } from "./transactions/open-transactions.ts";

/** The fast port (4.9's VIP channel) stands this far below the plain one, the replication port one above (remoting-protocol 1.7). */
const FAST_PORT_BELOW = 2;
/** Answers in progress have this long to leave when the broker stops, ms. */
const DRAIN_MS = 3_000;
const CLIENT_SCAN_MS = 10_000;
/** As 4.9. */
const PERSIST_FILTERS_MS = 10_000;
const SAMPLE_MS = 1_000;

/** What a broker is made from. */
export interface BrokerOptions {
  readonly config: BrokerConfig;
  readonly vfs: Vfs;
  readonly logger: Logger;
  /** Wall clock, ms. Default: whatever `Date.now` is at the time, since a lab may replace it. */
  readonly now?: () => number;
  /** The property file `config` came from: changes at run time are written there (25). */
  readonly configFile?: string | undefined;
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
  readonly haService: HaService | null;
  readonly haClient: HaClient | null;
  private readonly store: MessageStore;
  private readonly security: BrokerSecurity;
  private readonly tables: BrokerTables;
  private readonly delayed: DelayedMessages;
  private readonly transactions: OpenTransactions;
  private readonly checkBack: CheckBack;
  private readonly slaveSync: SlaveSync;
  private readonly registration: Registration;
  private readonly sends: SendPath;
  private readonly pulls: PullPath;
  private readonly servers: readonly RemotingServer[];
  private readonly timers: NodeJS.Timeout[] = [];
  private stopping: Promise<void> | null = null;

  /** @param store recovered and open @param storeHost address stamped into records @param security opened, closed by `stop` */
  constructor(
    options: BrokerOptions,
    store: MessageStore,
    storeHost: HostBytes,
    security: BrokerSecurity,
  ) {
    const { config, vfs, logger, configFile } = options;
    const now = options.now ?? ((): number => Date.now());
    const registerSoon = (): void => this.registration.soon();
    const topicsTold = (): Promise<void> => this.registration.told();
    this.store = store;
    this.security = security;
    this.port = config.listenPort;
    this.brokerAddr = formatAddress(config.brokerIP1, config.listenPort);
    this.tables = openBrokerTables({
      config,
      vfs,
      logger,
      now,
      store,
      storeHost,
      registerSoon,
      topicsTold,
      onDisconnect: (address) => this.registration.lost(address),
      configFile,
      security,
    });
    this.context = this.tables.context;
    const { isSlave } = this.context;
    this.registration = this.makeRegistration();
    const slaves = (): readonly SlaveState[] => this.haService?.slaves() ?? [];
    this.delayed = new DelayedMessages(this.context, slaves);
    this.transactions = new OpenTransactions(this.context, slaves);
    this.checkBack = new CheckBack(this.transactions);
    this.slaveSync = new SlaveSync(this.context, this.delayed);
    if (isSlave) store.onArrival((topic) => this.syncIfNew(topic));
    this.sends = new SendPath(this.context);
    this.pulls = new PullPath(this.context, () => performance.now());
    this.haClient = isSlave ? followMaster(config, store, logger, security.tls) : null;
    this.haService = isSlave ? null : replicateToSlaves(config, store, logger, security.tls);
    const table = security.guard(this.makeProcessors(), store);
    this.servers = [
      this.makeServer("broker", config.listenPort, table),
      this.makeServer("broker-fast", config.listenPort - FAST_PORT_BELOW, table),
    ];
  }

  get heldPulls(): number {
    return this.pulls.held.size;
  }

  /** Opens the ports, then tells the name servers. */
  async start(): Promise<void> {
    const { config, isSlave, now, statsItems } = this.context;
    const { offsets, clients, filters, counters } = this.tables;
    if (this.haService !== null) await this.haService.start();
    if (!isSlave) await this.transactions.start();
    for (const server of this.servers) await server.start();
    if (!isSlave) {
      this.delayed.start();
      this.checkBack.start();
    }
    this.every(config.flushConsumerOffsetInterval, () => offsets.persist());
    this.every(config.flushDelayOffsetInterval, () => this.delayed.persist());
    this.every(CLIENT_SCAN_MS, () => clients.expire());
    this.every(PERSIST_FILTERS_MS, () => filters.persist());
    this.every(SAMPLE_MS, () => counters.sample(now()));
    statsItems.sample(now());
    this.every(STATS_SAMPLE_MS, () => statsItems.sample(now()));
    this.haClient?.setMaster(fixedHaMaster(config));
    await this.registration.start();
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
    this.security.close();
    this.slaveSync.stop();
    this.delayed.stop();
    this.checkBack.stop();
    await Promise.all([this.registration.stop(), this.sends.close(DRAIN_MS)]);
    this.pulls.held.stop();
    await Promise.all(this.servers.map((server) => server.stop(DRAIN_MS)));
    this.context.remoting.close();
    await this.haService?.stop();
    await this.haClient?.stop();
    this.transactions.stop();
    this.tables.offsets.persist();
    this.tables.filters.persist();
    // Deliveries that were on their way are done by now.
    this.delayed.stop();
    await this.store.stop();
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

  private makeProcessors(): ProcessorTable {
    const { context, delayed, sends, pulls, transactions } = this;
    const { clients } = this.tables;
    const locks = new QueueLocks(context.now);
    const runtime = this.runtimeParts();
    return brokerProcessors({
      context,
      clients,
      delayed,
      sends,
      pulls,
      transactions,
      locks,
      runtime,
    });
  }

  /** What GET_BROKER_RUNTIME_INFO reads besides the tables. */
  private runtimeParts(): RuntimeInfoParts {
    const { context, delayed } = this;
    return {
      context,
      counters: this.tables.counters,
      delayed,
      slaves: () => this.haService?.slaves() ?? [],
      replicationState: () => this.haClient?.state ?? "none",
      heldPulls: () => this.heldPulls,
      connectionCount: () => this.servers.reduce((sum, server) => sum + server.connectionCount, 0),
    };
  }

  private makeServer(name: string, port: number, table: ProcessorTable): RemotingServer {
    const { config, logger } = this.context;
    return createRemotingServer({
      name,
      host: bindHost(config),
      port,
      table,
      logger: logger.child(name),
      tls: this.security.tls?.server,
      idleTimeoutMs: config.serverChannelMaxIdleTimeSeconds * 1_000,
      onClose: (channel) => this.tables.clients.channelClosed(channel),
    });
  }

  private makeRegistration(): Registration {
    const { config, logger, remoting } = this.context;
    const { topics } = this.tables;
    return new Registration({
      config,
      namesrvAddresses: namesrvAddresses(config),
      brokerAddr: this.brokerAddr,
      haServerAddr: formatAddress(config.brokerIP2, config.haListenPort),
      remoting,
      logger: logger.child("registration"),
      table: () => topics.toBody(),
      onMaster: (master) => this.masterChanged(master),
      onOrderedTopics: (ordered) => topics.setOrdered(ordered),
    });
  }

  /** Slave only: a topic that is in the log but not in the tables could not be read once the master is gone. */
  private syncIfNew(topic: TopicName): void {
    // The op topic has no settings anywhere (store-and-ha 6.6).
    if (topic.text === OP_TOPIC) return;
    if (this.tables.topics.get(topic) === undefined) this.slaveSync.soon();
  }

  /** Slave only (7.1): tables stop being synchronised without a master, replication keeps its last address and tries on. */
  private masterChanged(master: MasterAddresses): void {
    if (!this.context.isSlave) return;
    const isSelf = master.masterAddr === this.brokerAddr;
    this.slaveSync.setMaster(isSelf ? null : master.masterAddr);
    const isFixed = fixedHaMaster(this.context.config) !== null;
    if (master.haServerAddr !== null && !isFixed) this.haClient?.setMaster(master.haServerAddr);
  }
}

/** A master that promised copies and stopped uncleanly looks for its lost tail at its slaves; every other store starts with what it has. */
async function startStore(
  options: BrokerOptions,
  store: MessageStore,
  security: BrokerSecurity,
): Promise<void> {
  const { config, vfs, logger } = options;
  const stoppedUncleanly = vfs.stat(join(config.storePathRootDir, "abort")) !== null;
  if (!stoppedUncleanly || config.brokerRole !== "SYNC_MASTER") return store.start();
  const remoting = createBrokerClient(config, logger, security);
  try {
    await store.start(recoverTailFrom({ config, remoting, logger: logger.child("tail") }));
  } finally {
    remoting.close();
  }
}

/**
 * Starts a broker: recovers its store, opens its ports, registers.
 * @param options settings and surroundings
 * @returns once it serves; a name server that cannot be reached does not hold it up
 * @throws EngineError ACL_FILE_INVALID | TLS_CONFIG_INVALID | BROKER_CONFIG_INVALID | BROKER_TAIL_UNCHECKED | STORE_LOCKED | STORE_CORRUPT | STORE_LAYOUT_INVALID, or the system error of listen
 */
export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { config, vfs, logger } = options;
  const storeHost = await storeHostOf(config);
  const security = openBrokerSecurity({ now: () => Date.now(), ...options });
  const store = openMessageStore({ config, vfs, logger: logger.child("store") });
  let broker: Broker | null = null;
  try {
    await startStore(options, store, security);
    broker = new Broker(options, store, storeHost, security);
    await broker.start();
    return broker;
  } catch (error) {
    security.close();
    await (broker ?? store).stop();
    throw error;
  }
}
