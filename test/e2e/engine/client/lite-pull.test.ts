/** The lite pull consumer (Java's DefaultLitePullConsumer) through the real name server and brokers. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createLitePullConsumer,
  type LitePullConsumer,
  type LitePullConsumerOptions,
} from "../../../../engine/client/index.ts";
import { until } from "../engine-fixture.ts";
import { ClientFixture, sendNumbered } from "./client-fixture.ts";

describe("lite pull consumer", () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await ClientFixture.start();
    await fixture.engine.startBroker();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const lite = (options: Partial<LitePullConsumerOptions> = {}): LitePullConsumer =>
    createLitePullConsumer(fixture.client(), {
      group: "CG_lite",
      consumeFrom: "first",
      rebalanceMs: 1_000,
      ...options,
    });

  /** Polls until that many came. @returns bodies, sorted */
  async function pollAll(consumer: LitePullConsumer, count: number): Promise<string[]> {
    const bodies: string[] = [];
    await until(`${count} messages are polled`, async () => {
      const messages = await consumer.poll(200);
      bodies.push(...messages.map((message) => message.body.toString()));
      return bodies.length >= count;
    });
    return bodies.toSorted();
  }

  it("subscribed: shares its topic's queues with its group, and polls every message once", async () => {
    const producer = await fixture.producer();
    const sent = await sendNumbered(producer, "Lite", { count: 100 });
    const [one, two] = [lite(), lite()];
    for (const consumer of [one, two]) {
      consumer.subscribe("Lite");
      await consumer.start();
    }
    await until("both have two queues", () =>
      [one, two].every((consumer) => consumer.assignment().length === 2),
    );
    const seen = new Set<string>();
    await until("all are polled", async () => {
      for (const consumer of [one, two])
        for (const message of await consumer.poll(50)) seen.add(message.body.toString());
      return seen.size >= 100;
    });
    expect([...seen].toSorted()).toEqual(sent);
  });

  it("commits what earlier polls returned, and a new member goes on there", async () => {
    const producer = await fixture.producer();
    await sendNumbered(producer, "Auto", { count: 20 });
    const first = lite();
    first.subscribe("Auto");
    await first.start();
    await pollAll(first, 20);
    expect(await first.poll(0)).toEqual([]);
    await first.close();
    const sent = await sendNumbered(producer, "Auto", { from: 20, count: 10 });
    const second = lite();
    second.subscribe("Auto");
    await second.start();
    expect(await pollAll(second, 10)).toEqual(sent);
  });

  it("without autoCommit only commit() writes an offset", async () => {
    const producer = await fixture.producer();
    const sent = await sendNumbered(producer, "Manual", { count: 12 });
    const first = lite({ autoCommit: false });
    first.subscribe("Manual");
    await first.start();
    await pollAll(first, 12);
    const queues = await first.queuesOf("Manual");
    await first.close();
    const second = lite({ autoCommit: false });
    second.subscribe("Manual");
    await second.start();
    expect(await pollAll(second, 12)).toEqual(sent);
    await second.commit();
    const offsets = await Promise.all(queues.map((queue) => second.committed(queue)));
    expect(offsets.reduce<number>((sum, offset) => sum + (offset ?? 0), 0)).toBe(12);
  });

  it("assigned: reads these queues and no others, beside whoever else reads them; seek goes anywhere", async () => {
    const spec = { topic: "Chosen", readQueueNums: 4, writeQueueNums: 4 };
    await fixture.createTopic(spec, { cluster: "DefaultCluster" });
    const producer = await fixture.producer();
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        producer.send({ topic: "Chosen", body: Buffer.from(`c${i}`) }),
      ),
    );
    const consumer = lite();
    const queues = (await consumer.queuesOf("Chosen")).slice(0, 2);
    await consumer.assign(queues);
    await consumer.start();
    const mine = results.filter(({ queue }) =>
      queues.some(({ queueId }) => queueId === queue.queueId),
    );
    expect(consumer.assignment()).toEqual(queues);
    const bodies = await pollAll(consumer, mine.length);
    expect(bodies).toHaveLength(mine.length);
    const [queue] = queues;
    if (queue === undefined) throw new Error("no queue");
    const own = mine.filter((result) => result.queue.queueId === queue.queueId).length;
    consumer.seek(queue, 1);
    expect(await pollAll(consumer, own - 1)).toHaveLength(own - 1);
    consumer.seek(queue, await consumer.offsetForTimestamp(queue, 0));
    expect(await pollAll(consumer, own)).toHaveLength(own);
    expect(() => consumer.subscribe("Chosen")).toThrow(/assigned/);
    expect(() => consumer.seek({ ...queue, queueId: 3 }, 0)).toThrow(/does not read/);
  });

  it("paused queues are polled no more until they are resumed", async () => {
    const producer = await fixture.producer();
    await sendNumbered(producer, "Paused", { count: 4 });
    const consumer = lite();
    consumer.subscribe("Paused");
    await consumer.start();
    await pollAll(consumer, 4);
    consumer.pause(consumer.assignment());
    const sent = await sendNumbered(producer, "Paused", { from: 4, count: 8 });
    expect(await consumer.poll(300)).toEqual([]);
    consumer.resume(consumer.assignment());
    expect(await pollAll(consumer, 8)).toEqual(sent);
  });

  it("filters by tag, and says so in the pull itself", async () => {
    const producer = await fixture.producer();
    for (const tags of ["a", "b", "a"])
      await producer.send({ topic: "LiteTags", body: Buffer.from(tags), tags });
    const consumer = lite();
    consumer.subscribe("LiteTags", "a");
    await consumer.start();
    expect(await pollAll(consumer, 2)).toEqual(["a", "a"]);
  });
});
