/** A producer: queue choice, attempts within one budget, results (remoting-protocol 5.3, 5.4). */
import { randomInt, randomUUID } from "node:crypto";
import { EngineError } from "../../base/engine-error.ts";
import { addressBytes, UniqueIdGenerator } from "../../message/message-id.ts";
import type {
  FailedAttempt,
  Message,
  MessageQueue,
  Producer,
  ProducerOptions,
  ReceivedMessage,
  SendOptions,
  SendResult,
} from "../client-api.ts";
import { localAddress } from "../client-id.ts";
import type { ProducerMember } from "../members.ts";
import type { SharedClient } from "../mq-client.ts";
import { checkGroup, TEMPLATE_TOPIC } from "../names.ts";
import type { Reply, ReplyContent, TransactionState } from "../producer-api.ts";
import { RefusedError } from "../request.ts";
import { FaultLatency } from "./fault-latency.ts";
import { attemptOutcome, isRetried, SendFailedError } from "./outcome.ts";
import {
  prepareBatch,
  prepareMessage,
  type MessageMarks,
  type PreparedMessage,
  type PrepareSettings,
} from "./prepare-message.ts";
import type { TraceDispatcher } from "../trace/trace-dispatcher.ts";
import { traceSend } from "../trace/trace-send.ts";
import { PublishRoutes } from "./publish-routes.ts";
import type { PublishQueue } from "./publish-queues.ts";
import { replyAddress, requestMarks } from "./request-reply.ts";
import { selected } from "./select-queue.ts";
import { sendRequest, sendResultOf, type SendContext } from "./send-command.ts";

const SEND_TIMEOUT_MS = 3_000;
const RETRIES = 2;
const DEFAULT_TOPIC_QUEUE_NUMS = 4;
const COMPRESS_OVER_BYTES = 4_096;

/** The same for all producers of the process: the ids' counter must not repeat. */
const ids = new UniqueIdGenerator({
  address: addressBytes(localAddress()),
  pid: process.pid,
  salt: randomInt(0x7fffffff),
});

/** One send on its way: what was tried so far. */
interface Delivery {
  readonly prepared: PreparedMessage;
  readonly options: SendOptions;
  readonly deadlineMs: number;
  readonly attempts: FailedAttempt[];
}

/** The message may be there and must not be there twice. */
function isInDoubt({ prepared, attempts }: Delivery): boolean {
  return prepared.onlyOnce === true && attempts.at(-1)?.outcome === "unknown";
}

/** Implementation of Producer. */
export class MessageProducer implements Producer, ProducerMember {
  readonly group: string;
  protected readonly client: SharedClient;
  private readonly routes: PublishRoutes;
  private readonly latency: FaultLatency | undefined;
  private readonly context: SendContext;
  private readonly prepare: PrepareSettings;
  private readonly sendTimeoutMs: number;
  private readonly retries: number;
  private readonly trace: TraceDispatcher | undefined;
  private state: "new" | "started" | "closed" = "new";

  /** @param trace tells of its sends; undefined for none @throws EngineError MESSAGE_INVALID for a bad group name */
  constructor(client: SharedClient, options: ProducerOptions, trace?: TraceDispatcher) {
    checkGroup(options.group);
    this.client = client;
    this.group = options.group;
    this.trace = trace;
    this.sendTimeoutMs = options.sendTimeoutMs ?? SEND_TIMEOUT_MS;
    this.retries = options.retries ?? RETRIES;
    const defaultTopicQueueNums = options.defaultTopicQueueNums ?? DEFAULT_TOPIC_QUEUE_NUMS;
    this.context = { producerGroup: options.group, defaultTopicQueueNums };
    this.routes = new PublishRoutes(client, defaultTopicQueueNums);
    this.latency = options.latencyFault === true ? new FaultLatency() : undefined;
    this.prepare = { ids, compressOverBytes: options.compressOverBytes ?? COMPRESS_OVER_BYTES };
  }

