/** Sends over real sockets: every answer of remoting-protocol 4.1 and the rules R-01 … R-16. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeBatch } from "../../../engine/message/batch.ts";
import type { RunningBroker } from "../../../engine/broker/broker.ts";
import { SERIALIZE_ROCKETMQ } from "../../../engine/remoting/command.ts";
import { recordsOf, sendFields, type BrokerPeer } from "../../helpers/broker-peer.ts";
import { EngineFixture, until } from "./engine-fixture.ts";

const A = "\u0001";
const B = "\u0002";

let engine: EngineFixture;
let broker: RunningBroker;
let peer: BrokerPeer;

beforeAll(async () => {
  engine = new EngineFixture();
  await engine.startNamesrv();
  broker = await engine.startBroker();
  peer = await engine.peer(broker);
});

afterAll(async () => engine[Symbol.asyncDispose]());

async function pulled(topic: string, queueId = 0) {
  const answer = await peer.pull(topic, { queueId });
  return answer.code === 0 ? recordsOf(answer.body) : [];
}

/** Creates a topic with the first send, which takes the general path; what follows takes the fast one. */
async function makeTopic(topic: string): Promise<void> {
  expect((await peer.send(topic, "first")).code).toBe(0);
}

describe("sends", () => {
  it("4.1.4: answers with offset id, queue and queue offset, on the general and the fast path alike", async () => {
    const first = await peer.send("Answers", "one");
    const second = await peer.send("Answers", "two");
    for (const [index, answer] of [first, second].entries()) {
      expect(answer).toMatchObject({ code: 0, remark: null });
      expect(answer.ext).toMatchObject({
        MSG_REGION: "DefaultRegion",
        TRACE_ON: "true",
        queueId: "0",
        queueOffset: String(index),
      });
    }
    const [one, two] = await pulled("Answers");
    const host = `7F000001${broker.port.toString(16).toUpperCase().padStart(8, "0")}`;
    const idOf = (offset: number) => host + offset.toString(16).toUpperCase().padStart(16, "0");
    expect(first.ext["msgId"]).toBe(idOf(one?.physicalOffset ?? -1));
    expect(second.ext["msgId"]).toBe(idOf(two?.physicalOffset ?? -1));
  });

  it("4.1.5: who made a topic, by a send or by name, finds its route the moment it is answered, as with 4.9", async () => {
    const names = await engine.peer(engine.namesrvAddr);
    const route = async (topic: string) => (await names.ask({ code: 105, ext: { topic } })).code;
    await peer.send("MadeBySend", "one");
    expect(await route("MadeBySend")).toBe(0);
    const body = encodeBatch([{ flag: 0, body: Buffer.from("b"), properties: Buffer.alloc(0) }]);
    await peer.ask({ code: 320, ext: sendFields("MadeByBatch", { m: true }), body });
    expect(await route("MadeByBatch")).toBe(0);
    const queues = { readQueueNums: 1, writeQueueNums: 1, perm: 6, topicSysFlag: 0, order: false };
    const made = { topic: "MadeByName", defaultTopic: "TBW102", topicFilterType: "SINGLE_TAG" };
    await peer.ask({ code: 17, ext: { ...made, ...queues } });
    expect(await route("MadeByName")).toBe(0);
  });

  it("stores what was sent: body, flag, times, properties and CLUSTER, the same on every path", async () => {
    await makeTopic("Stored");
    const fields = { h: 77, g: 1_700_000_000_123, j: 2, i: `KEYS${A}k1${B}TAGS${A}标签` };
    const long = {
      producerGroup: "PG",
      topic: "Stored",
      defaultTopic: "TBW102",
      defaultTopicQueueNums: 4,
      queueId: 0,
      sysFlag: 0,
      bornTimestamp: 1_700_000_000_123,
      flag: 77,
      properties: fields.i,
      reconsumeTimes: 2,
      batch: false,
    };
    const body = Buffer.from("hello");
    expect((await peer.send("Stored", "hello", fields)).code).toBe(0);
    expect((await peer.ask({ code: 10, ext: long, body })).code).toBe(0);
    const binary = { code: 310, body, serializeType: SERIALIZE_ROCKETMQ } as const;
    const answer = await peer.ask({ ...binary, ext: sendFields("Stored", fields) });
    expect(answer).toMatchObject({ code: 0, serializeType: SERIALIZE_ROCKETMQ });
    // An unknown header field sends nothing astray.
    expect((await peer.send("Stored", "hello", { ...fields, n: "broker-a" })).code).toBe(0);
    const [, ...messages] = await pulled("Stored");
    expect(messages).toHaveLength(4);
    for (const message of messages) {
      expect(message).toMatchObject({
        text: "hello",
        topic: "Stored",
        flag: 77,
        bornTimestamp: 1_700_000_000_123,
        reconsumeTimes: 2,
        sysFlag: 0,
        properties: `KEYS${A}k1${B}TAGS${A}标签${B}CLUSTER${A}DefaultCluster${B}`,
      });
    }
    expect(messages.map((message) => message.queueOffset)).toEqual([1, 2, 3, 4]);
  });

  it("a CLUSTER of the client's is replaced, not repeated", async () => {
    await makeTopic("Cluster");
    await peer.send("Cluster", "x", { i: `CLUSTER${A}elsewhere${B}K${A}v${B}` });
    expect((await pulled("Cluster"))[1]?.properties).toBe(
      `CLUSTER${A}DefaultCluster${B}K${A}v${B}`,
    );
  });

  it("R-01: refuses illegal topic names and makes nothing", async () => {
    for (const [topic, remark] of [
      ["", /blank/],
      ["a b", /illegal characters/],
      ["../x", /illegal characters/],
      ["x".repeat(128), /longer/],
    ] as const) {
      const answer = await peer.send(topic, "x");
      expect(answer.code).toBe(1);
      expect(answer.remark).toMatch(remark);
      expect(answer.ext).toMatchObject({ MSG_REGION: "DefaultRegion" });
    }
    expect(broker.context.topics.find("a b")).toBeUndefined();
  });

  it("R-02, N-02: refuses sends to closed topics", async () => {
    for (const topic of ["SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC", "%DLQ%G"]) {
      const answer = await peer.send(topic, "x");
      expect(answer).toMatchObject({
        code: 16,
        remark: `Sending message to topic[${topic}] is forbidden.`,
      });
    }
  });

  it("R-04: an unknown topic without a template answers 17", async () => {
    const answer = await peer.send("Nowhere", "x", { c: "NoTemplate" });
    expect(answer.code).toBe(17);
    expect(answer.remark).toMatch(/^topic\[Nowhere\] not exist, apply first please!/);
  });

  it("4.1.5: a topic made by sending is routed by the name server soon", async () => {
    await makeTopic("Routed");
    const namesrv = await engine.peer(engine.namesrvAddr);
    await until("the topic is routed", async () => {
      const route = await namesrv.ask({ code: 105, ext: { topic: "Routed" } });
      return route.code === 0;
    });
    const route = await namesrv.ask({ code: 105, ext: { topic: "Routed" } });
    expect(route.body.toString()).toContain(`0:"${broker.brokerAddr}"`);
    expect(route.body.toString()).toContain('"perm":6,"readQueueNums":4');
  });

  it("R-05: refuses a queue that does not exist, and picks one for a negative id", async () => {
    await makeTopic("Queues");
    const refused = await peer.send("Queues", "x", { e: 4 });
    expect(refused.code).toBe(1);
    expect(refused.remark).toMatch(
      /^request queueId\[4\] is illegal, TopicConfig \[topicName=Queues/,
    );
    const picked = await peer.send("Queues", "x", { e: -1 });
    expect(picked.code).toBe(0);
    expect(["0", "1", "2", "3"]).toContain(picked.ext["queueId"]);
  });

  it("R-06: an empty body is stored", async () => {
    await makeTopic("Empty");
    expect((await peer.send("Empty", "")).code).toBe(0);
    expect((await pulled("Empty"))[1]?.text).toBe("");
  });

  it("R-07, R-08, R-09: refuses what is too long or no property string, and stores nothing", async () => {
    await makeTopic("Illegal");
    const large = Buffer.alloc(4 * 1_048_576 + 1);
    const ext = sendFields("Illegal");
    expect((await peer.ask({ code: 310, ext, body: large })).code).toBe(13);
    const properties = [
      `K${A}${"v".repeat(32_768)}${B}`,
      "noPair",
      `${A}v${B}`,
      `K${A}1${B}K${A}2${B}`,
    ];
    for (const i of properties) expect((await peer.send("Illegal", "x", { i })).code).toBe(13);
    expect(await pulled("Illegal")).toHaveLength(1);
  });

  it("F-15, F-16: names a missing or odd header field and keeps the connection", async () => {
    await makeTopic("Fields");
    const missing = await peer.send("Fields", "x", { e: undefined });
    expect(missing.code).toBe(1);
    expect(missing.remark).toMatch(/queueId/);
    const odd = await peer.send("Fields", "x", { h: "1.5" });
    expect(odd.code).toBe(1);
    expect(odd.remark).toMatch(/flag/);
    expect((await peer.send("Fields", "x")).code).toBe(0);
    expect(await pulled("Fields")).toHaveLength(2);
  });

  it("R-11, R-12: keeps the compressed bit, clears what is not the client's to say", async () => {
    await makeTopic("Flags");
    await peer.send("Flags", "x", { f: 0x1 | 0x4 | 0x10 | 0x20 | 0x700 });
    expect((await pulled("Flags"))[1]?.sysFlag).toBe(0x1);
  });

  it("4.1.8: a delay level parks the message and answers with the queue it will be seen in", async () => {
    await makeTopic("Delayed");
    const end = broker.context.store.log.writtenOffset;
    const answer = await peer.send("Delayed", "later", {
      e: 2,
      i: `DELAY${A}18${B}REAL_TOPIC${A}Lie${B}`,
    });
    expect(answer).toMatchObject({ code: 0, ext: { queueId: "2", queueOffset: "0" } });
    const [parked] = await pulled("SCHEDULE_TOPIC_XXXX", 17);
    expect(parked?.physicalOffset).toBeGreaterThanOrEqual(end);
    expect(parked?.properties).toContain(`REAL_TOPIC${A}Delayed${B}`);
    expect(parked?.properties).toContain(`REAL_QID${A}2${B}`);
    expect(parked?.properties).toContain(`CLUSTER${A}DefaultCluster${B}`);
  });

  it("R-13: a level above the last is the last, below one is none, and no number is refused", async () => {
    await makeTopic("Levels");
    await peer.send("Levels", "far", { i: `DELAY${A}99${B}` });
    expect((await pulled("SCHEDULE_TOPIC_XXXX", 17)).at(-1)?.text).toBe("far");
    expect((await peer.send("Levels", "now", { i: `DELAY${A}-3${B}` })).code).toBe(0);
    expect((await pulled("Levels")).at(-1)?.text).toBe("now");
    expect((await peer.send("Levels", "x", { i: `DELAY${A}soon${B}` })).code).toBe(13);
  });

  it("4.1.3: a batch is stored in one piece, with one id a member", async () => {
    await makeTopic("Batch");
    const entries = ["a", "b", "c"].map((text, flag) => ({
      flag,
      body: Buffer.from(text),
      properties: Buffer.from(`KEYS${A}${text}`),
    }));
    const body = encodeBatch(entries);
    const fields = sendFields("Batch", { i: `WAIT${A}true${B}`, m: true });
    const answer = await peer.ask({ code: 320, ext: fields, body });
    expect(answer).toMatchObject({ code: 0, ext: { queueOffset: "1" } });
    expect(answer.ext["msgId"]?.split(",")).toHaveLength(3);
    // The flag decides, not the code (4.1.1).
    expect((await peer.ask({ code: 310, ext: fields, body })).ext["queueOffset"]).toBe("4");
    const messages = (await pulled("Batch")).slice(1, 4);
    expect(messages.map((message) => message.text)).toEqual(["a", "b", "c"]);
    expect(messages.map((message) => message.flag)).toEqual([0, 1, 2]);
    expect(messages[0]?.properties).toBe(
      `KEYS${A}a${B}WAIT${A}true${B}CLUSTER${A}DefaultCluster${B}`,
    );
  });

  it("R-15: an illegal batch stores nothing at all", async () => {
    await makeTopic("BadBatch");
    const good = encodeBatch([{ flag: 0, body: Buffer.from("a"), properties: Buffer.alloc(0) }]);
    const delayed = encodeBatch([
      { flag: 0, body: Buffer.from("a"), properties: Buffer.from(`DELAY${A}1${B}`) },
    ]);
    const negative = Buffer.from(good);
    negative.writeInt32BE(-1, 16);
    const bodies = [
      Buffer.alloc(0),
      good.subarray(0, 10),
      Buffer.concat([good, Buffer.alloc(3)]),
      negative,
      delayed,
    ];
    for (const body of bodies) {
      const ext = sendFields("BadBatch", { m: true, i: undefined });
      expect((await peer.ask({ code: 320, ext, body })).code).toBe(13);
    }
    expect(await pulled("BadBatch")).toHaveLength(1);
  });

  it("1.5: a one-way send is stored and never answered, refused ones included", async () => {
    await makeTopic("Oneway");
    peer.oneway({ code: 310, ext: sendFields("Oneway"), body: Buffer.from("quiet") });
    peer.oneway({ code: 310, ext: sendFields("bad name"), body: Buffer.from("quiet") });
    // Answers come in order of completion; an answer to the one-way sends would have been seen by now.
    expect((await peer.send("Oneway", "last")).ext["queueOffset"]).toBe("2");
    expect((await pulled("Oneway")).map((message) => message.text)).toEqual([
      "first",
      "quiet",
      "last",
    ]);
  });

  it("A-06: WAIT=false is answered after the append", async () => {
    await makeTopic("NoWait");
    expect((await peer.send("NoWait", "x", { i: `WAIT${A}false${B}` })).code).toBe(0);
    expect(await pulled("NoWait")).toHaveLength(2);
  });

  it("4.1.2: sends to a retry topic need the group, and exhausted ones become dead letters", async () => {
    const group = "CG_retry";
    const retried = await peer.send(`%RETRY%${group}`, "again", { j: 3, l: 16 });
    expect(retried.code).toBe(0);
    expect(broker.context.topics.find(`%RETRY%${group}`)?.writeQueueNums).toBe(1);
    const dead = await peer.send(`%RETRY%${group}`, "enough", {
      j: 16,
      l: 16,
      i: `DELAY${A}5${B}K${A}v${B}`,
    });
    expect(dead.code).toBe(0);
    const [letter] = await pulled(`%DLQ%${group}`);
    expect(letter).toMatchObject({ text: "enough", reconsumeTimes: 16 });
    expect(letter?.properties).not.toContain("DELAY");
    expect((await peer.send("%RETRY%bad name", "x")).code).toBe(1);
  });

  it("1.7: the fast port serves sends and pulls as well", async () => {
    await makeTopic("FastPort");
    const fast = await engine.peer(`127.0.0.1:${broker.port - 2}`);
    expect((await fast.send("FastPort", "x")).code).toBe(0);
    expect(recordsOf((await fast.pull("FastPort")).body)).toHaveLength(2);
  });
});
