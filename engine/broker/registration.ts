/**
 * Tells every name server who and what this broker is (remoting-protocol 3.2): at start, every registerNameServerPeriod, soon after a topic
 * change, and again with back-off whenever one fails. Always the whole topic table, so that nothing a name server missed stays missing.
 */
import { setTimeout as setTimeoutAsync } from "node:timers/promises";
import { crc32 } from "../base/crc32.ts";
import { asObject, parseFastjson } from "../base/fastjson.ts";
import type { Logger } from "../base/logger.ts";
import { encodeRegisterBroker } from "../remoting/bodies/register-broker.ts";
import type { TopicConfigTableBody } from "../remoting/bodies/topic-config.ts";
import { decodeHeader, encodeHeader } from "../remoting/command-spec.ts";
import type { RemotingCommand, RequestCommand } from "../remoting/command.ts";
import { REGISTER_BROKER, UNREGISTER_BROKER } from "../remoting/commands/name-server.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { RemotingClient } from "../remoting/server-api.ts";
import type { BrokerConfig } from "./broker-config.ts";

/** Changes of this long are told in one registration, ms. */
const BATCH_MS = 20;
/** A slave learns its master from these answers: while it knows none it asks this often, not every 30 s. */
const SEEK_MASTER_MS = 500;
/** First wait after a failure; doubles up to the longest, ms. */
const RETRY_MS = 500;
const RETRY_MS_MAX = 10_000;
const UNREGISTER_MS = 3_000;
/** A client that made a topic waits this long at most for the name servers to know it, ms. */
const TOLD_MS = 1_000;
/** A registration in flight at the stop may end first, so that it does not undo the leave; a silent name server is not waited for. */
const SETTLE_MS = 1_000;
const READ_WRITE = 6;

/** Where a slave finds its master, as the name servers say. */
export interface MasterAddresses {
  readonly masterAddr: string | null;
  readonly haServerAddr: string | null;
}

/** What registering needs of the broker. */
export interface RegistrationWiring {
  readonly config: BrokerConfig;
  readonly namesrvAddresses: readonly string[];
  /** `host:port` of this broker as clients reach it. */
  readonly brokerAddr: string;
  /** `host:port` of its replication port as slaves reach it. */
  readonly haServerAddr: string;
  readonly remoting: RemotingClient;
  readonly logger: Logger;
  readonly table: () => TopicConfigTableBody;
  /** Told when the answers name another master than before. */
  readonly onMaster: (master: MasterAddresses) => void;
  /** Topics the name servers list as ordered; only when one has such a list. */
  readonly onOrderedTopics: (topics: ReadonlySet<string>) => void;
}

interface NameServer {
  readonly address: string;
  /** Outcome as last logged; null before the first. */
  outcome: string | null;
  failures: number;
  timer: NodeJS.Timeout | null;
  inFlight: Promise<void> | null;
  /** A change no registration carries yet; who waits for it. */
  news: News | null;
  master: MasterAddresses | null;
}

/** Ends when a registration built after the change was answered, or failed. */
interface News {
  readonly told: Promise<void>;
  readonly resolve: () => void;
}

function createNews(): News {
  let resolve = (): void => undefined;
  const told = new Promise<void>((done) => {
    resolve = done;
  });
  return { told, resolve };
}

/** Keeps the broker registered; one a broker. */
export class Registration {
  private readonly wiring: RegistrationWiring;
  private readonly servers: readonly NameServer[];
  private master: MasterAddresses = { masterAddr: null, haServerAddr: null };
  private isStopped = false;

  /** @param wiring see there; nothing is sent before `start` */
  constructor(wiring: RegistrationWiring) {
    this.wiring = wiring;
    this.servers = wiring.namesrvAddresses.map((address) => ({
      address,
      outcome: null,
      failures: 0,
      timer: null,
      inFlight: null,
      news: null,
      master: null,
    }));
  }

  /** Registers once with every name server; resolves when each answered or failed. Goes on by itself afterwards. */
  async start(): Promise<void> {
    if (this.servers.length === 0) {
      this.wiring.logger.warn("no name server is configured: clients cannot find this broker");
    }
    await Promise.all(this.servers.map((server) => this.register(server)));
  }

  /** Registers with every name server within a moment; many calls make one registration. */
  soon(): void {
    for (const server of this.servers) {
      server.news ??= createNews();
      if (server.inFlight === null) this.schedule(server, BATCH_MS);
    }
  }

  /** The connection to a name server broke: when it comes back it knows no broker, so it is asked soon and not after a period (4.9: up to 30 s). */
  lost(address: string): void {
    const server = this.servers.find((known) => known.address === address);
    // News are on their way sooner than that.
    if (server?.inFlight === null && server.news === null) this.schedule(server, RETRY_MS);
  }

  /**
   * Resolves when every name server was told the changes asked for so far, or could not be reached, or was silent for TOLD_MS. As 4.9: whoever
   * made a topic finds its route right after the answer.
   */
  async told(): Promise<void> {
    const all = Promise.all(this.servers.map(async ({ news, inFlight }) => news?.told ?? inFlight));
    await Promise.race([all, setTimeoutAsync(TOLD_MS, undefined, { ref: false })]);
  }

