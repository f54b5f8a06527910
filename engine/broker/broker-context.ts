/**
 * What every processor and service of the broker may use. broker.ts is the only place that builds one; each table is the
 * one owner of its state.
 */
import type { AclFile } from "../acl/acl-file.ts";
import type { Logger } from "../base/logger.ts";
import type { Vfs } from "../base/vfs.ts";
import type { TopicName } from "../message/topic-name.ts";
import type { Channel } from "../remoting/channel.ts";
import type { RemotingClient } from "../remoting/server-api.ts";
import type { HostBytes, MessageFilter, MessageStore, PutStatus } from "../store/store-api.ts";
import type { BrokerConfig } from "./broker-config.ts";
import type { LiveBrokerConfig } from "./live-config.ts";
import type { StatsItems } from "./stats-items.ts";

/** `{"counter":…,"timestamp":…}` (remoting-protocol 2.6). */
export interface DataVersion {
  readonly counter: number;
  readonly timestamp: number;
}

/** A topic's settings (remoting-protocol 2.6 TopicConfig) with its interned name. */
export interface TopicConfig {
  readonly name: TopicName;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  readonly perm: number;
  readonly topicSysFlag: number;
  readonly order: boolean;
  readonly topicFilterType: "SINGLE_TAG" | "MULTI_TAG";
}

/** Owner: topic-config.ts. Persists topics.json on every change and asks for a registration. */
export interface TopicConfigTable {
  get(topic: TopicName): TopicConfig | undefined;
  find(topic: string): TopicConfig | undefined;
  /** 4.1.5: creates from the template topic if allowed. @returns undefined when not */
  createBySend(
    topic: string,
    defaultTopic: string,
    defaultTopicQueueNums: number,
    topicSysFlag?: number,
  ): TopicConfig | undefined;
  /** Retry, dead-letter and other broker-made topics: gets, or creates with these queues. */
  ensure(topic: string, queueNums: number, perm: number, topicSysFlag?: number): TopicConfig;
  /** Admin create or update. */
  put(config: TopicConfig): void;
  delete(topic: string): void;
  /** Counts the version up, so that name servers take the table over again: something they see of it has changed. */
  touch(): void;
  all(): readonly TopicConfig[];
  readonly version: DataVersion;
  /** Names of the broker's own topics, whether they exist yet or not (store-and-ha 6.6). */
  readonly systemTopicNames: readonly string[];
  isSystemTopic(topic: string): boolean;
  /** Slave: takes the master's table over (store-and-ha 7.9). */
  replaceAll(configs: readonly TopicConfig[], version: DataVersion): void;
  /** The 4.9 JSON (compact, for code 21 and registration). */
  toJson(): string;
}

/** One consumer group's settings (remoting-protocol 2.6 SubscriptionGroupConfig). */
export interface SubscriptionGroupConfig {
  readonly groupName: string;
  readonly consumeEnable: boolean;
  readonly consumeFromMinEnable: boolean;
  readonly consumeBroadcastEnable: boolean;
  readonly retryQueueNums: number;
  readonly retryMaxTimes: number;
  readonly brokerId: number;
  readonly whichBrokerWhenConsumeSlowly: number;
  readonly notifyConsumerIdsChangedEnable: boolean;
}

/** Owner: subscription-groups.ts. */
export interface SubscriptionGroupTable {
  get(group: string): SubscriptionGroupConfig | undefined;
  /** Gets, or creates with defaults when autoCreateSubscriptionGroup allows or it is a system group. */
  getOrCreate(group: string): SubscriptionGroupConfig | undefined;
  put(config: SubscriptionGroupConfig): void;
  delete(group: string): boolean;
  all(): readonly SubscriptionGroupConfig[];
  readonly version: DataVersion;
  replaceAll(configs: readonly SubscriptionGroupConfig[], version: DataVersion): void;
  toJson(): string;
}

/** Owner: consumer-offsets.ts. Persists every flushConsumerOffsetInterval and at stop. */
export interface ConsumerOffsetTable {
  /** -1 when none is stored. */
  query(group: string, topic: string, queueId: number): number;
  commit(group: string, topic: string, queueId: number, offset: number): void;
  /** Topics a group has offsets for. */
  topicsOf(group: string): readonly string[];
  /** Groups that have offsets for a topic. */
  groupsOf(topic: string): readonly string[];
  /** Offsets of one group in one topic, by queue id. */
  ofGroup(group: string, topic: string): ReadonlyMap<number, number>;
  deleteGroup(group: string): void;
  deleteTopic(topic: string): void;
  /** Slave: merges the master's entries by maximum (H-15). */
  merge(json: string): void;
  toJson(): string;
}

/** A group's SQL92 filter for a topic, compiled. */
export interface RegisteredFilter {
  /** subVersion of the subscription it came with. */
  readonly clientVersion: number;
  readonly filter: MessageFilter;
}

