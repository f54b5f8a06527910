/** Route data and cluster info (remoting-protocol 2.3, 3.7): exact text, because the Go client does not parse `brokerAddrs` as JSON. */
import {
  asArray,
  asNumber,
  asObject,
  asText,
  parseFastjson,
  writeFastjson,
  type JsonObject,
  type JsonValue,
} from "../../base/fastjson.ts";

export interface RouteBrokerData {
  readonly brokerName: string;
  readonly cluster: string;
  readonly brokerAddrs: ReadonlyMap<number, string>;
}

export interface RouteQueueData {
  readonly brokerName: string;
  readonly perm: number;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  readonly topicSysFlag: number;
}

export interface RouteData {
  readonly brokerDatas: readonly RouteBrokerData[];
  readonly queueDatas: readonly RouteQueueData[];
  readonly orderTopicConf?: string | undefined;
}

/** From this request version on clients parse strictly (1.3). */
const STRICT_JSON_VERSION = 401;

function brokerAddrs(
  addrs: ReadonlyMap<number, string>,
  quoted: boolean,
): ReadonlyMap<number, string> | ReadonlyMap<string, string> {
  const sorted = [...addrs].toSorted(([a], [b]) => a - b);
  return quoted
    ? new Map(sorted.map(([id, address]) => [String(id), address] as const))
    : new Map(sorted);
}

function brokerData(data: RouteBrokerData, quoted: boolean) {
  return {
    brokerAddrs: brokerAddrs(data.brokerAddrs, quoted),
    brokerName: data.brokerName,
    cluster: data.cluster,
  };
}

/**
 * @param route brokers and queues of one topic
 * @param asker version and acceptStandardJsonOnly of the request
 * @returns the body, compact
 */
export function encodeRouteData(
  route: RouteData,
  asker: { readonly version: number; readonly strictJson: boolean },
): Buffer {
  const quoted = asker.strictJson || asker.version >= STRICT_JSON_VERSION;
  const text = writeFastjson({
    brokerDatas: route.brokerDatas.map((data) => brokerData(data, quoted)),
    filterServerTable: {},
    orderTopicConf: route.orderTopicConf,
    queueDatas: route.queueDatas.map((queue) => ({ ...queue })),
  });
  return Buffer.from(text, "utf8");
}

function decodeAddrs(value: JsonValue | undefined): Map<number, string> {
  // Integer keys make the parser answer pairs or a plain map, both read the same.
  return new Map(entriesOf(value).map(([id, address]) => [Number(id), asText(address)] as const));
}

/** Entries of a map with text or number keys. */
export function entriesOf(value: JsonValue | undefined): (readonly [string, JsonValue])[] {
  return [...asObject(value)];
}

function decodeBrokerData(value: JsonObject): RouteBrokerData {
  return {
    brokerName: asText(value.get("brokerName")),
    cluster: asText(value.get("cluster")),
    brokerAddrs: decodeAddrs(value.get("brokerAddrs")),
  };
}

/** @param body as a name server answers it @throws EngineError JSON_INVALID */
export function decodeRouteData(body: Buffer): RouteData {
  const root = asObject(parseFastjson(body.toString("utf8")));
  const order = root.get("orderTopicConf");
  return {
    brokerDatas: asArray(root.get("brokerDatas")).map((item) => decodeBrokerData(asObject(item))),
    queueDatas: asArray(root.get("queueDatas")).map((item) => {
      const queue = asObject(item);
      return {
        brokerName: asText(queue.get("brokerName")),
        perm: asNumber(queue.get("perm")),
        readQueueNums: asNumber(queue.get("readQueueNums")),
        writeQueueNums: asNumber(queue.get("writeQueueNums")),
        topicSysFlag: asNumber(queue.get("topicSysFlag") ?? queue.get("topicSynFlag")),
      };
    }),
    orderTopicConf: order === undefined ? undefined : asText(order),
  };
}

/** GET_BROKER_CLUSTER_INFO's body. */
export interface ClusterInfoBody {
  readonly brokers: readonly RouteBrokerData[];
  readonly clusters: ReadonlyMap<string, readonly string[]>;
}

/** @returns the body with unquoted ids, as every 4.9 name server answers it */
export function encodeClusterInfo(info: ClusterInfoBody): Buffer {
  const text = writeFastjson({
    brokerAddrTable: new Map(
      info.brokers.map((data) => [data.brokerName, brokerData(data, false)] as const),
    ),
    clusterAddrTable: new Map(info.clusters),
  });
  return Buffer.from(text, "utf8");
}

/** @throws EngineError JSON_INVALID */
export function decodeClusterInfo(body: Buffer): ClusterInfoBody {
  const root = asObject(parseFastjson(body.toString("utf8")));
  return {
    brokers: entriesOf(root.get("brokerAddrTable")).map(([, value]) =>
      decodeBrokerData(asObject(value)),
    ),
    clusters: new Map(
      entriesOf(root.get("clusterAddrTable")).map(
        ([cluster, names]) => [cluster, asArray(names).map((name) => asText(name))] as const,
      ),
    ),
  };
}
