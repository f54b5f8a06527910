/** Requests of clients besides messages: registration, offsets, locks (remoting-protocol 4.3 to 4.5). */
import { variants, type Case } from "./cases.ts";
import { TOPIC } from "./send-cases.ts";

/** The consumer the heartbeats of the set register; the test answers 221, 307 and 309 for it. */
export const CLIENT_ID = "192.0.2.7@diff";

function subscription(topic: string, subString: string, codes: readonly number[]) {
  const tags = subString === "*" ? [] : subString.split(" || ");
  return {
    classFilterMode: false,
    codeSet: codes,
    expressionType: "TAG",
    subString,
    subVersion: 100,
    tagsSet: tags,
    topic,
  };
}

const CONSUMER = {
  consumeFromWhere: "CONSUME_FROM_FIRST_OFFSET",
  consumeType: "CONSUME_PASSIVELY",
  groupName: "CG_diff",
  messageModel: "CLUSTERING",
  subscriptionDataSet: [
    subscription(TOPIC, "TagA || TagB", [2_598_919, 2_598_920]),
    subscription("%RETRY%CG_diff", "*", []),
  ],
  unitMode: false,
};

function heartbeat(name: string, body: unknown): Case {
  return { name: `34 ${name}`, code: 34, body: JSON.stringify(body) };
}

const BEAT = {
  clientID: CLIENT_ID,
  consumerDataSet: [CONSUMER],
  producerDataSet: [{ groupName: "PG_diff" }],
};

/** Nobody's groups and topics, so that what 4.9.0 keeps of a broken heartbeat is seen nowhere else. */
const STRANGER = {
  clientID: "stranger@diff",
  consumerDataSet: [
    {
      ...CONSUMER,
      groupName: "CG_stranger",
      subscriptionDataSet: [subscription("DiffStrange", "*", [])],
    },
  ],
  producerDataSet: [{ groupName: "PG_stranger" }],
};

/** Each on a connection of its own: what a broken one leaves behind must not colour what the good one registers. */
const BROKEN_HEARTBEATS: readonly Case[] = [
  ...variants(heartbeat("broken", STRANGER), { not: ["broken", "binary"] }),
  heartbeat("without clientID", { ...STRANGER, clientID: undefined }),
  heartbeat("only a clientID", { clientID: "c2" }),
  heartbeat("illegal group", {
    clientID: "c3",
    consumerDataSet: [{ ...STRANGER.consumerDataSet[0], groupName: "bad group!" }],
  }),
  heartbeat("group too long", {
    clientID: "c4",
    producerDataSet: [{ groupName: "G".repeat(300) }],
  }),
  heartbeat("unknown enum", {
    clientID: "c5",
    consumerDataSet: [{ ...STRANGER.consumerDataSet[0], groupName: "CG_enum", messageModel: "X" }],
  }),
  heartbeat("unit mode", {
    clientID: "c8",
    consumerDataSet: [{ ...CONSUMER, groupName: "CG_unit", unitMode: true }],
  }),
].map((item): Case => ({ ...item, alone: true }));

const HEARTBEATS: readonly Case[] = [
  heartbeat("beat", BEAT),
  { ...heartbeat("binary beat", BEAT), binary: true },
  heartbeat("names in other letters", {
    clientID: CLIENT_ID,
    consumerDataSet: [
      { ...CONSUMER, consumeType: "consume_passively", messageModel: "Clustering" },
    ],
  }),
  heartbeat("codes as text", {
    clientID: CLIENT_ID,
    consumerDataSet: [
      {
        ...CONSUMER,
        subscriptionDataSet: [
          { ...CONSUMER.subscriptionDataSet[0], codeSet: ["2598919", "2598920"] },
          CONSUMER.subscriptionDataSet[1],
        ],
      },
    ],
  }),
  heartbeat("broadcasting", {
    clientID: "c6",
    consumerDataSet: [{ ...CONSUMER, groupName: "CG_broadcast", messageModel: "BROADCASTING" }],
  }),
  heartbeat("again", BEAT),
  { ...heartbeat("oneway", { clientID: "c7" }), oneway: true, quiet: true },
];

const PULL_BY_HEARTBEAT = {
  consumerGroup: "CG_diff",
  topic: TOPIC,
  queueId: 0,
  queueOffset: 0,
  maxMsgNums: 32,
  sysFlag: 0,
  commitOffset: 0,
  suspendTimeoutMillis: 1_000,
  subVersion: 100,
} as const;

