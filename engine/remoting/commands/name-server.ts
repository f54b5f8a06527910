/** Requests a name server serves (remoting-protocol 3). */
import { opt, req, type CommandSpec, type HeaderOf } from "../command-spec.ts";
import { REQUEST_CODE } from "../request-codes.ts";

const BROKER = {
  brokerName: req("string"),
  brokerAddr: req("string"),
  clusterName: req("string"),
  brokerId: req("i64"),
} as const;

export const REGISTER_BROKER = {
  code: REQUEST_CODE.REGISTER_BROKER,
  name: "REGISTER_BROKER",
  request: {
    ...BROKER,
    haServerAddr: opt("string"),
    compressed: opt("bool"),
    bodyCrc32: opt("i32"),
    /** Ours: `CIDR=host:port,…`, the address each network reaches the broker at (ARCHITECTURE, split-horizon). */
    advertisedAddresses: opt("string"),
    /** Ours: how often this broker name changed its master; decides between two masters (H-12). */
    masterEpoch: opt("i64"),
    /** Ours: random id kept in the store directory (H-12). */
    storeId: opt("string"),
  },
  response: { masterAddr: opt("string"), haServerAddr: opt("string") },
} as const satisfies CommandSpec;

export type RegisterBrokerHeader = HeaderOf<typeof REGISTER_BROKER.request>;

export const UNREGISTER_BROKER = {
  code: REQUEST_CODE.UNREGISTER_BROKER,
  name: "UNREGISTER_BROKER",
  request: BROKER,
  response: {},
} as const satisfies CommandSpec;

export const QUERY_DATA_VERSION = {
  code: REQUEST_CODE.QUERY_DATA_VERSION,
  name: "QUERY_DATA_VERSION",
  request: BROKER,
  response: { changed: opt("bool") },
} as const satisfies CommandSpec;

export const GET_ROUTEINFO_BY_TOPIC = {
  code: REQUEST_CODE.GET_ROUTEINFO_BY_TOPIC,
  name: "GET_ROUTEINFO_BY_TOPIC",
  request: { topic: req("string"), acceptStandardJsonOnly: opt("bool") },
  response: {},
} as const satisfies CommandSpec;

export const DELETE_TOPIC_IN_NAMESRV = {
  code: REQUEST_CODE.DELETE_TOPIC_IN_NAMESRV,
  name: "DELETE_TOPIC_IN_NAMESRV",
  request: { topic: req("string"), clusterName: opt("string") },
  response: {},
} as const satisfies CommandSpec;

export const BROKER_WRITE_PERM = {
  code: REQUEST_CODE.WIPE_WRITE_PERM_OF_BROKER,
  name: "WIPE_WRITE_PERM_OF_BROKER",
  request: { brokerName: req("string") },
  response: { wipeTopicCount: opt("i32"), addTopicCount: opt("i32") },
} as const satisfies CommandSpec;

export const GET_TOPICS_BY_CLUSTER = {
  code: REQUEST_CODE.GET_TOPICS_BY_CLUSTER,
  name: "GET_TOPICS_BY_CLUSTER",
  request: { cluster: req("string") },
  response: {},
} as const satisfies CommandSpec;

/** KV requests; which fields are needed differs by code (3.8). */
export const KV_CONFIG = {
  code: REQUEST_CODE.GET_KV_CONFIG,
  name: "GET_KV_CONFIG",
  request: { namespace: opt("string"), key: opt("string"), value: opt("string") },
  response: { value: opt("string") },
} as const satisfies CommandSpec;
