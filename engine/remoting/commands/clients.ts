/** Registration of clients, their groups and queue locks (remoting-protocol 4.4–4.6). */
import { opt, req, type CommandSpec } from "../command-spec.ts";
import { REQUEST_CODE } from "../request-codes.ts";

export const HEART_BEAT = {
  code: REQUEST_CODE.HEART_BEAT,
  name: "HEART_BEAT",
  request: {},
  response: {},
} as const satisfies CommandSpec;

export const UNREGISTER_CLIENT = {
  code: REQUEST_CODE.UNREGISTER_CLIENT,
  name: "UNREGISTER_CLIENT",
  request: { clientID: req("string"), producerGroup: opt("string"), consumerGroup: opt("string") },
  response: {},
} as const satisfies CommandSpec;

export const CHECK_CLIENT_CONFIG = {
  code: REQUEST_CODE.CHECK_CLIENT_CONFIG,
  name: "CHECK_CLIENT_CONFIG",
  request: {},
  response: {},
} as const satisfies CommandSpec;

export const GET_CONSUMER_LIST_BY_GROUP = {
  code: REQUEST_CODE.GET_CONSUMER_LIST_BY_GROUP,
  name: "GET_CONSUMER_LIST_BY_GROUP",
  request: { consumerGroup: req("string") },
  response: {},
} as const satisfies CommandSpec;

export const NOTIFY_CONSUMER_IDS_CHANGED = {
  code: REQUEST_CODE.NOTIFY_CONSUMER_IDS_CHANGED,
  name: "NOTIFY_CONSUMER_IDS_CHANGED",
  request: { consumerGroup: req("string") },
  response: {},
} as const satisfies CommandSpec;

export const CONSUMER_SEND_MSG_BACK = {
  code: REQUEST_CODE.CONSUMER_SEND_MSG_BACK,
  name: "CONSUMER_SEND_MSG_BACK",
  request: {
    offset: req("i64"),
    group: req("string"),
    delayLevel: req("i32"),
    originMsgId: opt("string"),
    originTopic: opt("string"),
    unitMode: opt("bool"),
    maxReconsumeTimes: opt("i32"),
  },
  response: {},
} as const satisfies CommandSpec;

export const LOCK_BATCH_MQ = {
  code: REQUEST_CODE.LOCK_BATCH_MQ,
  name: "LOCK_BATCH_MQ",
  request: {},
  response: {},
} as const satisfies CommandSpec;

export const UNLOCK_BATCH_MQ = {
  code: REQUEST_CODE.UNLOCK_BATCH_MQ,
  name: "UNLOCK_BATCH_MQ",
  request: {},
  response: {},
} as const satisfies CommandSpec;

export const RESET_CONSUMER_CLIENT_OFFSET = {
  code: REQUEST_CODE.RESET_CONSUMER_CLIENT_OFFSET,
  name: "RESET_CONSUMER_CLIENT_OFFSET",
  request: {
    topic: req("string"),
    group: req("string"),
    timestamp: req("i64"),
    isForce: req("bool"),
  },
  response: {},
} as const satisfies CommandSpec;
