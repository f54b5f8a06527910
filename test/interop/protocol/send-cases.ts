/** Requests of the message path: sends, batches, pulls, queries, returns (remoting-protocol 4.1, 4.2, 4.6, 4.9). */
import { encodeBatch } from "../../../engine/message/batch.ts";
import { variants, type Case } from "./cases.ts";

export const TOPIC = "DiffA";
/** Where sends of the set go, so that the messages that are read stay the same ones. */
const SINK = "DiffSink";
/** Where nothing stands until a held pull waits for it. */
export const HELD = "DiffHeld";
const BORN = 1_795_360_599_055;

const LONG = {
  producerGroup: "PG_diff",
  topic: SINK,
  defaultTopic: "TBW102",
  defaultTopicQueueNums: 4,
  queueId: 0,
  sysFlag: 0,
  bornTimestamp: BORN,
  flag: 0,
  properties: "KEYS\u0001k\u0002TAGS\u0001TagA\u0002",
  reconsumeTimes: 0,
  unitMode: false,
} as const;

const SHORT_NAMES = {
  producerGroup: "a",
  topic: "b",
  defaultTopic: "c",
  defaultTopicQueueNums: "d",
  queueId: "e",
  sysFlag: "f",
  bornTimestamp: "g",
  flag: "h",
  properties: "i",
  reconsumeTimes: "j",
  unitMode: "k",
} as const;

type SendField = keyof typeof LONG;
type Changes = Partial<Readonly<Record<SendField, string | number | boolean>>>;

function long(changes: Changes = {}) {
  return { ...LONG, ...changes };
}

function short(changes: Changes = {}) {
  const all = Object.entries(long(changes)) as [SendField, string | number | boolean][];
  return Object.fromEntries(all.map(([field, value]) => [SHORT_NAMES[field], value]));
}

const BATCH = encodeBatch([
  { flag: 0, body: Buffer.from("b0"), properties: Buffer.from("KEYS\u0001b0\u0002") },
  { flag: 5, body: Buffer.from("b1"), properties: Buffer.from("TAGS\u0001TagB\u0002") },
]);

function send(name: string, changes: Changes, body: string | Buffer = "m"): Case {
  return { name: `310 ${name}`, code: 310, ext: short(changes), body };
}

function retry(name: string, changes: Changes, more: Readonly<Record<string, number>>): Case {
  const ext = { ...short({ topic: "%RETRY%TOOLS_CONSUMER", ...changes }), ...more };
  return { name: `310 to %RETRY%, ${name}`, code: 310, ext, body: "m" };
}

function batch(name: string, changes: Changes, body: Buffer = BATCH): Case {
  return { name: `320 ${name}`, code: 320, ext: { ...short(changes), m: true }, body };
}

/** Messages that later cases read: four queues, keys, tags, properties, a compressed body, an empty one. */
export const SETUP_SENDS: readonly Case[] = [
  ...Array.from({ length: 12 }, (_, index) => ({
    name: `310 setup ${index}`,
    code: 310,
    ext: short({
      topic: TOPIC,
      queueId: index % 4,
      flag: index,
      properties: `KEYS\u0001key${index} shared\u0002UNIQ_KEY\u0001AC1E00010000000000000000000000${String(index).padStart(2, "0")}\u0002TAGS\u0001Tag${"AB"[index % 2]}\u0002n\u0001${index}\u0002`,
    }),
    body: `body ${index}`,
  })),
  { name: "310 setup empty", code: 310, ext: short({ topic: TOPIC, properties: "" }), body: "" },
];

const LONG_PROPERTIES = `p\u0001${"v".repeat(32_763)}\u0002`;

/** The broker takes any queue then. */
const ANY_QUEUE = { not: ["queueId=-1", " e=-1"] } as const;

