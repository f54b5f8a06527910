/** Requests of tools and slaves to a broker (remoting-protocol 4.10 to 4.12, admin-protocol B). */
import { variants, type Case } from "./cases.ts";
import { CLIENT_ID } from "./client-cases.ts";
import { HELD, TOPIC } from "./send-cases.ts";

function topicFields(topic: string) {
  return {
    topic,
    defaultTopic: "TBW102",
    readQueueNums: 4,
    writeQueueNums: 4,
    perm: 6,
    topicFilterType: "SINGLE_TAG",
    topicSysFlag: 0,
    order: false,
  } as const;
}

/** Topics the other cases use; sent before anything else. */
export const SETUP_TOPICS: readonly Case[] = [TOPIC, "DiffSink", HELD].map((topic) => ({
  name: `17 setup ${topic}`,
  code: 17,
  ext: topicFields(topic),
}));

const TOPICS: readonly Case[] = [
  ...variants({ name: "17", code: 17, ext: topicFields("DiffMade") }),
  ...["TBW102", "DefaultCluster", "broker-a", "SCHEDULE_TOPIC_XXXX", "L".repeat(127)].map(
    (topic): Case => ({
      name: `17 ${topic.slice(0, 20)}(${topic.length})`,
      code: 17,
      ext: topicFields(topic),
    }),
  ),
  { name: "17 zero queues", code: 17, ext: { ...topicFields("DiffZero"), readQueueNums: 0 } },
  { name: "17 perm 2", code: 17, ext: { ...topicFields("DiffWriteOnly"), perm: 2 } },
  { name: "17 order", code: 17, ext: { ...topicFields("DiffOrder"), order: true } },
  {
    name: "17 multi tag",
    code: 17,
    ext: { ...topicFields("DiffM"), topicFilterType: "MULTI_TAG" },
  },
  ...variants({ name: "202", code: 202, ext: { topic: TOPIC } }),
  ...variants({ name: "300", code: 300, ext: { topic: TOPIC } }),
  { name: "305", code: 305 },
  { name: "305 binary", code: 305, binary: true },
];

const GROUP = {
  brokerId: 0,
  consumeBroadcastEnable: true,
  consumeEnable: true,
  consumeFromMinEnable: true,
  groupName: "CG_made",
  notifyConsumerIdsChangedEnable: true,
  retryMaxTimes: 16,
  retryQueueNums: 1,
  whichBrokerWhenConsumeSlowly: 1,
};

function group(name: string, changes: object): Case {
  return { name: `200 ${name}`, code: 200, body: JSON.stringify({ ...GROUP, ...changes }) };
}

const GROUPS: readonly Case[] = [
  ...variants(group("made", {})),
  group("disabled", { groupName: "CG_disabled", consumeEnable: false }),
  group("no broadcast", { groupName: "CG_broadcast", consumeBroadcastEnable: false }),
  group("illegal name", { groupName: "bad group!" }),
  group("name too long", { groupName: "G".repeat(300) }),
  group("numbers as text", { groupName: "CG_text", retryMaxTimes: "3" }),
  group("without a name", { groupName: undefined }),
  {
    name: "11 of a disabled group",
    code: 11,
    ext: {
      consumerGroup: "CG_disabled",
      topic: TOPIC,
      queueId: 0,
      queueOffset: 0,
      maxMsgNums: 32,
      sysFlag: 4,
      commitOffset: 0,
      suspendTimeoutMillis: 1_000,
      subscription: "*",
      subVersion: 0,
    },
  },
];

const TABLES: readonly Case[] = [
  { name: "21", code: 21 },
  { name: "26", code: 26 },
  { name: "28", code: 28 },
  { name: "43", code: 43 },
  { name: "45", code: 45 },
  { name: "201", code: 201 },
  { name: "21 oneway", code: 21, oneway: true, quiet: true },
];

const CONSUMER = { topic: TOPIC, group: "CG_diff" } as const;

