/** Requests to a name server (remoting-protocol 3). */
import { deflateSync } from "node:zlib";
import { variants, type Case } from "./cases.ts";

const TOPIC_CONFIG = {
  order: false,
  perm: 6,
  readQueueNums: 4,
  topicFilterType: "SINGLE_TAG",
  topicName: "NsTopic",
  topicSysFlag: 0,
  writeQueueNums: 4,
};

function registration(counter: number, ...topics: readonly object[]): string {
  const table = Object.fromEntries(
    topics.map((changes) => {
      const topic = { ...TOPIC_CONFIG, ...changes };
      return [topic.topicName, topic] as const;
    }),
  );
  return JSON.stringify({
    filterServerList: [],
    topicConfigSerializeWrapper: {
      dataVersion: { counter, timestamp: 1_795_360_599_123 },
      topicConfigTable: table,
    },
  });
}

const BROKER = {
  brokerName: "broker-x",
  brokerAddr: "10.9.9.1:10911",
  clusterName: "ClusterX",
  haServerAddr: "10.9.9.1:10912",
  brokerId: 0,
  compressed: false,
  bodyCrc32: 0,
} as const;

const SLAVE = {
  ...BROKER,
  brokerAddr: "10.9.9.2:10911",
  haServerAddr: "10.9.9.2:10912",
  brokerId: 1,
};
const VERSION = JSON.stringify({ counter: 1, timestamp: 1_795_360_599_123 });

function compressed(): Buffer {
  const parts: Buffer[] = [];
  const text = (value: string): void => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(4);
    length.writeInt32BE(bytes.length);
    parts.push(length, bytes);
  };
  text(VERSION);
  parts.push(Buffer.from([0, 0, 0, 1]));
  text("NsPacked 4 4 6 SINGLE_TAG");
  text("[]");
  return deflateSync(Buffer.concat(parts));
}

const register = (name: string, changes: object, body: string | Buffer): Case => ({
  name: `103 ${name}`,
  code: 103,
  ext: { ...BROKER, ...changes },
  body,
});

const route = (topic: string): Case => ({ name: `105 ${topic}`, code: 105, ext: { topic } });

const REGISTRATIONS: readonly Case[] = [
  { name: "106 nobody", code: 106 },
  { name: "206 nothing", code: 206 },
  { name: "304 nothing", code: 304 },
  register("master", {}, registration(1, {}, { topicName: "NsUnit", topicSysFlag: 1 })),
  register("slave", SLAVE, registration(1, { topicName: "NsOfSlave" })),
  register("same version, other perm", {}, registration(1, { perm: 4 })),
  route("NsTopic"),
  register("changed", {}, registration(2, { perm: 4 }, { topicName: "NsSub", topicSysFlag: 2 })),
  route("NsTopic"),
  route("NsOfSlave"),
  register(
    "packed",
    { brokerName: "broker-p", brokerAddr: "10.9.9.5:10911", compressed: true },
    compressed(),
  ),
  register("packed, garbage", { brokerName: "broker-p", compressed: true }, Buffer.from("garbage")),
  register("wrong crc", { bodyCrc32: 12 }, registration(3, {})),
  register("second master", { brokerAddr: "10.9.9.3:10911" }, registration(1, {})),
  register("back to the first", {}, registration(2, {})),
  {
    ...register("old body", { brokerName: "broker-30", brokerAddr: "10.9.9.7:10911" }, "{}"),
    version: 30,
  },
];

/** Last of all: 4.9 keeps what some of them say under names that are null or empty, and trips over it later. */
const BROKEN_REGISTRATIONS: readonly Case[] = [
  ...variants({
    name: "103",
    code: 103,
    ext: { ...BROKER, brokerName: "broker-v" },
    body: registration(1, { topicName: "NsV" }),
  }),
  {
    ...register(
      "oneway",
      { brokerName: "broker-o", brokerAddr: "10.9.9.6:10911" },
      registration(1, {}),
    ),
    oneway: true,
    quiet: true,
  },
];

