/**
 * Public types of the admin library: operator calls over remoting, used by lab and dashboard and working against Apache's
 * brokers as well. `engine/admin/index.ts` exports these and `createAdminClient(options): AdminClient`.
 */
import type { AclCredentials } from "../acl/request-signature.ts";
import type { Logger } from "../base/logger.ts";
import type { ClientTls } from "../remoting/tls.ts";
import type {
  BrokerData,
  MessageQueue,
  ReceivedMessage,
  TopicRoute,
} from "../client/client-api.ts";

export interface AdminOptions {
  readonly namesrvAddrs: readonly string[];
  readonly logger?: Logger;
  /** Of each request. Default 3,000. */
  readonly timeoutMs?: number;
  /** Signs every request (ACL 1.0). Default: unsigned. */
  readonly credentials?: AclCredentials;
  /** Connections to name servers and brokers are encrypted. Default: plain. */
  readonly tls?: ClientTls;
}

/** GET_BROKER_CLUSTER_INFO as one name server sees it. */
export interface ClusterInfo {
  readonly namesrvAddr: string;
  readonly brokers: readonly BrokerData[];
  readonly clusters: ReadonlyMap<string, readonly string[]>;
}

/** Configuration of a topic to create or update. */
export interface TopicSpec {
  readonly topic: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  /** 2 write, 4 read. Default 6. */
  readonly perm?: number;
  readonly order?: boolean;
}

export interface QueueStats {
  readonly queue: MessageQueue;
  readonly minOffset: number;
  readonly maxOffset: number;
  readonly lastUpdateTimestamp: number;
}

export interface ConsumeQueueStats {
  readonly queue: MessageQueue;
  readonly brokerOffset: number;
  readonly consumerOffset: number;
  readonly lastTimestamp: number;
}

/** What a broker knows of a consumer group, beyond its offsets. */
export interface GroupSettings {
  readonly group: string;
  readonly consumeEnable: boolean;
  readonly broadcastEnable: boolean;
  readonly retryQueueNums: number;
  readonly retryMaxTimes: number;
  /** Id of the broker a slow group is sent to. */
  readonly whichBrokerWhenConsumeSlowly: number;
}

/** Which statistic of a broker (admin-protocol C.3). */
export interface StatsQuery {
  /** `TOPIC_PUT_NUMS`, `GROUP_GET_NUMS`, … */
  readonly name: string;
  /** A topic, `topic@group`, or a cluster. */
  readonly key: string;
}

/** Sum, rate a second and average of one window. */
export interface StatsWindow {
  readonly sum: number;
  readonly tps: number;
  readonly avgpt: number;
}

export interface BrokerStatistic {
  readonly statsMinute: StatsWindow;
  readonly statsHour: StatsWindow;
  readonly statsDay: StatsWindow;
}

/** How a consumer sees one of its queues. Times in ms. */
export interface OwnedQueue {
  readonly queue: MessageQueue;
  readonly commitOffset: number;
  readonly cachedMsgCount: number;
  readonly lastPullTimestamp: number;
  readonly lastConsumeTimestamp: number;
}

/** What a consumer tells of itself. */
export interface ConsumerRunningInfo {
  /** `PROP_CONSUME_TYPE`, `PROP_CLIENT_VERSION`, … */
  readonly properties: ReadonlyMap<string, string>;
  readonly queues: readonly OwnedQueue[];
}

/** Offsets to copy from one group to another. */
export interface CloneRequest {
  readonly sourceGroup: string;
  readonly destinationGroup: string;
  /** Default: every topic the source has offsets in. */
  readonly topic?: string;
}

/** A connected client. */
export interface ClientConnection {
  readonly clientId: string;
  readonly clientAddr: string;
  /** Name, for example JAVA. */
  readonly language: string;
  /** Ordinal of remoting-protocol 1.3. */
  readonly version: number;
}

/** What to look for by key. */
export interface MessageQuery {
  readonly topic: string;
  /** One of a message's keys, or its unique id (`msgId`). */
  readonly key: string;
  /** Store times, ms, both inclusive. Default: all. */
  readonly beginTimestampMs?: number;
  readonly endTimestampMs?: number;
  /** Of each broker. Default 32. */
  readonly messagesMax?: number;
}

