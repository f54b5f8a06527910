/** A push consumer: subscriptions, rebalancing, pull loops, progress (remoting-protocol 5.6). */
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EngineError } from "../../base/engine-error.ts";
import { nodeVfs } from "../../base/node-vfs.ts";
import type { ConsumerBody, SubscriptionBody } from "../../remoting/bodies/heartbeat.ts";
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
import { createTrace } from "../trace/create-trace.ts";
import type { TraceDispatcher } from "../trace/trace-dispatcher.ts";
import { tracedListener } from "../trace/trace-listener.ts";
import { Assignments } from "./assignments.ts";
import { ConsumeService, type MessageHandover } from "./consume-service.ts";
import { consumeFromWhere, strategyOf } from "./consumer-options.ts";
import type { ConsumeFrom } from "./first-offset.ts";
import { LocalOffsetStore, RemoteOffsetStore, type OffsetStore } from "./offset-store.ts";
import { checkSelectors } from "./check-selectors.ts";
import { OrderlyService } from "./orderly-service.ts";
import { GroupLocks } from "./queue-locks.ts";
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
const LOCK_MS = 20_000;
const SUSPEND_MS = 1_000;
const SUSPEND_MS_MIN = 10;
const SUSPEND_MS_MAX = 30_000;
/** A closing consumer waits this long for its listener. */
const CLOSE_MS = 5_000;
/** Of Java's client, in the home directory. */
const OFFSET_DIRECTORY = ".rocketmq_offsets";

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
  private readonly isOrderly: boolean;
  private readonly trace: TraceDispatcher | undefined;
  private readonly service: MessageHandover;
  private readonly assignments: Assignments;
  private readonly subscriptions = new Map<string, SubscriptionBody>();
  private loop: RebalanceLoop | undefined;
  private isPaused = false;
  private timers: readonly NodeJS.Timeout[] = [];
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
    const allocate = strategyOf(options.allocate);
    this.isOrderly = options.orderly === true;
    this.share = { client, group: this.group, isClustering, allocate };
    this.offsets = createOffsetStore(client, options);
    this.trace = createTrace(client, options.trace, { group: this.group, role: "CONSUME" });
    this.service = this.createService(options, isClustering);
    this.assignments = new Assignments({
      client,
      group: this.group,
      isClustering,
      offsets: this.offsets,
      consumeFrom: this.consumeFrom,
      locks: this.isOrderly && isClustering ? new GroupLocks(client, this.group) : undefined,
      isPaused: () => this.isPaused,
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

  pause(): void {
    this.isPaused = true;
    this.assignments.setPaused(true);
  }

  resume(): void {
    this.isPaused = false;
    this.assignments.setPaused(false);
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
      isOrderly: this.isOrderly,
      consumeType: "CONSUME_PASSIVELY",
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
    const body = encodeConsumeDirectly(result, performance.now() - beganMs, this.isOrderly);
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
    this.timers = [
      setInterval(() => void this.offsets.persist(false), PERSIST_MS),
      setInterval(() => void this.assignments.renewLocks(), LOCK_MS),
    ];
    for (const timer of this.timers) timer.unref();
    await this.trace?.start();
    const topics = [...this.subscriptions.keys()];
    await Promise.allSettled(topics.map((topic) => client.route(topic)));
    await client.heartbeats.beatAll();
    await this.loop.run();
  }

  private createService(options: PushConsumerOptions, isClustering: boolean): MessageHandover {
    const { client, group, trace, concurrency, isOrderly } = this;
    const { listener } = options;
    const unlimited = isOrderly ? Number.MAX_SAFE_INTEGER : MAX_RECONSUME_TIMES;
    const maxReconsumeTimes = options.maxReconsumeTimes ?? unlimited;
    const sendBack = isClustering ? new SendBack(client, group, maxReconsumeTimes) : undefined;
    const parts = {
      listener: trace === undefined ? listener : tracedListener(trace, group, listener),
      batchSize: options.consumeBatchSize ?? CONSUME_BATCH_SIZE,
      concurrency,
      logger: client.logger,
      onProgress: ({ queue }: { readonly queue: MessageQueue }, offset: number) =>
        this.offsets.update(queue, offset, true),
    };
    if (!isOrderly) return new ConsumeService({ ...parts, sendBack: sendBack?.send });
    const suspendMs = options.suspendMs ?? SUSPEND_MS;
    return new OrderlyService({
      ...parts,
      maxReconsumeTimes,
      needsLock: isClustering,
      suspendMs: Math.min(SUSPEND_MS_MAX, Math.max(SUSPEND_MS_MIN, suspendMs)),
      giveUp: sendBack?.sendItself,
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
    for (const timer of this.timers) clearInterval(timer);
    await this.loop?.stop();
    await Promise.race([this.service.stop(), delay(CLOSE_MS, undefined, { ref: false })]);
    this.assignments.close();
    await this.offsets.persist(true);
    await this.assignments.unlockAll();
    await this.trace?.close();
    if (this.loop !== undefined) await this.client.removeConsumer(this);
  }
}
