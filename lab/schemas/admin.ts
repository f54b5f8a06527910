/** What `lab admin` prints with --json. */
import { z } from "zod";

const text = z.string();
const count = z.int().nonnegative();
const instant = z.string().nullable();

const kind = z.enum(["normal", "retry", "dead-letter", "system"]);
const topicPlaces = z.array(
  z.strictObject({ broker: text, readQueues: count, writeQueues: count, perm: text }),
);

const message = z.strictObject({
  msgId: text,
  offsetMsgId: text,
  topic: text,
  broker: text,
  queue: count,
  offset: count,
  tag: text.nullable(),
  keys: z.array(text),
  properties: z.record(text, text),
  born: instant,
  stored: instant,
  reconsumeTimes: count,
  bodyBytes: count,
  body: text.nullable(),
  bodyBase64: text.nullable(),
});

const member = z.strictObject({
  clientId: text,
  clientAddr: text,
  language: text,
  version: z.int(),
});

/** Members of each document by its `schema`. */
export const ADMIN_DOCUMENTS: Readonly<Record<string, z.ZodRawShape>> = {
  "lab.admin.brokers.config/1": {
    broker: text,
    brokerId: count,
    address: text,
    settings: z.record(text, text),
  },
  "lab.admin.brokers.list/1": {
    namesrv: text,
    brokers: z.array(
      z.strictObject({
        cluster: text,
        broker: text,
        brokerId: count,
        role: z.enum(["master", "slave"]),
        address: text,
        answers: z.boolean(),
        error: text,
        version: text.nullable(),
        putTps: z.number().nullable(),
        getTps: z.number().nullable(),
        logBytes: z.number().nullable(),
        diskRatio: z.number().nullable(),
      }),
    ),
  },
  "lab.admin.brokers.set/1": {
    broker: text,
    brokerId: count,
    address: text,
    changes: z.array(z.strictObject({ key: text, before: text, after: text, took: z.boolean() })),
  },
  "lab.admin.groups.delete/1": { group: text, brokers: z.array(text), offsetsRemoved: z.boolean() },
  "lab.admin.groups.list/1": {
    namesrv: text,
    groups: z.array(
      z.strictObject({
        group: text,
        members: count,
        topics: z.array(text),
        lag: z.int(),
        retryMaxTimes: z.int(),
        brokers: z.array(text),
      }),
    ),
  },
  "lab.admin.groups.reset/1": {
    group: text,
    topic: text,
    to: text,
    timestampMs: z.int(),
    queues: z.array(
      z.strictObject({ broker: text, queue: count, before: z.int().nullable(), after: z.int() }),
    ),
  },
  "lab.admin.groups.show/1": {
    group: text,
    brokers: z.array(text),
    settings: z.strictObject({
      consumeEnable: z.boolean(),
      broadcastEnable: z.boolean(),
      retryQueueNums: z.int(),
      retryMaxTimes: z.int(),
    }),
    members: z.array(member),
    topics: z.array(z.strictObject({ topic: text, queues: count, lag: z.int() })),
  },
  "lab.admin.messages.find/1": { topic: text, messages: z.array(message) },
  "lab.admin.messages.send/1": {
    topic: text,
    sent: z.array(
      z.strictObject({
        status: z.enum([
          "SEND_OK",
          "FLUSH_DISK_TIMEOUT",
          "FLUSH_SLAVE_TIMEOUT",
          "SLAVE_NOT_AVAILABLE",
        ]),
        msgId: text,
        offsetMsgId: text,
        broker: text,
        queue: count,
        offset: count,
      }),
    ),
  },
  "lab.admin.messages.show/1": { message },
  "lab.admin.messages.tail/1": { topic: text, messages: z.array(message) },
  "lab.admin.offsets.list/1": {
    group: text,
    topic: text.nullable(),
    lag: z.int(),
    offsets: z.array(
      z.strictObject({
        topic: text,
        broker: text,
        queue: count,
        brokerOffset: z.int(),
        consumerOffset: z.int(),
        lag: z.int(),
        lastConsumed: instant,
      }),
    ),
  },
  "lab.admin.offsets.set/1": {
    group: text,
    topic: text,
    broker: text,
    queue: count,
    before: z.int().nullable(),
    after: z.int(),
  },
  "lab.admin.topics.create/1": {
    topic: text,
    created: z.boolean(),
    cluster: text,
    broker: text.nullable(),
    queues: count,
    perm: z.enum(["rw", "r", "w"]),
  },
  "lab.admin.topics.delete/1": { topic: text, cluster: text, deleted: z.literal(true) },
  "lab.admin.topics.list/1": {
    namesrv: text,
    topics: z.array(z.strictObject({ topic: text, kind, brokers: topicPlaces })),
  },
  "lab.admin.topics.show/1": {
    topic: text,
    kind,
    brokers: topicPlaces,
    messages: z.int(),
    queues: z.array(
      z.strictObject({
        broker: text,
        queue: count,
        minOffset: z.int(),
        maxOffset: z.int(),
        messages: z.int(),
        lastStored: instant,
      }),
    ),
    groups: z.array(text),
  },
};