/**
 * Operator calls. All reject with EngineError ADMIN_REQUEST_FAILED when a peer refuses (its code and remark are in the message), and with
 * REMOTING_* when it does not answer.
 */
export interface AdminClient {
  /** Asks one name server (not "any": name servers can disagree). */
  clusterInfo(namesrvAddr: string): Promise<ClusterInfo>;
  /** @returns null on code 17 */
  route(namesrvAddr: string, topic: string): Promise<TopicRoute | null>;
  topics(namesrvAddr: string): Promise<readonly string[]>;
  /** Code 28: all keys of the runtime info table, `lab.*` keys of our engine included. */
  runtimeInfo(brokerAddr: string): Promise<ReadonlyMap<string, string>>;
  /** Code 26: effective configuration. */
  brokerConfig(brokerAddr: string): Promise<ReadonlyMap<string, string>>;
  /** Code 25. What a broker changes at run time, and whether it says so, is the broker's own matter: read it back. */
  updateBrokerConfig(brokerAddr: string, settings: ReadonlyMap<string, string>): Promise<void>;
  /** Code 315. @returns null when nothing was counted under that name and key */
  brokerStatistic(brokerAddr: string, query: StatsQuery): Promise<BrokerStatistic | null>;
  /** Creates or updates on every master of the cluster (or on one address). */
  createTopic(
    spec: TopicSpec,
    target: { readonly cluster: string } | { readonly brokerAddr: string },
  ): Promise<void>;
  /** Deletes on every broker of the cluster, then at every name server. */
  deleteTopic(topic: string, cluster: string): Promise<void>;
  topicStats(brokerAddr: string, topic: string): Promise<readonly QueueStats[]>;
  consumeStats(
    brokerAddr: string,
    group: string,
    topic?: string,
  ): Promise<readonly ConsumeQueueStats[]>;
  /** Code 222, on every master of the topic: -1 = latest. @returns new offsets by queue */
  resetOffset(
    topic: string,
    group: string,
    timestampMs: number,
    force: boolean,
  ): Promise<ReadonlyMap<MessageQueue, number>>;
  /** Code 15: the group goes on from there, once its members ask again. */
  commitOffset(
    brokerAddr: string,
    group: string,
    queue: MessageQueue,
    offset: number,
  ): Promise<void>;
  /** Code 201: all groups the broker has settings of, the built-in ones too, by name. */
  groups(brokerAddr: string): Promise<readonly GroupSettings[]>;
  /** Code 207 on one broker: the settings of the group, and with `offsets` its offsets. Nothing happens when there is no such group. */
  deleteGroup(
    brokerAddr: string,
    group: string,
    options: { readonly offsets: boolean },
  ): Promise<void>;
  /** Code 314, on one broker. */
  cloneOffsets(brokerAddr: string, clone: CloneRequest): Promise<void>;
  /** Code 307: the broker asks the client; a client that does not answer within 10 s is an error. */
  consumerRunningInfo(
    brokerAddr: string,
    group: string,
    clientId: string,
  ): Promise<ConsumerRunningInfo>;
  /** Code 203: empty when nobody of the group is connected there. */
  consumerConnections(brokerAddr: string, group: string): Promise<readonly ClientConnection[]>;
  /** Code 204: empty when nobody of the group is connected there. */
  producerConnections(brokerAddr: string, group: string): Promise<readonly ClientConnection[]>;
  /** Code 300: groups that have an offset in the topic, or subscribe to it. */
  groupsOfTopic(brokerAddr: string, topic: string): Promise<readonly string[]>;
  /**
   * Code 33.
   * @param offsetMsgId as a send answered it
   * @param brokerAddr asked instead of the address inside the id, which may be one only the broker's own network can reach
   * @returns null when the broker has no such message
   */
  viewMessage(offsetMsgId: string, brokerAddr?: string): Promise<ReceivedMessage | null>;
  /** Code 12, asked of one address of each broker name: messages that carry the key, or have it as unique id; oldest first. */
  queryMessages(query: MessageQuery): Promise<readonly ReceivedMessage[]>;
  close(): void;
}