const LOOKUPS: readonly Case[] = [
  ...variants({ name: "105", code: 105, ext: { topic: "NsTopic" } }),
  { name: "105 of a new client", code: 105, ext: { topic: "NsTopic" }, version: 409 },
  { name: "106", code: 106 },
  { name: "206", code: 206 },
  { name: "304", code: 304 },
  { name: "311", code: 311 },
  { name: "312", code: 312 },
  { name: "313", code: 313 },
  ...variants({ name: "224", code: 224, ext: { cluster: "ClusterX" } }),
  { name: "224 unknown", code: 224, ext: { cluster: "nobody" } },
  ...variants({
    name: "322",
    code: 322,
    ext: {
      brokerName: "broker-x",
      brokerAddr: "10.9.9.1:10911",
      clusterName: "ClusterX",
      brokerId: 0,
    },
    body: JSON.stringify({ counter: 2, timestamp: 1_795_360_599_123 }),
  }),
  {
    name: "322 unknown broker",
    code: 322,
    ext: {
      brokerName: "broker-n",
      brokerAddr: "10.9.9.9:10911",
      clusterName: "ClusterX",
      brokerId: 0,
    },
    body: VERSION,
  },
];

const KEY_VALUES: readonly Case[] = [
  { name: "219 nothing yet", code: 219, ext: { namespace: "NS_DIFF" } },
  { name: "100 good", code: 100, ext: { namespace: "NS_DIFF", key: "k", value: "v" } },
  ...variants({ name: "101", code: 101, ext: { namespace: "NS_DIFF", key: "k" } }),
  { name: "101 unknown key", code: 101, ext: { namespace: "NS_DIFF", key: "none" } },
  { name: "101 unknown namespace", code: 101, ext: { namespace: "none", key: "k" } },
  ...variants({ name: "219", code: 219, ext: { namespace: "NS_DIFF" } }),
  ...variants({ name: "102", code: 102, ext: { namespace: "NS_DIFF", key: "k" } }),
  ...variants({ name: "100", code: 100, ext: { namespace: "NS_MORE", key: "k", value: "v" } }),
  { name: "101 deleted", code: 101, ext: { namespace: "NS_DIFF", key: "k" } },
  {
    name: "100 order",
    code: 100,
    ext: { namespace: "ORDER_TOPIC_CONFIG", key: "NsTopic", value: "broker-x:4" },
  },
  register("answers the order table", {}, registration(2, {})),
];

const CONFIGURATION: readonly Case[] = [
  { name: "319", code: 319 },
  { name: "318", code: 318, body: "serverWorkerThreads=9\n" },
  { name: "318 unknown key", code: 318, body: "noSuchKey=1\n" },
  { name: "318 empty", code: 318 },
  { name: "318 not properties", code: 318, body: "\\u12" },
];

const NOT_SERVED: readonly Case[] = [10, 11, 34, 107, 320, 327, 9_999, 0, -1].map((code) => ({
  name: `${code} not served`,
  code,
  quiet: true,
}));

const DELETIONS: readonly Case[] = [
  ...variants({ name: "205", code: 205, ext: { brokerName: "broker-x" } }),
  route("NsTopic"),
  ...variants({ name: "216", code: 216, ext: { topic: "NsUnit" } }),
  route("NsUnit"),
  ...variants({
    name: "104",
    code: 104,
    ext: {
      brokerName: "broker-x",
      brokerAddr: "10.9.9.1:10911",
      clusterName: "ClusterX",
      brokerId: 0,
    },
  }),
  route("NsTopic"),
  { name: "106 at the end", code: 106 },
  { name: "206 at the end", code: 206 },
];

function numbered(cases: readonly Case[]): Case[] {
  const seen = new Map<string, number>();
  return cases.map((item) => {
    const count = (seen.get(item.name) ?? 0) + 1;
    seen.set(item.name, count);
    return count === 1 ? item : { ...item, name: `${item.name} (${count})` };
  });
}

/** In the order they are sent. */
export const NAMESRV_CASES: readonly Case[] = numbered([
  ...REGISTRATIONS,
  ...LOOKUPS,
  ...KEY_VALUES,
  ...CONFIGURATION,
  ...NOT_SERVED,
  ...DELETIONS,
  ...BROKEN_REGISTRATIONS,
]);