const AFTER_HEARTBEAT: readonly Case[] = [
  ...variants({ name: "38", code: 38, ext: { consumerGroup: "CG_diff" } }),
  { name: "11 by heartbeat", code: 11, ext: PULL_BY_HEARTBEAT },
  { name: "11 newer version", code: 11, ext: { ...PULL_BY_HEARTBEAT, subVersion: 101 } },
  { name: "11 topic not subscribed", code: 11, ext: { ...PULL_BY_HEARTBEAT, topic: "DiffSink" } },
  { name: "11 broadcast", code: 11, ext: { ...PULL_BY_HEARTBEAT, consumerGroup: "CG_broadcast" } },
];

const CHECK = {
  clientId: CLIENT_ID,
  group: "CG_diff",
  subscriptionData: subscription(TOPIC, "TagA", [2_598_919]),
};

const CHECKS: readonly Case[] = [
  ...variants({ name: "46", code: 46, body: JSON.stringify(CHECK) }),
  {
    name: "46 SQL not enabled",
    code: 46,
    body: JSON.stringify({
      ...CHECK,
      subscriptionData: { ...CHECK.subscriptionData, expressionType: "SQL92" },
    }),
  },
];

const QUEUE = { topic: TOPIC, queueId: 1 } as const;

const OFFSETS: readonly Case[] = [
  ...variants({ name: "14", code: 14, ext: { consumerGroup: "CG_diff", ...QUEUE } }),
  ...variants({
    name: "15",
    code: 15,
    ext: { consumerGroup: "CG_15v", topic: "DiffSink", queueId: 0, commitOffset: 2 },
  }),
  { name: "15 for good", code: 15, ext: { consumerGroup: "CG_diff", ...QUEUE, commitOffset: 2 } },
  { name: "14 after 15", code: 14, ext: { consumerGroup: "CG_diff", ...QUEUE } },
  {
    name: "15 past the end",
    code: 15,
    ext: { consumerGroup: "CG_15", ...QUEUE, commitOffset: 99 },
  },
  { name: "14 past the end", code: 14, ext: { consumerGroup: "CG_15", ...QUEUE } },
  { name: "15 back", code: 15, ext: { consumerGroup: "CG_15", ...QUEUE, commitOffset: 1 } },
  { name: "14 back", code: 14, ext: { consumerGroup: "CG_15", ...QUEUE } },
  {
    name: "15 oneway",
    code: 15,
    ext: { consumerGroup: "CG_oneway", ...QUEUE, commitOffset: 3 },
    oneway: true,
    quiet: true,
  },
  ...variants({ name: "30", code: 30, ext: QUEUE }),
  { name: "30 unknown queue", code: 30, ext: { topic: TOPIC, queueId: 77 } },
  ...variants({ name: "31", code: 31, ext: QUEUE }),
  ...variants({ name: "29", code: 29, ext: { ...QUEUE, timestamp: 4_000_000_000_000 } }),
  { name: "29 long ago", code: 29, ext: { ...QUEUE, timestamp: 0 } },
  ...variants({ name: "32", code: 32, ext: QUEUE }),
  { name: "32 unknown queue", code: 32, ext: { topic: TOPIC, queueId: 77 } },
];

const LOCK = {
  clientId: CLIENT_ID,
  consumerGroup: "CG_diff",
  mqSet: [
    { brokerName: "broker-a", queueId: 0, topic: TOPIC },
    { brokerName: "broker-a", queueId: 1, topic: TOPIC },
  ],
};

const LOCKS: readonly Case[] = [
  ...variants({ name: "41", code: 41, body: JSON.stringify(LOCK) }),
  { name: "41 of another", code: 41, body: JSON.stringify({ ...LOCK, clientId: "other" }) },
  {
    name: "41 unknown topic",
    code: 41,
    body: JSON.stringify({ ...LOCK, mqSet: [{ topic: "N" }] }),
  },
  { name: "42 of another", code: 42, body: JSON.stringify({ ...LOCK, clientId: "other" }) },
  { name: "41 again", code: 41, body: JSON.stringify(LOCK) },
  ...variants({ name: "42", code: 42, body: JSON.stringify(LOCK) }),
  { name: "41 of another, free", code: 41, body: JSON.stringify({ ...LOCK, clientId: "other" }) },
];

/** In the order they are sent. */
export const CLIENT_CASES: readonly Case[] = [
  ...BROKEN_HEARTBEATS,
  ...HEARTBEATS,
  ...AFTER_HEARTBEAT,
  ...CHECKS,
  ...OFFSETS,
  ...LOCKS,
];

/** The last requests of the set: the consumer leaves. */
export const FAREWELL_CASES: readonly Case[] = [
  { name: "14 after oneway 15", code: 14, ext: { consumerGroup: "CG_oneway", ...QUEUE } },
  ...variants(
    {
      name: "35",
      code: 35,
      ext: { clientID: CLIENT_ID, producerGroup: "PG_diff", consumerGroup: "CG_diff" },
    },
    { not: ["binary"] },
  ),
  { name: "38 nobody left", code: 38, ext: { consumerGroup: "CG_diff" } },
];
