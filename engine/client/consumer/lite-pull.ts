/** A consumer that is asked for messages (Java's DefaultLitePullConsumer; remoting-protocol 4.2.1, 5.6). */
import { setTimeout as delay } from "node:timers/promises";
import { EngineError } from "../../base/engine-error.ts";
import type { ConsumerBody, SubscriptionBody } from "../../remoting/bodies/heartbeat.ts";
import type { QueueMap } from "../../remoting/bodies/message-queue.ts";
import type { ResponseCommand } from "../../remoting/command.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type {
  LitePullConsumer,
  LitePullConsumerOptions,
  MessageQueue,
  MessageSelector,
  ReceivedMessage,
} from "../client-api.ts";
import type { ConsumerMember } from "../members.ts";
import { queueKey, subscribeQueuesOf } from "../message-queues.ts";
import type { SharedClient } from "../mq-client.ts";
import { checkGroup } from "../names.ts";
import { checkSelectors } from "./check-selectors.ts";
import { consumeFromWhere, strategyOf } from "./consumer-options.ts";
import { firstOffset, offsetAt, type ConsumeFrom } from "./first-offset.ts";
import { ReadQueues } from "./lite-queues.ts";
import { RemoteOffsetStore } from "./offset-store.ts";
import { RebalanceLoop, shareOf, type ShareParts } from "./rebalance.ts";
import { encodeRunningInfo } from "./running-info.ts";
import { parseSubscription } from "./subscription.ts";

const REBALANCE_MS = 20_000;
const COMMIT_MS = 5_000;
const POLL_MS = 5_000;

/** Implementation of LitePullConsumer. */
export class LiteConsumer implements LitePullConsumer, ConsumerMember {
  readonly group: string;
  private readonly client: SharedClient;
  private readonly consumeFrom: ConsumeFrom;
  private readonly autoCommit: boolean;
  private readonly rebalanceMs: number;
  private readonly share: ShareParts;
  private readonly offsets: RemoteOffsetStore;
  private readonly read: ReadQueues;
  private readonly subscriptions = new Map<string, SubscriptionBody>();
  private assigned: readonly MessageQueue[] | undefined;
  private loop: RebalanceLoop | undefined;
  private commitTimer: NodeJS.Timeout | undefined;
  private startedAtMs = 0;
  private closing: Promise<void> | undefined;

  /** @throws EngineError MESSAGE_INVALID for a bad group name */
  constructor(client: SharedClient, options: LitePullConsumerOptions) {
    checkGroup(options.group);
    this.client = client;
    this.group = options.group;
    this.consumeFrom = options.consumeFrom ?? "last";
    this.autoCommit = options.autoCommit ?? true;
    this.rebalanceMs = options.rebalanceMs ?? REBALANCE_MS;
    const allocate = strategyOf(options.allocate);
    this.share = { client, group: this.group, isClustering: true, allocate };
    const { remoting, routes } = client;
    this.offsets = new RemoteOffsetStore({ remoting, brokers: routes.brokers, group: this.group });
    this.read = new ReadQueues({
      client,
      group: this.group,
      offsets: this.offsets,
      subscription: (topic) => this.subscriptions.get(topic),
    });
  }

  subscribe(topic: string, selector: string | MessageSelector = "*"): void {
    if (this.assigned !== undefined) refuse("it was assigned queues; it cannot subscribe as well");
    this.subscriptions.set(topic, parseSubscription(topic, selector, Date.now()));
    if (this.loop === undefined) return;
    void this.client.heartbeats.beatAll();
    this.membersChanged();
  }

  async assign(queues: readonly MessageQueue[]): Promise<void> {
    if (this.subscriptions.size > 0) refuse("it subscribes; it cannot be assigned queues as well");
    this.assigned = queues;
    await this.loop?.run();
  }

  async start(): Promise<void> {
    const { client, group } = this;
    if (this.subscriptions.size === 0 && this.assigned === undefined)
      refuse("it neither subscribes nor has queues assigned");
    await checkSelectors(client, group, this.subscriptions.values());
    client.addConsumer(this);
    this.startedAtMs = Date.now();
    this.loop = new RebalanceLoop(() => this.rebalance(), this.rebalanceMs);
    if (this.autoCommit) {
      this.commitTimer = setInterval(() => void this.offsets.persist(false), COMMIT_MS);
      this.commitTimer.unref();
    }
    await Promise.allSettled(this.topics().map((topic) => client.route(topic)));
    await client.heartbeats.beatAll();
    await this.loop.run();
  }

  async poll(timeoutMs: number = POLL_MS): Promise<readonly ReceivedMessage[]> {
    this.client.assertOpen();
    if (this.autoCommit) this.read.noteHanded();
    const ready = this.read.take();
    if (ready.length > 0 || timeoutMs <= 0) return ready;
    const ended = new AbortController();
    const { signal } = ended;
    const timer = delay(timeoutMs, undefined, { signal }).catch(() => undefined);
    const found = await Promise.race([this.read.whenReady(signal), timer]);
    ended.abort();
    return found === undefined ? [] : this.read.take();
  }

