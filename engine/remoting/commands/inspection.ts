/** Questions about progress, statistics and queues, and calls passed on to a consumer (admin-protocol B.1, B.2, B.4). */
import { opt, req, type CommandSpec } from "../command-spec.ts";
import { REQUEST_CODE } from "../request-codes.ts";

export const INVOKE_BROKER_TO_GET_CONSUMER_STATUS = {
  code: REQUEST_CODE.INVOKE_BROKER_TO_GET_CONSUMER_STATUS,
  name: "INVOKE_BROKER_TO_GET_CONSUMER_STATUS",
  /** `clientAddr` is a client id, or empty for all members. */
  request: { topic: req("string"), group: req("string"), clientAddr: opt("string") },
  response: {},
} as const satisfies CommandSpec;

/** Broker to client. */
export const GET_CONSUMER_STATUS_FROM_CLIENT = {
  code: REQUEST_CODE.GET_CONSUMER_STATUS_FROM_CLIENT,
  name: "GET_CONSUMER_STATUS_FROM_CLIENT",
  request: { topic: req("string"), group: req("string") },
  response: {},
} as const satisfies CommandSpec;

export const QUERY_CONSUME_TIME_SPAN = {
  code: REQUEST_CODE.QUERY_CONSUME_TIME_SPAN,
  name: "QUERY_CONSUME_TIME_SPAN",
  request: { topic: req("string"), group: req("string") },
  response: {},
} as const satisfies CommandSpec;

export const GET_CONSUMER_RUNNING_INFO = {
  code: REQUEST_CODE.GET_CONSUMER_RUNNING_INFO,
  name: "GET_CONSUMER_RUNNING_INFO",
  request: { consumerGroup: req("string"), clientId: req("string"), jstackEnable: opt("bool") },
  response: {},
} as const satisfies CommandSpec;

export const QUERY_CORRECTION_OFFSET = {
  code: REQUEST_CODE.QUERY_CORRECTION_OFFSET,
  name: "QUERY_CORRECTION_OFFSET",
  /** `filterGroups` is a comma list of groups left out of the comparison. */
  request: { compareGroup: req("string"), topic: req("string"), filterGroups: opt("string") },
  response: {},
} as const satisfies CommandSpec;

export const CONSUME_MESSAGE_DIRECTLY = {
  code: REQUEST_CODE.CONSUME_MESSAGE_DIRECTLY,
  name: "CONSUME_MESSAGE_DIRECTLY",
  request: {
    consumerGroup: req("string"),
    clientId: opt("string"),
    msgId: opt("string"),
    brokerName: opt("string"),
  },
  response: {},
} as const satisfies CommandSpec;

export const CLONE_GROUP_OFFSET = {
  code: REQUEST_CODE.CLONE_GROUP_OFFSET,
  name: "CLONE_GROUP_OFFSET",
  request: {
    srcGroup: req("string"),
    destGroup: req("string"),
    topic: opt("string"),
    offline: opt("bool"),
  },
  response: {},
} as const satisfies CommandSpec;

export const VIEW_BROKER_STATS_DATA = {
  code: REQUEST_CODE.VIEW_BROKER_STATS_DATA,
  name: "VIEW_BROKER_STATS_DATA",
  request: { statsName: req("string"), statsKey: req("string") },
  response: {},
} as const satisfies CommandSpec;

export const GET_BROKER_CONSUME_STATS = {
  code: REQUEST_CODE.GET_BROKER_CONSUME_STATS,
  name: "GET_BROKER_CONSUME_STATS",
  request: { isOrder: req("bool") },
  response: {},
} as const satisfies CommandSpec;

export const QUERY_CONSUME_QUEUE = {
  code: REQUEST_CODE.QUERY_CONSUME_QUEUE,
  name: "QUERY_CONSUME_QUEUE",
  request: {
    topic: req("string"),
    queueId: req("i32"),
    index: req("i64"),
    count: req("i32"),
    consumerGroup: opt("string"),
  },
  response: {},
} as const satisfies CommandSpec;

export const GET_TOPIC_CONFIG = {
  code: REQUEST_CODE.GET_TOPIC_CONFIG,
  name: "GET_TOPIC_CONFIG",
  request: { topic: req("string") },
  response: {},
} as const satisfies CommandSpec;

export const GET_SUBSCRIPTIONGROUP_CONFIG = {
  code: REQUEST_CODE.GET_SUBSCRIPTIONGROUP_CONFIG,
  name: "GET_SUBSCRIPTIONGROUP_CONFIG",
  request: { group: req("string") },
  response: {},
} as const satisfies CommandSpec;
