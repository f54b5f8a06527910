/**
 * Public types of the client library. `engine/client/index.ts` exports these and the factories:
 * `createClient(options): MqClient`, `createProducer(client, options): Producer`, `createPushConsumer(client, options): PushConsumer`.
 */
import type { AclCredentials } from "../acl/request-signature.ts";
import type { EngineError } from "../base/engine-error.ts";
import type { Logger } from "../base/logger.ts";
import type { RemotingClient } from "../remoting/server-api.ts";
import type { Reply, ReplyContent } from "./producer-api.ts";
import type { ClientTls } from "../remoting/tls.ts";

/** One queue of a topic on one broker name. */
export interface MessageQueue {
  readonly topic: string;
  readonly brokerName: string;
  readonly queueId: number;
}

/** What a user sends. Properties must hold no reserved name and no U+0001 or U+0002. */
export interface Message {
  readonly topic: string;
  readonly body: Buffer;
  readonly tags?: string;
  readonly keys?: readonly string[];
  readonly properties?: Readonly<Record<string, string>>;
  /** 1..18. */
  readonly delayLevel?: number;
  /** false: answer after append, wait for neither flush nor slave. Default true. */
  readonly waitStoreMsgOk?: boolean;
  readonly flag?: number;
}

/** Status of a send the broker answered; only SEND_OK means the mode's promise holds. */
export type SendStatus =
  | "SEND_OK"
  | "FLUSH_DISK_TIMEOUT"
  | "FLUSH_SLAVE_TIMEOUT"
  | "SLAVE_NOT_AVAILABLE";

export interface SendResult {
  readonly status: SendStatus;
  /** UNIQ_KEY of the message (of the first, for a batch). */
  readonly msgId: string;
  readonly offsetMsgId: string;
  readonly queue: MessageQueue;
  readonly queueOffset: number;
  /** Attempts on the wire, this one included. */
  readonly attempts: number;
}

/** What is known of a send that failed: surely not stored, or it may be there (faults-and-security 11). */
export type SendOutcome = "not-stored" | "unknown";

/** One attempt of a send that failed. */
export interface FailedAttempt {
  readonly queue: MessageQueue;
  readonly address: string;
  readonly outcome: SendOutcome;
  readonly error: EngineError;
}

/** A message as a consumer gets it. */
export interface ReceivedMessage {
  /** Real topic: RETRY_TOPIC for a retried one. */
  readonly topic: string;
  readonly brokerName: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly commitLogOffset: number;
  readonly msgId: string;
  readonly offsetMsgId: string;
  /** Inflated when it was compressed. */
  readonly body: Buffer;
  readonly tags: string | undefined;
  readonly keys: readonly string[];
  readonly properties: ReadonlyMap<string, string>;
  readonly bornTimestamp: number;
  readonly storeTimestamp: number;
  readonly reconsumeTimes: number;
  readonly flag: number;
  readonly sysFlag: number;
}

export interface ClientOptions {
  /** `host:port` list. */
  readonly namesrvAddrs: readonly string[];
  readonly logger?: Logger;
  /** Distinguishes several clients of one process; default: unique. */
  readonly instanceName?: string;
  /** Default 30,000. */
  readonly routeRefreshMs?: number;
  /** Default 30,000. */
  readonly heartbeatMs?: number;
  /**
   * Our engine promises that a refused send is surely not stored; of another broker only the codes 2, 13, 14, 16 and 17 say so.
   * false judges refusals by those codes. Default true.
   */
  readonly trustRefusals?: boolean;
  /** Signs every request (ACL 1.0). Default: unsigned. */
  readonly credentials?: AclCredentials;
  /** Connections to name servers and brokers are encrypted. Default: plain. */
  readonly tls?: ClientTls;
}

/** One broker set of a route. */
export interface BrokerData {
  readonly cluster: string;
  readonly brokerName: string;
  /** Broker id → `host:port`. */
  readonly brokerAddrs: ReadonlyMap<number, string>;
}

export interface QueueData {
  readonly brokerName: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  readonly perm: number;
  readonly topicSysFlag: number;
}

export interface TopicRoute {
  readonly topic: string;
  readonly brokers: readonly BrokerData[];
  readonly queues: readonly QueueData[];
  readonly orderTopicConf: string | undefined;
}

