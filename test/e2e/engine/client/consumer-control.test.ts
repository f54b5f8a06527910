/** What a consumer and a producer can be told, through the real name server and brokers. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  allocateByConfig,
  createProducer,
  createPushConsumer,
  type Allocate,
} from "../../../../engine/client/index.ts";
import { until } from "../engine-fixture.ts";
import { ClientFixture, sendNumbered } from "./client-fixture.ts";

describe("consumers and producers under control", () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await ClientFixture.start();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  it("paused: nothing new comes; resumed: everything does", async () => {
    await fixture.engine.startBroker();
    const producer = await fixture.producer();
    await sendNumbered(producer, "Pause", { count: 8 });
    const { got, consumer } = await fixture.consumer({ topic: "Pause" });
    await until("the first are consumed", () => got.length >= 8);
    consumer.pause();
    // Each queue's held pull may still bring one answer: it was asked before the pause.
    await sendNumbered(producer, "Pause", { from: 8, count: 4 });
    await sendNumbered(producer, "Pause", { from: 100, count: 40 });
    const witness = await fixture.consumer({ topic: "Pause", group: "CG_witness" });
    await until("another group has all", () => witness.got.length >= 52);
    expect(got.length).toBeLessThan(52);
    consumer.resume();
    await until("the rest is consumed", () => got.length >= 52);
  });

  it("a listener chooses the delay of a retry, or gives up at once", async () => {
    await fixture.engine.startBroker({ messageDelayLevel: "1s 2h 2h 2h 2h" });
    const producer = await fixture.producer();
    await sendNumbered(producer, "Levels", { count: 3 });
    const { got } = await fixture.consumer({
      topic: "Levels",
      consumeBatchSize: 1,
      listener: ([message]) => {
        const body = message?.body.toString();
        if (message?.reconsumeTimes !== 0 || body === "m0000") return "success";
        return { delayLevel: body === "m0001" ? 1 : -1 };
      },
    });
    await until("the first retry is there", () => got.length >= 4);
    expect(got[3]).toMatchObject({ topic: "Levels", reconsumeTimes: 1 });
    expect(got[3]?.body.toString()).toBe("m0001");
    const dead = await fixture.consumer({ topic: "%DLQ%CG", group: "CG_dead" });
    await until("the dead letter is there", () => dead.got.length >= 1);
    expect(dead.bodies()).toEqual(["m0002"]);
  });

  it("a selector's queue gets the message, and a choice outside the topic is refused", async () => {
    await fixture.engine.startBroker();
    const producer = await fixture.producer();
    await producer.send({ topic: "Select", body: Buffer.from("first") });
    const last = await producer.send(
      { topic: "Select", body: Buffer.from("x") },
      { select: (queues) => queues.at(-1) ?? { topic: "", brokerName: "", queueId: 0 } },
    );
    expect(last.queue.queueId).toBe(3);
    const elsewhere = { topic: "Select", brokerName: "broker-z", queueId: 0 };
    await expect(
      producer.send({ topic: "Select", body: Buffer.from("x") }, { select: () => elsewhere }),
    ).rejects.toThrow(/none of the topic's queues/);
  });

  it("a new group begins at the first message, at the end, or at a time", async () => {
    // Nothing counts as in memory, so a young queue's group is not sent to its start (4.3.1).
    await fixture.engine.startBroker({ accessMessageInMemoryMaxRatio: 0 });
    const producer = await fixture.producer();
    const old = await sendNumbered(producer, "From", { count: 12 });
    const between = Date.now() + 20;
    await until("the clock has gone on", () => Date.now() > between);
    const fresh = await sendNumbered(producer, "From", { from: 100, count: 12 });
    const first = await fixture.consumer({ topic: "From", group: "CG_first" });
    const consumeFrom = { timestampMs: between };
    const timed = await fixture.consumer({ topic: "From", group: "CG_timed", consumeFrom });
    const last = await fixture.consumer({ topic: "From", group: "CG_last", consumeFrom: "last" });
    await until(
      "the first two have theirs",
      () => first.got.length >= 24 && timed.got.length >= 12,
    );
    expect(first.bodies()).toEqual([...old, ...fresh]);
    expect(timed.bodies()).toEqual(fresh);
    await until("the last one owns its queues", () => last.consumer.assignment().length >= 4);
    const late = await sendNumbered(producer, "From", { from: 200, count: 8 });
    await until("the last one has what came", () => last.got.length >= 8);
    expect(last.bodies()).toEqual(late);
  });

  it("a body of 4 MiB goes both ways, one byte more is refused before it is sent", async () => {
    await fixture.engine.startBroker();
    const producer = await fixture.producer({ compressOverBytes: Number.MAX_SAFE_INTEGER });
    const body = Buffer.alloc(4 * 1_048_576, "4MiB");
    const sent = await producer.send({ topic: "Large", body });
    expect(sent.status).toBe("SEND_OK");
    const { got } = await fixture.consumer({ topic: "Large" });
    await until("it is there", () => got.length >= 1);
    expect(got[0]?.body.equals(body)).toBe(true);
    const larger = Buffer.alloc(body.length + 1);
    await expect(producer.send({ topic: "Large", body: larger })).rejects.toThrow(
      /more than 4194304/,
    );
  });

  it("two clients of one process share a group as two machines would, under ids with their instance names", async () => {
    const broker = await fixture.engine.startBroker();
    const producer = await fixture.producer();
    const first = await sendNumbered(producer, "Two", { count: 1 });
    const options = (instanceName: string) => ({ topic: "Two", client: { instanceName } });
    const one = await fixture.consumer(options("one"));
    const two = await fixture.consumer(options("two"));
    const share = ({ consumer }: typeof one): number =>
      consumer.assignment().filter(({ topic }) => topic === "Two").length;
    await until("both own two queues", () => share(one) === 2 && share(two) === 2);
    const sent = await sendNumbered(producer, "Two", { from: 1, count: 40 });
    // The one sent before the second client came may be read by both: a queue changes hands with what is not committed yet.
    const shared = (): string[] =>
      [...one.bodies(), ...two.bodies()].filter((body) => !first.includes(body)).toSorted();
    await until("all are consumed", () => shared().length >= sent.length);
    expect(shared()).toEqual(sent);
    const ids = await fixture.admin().consumerConnections(broker.brokerAddr, "CG");
    const names = new Set(ids.map(({ clientId }) => clientId.split("@")[1]));
    expect(names).toEqual(new Set(["one", "two"]));
  });

  it("one client carries a producer and consumers of several groups", async () => {
    await fixture.engine.startBroker();
    const client = fixture.client();
    const producer = createProducer(client, { group: "PG_shared" });
    await producer.start();
    const counts = [0, 0];
    for (const i of [0, 1]) {
      const consumer = createPushConsumer(client, {
        group: `CG_shared_${i}`,
        consumeFrom: "first",
        listener: (messages) => {
          counts[i] = (counts[i] ?? 0) + messages.length;
          return "success";
        },
      });
      consumer.subscribe("Shared");
      await consumer.start();
    }
    await sendNumbered(producer, "Shared", { count: 30 });
    await until("both groups have all", () => counts.every((count) => count >= 30));
    expect(counts).toEqual([30, 30]);
  });

  it.each<readonly [string, "consistent-hash" | Allocate]>([
    ["consistent hash", "consistent-hash"],
    ["config", allocateByConfig([{ topic: "Plan", brokerName: "broker-a", queueId: 2 }])],
  ])("its share goes by the strategy it was given: %s", async (name, allocate) => {
    await fixture.engine.startBroker();
    const producer = await fixture.producer();
    await sendNumbered(producer, "Plan", { count: 8 });
    const { consumer } = await fixture.consumer({ topic: "Plan", allocate });
    const own = (): number[] =>
      consumer
        .assignment()
        .filter(({ topic }) => topic === "Plan")
        .map(({ queueId }) => queueId);
    const expected = name === "config" ? [2] : [0, 1, 2, 3];
    await until("it owns its share", () => own().length === expected.length);
    expect(own()).toEqual(expected);
  });
});
