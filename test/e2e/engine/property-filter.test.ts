/** SQL92 filters over the wire (remoting-protocol 4.2.2, 4.2.5, 4.2.7, 4.4.1, 4.4.5): brought by pulls, registered by heartbeats, on retry topics. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningBroker } from "../../../engine/broker/broker.ts";
import { recordsOf, type BrokerPeer, type RawAnswer } from "../../helpers/broker-peer.ts";
import { EngineFixture, until } from "./engine-fixture.ts";

const A = "\u0001";
const B = "\u0002";
const HOLD = 2 + 4;

let engine: EngineFixture;
let broker: RunningBroker;
let peer: BrokerPeer;

beforeAll(async () => {
  engine = new EngineFixture();
  await engine.startNamesrv();
  broker = await engine.startBroker({ enablePropertyFilter: true });
  peer = await engine.peer(broker);
});

afterAll(async () => engine[Symbol.asyncDispose]());

function pairs(properties: Readonly<Record<string, string | number>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}${A}${value}${B}`)
    .join("");
}

async function send(
  topic: string,
  properties: Readonly<Record<string, string | number>>,
  to = peer,
): Promise<void> {
  const body = JSON.stringify(properties);
  expect((await to.send(topic, body, { i: pairs(properties) })).code).toBe(0);
}

function offsetsOf(answer: RawAnswer): number[] {
  return recordsOf(answer.body).map((message) => message.queueOffset);
}

function subscriptionOf(topic: string, expression: string, version: number, type = "SQL92") {
  return {
    classFilterMode: false,
    codeSet: [],
    expressionType: type,
    subString: expression,
    subVersion: version,
    tagsSet: [],
    topic,
  };
}

async function heartbeat(
  from: BrokerPeer,
  group: string,
  subscriptionDataSet: readonly object[],
): Promise<void> {
  const consumer = {
    consumeFromWhere: "CONSUME_FROM_FIRST_OFFSET",
    consumeType: "CONSUME_PASSIVELY",
    groupName: group,
    messageModel: "CLUSTERING",
    subscriptionDataSet,
    unitMode: false,
  };
  const beat = { clientID: `c@${group}`, consumerDataSet: [consumer], producerDataSet: [] };
  expect((await from.ask({ code: 34, body: Buffer.from(JSON.stringify(beat)) })).code).toBe(0);
}

const sql = (subscription: string) => ({ expressionType: "SQL92", subscription });

describe("a filter brought by the pull", () => {
  it("4.2.7: lets through what it is true for, by any property, and moves past the rest", async () => {
    for (let n = 0; n < 6; n += 1)
      await send("Own", { amount: n * 10, region: n % 2 === 0 ? "eu" : "us", TAGS: `Tag${n}` });
    await send("Own", { region: "eu" });
    const pull = async (filter: string) => {
      const answer = await peer.pull("Own", sql(filter));
      expect(answer.ext["nextBeginOffset"]).toBe("7");
      return offsetsOf(answer);
    };
    expect(await pull("amount BETWEEN 10 AND 40")).toEqual([1, 2, 3, 4]);
    expect(await pull("amount > 15 AND region = 'eu'")).toEqual([2, 4]);
    expect(await pull("TAGS IN ('Tag0', 'Tag5')")).toEqual([0, 5]);
    expect(await pull("amount IS NULL")).toEqual([6]);
    expect(await pull("CLUSTER = 'DefaultCluster'")).toHaveLength(7);
    expect(await peer.pull("Own", sql("amount > 1000"))).toMatchObject({
      code: 20,
      remark: "NO_MATCHED_MESSAGE",
      ext: { nextBeginOffset: "7" },
    });
  });

  it("4.2.7: a message it cannot be evaluated for is not delivered, and the log says so once", async () => {
    for (const amount of ["5", "5.5", "many", "7"]) await send("Odd", { amount });
    expect(offsetsOf(await peer.pull("Odd", sql("amount > 4")))).toEqual([0, 3]);
    expect(offsetsOf(await peer.pull("Odd", sql("amount > 4")))).toEqual([0, 3]);
    const told = engine.lines.filter((line) => line.includes("cannot be evaluated"));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain("amount > 4");
  });

  it("R-20: what does not parse, is too long or of no known type answers 23 and says why", async () => {
    await send("Bad", { a: 1 });
    for (const [fields, why] of [
      [sql("a >"), /failed: character 4 of the SQL92 filter: expected a property name or a value/],
      [sql(""), /failed: character 1/],
      [sql(`a = '${"x".repeat(5_000)}'`), /longer than 4096 bytes/],
      [{ expressionType: "XPATH", subscription: "/a" }, /XPATH is no type of expression/],
    ] as const) {
      const answer = await peer.pull("Bad", fields);
      expect(answer).toMatchObject({ code: 23, ext: {} });
      expect(answer.remark).toMatch(why);
    }
  });

  it("4.2.5: messages it does not want leave the pull held, one it wants answers it", async () => {
    await send("Held", { a: 0 });
    const consumer = await engine.peer(broker);
    let done = false;
    const held = { sysFlag: HOLD, queueOffset: 1, ...sql("a > 5") };
    const answered = consumer.pull("Held", held).finally(() => (done = true));
    for (let a = 1; a <= 4; a += 1) await send("Held", { a });
    await consumer.pull("Held");
    expect(done).toBe(false);
    await send("Held", { a: 6 });
    const answer = await answered;
    expect(answer).toMatchObject({ code: 0, ext: { nextBeginOffset: "6" } });
    expect(offsetsOf(answer)).toEqual([5]);
  });
});

describe("a filter registered by heartbeats", () => {
  it("4.2.2: is used when the pull brings none, whatever type the pull names (5.9)", async () => {
    for (let a = 0; a < 4; a += 1) await send("Beats", { a });
    const consumer = await engine.peer(broker);
    await heartbeat(consumer, "CG_beats", [subscriptionOf("Beats", "a >= 2", 10)]);
    const plain = { consumerGroup: "CG_beats", sysFlag: 0, subVersion: 10 };
    expect(offsetsOf(await consumer.pull("Beats", plain))).toEqual([2, 3]);
    expect(offsetsOf(await consumer.pull("Beats", { ...plain, expressionType: "TAG" }))).toEqual([
      2, 3,
    ]);
    expect(await consumer.pull("Beats", { ...plain, subVersion: 11 })).toMatchObject({ code: 25 });
    await heartbeat(consumer, "CG_beats", [subscriptionOf("Beats", "a < 1", 12)]);
    expect(offsetsOf(await consumer.pull("Beats", { ...plain, subVersion: 12 }))).toEqual([0]);
  });

  it("4.2.2: one that does not compile answers 27", async () => {
    await send("Wrong", { a: 1 });
    const consumer = await engine.peer(broker);
    await heartbeat(consumer, "CG_wrong", [subscriptionOf("Wrong", "a ==", 10)]);
    const answer = await consumer.pull("Wrong", { consumerGroup: "CG_wrong", sysFlag: 0 });
    expect(answer).toMatchObject({
      code: 27,
      remark: "The broker's consumer filter data is not exist!Your expression may be wrong!",
      ext: {},
    });
  });

  it("store-and-ha 1.5: is in consumerFilter.json after a stop, dead, and alive again with the next heartbeat", async () => {
    const own = { brokerName: "broker-kept", enablePropertyFilter: true };
    const first = await engine.startBroker(own);
    const consumer = await engine.peer(first);
    await heartbeat(consumer, "CG", [subscriptionOf("TopicTest", "TAGS is not null", 10)]);
    await first.stop();
    const file = join(first.context.config.storePathRootDir, "config", "consumerFilter.json");
    const kept = JSON.parse(readFileSync(file, "utf8"));
    expect(kept.filterDataByTopic.TopicTest.groupFilterData.CG).toMatchObject({
      bloomFilterData: { bitNum: 112, bitPos: [109, 15, 3] },
      clientVersion: 10,
      dead: true,
      expression: "TAGS is not null",
      expressionType: "SQL92",
    });
    const second = await engine.startBroker(own);
    expect(second.context.filters.find("TopicTest", "CG")?.clientVersion).toBe(10);
    const again = await engine.peer(second);
    await heartbeat(again, "CG", [subscriptionOf("TopicTest", "TAGS is not null", 10)]);
    await send("TopicTest", { TAGS: "x" }, again);
    const plain = { consumerGroup: "CG", sysFlag: 0, subVersion: 10 };
    expect(offsetsOf(await again.pull("TopicTest", plain))).toEqual([0]);
  });
});

describe("retry topics", () => {
  const retried = async (to: BrokerPeer, group: string): Promise<number[]> => {
    const topic = `%RETRY%${group}`;
    await heartbeat(to, group, [
      subscriptionOf("Origin", "a > 1", 10),
      subscriptionOf(topic, "*", 10, "TAG"),
    ]);
    await send(topic, { a: 1, RETRY_TOPIC: "Origin" }, to);
    await send(topic, { a: 2, RETRY_TOPIC: "Origin" }, to);
    await send(topic, { a: 1, RETRY_TOPIC: "Elsewhere" }, to);
    await send(topic, { a: 1 }, to);
    return offsetsOf(await to.pull(topic, { consumerGroup: group, sysFlag: 0, subVersion: 10 }));
  };

  it("4.2.7: are delivered whole", async () => {
    expect(await retried(peer, "CG_whole")).toEqual([0, 1, 2, 3]);
  });

  it("admin D.4: filterSupportRetry judges by the filter for the topic a message came from", async () => {
    const judging = await engine.startBroker({
      brokerName: "broker-retry",
      enablePropertyFilter: true,
      filterSupportRetry: true,
    });
    expect(await retried(await engine.peer(judging), "CG_judged")).toEqual([1, 2, 3]);
  });
});

describe("CHECK_CLIENT_CONFIG and a broker without SQL92", () => {
  const check = (to: BrokerPeer, expression: string, type = "SQL92") => {
    const subscriptionData = subscriptionOf("Any", expression, 1, type);
    const body = Buffer.from(JSON.stringify({ clientId: "c", group: "CG", subscriptionData }));
    return to.ask({ code: 46, body });
  };

  it("4.4.5: accepts tags and what compiles, answers 23 to the rest", async () => {
    expect(await check(peer, "TagA", "TAG")).toMatchObject({ code: 0 });
    expect(await check(peer, "a = 1")).toMatchObject({ code: 0 });
    expect(await check(peer, "a = ")).toMatchObject({
      code: 23,
      remark: expect.stringContaining("found its end"),
    });
    expect(await check(peer, "x", "XPATH")).toMatchObject({ code: 23 });
  });

  it("4.2.2: enablePropertyFilter=false, the default, answers 1 with 4.9's words", async () => {
    const plain = await engine.startBroker({ brokerName: "broker-plain" });
    const asker = await engine.peer(plain);
    await send("Plain", { a: 1 }, asker);
    const refused = {
      code: 1,
      remark: "The broker does not support consumer to filter message by SQL92",
    };
    expect(await check(asker, "a = 1")).toMatchObject(refused);
    expect(await check(asker, "TagA", "TAG")).toMatchObject({ code: 0 });
    expect(await asker.pull("Plain", sql("a = 1"))).toMatchObject({ ...refused, ext: {} });
    await heartbeat(asker, "CG_plain", [subscriptionOf("Plain", "a = 1", 10)]);
    const beats = { consumerGroup: "CG_plain", sysFlag: 0 };
    expect(await asker.pull("Plain", beats)).toMatchObject(refused);
    await until("the peer is still served", async () => (await asker.pull("Plain")).code === 0);
  });
});