const SENDS: readonly Case[] = [
  ...variants({ name: "10", code: 10, ext: long(), body: "m" }, ANY_QUEUE),
  ...variants({ name: "310", code: 310, ext: short(), body: "m" }, ANY_QUEUE),
  ...variants({ name: "320", code: 320, ext: { ...short(), m: true }, body: BATCH }, ANY_QUEUE),
  // The topic named like the broker has one queue, so that "any" is this one.
  send("any queue", { topic: "broker-a", queueId: -1 }),
  ...["DiffUnknown2", "Diff bad!name", "L".repeat(127), "L".repeat(128), ""].map((topic) =>
    send(`to topic ${topic.slice(0, 12)}(${topic.length})`, { topic }),
  ),
  send("unknown default topic", { topic: "DiffNoTemplate", defaultTopic: "DiffNone" }),
  send("default topic without INHERIT", { topic: "DiffNoTemplate", defaultTopic: TOPIC }),
  send("eight default queues", { topic: "DiffEight", defaultTopicQueueNums: 9, queueId: 7 }),
  send("queueId at the end", { queueId: 4 }),
  send("queueId 99", { queueId: 99 }),
  ...["1", "3", "18", "19", "0", "-1", "x"].map((level) =>
    send(`DELAY ${level}`, { topic: "DiffDelay", properties: `DELAY\u0001${level}\u0002` }),
  ),
  send("WAIT false", { properties: "WAIT\u0001false\u0002" }),
  send("properties without end", { properties: "KEYS\u0001k\u0002a\u0001b" }),
  send("properties without value", { properties: "KEYS\u0001\u0002" }),
  send("properties without separator", { properties: "garbage" }),
  send("properties of 32767 bytes", { properties: LONG_PROPERTIES.slice(1) }),
  send("properties of 40000 bytes", { properties: `p\u0001${"v".repeat(40_000)}\u0002` }),
  send("body of 4 MiB", {}, Buffer.alloc(4_194_304, 0x61)),
  send("body of 4 MiB less a header", {}, Buffer.alloc(4_194_304 - 600, 0x61)),
  send("sysFlag compressed", { sysFlag: 1 }, Buffer.from("789c030000000001", "hex")),
  send("sysFlag transaction bits", { sysFlag: 8 }),
  send("half message", {
    sysFlag: 4,
    properties: "TRAN_MSG\u0001true\u0002PGROUP\u0001PG_diff\u0002UNIQ_KEY\u0001U1\u0002",
  }),
  send("half message to roll back", {
    sysFlag: 4,
    properties: "TRAN_MSG\u0001true\u0002PGROUP\u0001PG_diff\u0002UNIQ_KEY\u0001U2\u0002",
  }),
  send("to %RETRY% of an unknown group", { topic: "%RETRY%CG_none" }),
  retry("16 times consumed", { reconsumeTimes: 16 }, { l: 16 }),
  retry("once consumed", { reconsumeTimes: 1 }, { l: 16 }),
  retry("as often as the request allows", { reconsumeTimes: 3 }, { l: 3 }),
  retry("no limit in the request", { reconsumeTimes: 1 }, {}),
  { ...retry("old client", { reconsumeTimes: 16 }, {}), version: 100 },
  send("unit mode", { topic: "DiffUnit", unitMode: true }),
  { name: "310 oneway", code: 310, ext: short(), body: "o", oneway: true, quiet: true },
  { name: "10 batch flag", code: 10, ext: { ...long(), batch: true }, body: BATCH },
  batch("with delay", { properties: "DELAY\u00013\u0002" }),
  batch("to %RETRY%", { topic: "%RETRY%TOOLS_CONSUMER" }),
  batch("to a new topic", { topic: "DiffBatchNew" }),
  batch("cut in the middle", {}, BATCH.subarray(0, BATCH.length - 3)),
  batch("garbage", {}, Buffer.from("this is no batch of messages at all")),
  batch("negative size", {}, Buffer.concat([Buffer.from("ffffffff", "hex"), BATCH])),
];

const PULL = {
  consumerGroup: "CG_pull",
  topic: TOPIC,
  queueId: 0,
  queueOffset: 0,
  maxMsgNums: 32,
  sysFlag: 4,
  commitOffset: 0,
  suspendTimeoutMillis: 1_000,
  subscription: "*",
  subVersion: 0,
} as const;

