/** A push consumer: subscriptions, rebalancing, pull loops, progress (remoting-protocol 5.6). */
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EngineError } from "../../base/engine-error.ts";
import { nodeVfs } from "../../base/node-vfs.ts";
import type {
  ConsumeFromWhere,
  ConsumerBody,
  SubscriptionBody,
} from "../../remoting/bodies/heartbeat.ts";
import type { QueueMap } from "../../remoting/bodies/message-queue.ts";
import type { RemotingCommand, ResponseCommand } from "../../remoting/command.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type {
  MessageQueue,
  MessageSelector,
  PushConsumer,
  PushConsumerOptions,
} from "../client-api.ts";
import type { ConsumerMember } from "../members.ts";
import type { SharedClient } from "../mq-client.ts";
import { checkGroup, retryTopic } from "../names.ts";
import { allocateAverage, allocateByCircle } from "./allocate.ts";
import { Assignments } from "./assignments.ts";
import { ConsumeService } from "./consume-service.ts";
import type { ConsumeFrom } from "./first-offset.ts";
import { LocalOffsetStore, RemoteOffsetStore, type OffsetStore } from "./offset-store.ts";
import { checkSelectors } from "./check-selectors.ts";
import { RebalanceLoop, shareOf, type ShareParts } from "./rebalance.ts";
import { decodeMessages } from "./received-message.ts";
import { encodeConsumeDirectly, encodeRunningInfo } from "./running-info.ts";
import { SendBack } from "./send-back.ts";
import { parseSubscription } from "./subscription.ts";

const CONSUME_BATCH_SIZE = 32;
const CONCURRENCY = 20;
const MAX_RECONSUME_TIMES = 16;
const REBALANCE_MS = 20_000;
const PERSIST_MS = 5_000;
/** A closing consumer waits this long for its listener. */
const CLOSE_MS = 5_000;
/** Of Java's client, in the home directory. */
const OFFSET_DIRECTORY = ".rocketmq_offsets";

function consumeFromWhere(from: ConsumeFrom): ConsumeFromWhere {
  if (from === "first") return "CONSUME_FROM_FIRST_OFFSET";
  return from === "last" ? "CONSUME_FROM_LAST_OFFSET" : "CONSUME_FROM_TIMESTAMP";
}

function createOffsetStore(client: SharedClient, options: PushConsumerOptions): OffsetStore {
  const { group } = options;
  if (options.model !== "broadcasting") {
    return new RemoteOffsetStore({
      remoting: client.remoting,
      brokers: client.routes.brokers,
      group,
    });
  }
  const directory = options.offsetDir ?? join(homedir(), OFFSET_DIRECTORY);
  return new LocalOffsetStore(nodeVfs, join(directory, client.stableId, group, "offsets.json"));
}

/** Implementation of PushConsumer. */
export class GroupConsumer implements PushConsumer, ConsumerMember {
  readonly group: string;
  private readonly client: SharedClient;
  private readonly consumeFrom: ConsumeFrom;
  private readonly concurrency: number;
  private readonly rebalanceMs: number;
  private readonly share: ShareParts;
  private readonly offsets: OffsetStore;
  private readonly service: ConsumeService;
  private readonly assignments: Assignments;
  private readonly subscriptions = new Map<string, SubscriptionBody>();
  private loop: RebalanceLoop | undefined;
  private persistTimer: NodeJS.Timeout | undefined;
  private startedAtMs = 0;
  private starting: Promise<void> | undefined;
  private closing: Promise<void> | undefined;

  /** @throws EngineError MESSAGE_INVALID for a bad group name; STORE_LAYOUT_INVALID for a damaged local offset file */
  constructor(client: SharedClient, options: PushConsumerOptions) {
    checkGroup(options.group);
    this.client = client;
    this.group = options.group;
    this.consumeFrom = options.consumeFrom ?? "last";
    this.concurrency = options.concurrency ?? CONCURRENCY;
    this.rebalanceMs = options.rebalanceMs ?? REBALANCE_MS;
    const isClustering = options.model !== "broadcasting";
    const allocate = options.allocate === "average-by-circle" ? allocateByCircle : allocateAverage;
    this.share = { client, group: this.group, isClustering, allocate };
    this.offsets = createOffsetStore(client, options);
    this.service = this.createService(options, isClustering);
    this.assignments = new Assignments({
      client,
      group: this.group,
      isClustering,
      offsets: this.offsets,
      consumeFrom: this.consumeFrom,
      subscription: (topic) => this.subscriptions.get(topic),
      onMessages: (queue, messages) => this.service.submit(queue, messages),
      onReleased: () => this.membersChanged(),
    });
  }