  /** Stops registering and takes the broker out of every name server that has it. One that never took it may know another broker by our name. */
  async stop(): Promise<void> {
    this.isStopped = true;
    for (const server of this.servers) {
      if (server.timer !== null) clearTimeout(server.timer);
      server.news?.resolve();
    }
    const inFlight = Promise.all(this.servers.map(async (server) => server.inFlight));
    await Promise.race([inFlight, setTimeoutAsync(SETTLE_MS, undefined, { ref: false })]);
    const { config, brokerAddr, remoting } = this.wiring;
    const extFields = encodeHeader(UNREGISTER_BROKER.request, {
      brokerName: config.brokerName,
      brokerAddr,
      clusterName: config.brokerClusterName,
      brokerId: config.brokerId,
    });
    const request = { code: UNREGISTER_BROKER.code, extFields };
    const registered = this.servers.filter((server) => server.master !== null);
    await Promise.allSettled(
      registered.map(({ address }) => remoting.invoke(address, request, UNREGISTER_MS)),
    );
  }

  private schedule(server: NameServer, delayMs: number): void {
    if (this.isStopped) return;
    if (server.timer !== null) clearTimeout(server.timer);
    server.timer = setTimeout(() => void this.register(server), delayMs);
    server.timer.unref();
  }

  private register(server: NameServer): Promise<void> {
    if (this.isStopped) return Promise.resolve();
    server.inFlight ??= this.exchange(server).finally(() => {
      server.inFlight = null;
      this.schedule(server, server.news === null ? this.nextDelay(server) : BATCH_MS);
    });
    return server.inFlight;
  }

  private nextDelay(server: NameServer): number {
    const { config } = this.wiring;
    const seeksMaster = config.brokerRole === "SLAVE" && this.master.masterAddr === null;
    if (server.failures === 0)
      return seeksMaster ? SEEK_MASTER_MS : config.registerNameServerPeriod;
    return Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(10, server.failures - 1));
  }

  private async exchange(server: NameServer): Promise<void> {
    const { remoting, config } = this.wiring;
    const { news } = server;
    server.news = null;
    try {
      const timeoutMs = config.registerBrokerTimeoutMills;
      const answer = await remoting.invoke(server.address, this.request(), timeoutMs);
      if (answer.code === RESPONSE_CODE.SUCCESS) this.accepted(server, answer);
      else this.failed(server, `code ${answer.code}: ${answer.remark ?? ""}`);
    } catch (error) {
      this.failed(server, error instanceof Error ? error.message : String(error));
    }
    news?.resolve();
  }

  private request(): RequestCommand {
    const { config, brokerAddr, haServerAddr } = this.wiring;
    const table = this.wiring.table();
    const perm = config.brokerPermission;
    const topics =
      perm === READ_WRITE ? table.topics : table.topics.map((topic) => ({ ...topic, perm }));
    const body = encodeRegisterBroker({ table: { ...table, topics }, filterServerList: [] });
    const extFields = encodeHeader(REGISTER_BROKER.request, {
      brokerName: config.brokerName,
      brokerAddr,
      clusterName: config.brokerClusterName,
      brokerId: config.brokerId,
      haServerAddr,
      compressed: false,
      bodyCrc32: crc32(body, 0, body.length) & 0x7f_ff_ff_ff,
      advertisedAddresses:
        config.advertisedAddresses === "" ? undefined : config.advertisedAddresses,
    });
    return { code: REGISTER_BROKER.code, extFields, body };
  }

  private accepted(server: NameServer, answer: RemotingCommand): void {
    server.failures = 0;
    this.logChange(server, "registered");
    const header = decodeHeader(REGISTER_BROKER.response, answer.extFields);
    server.master = {
      masterAddr: header.masterAddr ?? null,
      haServerAddr: header.haServerAddr ?? null,
    };
    this.electMaster();
    if (answer.body === null) return;
    const table = asObject(asObject(parseFastjson(answer.body.toString("utf8"))).get("table"));
    this.wiring.onOrderedTopics(new Set(table.keys()));
  }

  private failed(server: NameServer, reason: string): void {
    server.failures += 1;
    this.logChange(server, reason);
  }

  /** A name server that is down for an hour is one line in the log, not 120 (F-35). */
  private logChange(server: NameServer, outcome: string): void {
    if (server.outcome === outcome) return;
    server.outcome = outcome;
    const fields = { namesrv: server.address };
    if (outcome === "registered") this.wiring.logger.info("registered with a name server", fields);
    else {
      this.wiring.logger.warn("cannot register with a name server, trying on", {
        ...fields,
        reason: outcome,
      });
    }
  }

  /** The first name server, in the configured order, that knows a master decides; what a silent one said last still counts. */
  private electMaster(): void {
    const known = this.servers.map((server) => server.master);
    const master = known.find((answer) => (answer?.masterAddr ?? null) !== null) ?? {
      masterAddr: null,
      haServerAddr: null,
    };
    const isSame =
      master.masterAddr === this.master.masterAddr &&
      master.haServerAddr === this.master.haServerAddr;
    if (isSame) return;
    this.master = master;
    this.wiring.onMaster(master);
  }
}