  /** Registers the group and asks for the template topic's route; brokers learn of the group as their routes come in (5.3). */
  async start(): Promise<void> {
    if (this.state !== "new") return;
    this.client.addProducer(this);
    this.state = "started";
    await this.trace?.start();
    // No name server now is no reason to refuse: the first send asks again.
    await this.client.routes.fetch(TEMPLATE_TOPIC).catch(() => null);
    await this.client.heartbeats.beatMissing();
  }

  async send(message: Message, options: SendOptions = {}): Promise<SendResult> {
    this.assertStarted();
    return this.deliver(prepareMessage(message, this.prepare), options);
  }

  async sendBatch(messages: readonly Message[], options: SendOptions = {}): Promise<SendResult> {
    this.assertStarted();
    return this.deliver(prepareBatch(messages, this.prepare), options);
  }

  async sendOneway(message: Message, options: SendOptions = {}): Promise<void> {
    this.assertStarted();
    const prepared = prepareMessage(message, this.prepare);
    const delivery = this.begin(prepared, options);
    const target = await this.choose(delivery);
    const request = sendRequest(prepared, target.queue.queueId, this.context);
    await this.client.remoting.sendOneway(target.address, request);
  }

  async request(message: Message, options: SendOptions = {}): Promise<Reply> {
    this.assertStarted();
    const { replies, clientId, heartbeats } = this.client;
    const timeoutMs = options.timeoutMs ?? this.sendTimeoutMs;
    const correlationId = randomUUID();
    const marks = requestMarks(correlationId, clientId, timeoutMs);
    const prepared = prepareMessage(message, this.prepare, marks);
    const deadlineMs = performance.now() + timeoutMs;
    await this.routes.find(message.topic, timeoutMs);
    // The broker can push the reply only to a client it knows.
    await heartbeats.beatMissing();
    const leftMs = Math.max(1, deadlineMs - performance.now());
    const reply = replies.add(correlationId, leftMs);
    const sent = this.deliver(prepared, { ...options, timeoutMs: leftMs });
    sent.catch((error: Error) => replies.fail(correlationId, error));
    return reply;
  }

  async reply(
    request: ReceivedMessage,
    content: ReplyContent,
    options: SendOptions = {},
  ): Promise<SendResult> {
    this.assertStarted();
    const { queue, marks } = replyAddress(request);
    const prepared = prepareMessage({ ...content, topic: queue.topic }, this.prepare, marks);
    return this.deliver(prepared, { queue, ...options });
  }

  async publishQueues(topic: string): Promise<readonly MessageQueue[]> {
    this.assertStarted();
    const cycle = await this.routes.find(topic, this.sendTimeoutMs);
    return cycle.queues.map(({ queue }) => queue);
  }

  async close(): Promise<void> {
    if (this.state === "closed") return;
    const wasStarted = this.state === "started";
    this.state = "closed";
    await this.trace?.close();
    if (wasStarted) await this.client.removeProducer(this);
  }

  /** Only a transaction producer knows the end of a transaction. */
  checkTransaction(_message: ReceivedMessage): Promise<TransactionState> {
    return Promise.resolve("unknown");
  }

  /**
   * Sends what was prepared elsewhere (a consumer's retries).
   * @throws SendFailedError
   */
  async deliver(prepared: PreparedMessage, options: SendOptions): Promise<SendResult> {
    const delivery = this.begin(prepared, options);
    const isBound = options.queue !== undefined || options.select !== undefined;
    const attemptsMax = isBound ? 1 : 1 + this.retries;
    for (;;) {
      const target = this.quickChoice(delivery) ?? (await this.chooseOrFail(delivery));
      const outcome = await this.attempt(delivery, target);
      if (!(outcome instanceof EngineError)) return outcome;
      const isOver =
        delivery.attempts.length >= attemptsMax ||
        !isRetried(outcome) ||
        performance.now() >= delivery.deadlineMs ||
        this.client.isClosed;
      if (isOver || isInDoubt(delivery)) throw new SendFailedError(delivery.attempts, outcome);
    }
  }

