/** The admin client: finds whom to ask, and asks (admin-protocol B). */
import { signerOf } from "../acl/request-signature.ts";
import { EngineError } from "../base/engine-error.ts";
import { silentLogger } from "../base/logger.ts";
import type { MessageQueue, ReceivedMessage, TopicRoute } from "../client/index.ts";
import { createRemotingClient } from "../remoting/client.ts";
import type { RemotingClient } from "../remoting/server-api.ts";
import type {
  AdminClient,
  AdminOptions,
  BrokerStatistic,
  ClientConnection,
  CloneRequest,
  ClusterInfo,
  ConsumeQueueStats,
  ConsumerRunningInfo,
  GroupSettings,
  MessageQuery,
  QueueStats,
  StatsQuery,
  TopicSpec,
} from "./admin-api.ts";
import * as cluster from "./cluster.ts";
import * as groups from "./groups.ts";
import * as messages from "./messages.ts";
import { AdminRequests, allOrReport } from "./requests.ts";
import * as topics from "./topics.ts";

const TIMEOUT_MS = 3_000;

/** Implementation of AdminClient. */
export class RemotingAdminClient implements AdminClient {
  private readonly namesrvAddrs: readonly string[];
  private readonly remoting: RemotingClient;
  private readonly requests: AdminRequests;

  constructor(options: AdminOptions) {
    this.namesrvAddrs = options.namesrvAddrs;
    const { tls } = options;
    this.remoting = createRemotingClient({
      logger: options.logger ?? silentLogger,
      sign: signerOf(options.credentials),
      tls: tls === undefined ? undefined : () => tls,
    });
    this.requests = new AdminRequests(this.remoting, options.timeoutMs ?? TIMEOUT_MS);
  }

  clusterInfo(namesrvAddr: string): Promise<ClusterInfo> {
    return cluster.clusterInfo(this.requests, namesrvAddr);
  }

  route(namesrvAddr: string, topic: string): Promise<TopicRoute | null> {
    return cluster.topicRoute(this.requests, namesrvAddr, topic);
  }

  topics(namesrvAddr: string): Promise<readonly string[]> {
    return cluster.allTopics(this.requests, namesrvAddr);
  }

  runtimeInfo(brokerAddr: string): Promise<ReadonlyMap<string, string>> {
    return cluster.runtimeInfo(this.requests, brokerAddr);
  }

  brokerConfig(brokerAddr: string): Promise<ReadonlyMap<string, string>> {
    return cluster.brokerConfig(this.requests, brokerAddr);
  }

  updateBrokerConfig(brokerAddr: string, settings: ReadonlyMap<string, string>): Promise<void> {
    return cluster.updateBrokerConfig(this.requests, brokerAddr, settings);
  }

  brokerStatistic(brokerAddr: string, query: StatsQuery): Promise<BrokerStatistic | null> {
    return cluster.brokerStatistic(this.requests, brokerAddr, query);
  }

  async createTopic(
    spec: TopicSpec,
    target: { readonly cluster: string } | { readonly brokerAddr: string },
  ): Promise<void> {
    const addresses =
      "brokerAddr" in target
        ? [target.brokerAddr]
        : (await this.clusterAddresses(target.cluster)).masters;
    await topics.createTopic(this.requests, addresses, spec);
  }

  async deleteTopic(topic: string, clusterName: string): Promise<void> {
    const { namesrvAddrs } = this;
    const brokers = await this.clusterAddresses(clusterName);
    await topics.deleteTopic(this.requests, topic, { cluster: clusterName, brokers, namesrvAddrs });
  }

  topicStats(brokerAddr: string, topic: string): Promise<readonly QueueStats[]> {
    return topics.topicStats(this.requests, brokerAddr, topic);
  }

  consumeStats(
    brokerAddr: string,
    group: string,
    topic?: string,
  ): Promise<readonly ConsumeQueueStats[]> {
    return groups.consumeStats(this.requests, brokerAddr, group, topic);
  }

  async resetOffset(
    topic: string,
    group: string,
    timestampMs: number,
    force: boolean,
  ): Promise<ReadonlyMap<MessageQueue, number>> {
    const masters = cluster.mastersOf(await this.requireRoute(topic));
    const reset = { topic, group, timestampMs, force };
    const tables = masters.map((address) => groups.resetOffset(this.requests, address, reset));
    return new Map((await allOrReport(tables)).flat());
  }

  commitOffset(
    brokerAddr: string,
    group: string,
    queue: MessageQueue,
    offset: number,
  ): Promise<void> {
    const { topic, queueId } = queue;
    const header = { consumerGroup: group, topic, queueId, commitOffset: offset };
    return groups.commitOffset(this.requests, brokerAddr, header);
  }

  groups(brokerAddr: string): Promise<readonly GroupSettings[]> {
    return groups.groupSettings(this.requests, brokerAddr);
  }

  deleteGroup(
    brokerAddr: string,
    group: string,
    options: { readonly offsets: boolean },
  ): Promise<void> {
    const header = { groupName: group, removeOffset: options.offsets };
    return groups.deleteGroup(this.requests, brokerAddr, header);
  }

  cloneOffsets(brokerAddr: string, clone: CloneRequest): Promise<void> {
    return groups.cloneOffsets(this.requests, brokerAddr, clone);
  }

  consumerRunningInfo(
    brokerAddr: string,
    group: string,
    clientId: string,
  ): Promise<ConsumerRunningInfo> {
    return groups.consumerRunningInfo(this.requests, brokerAddr, group, clientId);
  }

  consumerConnections(brokerAddr: string, group: string): Promise<readonly ClientConnection[]> {
    return groups.consumerConnections(this.requests, brokerAddr, group);
  }

  producerConnections(brokerAddr: string, group: string): Promise<readonly ClientConnection[]> {
    return groups.producerConnections(this.requests, brokerAddr, group);
  }

  groupsOfTopic(brokerAddr: string, topic: string): Promise<readonly string[]> {
    return groups.groupsOfTopic(this.requests, brokerAddr, topic);
  }

  viewMessage(offsetMsgId: string, brokerAddr?: string): Promise<ReceivedMessage | null> {
    return messages.viewMessage(this.requests, offsetMsgId, brokerAddr);
  }

  async queryMessages(query: MessageQuery): Promise<readonly ReceivedMessage[]> {
    return messages.queryMessages(this.requests, await this.requireRoute(query.topic), query);
  }

  close(): void {
    this.remoting.close();
  }

  private async clusterAddresses(clusterName: string): Promise<cluster.ClusterAddresses> {
    const info = await this.firstAnswer((namesrvAddr) => this.clusterInfo(namesrvAddr));
    return cluster.addressesOf(info, clusterName);
  }

  private async requireRoute(topic: string): Promise<TopicRoute> {
    return this.firstAnswer(async (namesrvAddr) => {
      const route = await this.route(namesrvAddr, topic);
      if (route !== null) return route;
      throw new EngineError("ADMIN_REQUEST_FAILED", {
        message: `no route of topic ${topic} at name server ${namesrvAddr}`,
      });
    });
  }

  /** Asks one name server after another. @throws the last one's error */
  private async firstAnswer<Answer>(
    ask: (namesrvAddr: string) => Promise<Answer>,
  ): Promise<Answer> {
    let lastError: unknown = new EngineError("ADMIN_REQUEST_FAILED", {
      message: "no name server address was given",
      hint: "pass at least one host:port",
    });
    for (const namesrvAddr of this.namesrvAddrs) {
      try {
        return await ask(namesrvAddr);
      } catch (error) {
        lastError = error;
      }
    }
    throw lastError;
  }
}
