/** Pulls over real sockets: every code of remoting-protocol 4.2.2 and 4.2.3, long polling, and the rules R-17 … R-20. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningBroker } from "../../../engine/broker/broker.ts";
import { javaStringHash } from "../../../engine/base/java-string-hash.ts";
import { SERIALIZE_ROCKETMQ } from "../../../engine/remoting/command.ts";
import { pullFields, recordsOf, sendFields, type BrokerPeer } from "../../helpers/broker-peer.ts";
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
  broker = await engine.startBroker();
  peer = await engine.peer(broker);
});

afterAll(async () => engine[Symbol.asyncDispose]());

async function fill(topic: string, count: number, tag?: string): Promise<void> {
  const i = tag === undefined ? `K${A}v${B}` : `TAGS${A}${tag}${B}`;
  for (let n = 0; n < count; n += 1) {
    expect((await peer.send(topic, `m${n}`, { i })).code).toBe(0);
  }
}

/** A consumer group as its heartbeat describes it. */
async function heartbeat(from: BrokerPeer, group: string, subscription: object): Promise<void> {
  const base = {
    classFilterMode: false,
    codeSet: [],
    expressionType: "TAG",
    subString: "*",
    subVersion: 10,
    tagsSet: [],
  };
  const consumer = {
    consumeFromWhere: "CONSUME_FROM_FIRST_OFFSET",
    consumeType: "CONSUME_PASSIVELY",
    groupName: group,
    messageModel: "CLUSTERING",
    subscriptionDataSet: [{ ...base, ...subscription }],
    unitMode: false,
  };
  const body = Buffer.from(
    JSON.stringify({ clientID: `c@${group}`, consumerDataSet: [consumer], producerDataSet: [] }),
  );
  expect((await from.ask({ code: 34, body })).code).toBe(0);
}

