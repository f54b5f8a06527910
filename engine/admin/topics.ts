/** Topics: create, delete, fill (admin-protocol B.1: 17, 202, 215; B.3: 216). */
import { decodeTopicStats } from "../remoting/bodies/message-queue.ts";
import {
  DELETE_TOPIC_IN_BROKER,
  GET_TOPIC_STATS_INFO,
  UPDATE_AND_CREATE_TOPIC,
} from "../remoting/commands/administration.ts";
import { DELETE_TOPIC_IN_NAMESRV } from "../remoting/commands/name-server.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { QueueStats, TopicSpec } from "./admin-api.ts";
import type { ClusterAddresses } from "./cluster.ts";
import { allOrReport, wasRefusedWith, type AdminRequests } from "./requests.ts";

const PERM_DEFAULT = 6;
/** What 4.9's own tools send; a broker looks at it only when a send creates the topic. */
const TEMPLATE_TOPIC = "TBW102";

/** Creates or replaces the topic's configuration on each address. */
export async function createTopic(
  requests: AdminRequests,
  addresses: readonly string[],
  spec: TopicSpec,
): Promise<void> {
  const header = {
    topic: spec.topic,
    defaultTopic: TEMPLATE_TOPIC,
    readQueueNums: spec.readQueueNums,
    writeQueueNums: spec.writeQueueNums,
    perm: spec.perm ?? PERM_DEFAULT,
    topicFilterType: "SINGLE_TAG",
    topicSysFlag: 0,
    order: spec.order ?? false,
  };
  const creations = addresses.map((address) =>
    requests.ask(address, UPDATE_AND_CREATE_TOPIC, header),
  );
  await allOrReport(creations);
}

/** A slave gets its topics from its master, and newer ones refuse to be asked (4.9.4). */
async function deleteOnSlave(
  requests: AdminRequests,
  address: string,
  topic: string,
): Promise<void> {
  try {
    await requests.ask(address, DELETE_TOPIC_IN_BROKER, { topic });
  } catch (error) {
    if (!wasRefusedWith(error, RESPONSE_CODE.SYSTEM_ERROR)) throw error;
  }
}

/** Deletes on every broker of the cluster first: a name server would learn the topic again from a broker that still has it. */
export async function deleteTopic(
  requests: AdminRequests,
  topic: string,
  at: {
    readonly cluster: string;
    readonly brokers: ClusterAddresses;
    readonly namesrvAddrs: readonly string[];
  },
): Promise<void> {
  const { brokers, cluster, namesrvAddrs } = at;
  await allOrReport([
    ...brokers.masters.map(async (address) => {
      await requests.ask(address, DELETE_TOPIC_IN_BROKER, { topic });
    }),
    ...brokers.slaves.map((address) => deleteOnSlave(requests, address, topic)),
  ]);
  await allOrReport(
    namesrvAddrs.map((address) =>
      requests.ask(address, DELETE_TOPIC_IN_NAMESRV, { topic, clusterName: cluster }),
    ),
  );
}

/** @returns what each queue of the topic holds on that broker */
export async function topicStats(
  requests: AdminRequests,
  brokerAddr: string,
  topic: string,
): Promise<readonly QueueStats[]> {
  const body = await requests.askBody(brokerAddr, GET_TOPIC_STATS_INFO, { topic });
  return decodeTopicStats(body).map(([queue, stats]) => ({ queue, ...stats }));
}