/** Owner: consumer-filters.ts. */
export interface ConsumerFilterTable {
  /** Also when the group is gone: for filterDataCleanTimeSpan. */
  find(topic: string, group: string): RegisteredFilter | undefined;
  /** What is kept of a filter, as indented JSON; `null` when there is none (321). */
  describe(topic: string, group: string): string;
}

/** A consumer group's subscription to one topic, as its members' heartbeats say. */
export interface Subscription {
  readonly topic: string;
  readonly subString: string;
  readonly tagsSet: readonly string[];
  /** Java hashes of the tags, computed here (4.2.7: codes from Go clients are not trusted). Empty = all. */
  readonly codeSet: ReadonlySet<number>;
  readonly subVersion: number;
  readonly expressionType: string;
  readonly classFilterMode: boolean;
}

/** A live member of a group. */
export interface ClientConnection {
  readonly clientId: string;
  readonly channel: Channel;
  readonly language: number;
  readonly version: number;
  readonly lastHeartbeatMs: number;
}

export interface ConsumerGroup {
  readonly group: string;
  readonly consumeType: "CONSUME_ACTIVELY" | "CONSUME_PASSIVELY";
  readonly messageModel: "BROADCASTING" | "CLUSTERING";
  readonly consumeFromWhere: string;
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  readonly members: readonly ClientConnection[];
}

/** Owner: client-registry.ts: producers, consumers, their channels; expiry after 120 s; notifies members (40). */
export interface ClientRegistry {
  consumerGroup(group: string): ConsumerGroup | undefined;
  consumerGroups(): readonly string[];
  producerGroups(): readonly string[];
  producers(group: string): readonly ClientConnection[];
  findProducer(clientId: string): ClientConnection | undefined;
  findConsumer(group: string, clientId: string): ClientConnection | undefined;
  channelClosed(channel: Channel): void;
}

/** A message the broker writes itself (send-back, delayed delivery, events). Strings are fine here: not the hot path. */
export interface InternalMessage {
  readonly topic: string;
  readonly queueId: number;
  readonly flag: number;
  readonly sysFlag: number;
  readonly bornTimestamp: number;
  readonly bornHost: HostBytes;
  readonly reconsumeTimes: number;
  readonly preparedTransactionOffset: number;
  readonly body: Buffer;
  readonly properties: ReadonlyMap<string, string>;
  /** True for a delayed message that came due, and for half messages: its DELAY stays among the properties and does not delay it here (store-and-ha 6.1). */
  readonly ignoresDelay?: boolean;
}

/** Outcome of an internal put once it is as safe as the broker's mode promises. */
export interface InternalPutResult {
  readonly status: PutStatus;
  readonly physicalOffset: number;
  readonly queueOffset: number;
}

/** An internal message that was appended, or was not. */
export interface AppendedMessage {
  /** False: refused, nothing is in the log. */
  readonly isAppended: boolean;
  readonly safe: Promise<InternalPutResult>;
}

export interface BrokerContext {
  readonly config: BrokerConfig;
  readonly logger: Logger;
  readonly vfs: Vfs;
  readonly store: MessageStore;
  readonly topics: TopicConfigTable;
  readonly groups: SubscriptionGroupTable;
  readonly offsets: ConsumerOffsetTable;
  readonly clients: ClientRegistry;
  readonly filters: ConsumerFilterTable;
  /** Outgoing connections: name servers, and the master for a slave. */
  readonly remoting: RemotingClient;
  /** Wall clock, ms. */
  readonly now: () => number;
  /** Address this broker stamps into records and offset message ids: brokerIP1:listenPort. */
  readonly storeHost: HostBytes;
  readonly isSlave: boolean;
  /** Writes a message of the broker's own: delay rewrite (6.1) applied, resolves when safe or refused (put-internal.ts). */
  readonly putInternal: (message: InternalMessage) => Promise<InternalPutResult>;
  /** The same, telling at once whether it was appended: two appended together leave in one write. */
  readonly appendInternal: (message: InternalMessage) => AppendedMessage;
  /** Resolves when the name servers were told of the topics made so far, within a second. */
  readonly topicsTold: () => Promise<void>;
  /** Time the process started, ms. */
  readonly bootTimestamp: number;
  readonly stats: BrokerStats;
  /** Null when access control is off. */
  readonly aclFile: AclFile | null;
  /** Statistics by topic and group (315). */
  readonly statsItems: StatsItems;
  /** Changes `config` in place. */
  readonly liveConfig: LiveBrokerConfig;
}

/** Counters of the broker, for runtime info and the dashboard. Owner: broker-stats.ts. Incremented per answer. */
export interface BrokerStats {
  /** Records that came into the store; the store counts them. */
  readonly putMessages: number;
  getMessages: number;
  getBytes: number;
  /** Reads for pulls that found messages, and that found none. */
  getFound: number;
  getMiss: number;
  /** Slowest read of a pull, whole ms. */
  getLongestMs: number;
  /** Highest end offset answered SEND_OK, and answered with a weak status (10, 11, 12). */
  ackedOkOffset: number;
  ackedWeakOffset: number;
}