/** Shared connections, routes, heartbeats and timers of one process's producers and consumers. */
export interface MqClient {
  readonly clientId: string;
  readonly remoting: RemotingClient;
  /** From the cache, or asked now. @returns null when no name server knows the topic (code 17) */
  route(topic: string, options?: { readonly refresh?: boolean }): Promise<TopicRoute | null>;
  /** Stops every producer and consumer made on it (offsets persisted, groups unregistered), then closes. */
  close(): Promise<void>;
}

export interface ProducerOptions {
  readonly group: string;
  /** Over all attempts. Default 3,000. */
  readonly sendTimeoutMs?: number;
  /** After the first attempt. Default 2; 0 makes each attempt the caller's. */
  readonly retries?: number;
  /** Queues a broker makes for a topic created by sending. Default 4. */
  readonly defaultTopicQueueNums?: number;
  /** Bodies at least this long are deflated. Default 4,096. */
  readonly compressOverBytes?: number;
  /** Leaves out brokers that answered slowly or failed for a while (5.4, `sendLatencyFaultEnable`). Default false. */
  readonly latencyFault?: boolean;
  /** Tells of every send in the trace topic (4.13): true for RMQ_SYS_TRACE_TOPIC, or a topic of one's own. Default false. */
  readonly trace?: boolean | string;
}

export interface Producer {
  start(): Promise<void>;
  /**
   * Synchronous and asynchronous send in one: await it, or do not.
   * @throws EngineError CLIENT_NO_ROUTE | CLIENT_BROKER_REFUSED (definite failure, code in the message) |
   *   REMOTING_TIMEOUT | REMOTING_CONNECTION_CLOSED (outcome unknown) | REMOTING_CONNECT_FAILED (surely not stored) |
   *   MESSAGE_INVALID | CLIENT_CLOSED (nothing was sent). What failed on the way to a broker is a SendFailedError, whose `outcome` and
   *   `attempts` speak for the whole send; `sendOutcomeOf` judges any error
   */
  send(message: Message, options?: SendOptions): Promise<SendResult>;
  /** No answer is waited for; resolves when the bytes are handed to a socket. */
  sendOneway(message: Message, options?: SendOptions): Promise<void>;
  /** One topic, at most 4 MiB in all. */
  sendBatch(messages: readonly Message[], options?: SendOptions): Promise<SendResult>;
  /**
   * Sends a message and waits for the reply of one consumer (its `reply`).
   * @param options `timeoutMs` covers the way there and back; an attempt whose outcome is unknown is not repeated
   * @throws EngineError CLIENT_NO_REPLY when none came in time (the request may have been served all the same), and as `send`
   */
  request(message: Message, options?: SendOptions): Promise<Reply>;
  /**
   * Replies to a message that a consumer got from somebody's `request`.
   * @returns where the reply was stored, once who asked has it
   * @throws EngineError MESSAGE_INVALID when it is no request; a SendFailedError with code 1 when who asked is not there any more
   */
  reply(
    request: ReceivedMessage,
    content: ReplyContent,
    options?: SendOptions,
  ): Promise<SendResult>;
  /** Queues it would send to now. */
  publishQueues(topic: string): Promise<readonly MessageQueue[]>;
  close(): Promise<void>;
}

export interface SendOptions {
  /** Send to this queue and no other (no retry elsewhere). */
  readonly queue?: MessageQueue;
  /** Chooses one of the topic's queues, and no other (no retry elsewhere): messages that must stay in order. `selectByHash` is one. */
  readonly select?: QueueSelector;
  readonly timeoutMs?: number;
}

/** @param queues queues of the topic that can be sent to now, never empty, in an order that is the same for every producer */
export type QueueSelector = (queues: readonly MessageQueue[]) => MessageQueue;

/**
 * "later": again after a delay that grows with each try; in order: again after a pause, before anything else of its queue.
 * With a level: 1..18 delays so long, 0 lets the broker decide, -1 gives up now (dead letter). In order a level is as "later".
 */
export type ConsumeResult = "success" | "later" | { readonly delayLevel: number };

export type MessageListener = (
  messages: readonly ReceivedMessage[],
) => ConsumeResult | Promise<ConsumeResult>;

