/** Offsets of consumers and queues (remoting-protocol 4.3). */
import { opt, req, type CommandSpec } from "../command-spec.ts";
import { REQUEST_CODE } from "../request-codes.ts";

export const QUERY_CONSUMER_OFFSET = {
  code: REQUEST_CODE.QUERY_CONSUMER_OFFSET,
  name: "QUERY_CONSUMER_OFFSET",
  request: { consumerGroup: req("string"), topic: req("string"), queueId: req("i32") },
  response: { offset: opt("i64") },
} as const satisfies CommandSpec;

export const UPDATE_CONSUMER_OFFSET = {
  code: REQUEST_CODE.UPDATE_CONSUMER_OFFSET,
  name: "UPDATE_CONSUMER_OFFSET",
  request: {
    consumerGroup: req("string"),
    topic: req("string"),
    queueId: req("i32"),
    commitOffset: req("i64"),
  },
  response: {},
} as const satisfies CommandSpec;

const QUEUE = { topic: req("string"), queueId: req("i32") } as const;

export const GET_MAX_OFFSET = {
  code: REQUEST_CODE.GET_MAX_OFFSET,
  name: "GET_MAX_OFFSET",
  request: QUEUE,
  response: { offset: opt("i64") },
} as const satisfies CommandSpec;

export const GET_MIN_OFFSET = {
  code: REQUEST_CODE.GET_MIN_OFFSET,
  name: "GET_MIN_OFFSET",
  request: QUEUE,
  response: { offset: opt("i64") },
} as const satisfies CommandSpec;

export const SEARCH_OFFSET_BY_TIMESTAMP = {
  code: REQUEST_CODE.SEARCH_OFFSET_BY_TIMESTAMP,
  name: "SEARCH_OFFSET_BY_TIMESTAMP",
  request: { ...QUEUE, timestamp: req("i64") },
  response: { offset: opt("i64") },
} as const satisfies CommandSpec;

export const GET_EARLIEST_MSG_STORETIME = {
  code: REQUEST_CODE.GET_EARLIEST_MSG_STORETIME,
  name: "GET_EARLIEST_MSG_STORETIME",
  request: QUEUE,
  response: { timestamp: opt("i64") },
} as const satisfies CommandSpec;