function pull(name: string, changes: Readonly<Record<string, string | number>>): Case {
  return { name: `11 ${name}`, code: 11, ext: { ...PULL, ...changes } };
}

const PULLS: readonly Case[] = [
  ...variants({ name: "11", code: 11, ext: PULL }),
  ...[1, 2, 3].map((queueId) => pull(`queue ${queueId}`, { queueId })),
  pull("offset 1", { queueOffset: 1 }),
  pull("at the end", { queueOffset: 3, queueId: 1 }),
  pull("past the end", { queueOffset: 4, queueId: 1 }),
  pull("far past the end", { queueOffset: 4_000, queueId: 1 }),
  pull("an empty queue", { topic: "TBW102", queueId: 1 }),
  pull("an empty queue at 5", { topic: "TBW102", queueId: 1, queueOffset: 5 }),
  pull("queue 4", { queueId: 4 }),
  pull("one message", { maxMsgNums: 1 }),
  pull("no message", { maxMsgNums: 0 }),
  pull("TagA", { subscription: "TagA" }),
  pull("TagA || TagB", { subscription: "TagA || TagB", queueId: 1 }),
  pull("a tag nobody has", { subscription: "TagZ" }),
  pull("empty subscription", { subscription: "" }),
  pull("SQL not enabled", { subscription: "n > 3", expressionType: "SQL92" }),
  pull("type in small letters", { subscription: "TagA", expressionType: "tag" }),
  pull("unknown type", { subscription: "TagA", expressionType: "XPATH" }),
  pull("without heartbeat", { sysFlag: 0, consumerGroup: "CG_none" }),
  pull("commits", { sysFlag: 5, commitOffset: 2, consumerGroup: "CG_commits" }),
  pull("SCHEDULE_TOPIC_XXXX", { topic: "SCHEDULE_TOPIC_XXXX", queueId: 17 }),
  pull("half topic", { topic: "RMQ_SYS_TRANS_HALF_TOPIC" }),
  // Held until its time is over: 4.9.0 looks every 5 s.
  {
    ...pull("held in vain", { topic: HELD, queueId: 1, sysFlag: 6 }),
    quiet: true,
    patienceMs: 9_000,
  },
  {
    ...pull("held until the next send", { topic: HELD, sysFlag: 6, suspendTimeoutMillis: 20_000 }),
    quiet: true,
  },
  send("for the held pull", { topic: HELD }),
  { ...pull("on the fast port", {}), fast: true, quiet: true },
  { ...pull("oneway", {}), oneway: true, quiet: true },
];

const KEY_QUERY = {
  topic: TOPIC,
  key: "key3",
  maxNum: 32,
  beginTimestamp: 0,
  endTimestamp: 4_000_000_000_000,
} as const;

const QUERIES: readonly Case[] = [
  ...variants({ name: "12", code: 12, ext: KEY_QUERY }),
  { name: "12 shared key", code: 12, ext: { ...KEY_QUERY, key: "shared" } },
  { name: "12 shared key, two", code: 12, ext: { ...KEY_QUERY, key: "shared", maxNum: 2 } },
  { name: "12 unknown key", code: 12, ext: { ...KEY_QUERY, key: "nobody" } },
  { name: "12 past window", code: 12, ext: { ...KEY_QUERY, endTimestamp: 1_000 } },
  {
    name: "12 unique key",
    code: 12,
    ext: {
      ...KEY_QUERY,
      key: "AC1E0001000000000000000000000003",
      _UNIQUE_KEY_QUERY: true,
    },
  },
  ...variants({ name: "33", code: 33, ext: { offset: 0 } }),
  { name: "33 of a message", code: 33, ext: { offset: "{phy 310 setup 5}" } },
  { name: "33 beyond the log", code: 33, ext: { offset: 900_000_000 } },
  { name: "33 oneway", code: 33, ext: { offset: 0 }, oneway: true, quiet: true },
];

const RETURN = {
  offset: "{phy 310 setup 4}",
  group: "TOOLS_CONSUMER",
  delayLevel: 0,
  originMsgId: "X",
  originTopic: TOPIC,
  unitMode: false,
  maxReconsumeTimes: 16,
} as const;