  seek(queue: MessageQueue, offset: number): void {
    if (!this.read.has(queue)) refuse(`it does not read ${queueKey(queue)}`);
    this.read.begin(queue, offset);
  }

  pause(queues: readonly MessageQueue[]): void {
    this.read.setPaused(queues, true);
  }

  resume(queues: readonly MessageQueue[]): void {
    this.read.setPaused(queues, false);
  }

  async commit(): Promise<void> {
    this.read.noteHanded();
    const [reason] = await this.offsets.persist(true);
    if (reason !== undefined) throw reason;
  }

  async committed(queue: MessageQueue): Promise<number | null> {
    await this.client.route(queue.topic);
    return this.offsets.fetch(queue);
  }

  async queuesOf(topic: string): Promise<readonly MessageQueue[]> {
    const route = await this.client.route(topic);
    if (route !== null) return subscribeQueuesOf(route);
    throw new EngineError("CLIENT_NO_ROUTE", { message: `no route of topic ${topic}` });
  }

  async offsetForTimestamp(queue: MessageQueue, timestampMs: number): Promise<number> {
    await this.client.route(queue.topic);
    return offsetAt(this.client, queue, timestampMs);
  }

  assignment(): readonly MessageQueue[] {
    return this.read.queues().map(({ queue }) => queue);
  }

  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  heartbeat(): ConsumerBody {
    return {
      groupName: this.group,
      consumeType: "CONSUME_ACTIVELY",
      messageModel: "CLUSTERING",
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

  async resetOffsets(topic: string, offsets: QueueMap<number>): Promise<void> {
    for (const [queue, offset] of offsets) {
      if (queue.topic !== topic || !this.read.has(queue)) continue;
      this.read.begin(queue, offset);
      this.offsets.update(queue, offset, false);
    }
    await this.offsets.persist(true);
  }

  progress(topic: string): QueueMap<number> {
    return this.offsets.ofTopic(topic);
  }

  runningInfo(): Buffer {
    return encodeRunningInfo({
      namesrvAddrs: this.client.namesrvAddrs.join(";"),
      startedAtMs: this.startedAtMs,
      concurrency: 1,
      isOrderly: false,
      consumeType: "CONSUME_ACTIVELY",
      subscriptions: [...this.subscriptions.values()],
      queues: this.read.queues().map((queue) => ({
        queue,
        committed: this.offsets.read(queue.queue) ?? -1,
      })),
    });
  }

  /** There is no listener to hand it to. */
  consumeDirectly(): Promise<ResponseCommand> {
    return Promise.resolve({
      code: RESPONSE_CODE.SYSTEM_ERROR,
      remark: `The Consumer Group <${this.group}> not exist in the consumer`,
    });
  }

  private topics(): string[] {
    const assigned = this.assigned?.map((queue) => queue.topic) ?? this.subscriptions.keys();
    return [...new Set(assigned)];
  }

  /** One round over all topics. @returns false when something could not be found out */
  private async rebalance(): Promise<boolean> {
    const rounds = this.topics().map(async (topic) => {
      try {
        const mine = await this.queuesFor(topic);
        return mine !== null && (await this.apply(topic, mine));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.client.logger.warn("a rebalance round was skipped", { topic, reason });
        return false;
      }
    });
    const isComplete = (await Promise.all(rounds)).every(Boolean);
    const topics = new Set(this.topics());
    this.read.drop(this.read.queues().filter(({ queue }) => !topics.has(queue.topic)));
    return isComplete;
  }

  private async queuesFor(topic: string): Promise<readonly MessageQueue[] | null> {
    if (this.assigned === undefined) return shareOf(this.share, topic);
    const route = await this.client.route(topic);
    return route === null ? null : this.assigned.filter((queue) => queue.topic === topic);
  }

  private async apply(topic: string, mine: readonly MessageQueue[]): Promise<boolean> {
    const wanted = new Set(mine.map(queueKey));
    const lost = this.read
      .queues()
      .filter(({ queue }) => queue.topic === topic && !wanted.has(queueKey(queue)));
    this.read.drop(lost);
    await this.offsets.persist(false);
    for (const { queue } of lost) this.offsets.forget(queue);
    const fresh = mine.filter((queue) => !this.read.has(queue));
    const begun = fresh.map(async (queue) => {
      const offset = await firstOffset(this.client, this.offsets, queue, this.consumeFrom);
      if (this.closing === undefined && !this.read.has(queue)) this.read.begin(queue, offset);
    });
    return (await Promise.allSettled(begun)).every(({ status }) => status === "fulfilled");
  }

  private async closeAll(): Promise<void> {
    clearInterval(this.commitTimer);
    await this.loop?.stop();
    this.read.drop(this.read.queues());
    if (this.autoCommit) await this.offsets.persist(true);
    if (this.loop !== undefined) await this.client.removeConsumer(this);
  }
}

function refuse(why: string): never {
  throw new EngineError("MESSAGE_INVALID", { message: `the lite pull consumer refuses: ${why}` });
}
