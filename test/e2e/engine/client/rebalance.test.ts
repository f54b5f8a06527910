/** Members of a group share a topic's queues; broadcasting ones do not. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPushConsumer, type MessageQueue } from "../../../../engine/client/index.ts";
import { until } from "../engine-fixture.ts";
import { ClientFixture, sendNumbered, type TestConsumer } from "./client-fixture.ts";

const idsOf = (member: TestConsumer, topic: string): number[] =>
  member.consumer
    .assignment()
    .filter((queue: MessageQueue) => queue.topic === topic)
    .map((queue) => queue.queueId);

describe("rebalancing", () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await ClientFixture.start();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  it("two members share the queues, every message reaches one of them, and the one that stays takes all", async () => {
    const broker = await fixture.engine.startBroker();
    const topic = { topic: "Shared", readQueueNums: 8, writeQueueNums: 8 };
    await fixture.createTopic(topic, { brokerAddr: broker.brokerAddr });
    const one = await fixture.consumer({ topic: "Shared" });
    expect(idsOf(one, "Shared")).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);

    const two = await fixture.consumer({ topic: "Shared" });
    await until(
      "both have four",
      () => idsOf(one, "Shared").length === 4 && idsOf(two, "Shared").length === 4,
    );
    expect(new Set([...idsOf(one, "Shared"), ...idsOf(two, "Shared")])).toEqual(
      new Set([0, 1, 2, 3, 4, 5, 6, 7]),
    );

    const producer = await fixture.producer();
    const sent = await sendNumbered(producer, "Shared", { count: 400 });
    await until("all are consumed", () => one.got.length + two.got.length >= 400);
    expect([...one.bodies(), ...two.bodies()].toSorted()).toEqual(sent);
    expect(Math.min(one.got.length, two.got.length)).toBeGreaterThan(100);

    await two[Symbol.asyncDispose]();
    await until("one has all", () => idsOf(one, "Shared").length === 8, 2_000);
    const rest = await sendNumbered(producer, "Shared", { from: 400, count: 80 });
    const before = new Set(sent);
    const fresh = (): string[] => one.bodies().filter((body) => !before.has(body));
    await until("the rest is consumed", () => fresh().length >= 80);
    expect(fresh()).toEqual(rest);
  });

  it("broadcasting members get every message each, and go on from their own file", async () => {
    await fixture.engine.startBroker();
    const producer = await fixture.producer();
    const sent = await sendNumbered(producer, "News", { count: 40 });
    const offsetDir = join(fixture.engine.home, "offsets");
    const member = (instanceName: string): Promise<TestConsumer> =>
      fixture.consumer({
        topic: "News",
        model: "broadcasting",
        offsetDir,
        client: { instanceName },
      });
    const one = await member("one");
    const two = await member("two");
    await until("both have all", () => one.got.length >= 40 && two.got.length >= 40);
    expect(one.bodies()).toEqual(sent);
    expect(two.bodies()).toEqual(sent);
    await one[Symbol.asyncDispose]();

    const more = await sendNumbered(producer, "News", { from: 40, count: 10 });
    const again = await member("one");
    await until("it has the rest", () => again.got.length >= 10);
    expect(again.bodies()).toEqual(more);
    await again[Symbol.asyncDispose]();
    const [owner = ""] = readdirSync(offsetDir);
    expect(owner).toMatch(/@(one|two)$/);
    expect(readFileSync(join(offsetDir, owner, "CG", "offsets.json"), "utf8")).toContain(
      '"brokerName":"broker-a"',
    );
  });

  it("a second consumer of one group on the same client is refused", async () => {
    await fixture.engine.startBroker();
    const client = fixture.client();
    const make = () => createPushConsumer(client, { group: "CG", listener: () => "success" });
    const [first, second] = [make(), make()];
    for (const consumer of [first, second]) consumer.subscribe("T");
    await first.start();
    await expect(second.start()).rejects.toMatchObject({ code: "CLIENT_GROUP_TAKEN" });
  });
});