const RETURNS: readonly Case[] = [
  ...variants({ name: "36", code: 36, ext: RETURN }),
  { name: "36 offset -1", code: 36, ext: { ...RETURN, offset: -1 } },
  { name: "36 beyond the log", code: 36, ext: { ...RETURN, offset: 900_000_000 } },
  { name: "36 level 18", code: 36, ext: { ...RETURN, delayLevel: 18 } },
  { name: "36 level 99", code: 36, ext: { ...RETURN, delayLevel: 99 } },
  { name: "36 no retries left", code: 36, ext: { ...RETURN, maxReconsumeTimes: 0 } },
  { name: "36 old client", code: 36, ext: RETURN, version: 100 },
  {
    name: "11 the dead-letter topic",
    code: 11,
    ext: { ...PULL, topic: "%DLQ%TOOLS_CONSUMER" },
  },
];

const END = {
  producerGroup: "PG_diff",
  tranStateTableOffset: "{at 310 half message}",
  commitLogOffset: "{phy 310 half message}",
  commitOrRollback: 8,
  fromTransactionCheck: false,
  msgId: "U1",
  transactionId: "U1",
} as const;

const ROLLBACK = {
  ...END,
  commitLogOffset: "{phy 310 half message to roll back}",
  tranStateTableOffset: "{at 310 half message to roll back}",
  commitOrRollback: 12,
  msgId: "U2",
  transactionId: "U2",
} as const;

const TRANSACTIONS: readonly Case[] = [
  ...variants({ name: "37", code: 37, ext: { ...END, producerGroup: "PG_other" } }).map(
    (item): Case => ({ ...item, quiet: true }),
  ),
  { name: "37 unknown state", code: 37, ext: { ...END, commitOrRollback: 0 }, quiet: true },
  { name: "37 beyond the log", code: 37, ext: { ...END, commitLogOffset: 900_000_000 } },
  { name: "37 commit", code: 37, ext: END },
  { name: "37 commit twice", code: 37, ext: END },
  { name: "37 wrong transaction id", code: 37, ext: { ...ROLLBACK, transactionId: "other" } },
  { name: "37 rollback", code: 37, ext: ROLLBACK },
];

const REPLY_PROPERTIES =
  "MSG_TYPE\u0001reply\u0002CORRELATION_ID\u0001c1\u0002REPLY_TO_CLIENT\u0001nobody\u0002TTL\u00013000\u0002";
const REPLY = { topic: "DefaultCluster_REPLY_TOPIC", properties: REPLY_PROPERTIES } as const;

const REPLIES: readonly Case[] = [
  { name: "324", code: 324, ext: long(REPLY), body: "r" },
  { name: "325", code: 325, ext: short(REPLY), body: "r" },
  { name: "325 no client named", code: 325, ext: short({ ...REPLY, properties: "" }), body: "r" },
  { name: "325 unknown topic", code: 325, ext: short({ ...REPLY, topic: "DiffNone3" }), body: "r" },
  { name: "325 queue 99", code: 325, ext: short({ ...REPLY, queueId: 99 }), body: "r" },
  { name: "325 no ext", code: 325, body: "r" },
];

/** After the transactions: 4.9.0 takes a client's message into the broker's own queues of these. */
const SYSTEM_SENDS: readonly Case[] = [
  ...["TBW102", "SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC", "SELF_TEST_TOPIC"].map((topic) =>
    send(`to system topic ${topic}`, { topic }),
  ),
  ...["OFFSET_MOVED_EVENT", "RMQ_SYS_TRANS_OP_HALF_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC"].map(
    (topic) => send(`to system topic ${topic}`, { topic }),
  ),
];

/** In the order they are sent. */
export const MESSAGE_CASES: readonly Case[] = [
  ...SENDS,
  ...PULLS,
  ...QUERIES,
  ...RETURNS,
  ...TRANSACTIONS,
  ...REPLIES,
  ...SYSTEM_SENDS,
];