const CONSUMERS: readonly Case[] = [
  ...variants({ name: "203", code: 203, ext: { consumerGroup: "CG_diff" } }),
  ...variants({ name: "204", code: 204, ext: { producerGroup: "PG_diff" } }),
  ...variants({ name: "208", code: 208, ext: { consumerGroup: "CG_diff", topic: TOPIC } }),
  ...variants({ name: "303", code: 303, ext: CONSUMER }),
  ...variants({ name: "308", code: 308, ext: { compareGroup: "CG_diff", topic: TOPIC } }),
  {
    name: "308 without groups",
    code: 308,
    ext: { compareGroup: "CG_diff", topic: TOPIC, filterGroups: "CG_15,CG_none" },
  },
  ...variants({
    name: "223",
    code: 223,
    ext: { ...CONSUMER, clientAddr: CLIENT_ID },
  }),
  { name: "223 of all", code: 223, ext: { ...CONSUMER, clientAddr: "" } },
  ...variants({
    name: "307",
    code: 307,
    ext: { consumerGroup: "CG_diff", clientId: CLIENT_ID, jstackEnable: false },
  }),
  ...variants({
    name: "309",
    code: 309,
    ext: {
      consumerGroup: "CG_diff",
      clientId: CLIENT_ID,
      msgId: "{id 310 setup 2}",
      brokerName: "broker-a",
    },
  }),
  {
    name: "309 no such message",
    code: 309,
    ext: {
      consumerGroup: "CG_diff",
      clientId: CLIENT_ID,
      msgId: "7F00000100002A9F00000000FFFFFFFF",
    },
  },
  ...variants({ name: "222", code: 222, ext: { ...CONSUMER, timestamp: 0, isForce: true } }),
  { name: "222 to the end", code: 222, ext: { ...CONSUMER, timestamp: -1, isForce: true } },
  {
    name: "222 offline",
    code: 222,
    ext: { ...CONSUMER, group: "CG_15", timestamp: 0, isForce: true },
  },
  ...variants({
    name: "314",
    code: 314,
    ext: { srcGroup: "CG_diff", destGroup: "CG_clone", topic: TOPIC, offline: true },
  }),
  {
    name: "14 of the clone",
    code: 14,
    ext: { consumerGroup: "CG_clone", topic: TOPIC, queueId: 1 },
  },
];

const STATISTICS: readonly Case[] = [
  ...variants({ name: "315", code: 315, ext: { statsName: "TOPIC_PUT_NUMS", statsKey: TOPIC } }),
  { name: "315 unknown name", code: 315, ext: { statsName: "NOTHING", statsKey: TOPIC } },
  { name: "315 unknown key", code: 315, ext: { statsName: "TOPIC_PUT_NUMS", statsKey: "none" } },
  ...variants({ name: "317", code: 317, ext: { isOrder: false } }),
  ...variants({
    name: "321",
    code: 321,
    ext: { topic: TOPIC, queueId: 1, index: 0, count: 2, consumerGroup: "CG_diff" },
  }),
  { name: "321 no group", code: 321, ext: { topic: TOPIC, queueId: 1, index: 0, count: 2 } },
  { name: "321 past the end", code: 321, ext: { topic: TOPIC, queueId: 1, index: 99, count: 2 } },
  { name: "321 queue 9", code: 321, ext: { topic: TOPIC, queueId: 9, index: 0, count: 2 } },
  {
    name: "321 offline group",
    code: 321,
    ext: { topic: TOPIC, queueId: 1, index: 0, count: 2, consumerGroup: "CG_15" },
  },
];

const ACL: readonly Case[] = [
  { name: "50", code: 50, ext: { accessKey: "diffkey", secretKey: "12345678", admin: true } },
  { name: "50 no ext", code: 50 },
  { name: "51", code: 51, ext: { accessKey: "diffkey" } },
  { name: "51 no ext", code: 51 },
  { name: "52", code: 52, quiet: true },
  { name: "53", code: 53, ext: { globalWhiteAddrs: "10.0.0.1" } },
  { name: "53 no ext", code: 53 },
  { name: "54", code: 54, quiet: true },
];

const MAINTENANCE: readonly Case[] = [
  { name: "25", code: 25, body: "traceOn=false\n" },
  { name: "25 what may change", code: 25, body: "fileReservedTime=71\n" },
  { name: "25 empty", code: 25 },
  { name: "25 unknown key", code: 25, body: "noSuchKey=1\n" },
  { name: "25 not properties", code: 25, body: "\u0000\\u12" },
  { name: "306", code: 306 },
  { name: "316", code: 316 },
  { name: "323 no ext", code: 323 },
  { name: "323 garbage", code: 323, ext: { msgId: "X" } },
  { name: "301", code: 301, ext: { filterServerAddr: "127.0.0.1:1" } },
  { name: "301 no ext", code: 301 },
];

const NOT_SERVED: readonly Case[] = [
  13, 22, 23, 27, 39, 40, 103, 105, 209, 210, 211, 212, 213, 214, 220, 221, 302, 326, 328, 329,
  9_999, 0, -1, 32_767,
].map((code) => ({ name: `${code} not served`, code, quiet: true }));

const DELETIONS: readonly Case[] = [
  ...variants({ name: "207", code: 207, ext: { groupName: "CG_made", removeOffset: true } }),
  { name: "207 system group", code: 207, ext: { groupName: "SELF_TEST_C_GROUP" } },
  ...variants({ name: "215", code: 215, ext: { topic: "DiffMade" } }),
  { name: "215 system topic", code: 215, ext: { topic: "TBW102" } },
  { name: "202 deleted", code: 202, ext: { topic: "DiffMade" } },
  { name: "201 at the end", code: 201 },
  { name: "21 at the end", code: 21 },
  { name: "43 at the end", code: 43 },
];

/** In the order they are sent. */
export const ADMIN_CASES: readonly Case[] = [
  ...TOPICS,
  ...GROUPS,
  ...TABLES,
  ...CONSUMERS,
  ...STATISTICS,
  ...ACL,
  ...MAINTENANCE,
  ...NOT_SERVED,
];

/** What takes things away, after everything else. */
export const DELETION_CASES: readonly Case[] = DELETIONS;
