/** What name servers and brokers say of the cluster (admin-protocol B.1, B.3, C.1). */
import { EngineError } from "../base/engine-error.ts";
import { parseProperties } from "../base/properties-file.ts";
import { decodeTopicRoute, type TopicRoute } from "../client/index.ts";
import { decodeClusterInfo } from "../remoting/bodies/route-data.ts";
import { decodeStatsData } from "../remoting/bodies/inspection.ts";
import { decodeTextTable, decodeTopicList } from "../remoting/bodies/simple.ts";
import type { CommandSpec } from "../remoting/command-spec.ts";
import { VIEW_BROKER_STATS_DATA } from "../remoting/commands/inspection.ts";
import { GET_ROUTEINFO_BY_TOPIC } from "../remoting/commands/name-server.ts";
import { REQUEST_CODE } from "../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { BrokerStatistic, ClusterInfo, StatsQuery } from "./admin-api.ts";
import { wasRefusedWith, type AdminRequests } from "./requests.ts";

const MASTER_ID = 0;

/** A request without header fields. */
function bare(code: number, name: string) {
  return { code, name, request: {}, response: {} } as const satisfies CommandSpec;
}

const GET_BROKER_CLUSTER_INFO = bare(
  REQUEST_CODE.GET_BROKER_CLUSTER_INFO,
  "GET_BROKER_CLUSTER_INFO",
);
const GET_ALL_TOPICS = bare(
  REQUEST_CODE.GET_ALL_TOPIC_LIST_FROM_NAMESERVER,
  "GET_ALL_TOPIC_LIST_FROM_NAMESERVER",
);
const GET_BROKER_RUNTIME_INFO = bare(
  REQUEST_CODE.GET_BROKER_RUNTIME_INFO,
  "GET_BROKER_RUNTIME_INFO",
);
const GET_BROKER_CONFIG = bare(REQUEST_CODE.GET_BROKER_CONFIG, "GET_BROKER_CONFIG");
const UPDATE_BROKER_CONFIG = bare(REQUEST_CODE.UPDATE_BROKER_CONFIG, "UPDATE_BROKER_CONFIG");

/** @returns brokers and clusters as one name server sees them */
export async function clusterInfo(
  requests: AdminRequests,
  namesrvAddr: string,
): Promise<ClusterInfo> {
  const body = await requests.askBody(namesrvAddr, GET_BROKER_CLUSTER_INFO, {});
  return { namesrvAddr, ...decodeClusterInfo(body) };
}

/** @returns null on code 17 */
export async function topicRoute(
  requests: AdminRequests,
  namesrvAddr: string,
  topic: string,
): Promise<TopicRoute | null> {
  try {
    const body = await requests.askBody(namesrvAddr, GET_ROUTEINFO_BY_TOPIC, { topic });
    return decodeTopicRoute(topic, body);
  } catch (error) {
    if (wasRefusedWith(error, RESPONSE_CODE.TOPIC_NOT_EXIST)) return null;
    throw error;
  }
}

/** @returns names of all topics one name server knows */
export async function allTopics(
  requests: AdminRequests,
  namesrvAddr: string,
): Promise<readonly string[]> {
  return decodeTopicList(await requests.askBody(namesrvAddr, GET_ALL_TOPICS, {}));
}

/** @returns the runtime table of code 28 */
export async function runtimeInfo(
  requests: AdminRequests,
  brokerAddr: string,
): Promise<ReadonlyMap<string, string>> {
  return decodeTextTable(await requests.askBody(brokerAddr, GET_BROKER_RUNTIME_INFO, {}));
}

/** @returns the settings of code 26; the last of a repeated key */
export async function brokerConfig(
  requests: AdminRequests,
  brokerAddr: string,
): Promise<ReadonlyMap<string, string>> {
  const body = await requests.askBody(brokerAddr, GET_BROKER_CONFIG, {});
  const entries = parseProperties(body.toString("utf8"), `configuration of ${brokerAddr}`);
  return new Map(entries.map(({ key, value }) => [key, value] as const));
}

/** Sends settings of code 25: Java properties, so what is special there is escaped. */
export async function updateBrokerConfig(
  requests: AdminRequests,
  brokerAddr: string,
  settings: ReadonlyMap<string, string>,
): Promise<void> {
  const lines = [...settings].map(([key, value]) => `${key}=${value.replaceAll("\\", "\\\\")}\n`);
  const body = Buffer.from(lines.join(""), "utf8");
  await requests.ask(brokerAddr, UPDATE_BROKER_CONFIG, {}, body);
}

/** @returns null when the broker counted nothing under that name and key (315) */
export async function brokerStatistic(
  requests: AdminRequests,
  brokerAddr: string,
  query: StatsQuery,
): Promise<BrokerStatistic | null> {
  const header = { statsName: query.name, statsKey: query.key };
  try {
    return decodeStatsData(await requests.askBody(brokerAddr, VIEW_BROKER_STATS_DATA, header));
  } catch (error) {
    if (wasRefusedWith(error, RESPONSE_CODE.SYSTEM_ERROR)) return null;
    throw error;
  }
}

/** Addresses of one cluster. */
export interface ClusterAddresses {
  readonly masters: readonly string[];
  readonly slaves: readonly string[];
}

/** @throws EngineError ADMIN_REQUEST_FAILED when the name server knows no such cluster */
export function addressesOf(info: ClusterInfo, cluster: string): ClusterAddresses {
  const names = info.clusters.get(cluster);
  if (names === undefined || names.length === 0) {
    const known = [...info.clusters.keys()].join(", ");
    throw new EngineError("ADMIN_REQUEST_FAILED", {
      message: `name server ${info.namesrvAddr} knows no cluster ${cluster}`,
      hint: known === "" ? "no broker is registered there yet" : `it knows ${known}`,
    });
  }
  const addrs = info.brokers
    .filter((broker) => names.includes(broker.brokerName))
    .flatMap((broker) => [...broker.brokerAddrs]);
  return {
    masters: addrs.filter(([id]) => id === MASTER_ID).map(([, address]) => address),
    slaves: addrs.filter(([id]) => id !== MASTER_ID).map(([, address]) => address),
  };
}

/** @returns address of each master in a route */
export function mastersOf(route: TopicRoute): string[] {
  return route.brokers.flatMap((broker) => broker.brokerAddrs.get(MASTER_ID) ?? []);
}
