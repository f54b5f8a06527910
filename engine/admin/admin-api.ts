/**
 * Public types of the admin library: operator calls over remoting, used by lab and dashboard and working against Apache's
 * brokers as well. `engine/admin/index.ts` exports these and `createAdminClient(options): AdminClient`.
 */
import type { Logger } from "../base/logger.ts";
import type { BrokerData, MessageQueue, TopicRoute } from "../client/client-api.ts";

export interface AdminOptions {
  readonly namesrvAddrs: readonly string[];
  readonly logger?: Logger;
  /** Of each request. Default 3,000. */
  readonly timeoutMs?: number;
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
  consumerConnections(
    brokerAddr: string,
    group: string,
  ): Promise<
    readonly {
      readonly clientId: string;
      readonly clientAddr: string;
      readonly language: string;
      readonly version: number;
    }[]
  >;
  close(): void;
}
