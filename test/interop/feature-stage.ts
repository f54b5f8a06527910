/** The cluster on which foreign clients show their features: our name server, one broker with everything switched on, our own client beside it. */
import { join } from "node:path";
import {
  createProducer,
  type Producer,
  type ProducerOptions,
  type PushConsumerOptions,
  type ReceivedMessage,
} from "../../engine/client/index.ts";
import { BrokerPeer } from "../helpers/broker-peer.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import { startBrokerProcess } from "../helpers/engine-process.ts";
import { until } from "../e2e/engine/engine-fixture.ts";
import { OwnClients } from "./own-clients.ts";
import { OwnServers } from "./own-servers.ts";

const UPDATE_GROUP = 200;

const SETTINGS = {
  brokerName: "broker-a",
  messageDelayLevel: "1s 2s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s",
  traceTopicEnable: "true",
  enablePropertyFilter: "true",
  transactionTimeOut: 1_000,
  transactionCheckInterval: 1_000,
  // Nothing counts as in memory: a new group's consumeFromWhere then decides also for a young queue (remoting-protocol 4.3.1).
  accessMessageInMemoryMaxRatio: 0,
} as const;

/** What a stage is. */
export interface StageOptions {
  readonly host?: string;
  readonly hasSlave?: boolean;
}

export class FeatureStage extends OwnClients implements AsyncDisposable {
  readonly home: string;
  /** Empty without one. */
  slave = "";

  private constructor({ home, namesrv, broker }: OwnServers, cleanup: Cleanup) {
    super({ namesrv, broker: broker.address }, cleanup);
    this.home = home;
  }

  /** @param options host: numeric address of all parts; hasSlave: a slave beside the master, which sends slow readers there */
  static async start(options: StageOptions = {}): Promise<FeatureStage> {
    const { host = "127.0.0.1", hasSlave = false } = options;
    const cleanup = new Cleanup();
    const both = { bindAddress: host };
    const here = { brokerIP1: host, brokerIP2: host, slaveReadEnable: String(hasSlave) };
    const own = { ...SETTINGS, ...here };
    const servers = cleanup.use(await OwnServers.start(() => ({ both, broker: own })));
    const stage = new FeatureStage(servers, cleanup);
    if (hasSlave) await stage.addSlave({ ...both, ...own, namesrvAddr: servers.namesrv });
    return stage;
  }

  private async addSlave(common: Readonly<Record<string, string | number>>): Promise<void> {
    const own = { ...common, brokerRole: "SLAVE", brokerId: 1 };
    const slave = this.cleanup.use(await startBrokerProcess(join(this.home, "slave"), own));
    this.slave = slave.address;
  }

  /** Undone when the stage is taken down. */
  use<Resource extends AsyncDisposable>(resource: Resource): Resource {
    return this.cleanup.use(resource);
  }

  /** Makes a group's retry topic before its first consumer: one that is made by the first heartbeat is seen at the client's next look, 30 s later. */
  async retryTopic(group: string): Promise<void> {
    await this.topic(`%RETRY%${group}`);
  }

  /** Resolves when a group's written offsets add up to that: clients write every 5 s, a reset needs an offset in each queue. */
  async untilCommitted(group: string, topic: string, sum: number): Promise<void> {
    const isWritten = async (): Promise<boolean> => {
      const stats = await this.admin.consumeStats(this.broker, group, topic).catch(() => []);
      return stats.reduce((total, queue) => total + queue.consumerOffset, 0) === sum;
    };
    await until(`${group} has written its offsets`, isWritten, 30_000);
  }

  /** Sets what 4.9 keeps of a group; the rest as a new group has it. */
  async group(
    groupName: string,
    settings: Readonly<Record<string, boolean | number>>,
  ): Promise<void> {
    using peer = await BrokerPeer.connect(this.broker);
    const config = {
      groupName,
      consumeEnable: true,
      consumeFromMinEnable: true,
      consumeBroadcastEnable: true,
      retryQueueNums: 1,
      retryMaxTimes: 16,
      brokerId: 0,
      whichBrokerWhenConsumeSlowly: 1,
      notifyConsumerIdsChangedEnable: true,
      ...settings,
    };
    const body = Buffer.from(JSON.stringify(config));
    const answer = await peer.ask({ code: UPDATE_GROUP, body });
    if (answer.code !== 0) throw new Error(`the group was refused: ${answer.remark}`);
  }

  /** A started producer of our own. */
  async producer(options: Partial<ProducerOptions> = {}): Promise<Producer> {
    const producer = createProducer(this.client(), { group: "PG_ours", ...options });
    await producer.start();
    return producer;
  }

  /** A started consumer of our own. @returns what it got, growing */
  async consume(
    topic: string,
    options: Partial<PushConsumerOptions> = {},
  ): Promise<readonly ReceivedMessage[]> {
    const group = `CG_ours_${topic.replaceAll("%", "")}`;
    return (await this.startConsumer(topic, { group, ...options })).got;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cleanup[Symbol.asyncDispose]();
  }
}
