/** Our client and admin library against Apache's unmodified name server and broker 4.9.0, with Apache's client at the other end. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AdminClient } from "../../engine/admin/index.ts";
import { createProducer, type Producer, type ReceivedMessage } from "../../engine/client/index.ts";
import { machineHas } from "../helpers/requirements.ts";
import { ApacheStage } from "./apache-stage.ts";
import { startJava } from "./apache.ts";
import { deliveries, keysOf, sends } from "./json-events.ts";
import { POLL } from "./own-clients.ts";

const WAIT_MS = 60_000;
const SENDS_AT_ONCE = 16;

describe.runIf(machineHas("java", "maven"))("our client on Apache's servers", () => {
  let stage: ApacheStage;
  let home = "";
  let namesrvAddr = "";
  let brokerAddr = "";
  let producer: Producer;
  let admin: AdminClient;

  beforeAll(async () => {
    stage = await ApacheStage.start();
    ({ home, namesrv: namesrvAddr, broker: brokerAddr, admin } = stage);
    producer = createProducer(stage.client(), { group: "PG_ours" });
    await producer.start();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  const keysGot = (got: readonly ReceivedMessage[]): Set<string> =>
    new Set(got.flatMap((message) => message.keys));

  it("Apache's consumer reads what we send: single, compressed, batch, one-way, delayed", async () => {
    const topic = "FromUs";
    const send = (key: string, body = Buffer.from(key)) => ({
      topic,
      body,
      keys: [key],
      tags: "TagA",
    });
    const first = await producer.send(send("single"));
    expect(first.status).toBe("SEND_OK");
    await producer.send(send("large", Buffer.alloc(50_000, "large.")));
    await producer.sendBatch([send("b0"), send("b1"), send("b2")]);
    await producer.sendOneway(send("oneway"));
    await producer.send({ ...send("delayed"), delayLevel: 1 });
    const args = [`namesrv=${namesrvAddr}`, `topic=${topic}`, "group=CG_java", "tags=TagA"];
    await using java = await startJava("LabConsumer", { version: "4.9.0", home }, args);
    const wanted = new Set(["single", "large", "b0", "b1", "b2", "oneway", "delayed"]);
    await java.waitUntil((lines) => keysOf(deliveries(lines)).size >= wanted.size, WAIT_MS);
    const read = deliveries(java.lines);
    expect(keysOf(read)).toEqual(wanted);
    expect(read.find((event) => event.key === "large")?.size).toBe(50_000);
  });

  it("we read what Apache's producer sends, keep our place, and have failed messages come again", async () => {
    const topic = "FromJava";
    const args = [`namesrv=${namesrvAddr}`, `topic=${topic}`, "count=200", "size=6000"];
    await using java = await startJava("LabProducer", { version: "4.9.0", home }, args);
    await java.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
    const keys = keysOf(sends(java.lines));
    const { got, consumer } = await stage.startConsumer(topic, {
      consumeBatchSize: 1,
      listener: (messages) =>
        messages[0]?.keys[0] === "m-7" && messages[0].reconsumeTimes === 0 ? "later" : "success",
    });
    await expect.poll(() => got.length, POLL).toBeGreaterThanOrEqual(201);
    expect(keysGot(got)).toEqual(keys);
    expect(got.every((message) => message.body.length === 6_000)).toBe(true);
    const again = got.filter((message) => message.keys[0] === "m-7");
    expect(again.map((message) => [message.topic, message.reconsumeTimes])).toEqual([
      [topic, 0],
      [topic, 1],
    ]);
    await consumer.close();
    const stats = await admin.consumeStats(brokerAddr, `CG_${topic}`, topic);
    expect(stats.reduce((sum, queue) => sum + queue.consumerOffset, 0)).toBe(200);
  });

  it("shares a group with Apache's consumer: each message reaches exactly one of the two", async () => {
    const topic = "Both";
    await stage.topic(topic, 8);
    const { got, consumer } = await stage.startConsumer(topic);
    const args = [`namesrv=${namesrvAddr}`, `topic=${topic}`, `group=CG_${topic}`];
    await using java = await startJava("LabConsumer", { version: "4.9.0", home }, args);
    const share = (): number =>
      consumer.assignment().filter((queue) => queue.topic === topic).length;
    await expect.poll(share, POLL).toBe(4);
    const bodies = Array.from({ length: 400 }, (_, i) => `k${i}`);
    // A cold Java broker refuses what waited for 200 ms (code 2), and a producer does not send that again: so never all at once.
    for (let start = 0; start < bodies.length; start += SENDS_AT_ONCE) {
      const some = bodies.slice(start, start + SENDS_AT_ONCE);
      await Promise.all(
        some.map((key) => producer.send({ topic, body: Buffer.from(key), keys: [key] })),
      );
    }
    await expect
      .poll(() => got.length + deliveries(java.lines).length, POLL)
      .toBeGreaterThanOrEqual(400);
    const theirs = deliveries(java.lines).map((event) => event.key);
    const ours = got.flatMap((message) => message.keys);
    expect(new Set([...ours, ...theirs]).size).toBe(400);
    expect([ours.length, theirs.length]).toEqual([200, 200]);
    const members = await admin.consumerConnections(brokerAddr, `CG_${topic}`);
    expect(members).toHaveLength(2);
  });

  it("administration: figures, settings, messages by id and key, reset, delete", async () => {
    const topic = "Admin";
    const sent = await producer.send({ topic, body: Buffer.from("me"), keys: ["k1"] });
    expect((await admin.runtimeInfo(brokerAddr)).get("brokerVersionDesc")).toBe("V4_9_0");
    expect((await admin.brokerConfig(brokerAddr)).get("brokerRole")).toBe("ASYNC_MASTER");
    await expect.poll(async () => admin.topics(namesrvAddr), POLL).toContain(topic);
    expect((await admin.viewMessage(sent.offsetMsgId))?.msgId).toBe(sent.msgId);
    await expect
      .poll(async () => (await admin.queryMessages({ topic, key: "k1" })).length, POLL)
      .toBe(1);
    const stats = await admin.topicStats(brokerAddr, topic);
    expect(stats.reduce((sum, queue) => sum + queue.maxOffset, 0)).toBe(1);

    const { got, consumer } = await stage.startConsumer(topic);
    await expect.poll(() => got.length, POLL).toBe(1);
    await consumer.close();
    expect(await admin.groupsOfTopic(brokerAddr, topic)).toEqual([`CG_${topic}`]);
    await admin.resetOffset(topic, `CG_${topic}`, 0, true);
    const rewound = await admin.consumeStats(brokerAddr, `CG_${topic}`, topic);
    expect(rewound.every((queue) => queue.consumerOffset === 0)).toBe(true);

    await admin.deleteTopic(topic, "DefaultCluster");
    expect(await admin.route(namesrvAddr, topic)).toBeNull();
  });

  it("refusals carry the broker's code and words", async () => {
    const spec = { topic: "TBW102", readQueueNums: 1, writeQueueNums: 1 };
    await expect(admin.createTopic(spec, { brokerAddr })).rejects.toThrow(
      /code 1 .*conflict with system topic/,
    );
    await expect(
      producer.send({ topic: "SCHEDULE_TOPIC_XXXX", body: Buffer.from("x") }),
    ).rejects.toMatchObject({ code: "CLIENT_BROKER_REFUSED", responseCode: 16 });
  });
});
