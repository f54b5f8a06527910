/** What needs more of the broker than sends and pulls: queue locks, offsets by hand, local offsets, the trace topic; our client on Apache's broker 4.9.0. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createLitePullConsumer,
  createProducer,
  decodeTrace,
  selectByHash,
  type LitePullConsumer,
  type MessageQueue,
  type Producer,
  type ReceivedMessage,
} from "../../engine/client/index.ts";
import { machineHas } from "../helpers/requirements.ts";
import { ApacheStage } from "./apache-stage.ts";
import { POLL } from "./own-clients.ts";

const KEYS = ["red", "green", "blue", "grey"];
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const bodiesOf = (messages: readonly ReceivedMessage[]): string[] =>
  messages.map(({ body }) => body.toString());

describe.runIf(machineHas("java", "maven"))("our consumers on Apache's broker", () => {
  let stage: ApacheStage;
  let producer: Producer;

  beforeAll(async () => {
    stage = await ApacheStage.start({ traceTopicEnable: "true" });
    producer = createProducer(stage.client(), { group: "PG_ours" });
    await producer.start();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  /** Sends `KEY-FROM` … for each key; one key's messages go to one queue, one after another. */
  async function sendInOrder(topic: string, from: number, count: number): Promise<void> {
    const line = async (key: string): Promise<void> => {
      for (let i = from; i < from + count; i += 1) {
        const message = { topic, body: Buffer.from(`${key}-${i}`), keys: [key] };
        await producer.send(message, { select: selectByHash(key) });
      }
    };
    await Promise.all(KEYS.map(line));
  }

  async function sendBodies(topic: string, bodies: readonly string[]): Promise<void> {
    for (const body of bodies) await producer.send({ topic, body: Buffer.from(body) });
  }

  function lite(topic: string): LitePullConsumer {
    return createLitePullConsumer(stage.client(), {
      group: `CG_${topic}`,
      consumeFrom: "first",
      rebalanceMs: 1_000,
      autoCommit: false,
    });
  }

  async function pollAll(consumer: LitePullConsumer, count: number): Promise<string[]> {
    const bodies: string[] = [];
    const enough = async (): Promise<number> => {
      bodies.push(...bodiesOf(await consumer.poll(500)));
      return bodies.length;
    };
    await expect.poll(enough, POLL).toBeGreaterThanOrEqual(count);
    return bodies.toSorted();
  }

  it("in order, with locks of the broker: a second member takes half of the queues and no key's order breaks", async () => {
    const topic = await stage.topic("Ordered");
    const seen: string[] = [];
    const listener = (messages: readonly ReceivedMessage[]) => {
      seen.push(...bodiesOf(messages));
      return "success" as const;
    };
    const ordered = { orderly: true, rebalanceMs: 1_000, consumeBatchSize: 4, listener };
    const { consumer: first } = await stage.startConsumer(topic, ordered);
    await sendInOrder(topic, 0, 25);
    await expect.poll(() => seen.length, POLL).toBe(100);
    const { consumer: second } = await stage.startConsumer(topic, ordered);
    const own = (): readonly number[] =>
      [first, second].map((c) => c.assignment().filter((queue) => queue.topic === topic).length);
    await expect.poll(own, POLL).toEqual([2, 2]);
    await sendInOrder(topic, 25, 25);
    await expect.poll(() => new Set(seen).size, POLL).toBe(200);
    for (const key of KEYS) {
      const numbers = seen
        .filter((body) => body.startsWith(key))
        .map((body) => Number(body.split("-")[1]));
      expect(numbers).toEqual(upTo(50));
    }
  });

  it("a message put off in order holds its queue until it succeeds", async () => {
    const topic = await stage.topic("Held", 1);
    const tries: string[] = [];
    await stage.startConsumer(topic, {
      orderly: true,
      consumeBatchSize: 1,
      listener: ([message]) => {
        const body = message?.body.toString() ?? "";
        tries.push(body);
        const isFirstTry = tries.filter((tried) => tried === body).length === 1;
        return body === "b" && isFirstTry ? "later" : "success";
      },
    });
    await sendBodies(topic, ["a", "b", "c"]);
    await expect.poll(() => tries, POLL).toEqual(["a", "b", "b", "c"]);
  });

  it("lite pull, subscribed: polls everything, commits by hand, and the next member goes on there", async () => {
    const topic = await stage.topic("Lite");
    const bodies = upTo(40).map((i) => `m${i}`);
    await sendBodies(topic, bodies);
    const first = lite(topic);
    first.subscribe(topic);
    await first.start();
    expect(await pollAll(first, 40)).toEqual(bodies.toSorted());
    await first.commit();
    const stats = await stage.admin.consumeStats(stage.broker, `CG_${topic}`, topic);
    expect(stats.reduce((sum, queue) => sum + queue.consumerOffset, 0)).toBe(40);
    await first.close();
    await sendBodies(topic, ["n0", "n1", "n2"]);
    const second = lite(topic);
    second.subscribe(topic);
    await second.start();
    expect(await pollAll(second, 3)).toEqual(["n0", "n1", "n2"]);
    await second.close();
  });

  it("lite pull, assigned: reads its queues, seeks, pauses, finds offsets by time", async () => {
    const topic = await stage.topic("Assigned", 2);
    const send = async (queueId: number, body: string): Promise<void> => {
      const select = (queues: readonly MessageQueue[]): MessageQueue => {
        const found = queues.find((queue) => queue.queueId === queueId);
        if (found === undefined) throw new Error(`no queue ${queueId}`);
        return found;
      };
      await producer.send({ topic, body: Buffer.from(body) }, { select });
    };
    for (const body of ["x0", "x1", "x2"]) await send(0, body);
    await send(1, "y0");
    const consumer = lite(topic);
    const queues = await consumer.queuesOf(topic);
    const zero = queues.find((queue) => queue.queueId === 0);
    if (zero === undefined) throw new Error("the topic has no queue 0");
    await consumer.assign([zero]);
    await consumer.start();
    expect(await pollAll(consumer, 3)).toEqual(["x0", "x1", "x2"]);
    consumer.seek(zero, 1);
    expect(await pollAll(consumer, 2)).toEqual(["x1", "x2"]);
    await consumer.commit();
    expect(await consumer.committed(zero)).toBe(3);
    expect(await consumer.offsetForTimestamp(zero, 1)).toBe(0);
    await consumer.close();
  });

  it("broadcasting: every member gets every message", async () => {
    const topic = await stage.topic("Broadcast");
    const members = [
      await stage.startConsumer(topic, { model: "broadcasting" }),
      await stage.startConsumer(topic, { model: "broadcasting" }),
    ];
    const bodies = upTo(20).map((i) => `all-${i}`);
    await sendBodies(topic, bodies);
    for (const { got } of members) {
      await expect.poll(() => bodiesOf(got).toSorted(), POLL).toEqual(bodies.toSorted());
    }
  });

  it("message trace goes to the broker's trace topic and is found by message id", async () => {
    const topic = await stage.topic("Traced");
    const traced = createProducer(stage.client(), { group: "PG_traced", trace: true });
    await traced.start();
    const sent = await traced.send({ topic, body: Buffer.from("hello"), keys: ["k1"] });
    await stage.startConsumer(topic, { trace: true });
    const query = { topic: "RMQ_SYS_TRACE_TOPIC", key: sent.msgId };
    const types = async (): Promise<string[]> => {
      const found = await stage.admin.queryMessages(query);
      const records = found.flatMap(({ body }) => decodeTrace(body));
      return [...new Set(records.filter(({ msgId }) => msgId === sent.msgId).map((r) => r.type))];
    };
    await expect
      .poll(async () => (await types()).toSorted(), POLL)
      .toEqual(["Pub", "SubAfter", "SubBefore"]);
  });
});
