import { opt, req, type CommandSpec, type HeaderOf } from "../command-spec.ts";
import { REQUEST_CODE } from "../request-codes.ts";

/** What a successful send answers; MSG_REGION and TRACE_ON stand in every answer (remoting-protocol 4.1.4). */
const SEND_RESPONSE = {
  msgId: opt("string"),
  queueId: opt("i32"),
  queueOffset: opt("i64"),
  MSG_REGION: opt("string"),
  TRACE_ON: opt("string"),
} as const;

const LONG_REQUEST = {
  producerGroup: req("string"),
  topic: req("string"),
  defaultTopic: req("string"),
  defaultTopicQueueNums: req("i32"),
  queueId: req("i32"),
  sysFlag: req("i32"),
  bornTimestamp: req("i64"),
  flag: req("i32"),
  properties: opt("string"),
  reconsumeTimes: opt("i32"),
  unitMode: opt("bool"),
  batch: opt("bool"),
  maxReconsumeTimes: opt("i32"),
} as const;

/** SEND_MESSAGE, long names (4.1.1). */
export const SEND_MESSAGE = {
  code: REQUEST_CODE.SEND_MESSAGE,
  name: "SEND_MESSAGE",
  request: LONG_REQUEST,
  response: SEND_RESPONSE,
} as const satisfies CommandSpec;

/** The same header under its short names. Mind `l` and `m`: maxReconsumeTimes, batch. */
const SHORT_REQUEST = {
  producerGroup: req("string", "a"),
  topic: req("string", "b"),
  defaultTopic: req("string", "c"),
  defaultTopicQueueNums: req("i32", "d"),
  queueId: req("i32", "e"),
  sysFlag: req("i32", "f"),
  bornTimestamp: req("i64", "g"),
  flag: req("i32", "h"),
  properties: opt("string", "i"),
  reconsumeTimes: opt("i32", "j"),
  unitMode: opt("bool", "k"),
  batch: opt("bool", "m"),
  maxReconsumeTimes: opt("i32", "l"),
} as const;

export const SEND_MESSAGE_V2 = {
  code: REQUEST_CODE.SEND_MESSAGE_V2,
  name: "SEND_MESSAGE_V2",
  request: SHORT_REQUEST,
  response: SEND_RESPONSE,
} as const satisfies CommandSpec;

export const SEND_BATCH_MESSAGE = {
  code: REQUEST_CODE.SEND_BATCH_MESSAGE,
  name: "SEND_BATCH_MESSAGE",
  request: SHORT_REQUEST,
  response: SEND_RESPONSE,
} as const satisfies CommandSpec;

/** A reply, long names (4.8). */
export const SEND_REPLY_MESSAGE = {
  code: REQUEST_CODE.SEND_REPLY_MESSAGE,
  name: "SEND_REPLY_MESSAGE",
  request: LONG_REQUEST,
  response: SEND_RESPONSE,
} as const satisfies CommandSpec;

export const SEND_REPLY_MESSAGE_V2 = {
  code: REQUEST_CODE.SEND_REPLY_MESSAGE_V2,
  name: "SEND_REPLY_MESSAGE_V2",
  request: SHORT_REQUEST,
  response: SEND_RESPONSE,
} as const satisfies CommandSpec;

/** A reply on its way from the broker to who asked (4.8). */
export const PUSH_REPLY_MESSAGE_TO_CLIENT = {
  code: REQUEST_CODE.PUSH_REPLY_MESSAGE_TO_CLIENT,
  name: "PUSH_REPLY_MESSAGE_TO_CLIENT",
  request: {
    producerGroup: req("string"),
    topic: req("string"),
    defaultTopic: opt("string"),
    defaultTopicQueueNums: opt("i32"),
    queueId: req("i32"),
    sysFlag: req("i32"),
    bornTimestamp: req("i64"),
    flag: req("i32"),
    properties: opt("string"),
    reconsumeTimes: opt("i32"),
    unitMode: opt("bool"),
    bornHost: opt("string"),
    storeHost: opt("string"),
    storeTimestamp: opt("i64"),
  },
  response: {},
} as const satisfies CommandSpec;

export type SendMessageHeader = HeaderOf<typeof SEND_MESSAGE.request>;
