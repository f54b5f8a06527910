import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../../../engine/base/logger.ts";
import type { Message } from "../../../../../engine/client/client-api.ts";
import { TraceDispatcher } from "../../../../../engine/client/trace/trace-dispatcher.ts";
import {
  decodeTrace,
  encodeTrace,
  type PublishTrace,
  type TraceRecord,
} from "../../../../../engine/client/trace/trace-records.ts";

const PUB: PublishTrace = {
  type: "Pub",
  timestampMs: 1_795_360_599_055,
  region: "DefaultRegion",
  group: "PG",
  topic: "T",
  msgId: "7F0000010001",
  tags: "TagA",
  keys: "k1 k2",
  storeHost: "127.0.0.1:10911",
  bodyLength: 5,
  costMs: 3,
  messageType: 0,
  offsetMsgId: "7F00000100002A9F0000000000000000",
  success: true,
};

const RECORDS: readonly TraceRecord[] = [
  PUB,
  {
    type: "SubBefore",
    timestampMs: 1_795_360_599_060,
    region: "DefaultRegion",
    group: "CG",
    requestId: "r1",
    msgId: "7F0000010001",
    retryTimes: 2,
    keys: "k1 k2",
  },
  {
    type: "SubAfter",
    requestId: "r1",
    msgId: "7F0000010001",
    costMs: 4,
    success: false,
    keys: "",
    contextCode: 4,
    timestampMs: 1_795_360_599_064,
    group: "CG",
  },
];

describe("trace records", () => {
  it("4.13: a send is 14 fields, in 4.9.0's order, ended by U+0002", () => {
    const text = encodeTrace(PUB);
    expect(text.endsWith("true\u0002")).toBe(true);
    expect(text.slice(0, -1).split("\u0001")).toEqual([
      "Pub",
      "1795360599055",
      "DefaultRegion",
      "PG",
      "T",
      "7F0000010001",
      "TagA",
      "k1 k2",
      "127.0.0.1:10911",
      "5",
      "3",
      "0",
      "7F00000100002A9F0000000000000000",
      "true",
    ]);
  });

  it("what was written is read; records of unknown kinds are left out", () => {
    const text = RECORDS.map(encodeTrace).join("EndTransaction\u00011\u0002");
    expect(decodeTrace(Buffer.from(text))).toEqual(RECORDS);
  });

  it("reads the shorter records of older clients and the longer ones of newer", () => {
    const old =
      "Pub\u00011\u0001R\u0001G\u0001T\u0001id\u0001\u0001\u0001h:1\u00015\u00013\u00010\u0001true\u0002";
    expect(decodeTrace(Buffer.from(old))[0]).toMatchObject({ offsetMsgId: "", success: true });
    const newer = `${encodeTrace(PUB).slice(0, -1)}\u000110.0.0.1\u0002`;
    expect(decodeTrace(Buffer.from(newer))).toEqual([PUB]);
  });
});

describe("trace dispatcher", () => {
  it("sends what it gathered in messages of at most 100 records, keyed by id and keys", async () => {
    const sent: Message[] = [];
    const sink = {
      start: () => Promise.resolve(),
      close: () => Promise.resolve(),
      send: (message: Message) => Promise.resolve(sent.push(message)),
    };
    const trace = new TraceDispatcher(sink, true, silentLogger);
    for (let i = 0; i < 250; i += 1) trace.add({ ...PUB, msgId: `id${i}` });
    await trace.close();
    expect(sent.map(({ body }) => decodeTrace(body).length)).toEqual([100, 100, 50]);
    expect(sent[2]?.keys).toEqual(expect.arrayContaining(["id200", "id249", "k1 k2"]));
    expect(sent.every(({ topic }) => topic === "RMQ_SYS_TRACE_TOPIC")).toBe(true);
  });

  it("a broker that refuses loses the records, never the messages they tell of", async () => {
    const sink = {
      start: () => Promise.resolve(),
      close: () => Promise.resolve(),
      send: () => Promise.reject(new Error("refused")),
    };
    const trace = new TraceDispatcher(sink, "Own", silentLogger);
    trace.add(PUB);
    await expect(trace.close()).resolves.toBeUndefined();
  });
});