describe("pulls", () => {
  it("4.2.4: FOUND carries whole records, all four offsets and the status as remark", async () => {
    await fill("Found", 40);
    const answer = await peer.pull("Found");
    expect(answer).toMatchObject({ code: 0, remark: "FOUND" });
    expect(answer.ext).toEqual({
      suggestWhichBrokerId: "0",
      nextBeginOffset: "32",
      minOffset: "0",
      maxOffset: "40",
    });
    const messages = recordsOf(answer.body);
    expect(messages.map((message) => message.queueOffset)).toEqual(
      Array.from({ length: 32 }, (_, n) => n),
    );
    const rest = await peer.pull("Found", { queueOffset: 32, maxMsgNums: 3 });
    expect(rest.ext["nextBeginOffset"]).toBe("35");
    expect(recordsOf(rest.body).map((message) => message.text)).toEqual(["m32", "m33", "m34"]);
  });

  it("1.4: answers a binary header in binary", async () => {
    await fill("Binary", 2);
    const answer = await peer.ask({
      code: 11,
      ext: pullFields("Binary"),
      serializeType: SERIALIZE_ROCKETMQ,
    });
    expect(answer).toMatchObject({ code: 0, remark: "FOUND", serializeType: SERIALIZE_ROCKETMQ });
    expect(answer.ext["nextBeginOffset"]).toBe("2");
    expect(recordsOf(answer.body)).toHaveLength(2);
  });

  it("4.2.3, R-17: an offset past the end answers 21 with the end, never 0", async () => {
    await fill("Past", 3);
    expect(await peer.pull("Past", { queueOffset: 99 })).toMatchObject({
      code: 21,
      remark: "OFFSET_OVERFLOW_BADLY",
      ext: { nextBeginOffset: "3", minOffset: "0", maxOffset: "3" },
    });
    expect(await peer.pull("Past", { queueOffset: -1 })).toMatchObject({
      code: 21,
      remark: "OFFSET_TOO_SMALL",
      ext: { nextBeginOffset: "0" },
    });
  });

  it("4.2.3: an empty queue answers 19 at offset 0 and 21 elsewhere", async () => {
    await fill("Young", 1);
    const empty = { queueId: 3 };
    expect((await peer.pull("Young", empty)).code).toBe(19);
    expect(await peer.pull("Young", { ...empty, queueOffset: 7 })).toMatchObject({
      code: 21,
      ext: { nextBeginOffset: "0" },
    });
  });

  it("4.2.3: OFFSET_OVERFLOW_ONE without the suspend bit answers 19 at once", async () => {
    await fill("End", 2);
    expect(await peer.pull("End", { queueOffset: 2 })).toMatchObject({
      code: 19,
      remark: "OFFSET_OVERFLOW_ONE",
      ext: { nextBeginOffset: "2" },
    });
  });

  it("4.2.2: refusals, in 4.9's order, with an empty ext", async () => {
    await fill("Refusals", 1);
    const cases: readonly (readonly [object, number, RegExp])[] = [
      [{ consumerGroup: "bad group" }, 1, /bad group/],
      [{ topic: "NoSuchTopic" }, 17, /^topic\[NoSuchTopic\] not exist/],
      [{ queueId: -1 }, 1, /queueId\[-1\] is illegal/],
      [{ queueId: 4 }, 1, /queueId\[4\] is illegal/],
      [
        { subscription: `x || ${"t".repeat(5_000)}` },
        23,
        /parse the consumer's subscription failed/,
      ],
      [{ sysFlag: 0 }, 24, /the consumer's group info not exist/],
      [{ expressionType: "SQL92", subscription: "a > 1" }, 1, /SQL92/],
    ];
    for (const [changes, code, remark] of cases) {
      const answer = await peer.pull("Refusals", { ...changes });
      expect(answer).toMatchObject({ code, ext: {} });
      expect(answer.remark).toMatch(remark);
      expect(answer.body).toHaveLength(0);
    }
  });

  it("4.2.2: a topic without READ and a group that may not consume answer 16", async () => {
    const { topics, groups } = broker.context;
    topics.ensure("WriteOnly", 1, 2);
    expect((await peer.pull("WriteOnly")).remark).toMatch(
      /the topic\[WriteOnly\] pulling message is forbidden/,
    );
    const group = groups.getOrCreate("CG_closed");
    if (group === undefined) throw new Error("the group was not made");
    groups.put({ ...group, consumeEnable: false });
    expect(await peer.pull("Found", { consumerGroup: "CG_closed" })).toMatchObject({
      code: 16,
      remark: "subscription group no permission, CG_closed",
    });
  });

  it("4.2.2: goes by the heartbeat's subscription when the pull brings none", async () => {
    await fill("Subscribed", 1, "TagA");
    await fill("Subscribed", 1, "TagB");
    const consumer = await engine.peer(broker);
    const group = "CG_beats";
    await heartbeat(consumer, group, { topic: "Subscribed", subString: "TagB", tagsSet: ["TagB"] });
    const plain = { consumerGroup: group, sysFlag: 0, subVersion: 10 };
    const answer = await consumer.pull("Subscribed", plain);
    expect(recordsOf(answer.body).map((message) => message.queueOffset)).toEqual([1]);
    expect(await consumer.pull("Found", plain)).toMatchObject({
      code: 24,
      remark: expect.stringMatching(/^the consumer's subscription not exist/),
    });
    expect(await consumer.pull("Subscribed", { ...plain, subVersion: 11 })).toMatchObject({
      code: 25,
      remark: "the consumer's subscription not latest",
    });
  });

  it("2.5: takes subscription versions beyond 2^53, as Go sends them", async () => {
    const answer = await peer.pull("Found", { subVersion: "1795360596220123456" });
    expect(answer.code).toBe(0);
  });

  it("4.2.7: filters by tag, non-ASCII ones by Java's hash, and moves past what it does not want", async () => {
    await fill("Tags", 2, "TagA");
    await fill("Tags", 1, "标签");
    await fill("Tags", 2, "TagB");
    const tagged = async (subscription: string) => {
      const answer = await peer.pull("Tags", { subscription });
      expect(answer.ext["nextBeginOffset"]).toBe("5");
      return recordsOf(answer.body).map((message) => message.queueOffset);
    };
    expect(javaStringHash("标签")).toBe(857_175);
    expect(await tagged("TagA || TagB")).toEqual([0, 1, 3, 4]);
    expect(await tagged("标签")).toEqual([2]);
    const none = await peer.pull("Tags", { subscription: "TagC" });
    expect(none).toMatchObject({
      code: 20,
      remark: "NO_MATCHED_MESSAGE",
      ext: { nextBeginOffset: "5" },
    });
  });

  it("R-18: maxMsgNums below one is one, and never more than 32 come", async () => {
    for (const [maxMsgNums, count] of [
      [0, 1],
      [-5, 1],
      [10_000, 32],
    ] as const) {
      const answer = await peer.pull("Found", { maxMsgNums });
      expect(recordsOf(answer.body)).toHaveLength(count);
    }
  });

  it("4.2.3: the first matching message comes whatever its size, and 256 KiB end an answer", async () => {
    for (let n = 0; n < 4; n += 1) {
      const body = Buffer.alloc(200_000, n);
      await peer.ask({ code: 310, ext: sendFields("Large"), body });
    }
    const answer = await peer.pull("Large");
    expect(recordsOf(answer.body)).toHaveLength(1);
    expect(answer.ext["nextBeginOffset"]).toBe("1");
  });

  it("4.2.5: the commit bit stores the offset, never past the end (R-21)", async () => {
    await fill("Commits", 3);
    const fields = { sysFlag: 4 + 1, consumerGroup: "CG_commit" };
    await peer.pull("Commits", { ...fields, commitOffset: 2 });
    expect(broker.context.offsets.query("CG_commit", "Commits", 0)).toBe(2);
    await peer.pull("Commits", { ...fields, commitOffset: 999 });
    expect(broker.context.offsets.query("CG_commit", "Commits", 0)).toBe(3);
  });
});

describe("long polling", () => {
  it("4.2.5: holds a pull at the end and answers it when a message arrives", async () => {
    await fill("Hold", 1);
    const consumer = await engine.peer(broker);
    const started = performance.now();
    const answered = consumer.pull("Hold", { sysFlag: HOLD, queueOffset: 1 });
    await consumer.pull("Hold", { queueOffset: 0 });
    expect((await peer.send("Hold", "news")).code).toBe(0);
    const answer = await answered;
    expect(recordsOf(answer.body).map((message) => message.text)).toEqual(["news"]);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("4.2.5: a held pull of a queue that does not exist yet wakes with its first message", async () => {
    await fill("HoldYoung", 1);
    const answered = peer.pull("HoldYoung", { sysFlag: HOLD, queueId: 2 });
    expect((await peer.send("HoldYoung", "born", { e: 2 })).code).toBe(0);
    expect(recordsOf((await answered).body).map((message) => message.text)).toEqual(["born"]);
  });

  it("4.2.5: messages its tags do not want leave it held, and the answer passes them over", async () => {
    await fill("HoldTags", 1, "TagA");
    const consumer = await engine.peer(broker);
    let done = false;
    const answered = consumer
      .pull("HoldTags", { sysFlag: HOLD, queueOffset: 1, subscription: "TagB" })
      .finally(() => (done = true));
    await fill("HoldTags", 3, "TagA");
    await consumer.pull("HoldTags", { queueOffset: 0 });
    expect(done).toBe(false);
    await fill("HoldTags", 1, "TagB");
    const answer = await answered;
    expect(answer).toMatchObject({ code: 0, ext: { nextBeginOffset: "5" } });
    expect(recordsOf(answer.body).map((message) => message.queueOffset)).toEqual([4]);
  });

  it("4.2.5: answers 19 when its time is up", async () => {
    await fill("HoldTime", 1);
    const started = performance.now();
    const answer = await peer.pull("HoldTime", {
      sysFlag: HOLD,
      queueOffset: 1,
      suspendTimeoutMillis: 400,
    });
    const waited = performance.now() - started;
    expect(answer).toMatchObject({
      code: 19,
      remark: "OFFSET_OVERFLOW_ONE",
      ext: { nextBeginOffset: "1" },
    });
    expect(waited).toBeGreaterThan(390);
    expect(waited).toBeLessThan(3_000);
  });

  it("F-28: a closed connection takes its held pulls along", async () => {
    await fill("HoldGone", 1);
    const consumer = await engine.peer(broker);
    void consumer.tryAsk({
      code: 11,
      ext: pullFields("HoldGone", { sysFlag: HOLD, queueOffset: 1 }),
    });
    await consumer.pull("HoldGone");
    expect(broker.heldPulls).toBe(1);
    consumer[Symbol.dispose]();
    await until("the broker noticed", () => broker.heldPulls === 0);
    expect((await peer.send("HoldGone", "nobody waits")).code).toBe(0);
  });
});

describe("queries", () => {
  it("33: shows one record by its physical offset, and never bytes from its middle (R-23)", async () => {
    await fill("View", 2);
    const [, second] = recordsOf((await peer.pull("View")).body);
    const offset = second?.physicalOffset ?? -1;
    const shown = await peer.ask({ code: 33, ext: { offset } });
    expect(recordsOf(shown.body).map((message) => message.text)).toEqual(["m1"]);
    for (const wrong of [offset + 1, -1, 9_999_999_999]) {
      expect(await peer.ask({ code: 33, ext: { offset: wrong } })).toMatchObject({
        code: 1,
        remark: `can not find message by the offset, ${wrong}`,
      });
    }
  });

  it("12: finds messages by key, with Java's Long.MAX_VALUE as the end of time", async () => {
    await peer.send("Keyed", "one", { i: `KEYS${A}order-1 order-2${B}UNIQ_KEY${A}ABC123${B}` });
    await peer.send("Keyed", "two", { i: `KEYS${A}order-2${B}` });
    const ask = (key: string, changes: object = {}) =>
      peer.ask({
        code: 12,
        ext: {
          topic: "Keyed",
          key,
          maxNum: 32,
          beginTimestamp: 0,
          endTimestamp: "9223372036854775807",
          ...changes,
        },
      });
    const both = await ask("order-2");
    expect(
      recordsOf(both.body)
        .map((message) => message.text)
        .toSorted(),
    ).toEqual(["one", "two"]);
    expect(Number(both.ext["indexLastUpdatePhyoffset"])).toBeGreaterThan(0);
    const unique = await ask("ABC123", { _UNIQUE_KEY_QUERY: true });
    expect(recordsOf(unique.body).map((message) => message.text)).toEqual(["one"]);
    expect(await ask("order-9")).toMatchObject({
      code: 22,
      remark: "can not find message, maybe time range not correct",
    });
  });
});
