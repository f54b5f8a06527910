/** What a broker does with messages of its own, on a simulated disk: real store, real tables, producers that note what they are asked. */
import { silentLogger } from "../../../../engine/base/logger.ts";
import { parseProperties } from "../../../../engine/base/properties-file.ts";
import { loadBrokerConfig, type BrokerConfig } from "../../../../engine/broker/broker-config.ts";
import type { BrokerContext, InternalPutResult } from "../../../../engine/broker/broker-context.ts";
import { openBrokerTables, type BrokerTables } from "../../../../engine/broker/broker-tables.ts";
import { createEndTransactionProcessor } from "../../../../engine/broker/processors/end-transaction.ts";
import { CheckBack } from "../../../../engine/broker/transactions/check-back.ts";
import { parkHalf } from "../../../../engine/broker/transactions/half-message.ts";
import type { FollowingSlave } from "../../../../engine/broker/safe-progress.ts";
import { OpenTransactions } from "../../../../engine/broker/transactions/open-transactions.ts";
import { addressBytes } from "../../../../engine/message/message-id.ts";
import { readRecord } from "../../../../engine/message/record-decode.ts";
import { internTopic } from "../../../../engine/message/topic-name.ts";
import type { Channel } from "../../../../engine/remoting/channel.ts";
import type { RemotingCommand, RequestCommand } from "../../../../engine/remoting/command.ts";
import { openMessageStore } from "../../../../engine/store/message-store.ts";
import { PUT_STATUS, type MessageStore } from "../../../../engine/store/store-api.ts";
import type { SimDisk } from "../../../helpers/sim-disk.ts";

const HOST = { address: addressBytes("127.0.0.1"), port: 10_911 };
const TOPIC = "Trans";
export const GROUP = "PG";

/** Where a half message stands. */
export type HalfPlace = Pick<InternalPutResult, "physicalOffset" | "queueOffset" | "status">;

let channels = 0;
let machines = 0;

/** A machine is one root path: a crashed store of this very process holds the path of the machine before. */
export function newRoot(): string {
  machines += 1;
  return `/machine-of-broker-${machines}`;
}

/** Cuts the power; the dead store's lock is gone with its machine. */
export function cut(
  disk: SimDisk,
  root: string,
  survival: Parameters<SimDisk["powerCut"]>[0],
): SimDisk {
  const after = disk.powerCut(survival);
  after.vfs.remove(`${root}/lock.owner`);
  return after;
}

/** A producer's connection that notes what it is asked. */
export class AskedProducer {
  readonly requests: RequestCommand[] = [];
  isOpen = true;
  readonly id = (channels += 1);
  readonly remote = "192.0.2.7:54321";

  sendOneway(request: RequestCommand): void {
    this.requests.push(request);
  }

  get asChannel(): Channel {
    return this as unknown as Channel;
  }

  /** Places it was asked about: offset in the half queue and in the log. */
  get asked(): HalfPlace[] {
    return this.requests.map(({ extFields }) => ({
      status: PUT_STATUS.OK,
      queueOffset: Number(extFields?.get("tranStateTableOffset")),
      physicalOffset: Number(extFields?.get("commitLogOffset")),
    }));
  }
}

export interface MachineOptions {
  readonly properties?: string;
  readonly slaves?: readonly FollowingSlave[];
}

interface Clock {
  ms: number;
}

function configOf(root: string, properties = ""): BrokerConfig {
  const text = `storePathRootDir=${root}\nbrokerName=broker-a\nbrokerClusterName=C1\nbrokerIP1=127.0.0.1
mappedFileSizeCommitLog=65536\nmappedFileSizeConsumeQueue=2000\nmaxHashSlotNum=100\nmaxIndexNum=400\nflushIntervalCommitLog=20
cleanResourceInterval=20\ntransactionTimeOut=1000\ntransactionCheckMax=3\n${properties}`;
  const entries = parseProperties(text, "test");
  return loadBrokerConfig([{ name: "test", entries }], {
    home: root,
    hostName: "host",
    localAddress: "127.0.0.1",
    namesrvAddr: "",
    rocketmqHome: "",
    cpus: 2,
  }).config;
}

export class Machine {
  readonly store: MessageStore;
  readonly context: BrokerContext;
  readonly open: OpenTransactions;
  readonly checks: CheckBack;
  private readonly clock: Clock;
  private readonly tables: BrokerTables;

  private constructor(clock: Clock, tables: BrokerTables, slaves: readonly FollowingSlave[]) {
    this.clock = clock;
    this.tables = tables;
    this.context = tables.context;
    this.store = this.context.store;
    this.open = new OpenTransactions(this.context, () => slaves);
    this.checks = new CheckBack(this.open);
  }