  subscribe(topic: string, selector: string | MessageSelector = "*"): void {
    this.subscriptions.set(topic, parseSubscription(topic, selector, Date.now()));
    if (this.loop === undefined) return;
    void this.client.heartbeats.beatAll();
    this.membersChanged();
  }

  start(): Promise<void> {
    this.starting ??= this.startOnce().catch((error: unknown) => {
      this.starting = undefined;
      throw error;
    });
    return this.starting;
  }

  assignment(): readonly MessageQueue[] {
    return this.assignments.queues().map(({ queue }) => queue);
  }

  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  heartbeat(): ConsumerBody {
    return {
      groupName: this.group,
      consumeType: "CONSUME_PASSIVELY",
      messageModel: this.share.isClustering ? "CLUSTERING" : "BROADCASTING",
      consumeFromWhere: consumeFromWhere(this.consumeFrom),
      subscriptions: [...this.subscriptions.values()],
      unitMode: false,
    };
  }

  routeChanged(topic: string): void {
    if (this.subscriptions.has(topic)) this.membersChanged();
  }

  membersChanged(): void {
    void this.loop?.run();
  }

  resetOffsets(topic: string, offsets: QueueMap<number>): Promise<void> {
    return this.assignments.reset(topic, offsets);
  }

  progress(topic: string): QueueMap<number> {
    return this.offsets.ofTopic(topic);
  }

  runningInfo(): Buffer {
    return encodeRunningInfo({
      namesrvAddrs: this.client.namesrvAddrs.join(";"),
      startedAtMs: this.startedAtMs,
      concurrency: this.concurrency,
      subscriptions: [...this.subscriptions.values()],
      queues: this.assignments.queues().map((queue) => ({
        queue,
        committed: this.offsets.read(queue.queue) ?? -1,
      })),
    });
  }

  async consumeDirectly(request: RemotingCommand): Promise<ResponseCommand> {
    const brokerName = request.extFields.get("brokerName") ?? "";
    const messages = decodeMessages(request.body ?? Buffer.alloc(0), brokerName);
    const beganMs = performance.now();
    const result = await this.service.consume(messages);
    const body = encodeConsumeDirectly(result, performance.now() - beganMs);
    return { code: RESPONSE_CODE.SUCCESS, body };
  }

  private async startOnce(): Promise<void> {
    const { client, group } = this;
    if (this.subscriptions.size === 0) {
      throw new EngineError("MESSAGE_INVALID", {
        message: `the consumer of group ${group} subscribes to nothing`,
        hint: "call subscribe before start",
      });
    }
    await checkSelectors(client, group, this.subscriptions.values());
    if (this.closing !== undefined) return;
    if (this.share.isClustering) this.subscribe(retryTopic(group));
    client.addConsumer(this);
    this.startedAtMs = Date.now();
    this.loop = new RebalanceLoop(() => this.rebalance(), this.rebalanceMs);
    this.persistTimer = setInterval(() => void this.offsets.persist(false), PERSIST_MS);
    this.persistTimer.unref();
    const topics = [...this.subscriptions.keys()];
    await Promise.allSettled(topics.map((topic) => client.route(topic)));
    await client.heartbeats.beatAll();
    await this.loop.run();
  }

  private createService(options: PushConsumerOptions, isClustering: boolean): ConsumeService {
    const times = options.maxReconsumeTimes ?? MAX_RECONSUME_TIMES;
    const sendBack = isClustering ? new SendBack(this.client, this.group, times) : undefined;
    return new ConsumeService({
      listener: options.listener,
      batchSize: options.consumeBatchSize ?? CONSUME_BATCH_SIZE,
      concurrency: this.concurrency,
      logger: this.client.logger,
      onProgress: ({ queue }, offset) => this.offsets.update(queue, offset, true),
      sendBack: sendBack === undefined ? undefined : (message) => sendBack.send(message),
    });
  }

  /** One round over all topics. @returns false when a route, the members or an offset could not be found out */
  private async rebalance(): Promise<boolean> {
    const rounds = [...this.subscriptions.keys()].map(async (topic) => {
      try {
        const mine = await shareOf(this.share, topic);
        return mine !== null && (await this.assignments.apply(topic, mine));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.client.logger.warn("a rebalance round was skipped", { topic, reason });
        return false;
      }
    });
    return (await Promise.all(rounds)).every(Boolean);
  }

  private async closeAll(): Promise<void> {
    clearInterval(this.persistTimer);
    await this.loop?.stop();
    await Promise.race([this.service.stop(), delay(CLOSE_MS, undefined, { ref: false })]);
    this.assignments.close();
    await this.offsets.persist(true);
    if (this.loop !== undefined) await this.client.removeConsumer(this);
  }
}