  /** @throws EngineError CLIENT_CLOSED | MESSAGE_INVALID */
  protected prepareMarked(message: Message, marks: MessageMarks): PreparedMessage {
    this.assertStarted();
    return prepareMessage(message, this.prepare, marks);
  }

  private begin(prepared: PreparedMessage, options: SendOptions): Delivery {
    const deadlineMs = performance.now() + (options.timeoutMs ?? this.sendTimeoutMs);
    return { prepared, options, deadlineMs, attempts: [] };
  }

  /** The usual case: the route is known and nothing is awaited. */
  private quickChoice(delivery: Delivery): PublishQueue | undefined {
    const { queue, select } = delivery.options;
    if (queue !== undefined || select !== undefined) return undefined;
    const cycle = this.routes.ready(delivery.prepared.topic);
    const last = delivery.attempts.at(-1)?.queue.brokerName;
    if (last === undefined && this.latency === undefined) return cycle?.next();
    const nowMs = performance.now();
    return cycle?.next(
      (brokerName) => brokerName === last || this.latency?.isOut(brokerName, nowMs) === true,
    );
  }

  private async choose(delivery: Delivery): Promise<PublishQueue> {
    const quick = this.quickChoice(delivery);
    if (quick !== undefined) return quick;
    const leftMs = Math.max(1, delivery.deadlineMs - performance.now());
    const { queue, select } = delivery.options;
    if (queue !== undefined) return this.routes.targetOf(queue, leftMs);
    const cycle = await this.routes.find(delivery.prepared.topic, leftMs);
    if (select !== undefined) return selected(cycle.queues, select);
    return this.quickChoice(delivery) ?? cycle.next();
  }

  private async chooseOrFail(delivery: Delivery): Promise<PublishQueue> {
    try {
      return await this.choose(delivery);
    } catch (error) {
      if (error instanceof EngineError) throw new SendFailedError(delivery.attempts, error);
      throw error;
    }
  }

  /** @returns the result, or why the attempt failed (then it is on the delivery's list) */
  private async attempt(
    delivery: Delivery,
    target: PublishQueue,
  ): Promise<SendResult | EngineError> {
    const { prepared } = delivery;
    const { queue, address } = target;
    const beganMs = performance.now();
    try {
      const request = sendRequest(prepared, queue.queueId, this.context);
      const leftMs = Math.max(1, delivery.deadlineMs - beganMs);
      const response = await this.client.remoting.invoke(address, request, leftMs);
      this.noteLatency(queue.brokerName, beganMs);
      const attempts = delivery.attempts.length + 1;
      const result = sendResultOf(response, { prepared, queue, attempts });
      if (this.trace !== undefined && result !== null)
        traceSend(this.trace, { group: this.group, prepared, address, beganMs, response, result });
      return result ?? this.failed(delivery, target, new RefusedError(address, "a send", response));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (error.code !== "REMOTING_TIMEOUT") this.client.routes.suspect(address);
      return this.failed(delivery, target, error);
    }
  }

  private failed(delivery: Delivery, target: PublishQueue, error: EngineError): EngineError {
    const { queue, address } = target;
    this.latency?.failed(queue.brokerName, performance.now());
    const outcome = attemptOutcome(error, this.client.trustRefusals);
    delivery.attempts.push({ queue, address, outcome, error });
    return error;
  }

  private noteLatency(brokerName: string, beganMs: number): void {
    if (this.latency === undefined) return;
    const nowMs = performance.now();
    this.latency.answered(brokerName, nowMs - beganMs, nowMs);
  }

  private assertStarted(): void {
    this.client.assertOpen();
    if (this.state === "started") return;
    throw new EngineError("CLIENT_CLOSED", {
      message: `the producer of group ${this.group} is ${this.state === "new" ? "not started" : "closed"}`,
    });
  }
}