  /** In the order of a real start: the store recovers, then the tables are read. */
  static async boot(disk: SimDisk, root: string, options: MachineOptions = {}): Promise<Machine> {
    const clock = { ms: 1_795_360_000_000 };
    const now = (): number => clock.ms;
    const config = configOf(root, options.properties);
    const wiring = { config, vfs: disk.vfs, logger: silentLogger, now };
    const store = openMessageStore(wiring);
    await store.start();
    const tables = openBrokerTables({
      ...wiring,
      store,
      storeHost: HOST,
      registerSoon: () => undefined,
      topicsTold: () => Promise.resolve(),
      onDisconnect: () => undefined,
      configFile: undefined,
      security: { aclFile: null, sign: undefined, tls: undefined },
    });
    const machine = new Machine(clock, tables, options.slaves ?? []);
    await machine.open.start();
    return machine;
  }

  /** Wall clock, ms. */
  get now(): number {
    return this.clock.ms;
  }

  set now(ms: number) {
    this.clock.ms = ms;
  }

  /** A half message as the send path parks it. */
  half(body: string, properties: Readonly<Record<string, string>> = {}): Promise<HalfPlace> {
    const id = `U-${body.slice(0, 20)}`;
    const own = { TRAN_MSG: "true", PGROUP: GROUP, UNIQ_KEY: id, ...properties };
    const meant = { topic: TOPIC, queueId: 0, properties: new Map(Object.entries(own)) };
    return this.context.putInternal({
      ...this.message(body),
      ...parkHalf(meant),
      ignoresDelay: true,
    });
  }

  /** A message of the topic `Late`; `DELAY` among its properties parks it. */
  plain(body: string, properties: Readonly<Record<string, string>> = {}): Promise<HalfPlace> {
    const to = { topic: "Late", queueId: 0, properties: new Map(Object.entries(properties)) };
    return this.context.putInternal({ ...this.message(body), ...to });
  }

  /** END_TRANSACTION. @returns the answer's code, null when there is none */
  async end(place: HalfPlace, how: "commit" | "rollback" | "unknown"): Promise<number | null> {
    const value = { commit: 8, rollback: 12, unknown: 0 }[how];
    const ext = {
      producerGroup: GROUP,
      tranStateTableOffset: place.queueOffset,
      commitLogOffset: place.physicalOffset,
      commitOrRollback: value,
      msgId: "U",
    };
    const extFields = new Map(Object.entries(ext).map(([k, v]) => [k, String(v)] as const));
    const request = { code: 37, extFields } as unknown as RemotingCommand;
    const context = { channel: new AskedProducer().asChannel, receivedAtMs: 0 };
    const answer = await createEndTransactionProcessor(this.open)(request, context);
    return answer === null ? null : answer.code;
  }

  /** A live producer of the group. */
  producer(group = GROUP): AskedProducer {
    const producer = new AskedProducer();
    const clientId = `client-${producer.id}`;
    this.tables.clients.heartbeat(
      { clientId, producers: [group], consumers: [] },
      { channel: producer.asChannel, language: 0, version: 393 },
    );
    return producer;
  }

  /** Lets time pass, then checks once. */
  async check(afterMs = 2_000): Promise<void> {
    this.now += afterMs;
    await this.checks.pass();
  }

  private message(body: string) {
    return {
      flag: 0,
      sysFlag: 0,
      bornTimestamp: this.now,
      bornHost: HOST,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.from(body),
    };
  }

  /** Bodies of a topic's first queue. */
  bodies(topic = TOPIC): string[] {
    const name = internTopic(topic);
    const found: string[] = [];
    const max = this.store.maxOffsetInQueue(name, 0);
    while (found.length < max) {
      for (const entry of this.store.consumeQueueEntries(name, 0, found.length, 64)) {
        const bytes = this.store.recordAt(entry.physicalOffset)?.bytes ?? Buffer.alloc(0);
        const record = readRecord(bytes, 0, bytes.length);
        if (typeof record === "string") throw new Error(`an entry of ${topic} has no record`);
        found.push(bytes.toString("utf8", record.bodyStart, record.bodyEnd));
      }
    }
    return found;
  }

  /** Progress as it would be written: half queue, op queue. */
  get progress(): readonly [number, number] {
    const { offsets } = this.context;
    const group = "CID_RMQ_SYS_TRANS";
    return [
      offsets.query(group, "RMQ_SYS_TRANS_HALF_TOPIC", 0),
      offsets.query(group, "RMQ_SYS_TRANS_OP_HALF_TOPIC", 0),
    ];
  }

  persist(): void {
    this.tables.offsets.persist();
  }

  async stop(): Promise<void> {
    this.open.stop();
    this.persist();
    await this.store.stop();
  }
}
