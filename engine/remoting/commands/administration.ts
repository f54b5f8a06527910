/** Administration of a broker (remoting-protocol 4.9, 4.12). */
import { opt, req, type CommandSpec } from "../command-spec.ts";
import { REQUEST_CODE } from "../request-codes.ts";

export const UPDATE_AND_CREATE_TOPIC = {
  code: REQUEST_CODE.UPDATE_AND_CREATE_TOPIC,
  name: "UPDATE_AND_CREATE_TOPIC",
  request: {
    topic: req("string"),
    defaultTopic: req("string"),
    readQueueNums: req("i32"),
    writeQueueNums: req("i32"),
    perm: req("i32"),
    topicFilterType: opt("string"),
    topicSysFlag: opt("i32"),
    order: opt("bool"),
  },
  response: {},
} as const satisfies CommandSpec;

export const DELETE_TOPIC_IN_BROKER = {
  code: REQUEST_CODE.DELETE_TOPIC_IN_BROKER,
  name: "DELETE_TOPIC_IN_BROKER",
  request: { topic: req("string") },
  response: {},
} as const satisfies CommandSpec;

export const DELETE_SUBSCRIPTIONGROUP = {
  code: REQUEST_CODE.DELETE_SUBSCRIPTIONGROUP,
  name: "DELETE_SUBSCRIPTIONGROUP",
  request: { groupName: req("string"), removeOffset: opt("bool") },
  response: {},
} as const satisfies CommandSpec;

export const GET_TOPIC_STATS_INFO = {
  code: REQUEST_CODE.GET_TOPIC_STATS_INFO,
  name: "GET_TOPIC_STATS_INFO",
  request: { topic: req("string") },
  response: {},
} as const satisfies CommandSpec;

export const GET_CONSUME_STATS = {
  code: REQUEST_CODE.GET_CONSUME_STATS,
  name: "GET_CONSUME_STATS",
  request: { consumerGroup: req("string"), topic: opt("string") },
  response: {},
} as const satisfies CommandSpec;

export const GET_CONSUMER_CONNECTION_LIST = {
  code: REQUEST_CODE.GET_CONSUMER_CONNECTION_LIST,
  name: "GET_CONSUMER_CONNECTION_LIST",
  request: { consumerGroup: req("string") },
  response: {},
} as const satisfies CommandSpec;

export const GET_PRODUCER_CONNECTION_LIST = {
  code: REQUEST_CODE.GET_PRODUCER_CONNECTION_LIST,
  name: "GET_PRODUCER_CONNECTION_LIST",
  request: { producerGroup: req("string") },
  response: {},
} as const satisfies CommandSpec;

export const INVOKE_BROKER_TO_RESET_OFFSET = {
  code: REQUEST_CODE.INVOKE_BROKER_TO_RESET_OFFSET,
  name: "INVOKE_BROKER_TO_RESET_OFFSET",
  request: {
    topic: req("string"),
    group: req("string"),
    timestamp: req("i64"),
    isForce: req("bool"),
  },
  response: {},
} as const satisfies CommandSpec;

export const QUERY_TOPIC_CONSUME_BY_WHO = {
  code: REQUEST_CODE.QUERY_TOPIC_CONSUME_BY_WHO,
  name: "QUERY_TOPIC_CONSUME_BY_WHO",
  request: { topic: req("string") },
  response: {},
} as const satisfies CommandSpec;

export const VIEW_MESSAGE_BY_ID = {
  code: REQUEST_CODE.VIEW_MESSAGE_BY_ID,
  name: "VIEW_MESSAGE_BY_ID",
  request: { offset: req("i64") },
  response: {},
} as const satisfies CommandSpec;

export const QUERY_MESSAGE = {
  code: REQUEST_CODE.QUERY_MESSAGE,
  name: "QUERY_MESSAGE",
  request: {
    topic: req("string"),
    key: req("string"),
    maxNum: req("i32"),
    beginTimestamp: req("i64"),
    endTimestamp: req("i64"),
    uniqueKeyQuery: opt("bool", "_UNIQUE_KEY_QUERY"),
  },
  response: { indexLastUpdateTimestamp: opt("i64"), indexLastUpdatePhyoffset: opt("i64") },
} as const satisfies CommandSpec;
