/** Producer and consumer through the real name server and brokers. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../engine-fixture.ts";
import { ClientFixture, sendNumbered } from "./client-fixture.ts";

describe("producer and push consumer", () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await ClientFixture.start();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  it("a topic made by sending is consumed in full, and the group's progress is kept", async () => {
    const broker = await fixture.engine.startBroker();
    const producer = await fixture.producer();
    const first = await sendNumbered(producer, "Orders", { count: 200 });
    const one = await fixture.consumer({ topic: "Orders" });
    await until("all are consumed", () => one.got.length >= 200);
    expect(one.bodies()).toEqual(first);
    await one[Symbol.asyncDispose]();

    const stats = await fixture.admin().consumeStats(broker.brokerAddr, "CG", "Orders");
    expect(stats).toHaveLength(4);
    expect(stats.reduce((sum, queue) => sum + queue.brokerOffset, 0)).toBe(200);
    expect(stats.every((queue) => queue.consumerOffset === queue.brokerOffset)).toBe(true);

    const second = await sendNumbered(producer, "Orders", { from: 200, count: 50 });
    const next = await fixture.consumer({ topic: "Orders" });
    await until("the rest is consumed", () => next.got.length >= 50);
    expect(next.bodies()).toEqual(second);
  });

  it("everything a message carries arrives: body, keys, tag, properties, flag, compressed or in a batch", async () => {
    await fixture.engine.startBroker();
    const producer = await fixture.producer();
    const large = Buffer.alloc(20_000, "compress me ");
    const sent = await producer.send({
      topic: "Full",
      body: large,
      tags: "TagA",
      keys: ["k1", "k2"],
      properties: { colour: "blau – ü" },
      flag: 42,
    });
    const batch = await producer.sendBatch([
      { topic: "Full", body: Buffer.from("b0"), tags: "TagB" },
      { topic: "Full", body: Buffer.from("b1"), keys: ["k3"] },
    ]);
    await producer.sendOneway({ topic: "Full", body: Buffer.from("oneway") });
    const { got } = await fixture.consumer({ topic: "Full" });
    await until("all are consumed", () => got.length >= 4);
    const whole = got.find((message) => message.msgId === sent.msgId);
    expect(whole).toMatchObject({
      topic: "Full",
      brokerName: "broker-a",
      queueOffset: sent.queueOffset,
      queueId: sent.queue.queueId,
      offsetMsgId: sent.offsetMsgId,
      tags: "TagA",
      keys: ["k1", "k2"],
      flag: 42,
      reconsumeTimes: 0,
    });
    expect(whole?.body.equals(large)).toBe(true);
    expect(whole?.properties.get("colour")).toBe("blau – ü");
    const members = got.filter((message) => message.body.length === 2);
    expect(members.map((message) => message.queueOffset)).toEqual([
      batch.queueOffset,
      batch.queueOffset + 1,
    ]);
    expect(members.some((message) => message.msgId === batch.msgId)).toBe(true);
    expect(got.some((message) => message.body.toString() === "oneway")).toBe(true);
  });

  it("only the subscribed tags arrive, and progress passes the others", async () => {
    const broker = await fixture.engine.startBroker();
    const producer = await fixture.producer();
    const tags = ["Aa", "BB", "C"];
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        producer.send({ topic: "Tagged", body: Buffer.from(String(i)), tags: tags[i % 3] ?? "" }),
      ),
    );
    // Aa and BB have the same hash: the broker lets both through, the client must not.
    const one = await fixture.consumer({ topic: "Tagged", selector: "Aa || C" });
    await until("the wanted ones are consumed", () => one.got.length >= 40);
    await one[Symbol.asyncDispose]();
    expect(new Set(one.got.map((message) => message.tags))).toEqual(new Set(["Aa", "C"]));
    const stats = await fixture.admin().consumeStats(broker.brokerAddr, "CG", "Tagged");
    expect(stats.every((queue) => queue.consumerOffset === queue.brokerOffset)).toBe(true);
  });

  it("a message wanted later comes again, from the retry topic, with its times counted", async () => {
    await fixture.engine.startBroker({ messageDelayLevel: "1s 1s 1s 1s 1s" });
    const producer = await fixture.producer();
    const sent = await producer.send({ topic: "Flaky", body: Buffer.from("try me") });
    const { got, consumer } = await fixture.consumer({
      topic: "Flaky",
      listener: (messages) => (messages[0]?.reconsumeTimes === 2 ? "success" : "later"),
    });
    await until("it came three times", () => got.length >= 3);
    expect(got.map((message) => message.reconsumeTimes)).toEqual([0, 1, 2]);
    expect(got.map((message) => message.topic)).toEqual(["Flaky", "Flaky", "Flaky"]);
    expect(new Set(got.map((message) => message.msgId))).toEqual(new Set([sent.msgId]));
    expect(consumer.assignment().map((queue) => queue.topic)).toContain("%RETRY%CG");
  });

  it("after the last retry a message is a dead letter and comes no more", async () => {
    const broker = await fixture.engine.startBroker({ messageDelayLevel: "1s 1s 1s 1s" });
    const producer = await fixture.producer();
    await producer.send({ topic: "Poison", body: Buffer.from("never") });
    const { got } = await fixture.consumer({
      topic: "Poison",
      maxReconsumeTimes: 1,
      listener: () => "later",
    });
    const admin = fixture.admin();
    await until("it is a dead letter", async () => {
      const names = await admin.topics(fixture.engine.namesrvAddr);
      if (!names.includes("%DLQ%CG")) return false;
      const [queue] = await admin.topicStats(broker.brokerAddr, "%DLQ%CG");
      return queue?.maxOffset === 1;
    });
    expect(got.map((message) => message.reconsumeTimes)).toEqual([0, 1]);
  });

  it("a delayed message comes when its level is due", async () => {
    await fixture.engine.startBroker();
    const { got } = await fixture.consumer({ topic: "Late" });
    const producer = await fixture.producer();
    await producer.send({ topic: "Late", body: Buffer.from("x"), delayLevel: 1 });
    await until("it arrived", () => got.length === 1);
    const [message] = got;
    const waited = Date.now() - (message?.bornTimestamp ?? 0);
    expect(waited).toBeGreaterThanOrEqual(990);
    expect(message?.topic).toBe("Late");
  });

  it("a new message reaches a waiting consumer at once", async () => {
    await fixture.engine.startBroker();
    const producer = await fixture.producer();
    await sendNumbered(producer, "Quick", { count: 4 });
    const { got } = await fixture.consumer({ topic: "Quick" });
    await until("it waits", () => got.length === 4);
    const delays: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      const began = performance.now();
      await producer.send({ topic: "Quick", body: Buffer.from("now") });
      await until("it arrived", () => got.length === 5 + i);
      delays.push(performance.now() - began);
    }
    expect(delays.toSorted((a, b) => a - b)[5]).toBeLessThan(100);
  });
});

describe("where a new group begins", () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await ClientFixture.start();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  it("4.3.1: at the start of a young queue, whatever consumeFrom says", async () => {
    await fixture.engine.startBroker();
    const sent = await sendNumbered(await fixture.producer(), "Young", { count: 20 });
    const one = await fixture.consumer({ topic: "Young", consumeFrom: "last" });
    await until("all are consumed", () => one.got.length >= 20);
    expect(one.bodies()).toEqual(sent);
  });
});
