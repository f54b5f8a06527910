/** What each request to a name server needs of its caller (E-09). A test walks this table against the processors. */
import { sameRule, type AccessRules } from "../acl/access-rule.ts";
import { REQUEST_CODE as CODE } from "../remoting/request-codes.ts";

/** Reads that every client or tool makes. */
const ACCOUNT_CODES = [
  CODE.GET_KV_CONFIG,
  CODE.GET_ROUTEINFO_BY_TOPIC,
  CODE.GET_BROKER_CLUSTER_INFO,
  CODE.GET_ALL_TOPIC_LIST_FROM_NAMESERVER,
  CODE.GET_KVLIST_BY_NAMESPACE,
  CODE.GET_TOPICS_BY_CLUSTER,
  CODE.GET_SYSTEM_TOPIC_LIST_FROM_NS,
  CODE.GET_UNIT_TOPIC_LIST,
  CODE.GET_HAS_UNIT_SUB_TOPIC_LIST,
  CODE.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST,
] as const;

/** What brokers tell. */
const PEER_CODES = [CODE.REGISTER_BROKER, CODE.UNREGISTER_BROKER, CODE.QUERY_DATA_VERSION] as const;

const ADMIN_CODES = [
  CODE.PUT_KV_CONFIG,
  CODE.DELETE_KV_CONFIG,
  CODE.WIPE_WRITE_PERM_OF_BROKER,
  CODE.ADD_WRITE_PERM_OF_BROKER,
  CODE.DELETE_TOPIC_IN_NAMESRV,
  CODE.UPDATE_NAMESRV_CONFIG,
  CODE.GET_NAMESRV_CONFIG,
] as const;

/** The rule of every code. */
export const NAMESRV_ACCESS_RULES: AccessRules = new Map([
  ...sameRule(ACCOUNT_CODES, { kind: "account" }),
  ...sameRule(PEER_CODES, { kind: "peer" }),
  ...sameRule(ADMIN_CODES, { kind: "admin" }),
]);