export interface PushConsumerOptions {
  readonly group: string;
  readonly model?: "clustering" | "broadcasting";
  readonly consumeFrom?: "last" | "first" | { readonly timestampMs: number };
  /** Messages a call. Default 32 (the Java client's 1 is a poor default for a bench). */
  readonly consumeBatchSize?: number;
  readonly listener: MessageListener;
  /** Broadcasting keeps its offsets here. Default: a folder in the home directory, as the Java client. */
  readonly offsetDir?: string;
  /** Default 16; in order: no limit. */
  readonly maxReconsumeTimes?: number;
  /** One call of the listener at a time for each queue, in the queue's order; the group's brokers lock queues for one member. Default false. */
  readonly orderly?: boolean;
  /** In order: pause of a queue whose messages were put off, 10..30,000. Default 1,000. */
  readonly suspendMs?: number;
  /** Default 20,000. */
  readonly rebalanceMs?: number;
  /** Calls of an asynchronous listener in progress at once. Default 20. */
  readonly concurrency?: number;
  /** Who owns which queue; every member of a group must use the same. Default `average`. */
  readonly allocate?: "average" | "average-by-circle" | "consistent-hash" | Allocate;
  /** Tells of every delivery in the trace topic (4.13): true for RMQ_SYS_TRACE_TOPIC, or a topic of one's own. Default false. */
  readonly trace?: boolean | string;
}

/**
 * @param members client ids, sorted
 * @param self one of them
 * @param queues of one topic, sorted
 * @returns the share of `self`; empty when it is no member
 */
export type Allocate = (
  members: readonly string[],
  self: string,
  queues: readonly MessageQueue[],
) => MessageQueue[];

/** Which messages of a topic a consumer wants. SQL92 needs `enablePropertyFilter=true` on its brokers. */
export interface MessageSelector {
  readonly type: "TAG" | "SQL92";
  /** `*` or `TagA || TagB`; or a condition on message properties like `region = 'eu' AND amount BETWEEN 10 AND 20`. */
  readonly expression: string;
}

export interface PushConsumer {
  /** @param selector `*` or `TagA || TagB`, or a selector. @throws EngineError MESSAGE_INVALID */
  subscribe(topic: string, selector?: string | MessageSelector): void;
  /** @throws RefusedError when a broker refuses a SQL92 filter: switched off there (code 1), or not understood (code 23) */
  start(): Promise<void>;
  /** Queues it owns now, by topic. */
  assignment(): readonly MessageQueue[];
  /** Pulls nothing more until `resume`; what was pulled is still handed over. */
  pause(): void;
  resume(): void;
  /** Persists offsets, unregisters, stops pulling. */
  close(): Promise<void>;
}

export interface LitePullConsumerOptions {
  readonly group: string;
  readonly consumeFrom?: PushConsumerOptions["consumeFrom"];
  /** Every 5 s the offsets of what earlier polls returned are written. Default true; false leaves it to `commit`. */
  readonly autoCommit?: boolean;
  /** Default 20,000. */
  readonly rebalanceMs?: number;
  readonly allocate?: PushConsumerOptions["allocate"];
}

/** A consumer that is asked for messages: queues shared with its group (`subscribe`) or chosen by itself (`assign`), one of the two. */
export interface LitePullConsumer {
  /** @throws EngineError MESSAGE_INVALID, also after `assign` */
  subscribe(topic: string, selector?: string | MessageSelector): void;
  /** Takes these queues and no others, whoever else of the group reads them. @throws EngineError MESSAGE_INVALID after `subscribe` */
  assign(queues: readonly MessageQueue[]): Promise<void>;
  start(): Promise<void>;
  /** @param timeoutMs how long to wait for the first message. Default 5,000 @returns messages of one queue; empty when none came */
  poll(timeoutMs?: number): Promise<readonly ReceivedMessage[]>;
  /** Goes on from that offset; nothing pulled before is returned any more. @throws EngineError MESSAGE_INVALID for a queue that is not its own */
  seek(queue: MessageQueue, offset: number): void;
  /** These queues are pulled and polled no more until `resume`. */
  pause(queues: readonly MessageQueue[]): void;
  resume(queues: readonly MessageQueue[]): void;
  /**
   * Writes the offsets of all that `poll` returned, and waits for the brokers.
   * @throws RefusedError | EngineError when a broker did not take one; what was not written stays for the next commit
   */
  commit(): Promise<void>;
  /** @returns the written offset; null when there is none */
  committed(queue: MessageQueue): Promise<number | null>;
  /** @returns queues to read, sorted @throws EngineError CLIENT_NO_ROUTE */
  queuesOf(topic: string): Promise<readonly MessageQueue[]>;
  /** @returns offset of the first message stored at that time or later; asked of the broker */
  offsetForTimestamp(queue: MessageQueue, timestampMs: number): Promise<number>;
  /** Queues it reads now. */
  assignment(): readonly MessageQueue[];
  close(): Promise<void>;
}
