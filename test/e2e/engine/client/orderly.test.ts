/** Ordered consumption (remoting-protocol 4.5, 5.6) through the real name server and broker. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  selectByHash,
  type Producer,
  type ReceivedMessage,
} from "../../../../engine/client/index.ts";
import { until } from "../engine-fixture.ts";
import { ClientFixture } from "./client-fixture.ts";

const KEYS = ["red", "green", "blue", "grey", "pink", "cyan"];

/** Sends `KEY-0` … for each key, one key's messages one after another. */
async function sendInOrder(producer: Producer, topic: string, count: number): Promise<void> {
  const lines = KEYS.map(async (key) => {
    for (let i = 0; i < count; i += 1) {
      const message = { topic, body: Buffer.from(`${key}-${i}`), keys: [key] };
      await producer.send(message, { select: selectByHash(key) });
    }
  });
  await Promise.all(lines);
}

/** @returns numbers of each key as they were received */
function numbersOf(got: readonly ReceivedMessage[], key: string): number[] {
  return got
    .filter((message) => message.keys[0] === key)
    .map((message) => Number(message.body.toString().split("-")[1]));
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const queueOf = (message: ReceivedMessage | undefined): string =>
  `${message?.brokerName}/${message?.queueId}`;

describe("ordered consumption", () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await ClientFixture.start();
    await fixture.engine.startBroker({ messageDelayLevel: "1s 1s 1s 1s" });
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  it("hands over each queue in order, one call at a time, queues beside each other", async () => {
    const producer = await fixture.producer();
    await sendInOrder(producer, "Steps", 40);
    const running = new Map<string, number>();
    let most = 0;
    let together = 0;
    const { got } = await fixture.consumer({
      topic: "Steps",
      orderly: true,
      consumeBatchSize: 3,
      listener: async (messages) => {
        const queue = queueOf(messages[0]);
        running.set(queue, (running.get(queue) ?? 0) + 1);
        most = Math.max(most, running.get(queue) ?? 0);
        together = Math.max(together, [...running.values()].filter((count) => count > 0).length);
        await delay(2);
        running.set(queue, (running.get(queue) ?? 0) - 1);
        return "success" as const;
      },
    });
    await until("all are consumed", () => got.length >= 240);
    for (const key of KEYS) expect(numbersOf(got, key)).toEqual(upTo(40));
    expect(most).toBe(1);
    expect(together).toBeGreaterThan(1);
  });

  it("a message that is put off holds its queue, and only that one, until it succeeds", async () => {
    const producer = await fixture.producer();
    await sendInOrder(producer, "Held", 5);
    const isHeld = (message: ReceivedMessage): boolean =>
      message.body.toString() === "red-1" && message.reconsumeTimes < 3;
    const { got } = await fixture.consumer({
      topic: "Held",
      orderly: true,
      consumeBatchSize: 1,
      suspendMs: 30,
      listener: (messages) => (messages.some(isHeld) ? "later" : "success"),
    });
    await until("all are consumed", () => got.length >= 33);
    expect(numbersOf(got, "red")).toEqual([0, 1, 1, 1, 1, 2, 3, 4]);
    const queue = queueOf(got.find((message) => message.keys[0] === "red"));
    const free = KEYS.filter((key) => {
      const own = got.find((message) => message.keys[0] === key);
      return queueOf(own) !== queue;
    });
    const last = got.map((message) => message.body.toString()).lastIndexOf("red-1");
    const before = got.slice(0, last).map((message) => message.body.toString());
    expect(free.some((key) => before.includes(`${key}-4`))).toBe(true);
  });

  it("after maxReconsumeTimes a message is a dead letter and its queue goes on", async () => {
    const producer = await fixture.producer();
    await sendInOrder(producer, "Over", 3);
    const { got } = await fixture.consumer({
      topic: "Over",
      orderly: true,
      consumeBatchSize: 1,
      suspendMs: 20,
      maxReconsumeTimes: 2,
      listener: (messages) => (messages[0]?.body.toString() === "blue-0" ? "later" : "success"),
    });
    await until("all are consumed", () => got.length >= 20);
    expect(numbersOf(got, "blue")).toEqual([0, 0, 0, 1, 2]);
    const dead = await fixture.consumer({ topic: "%DLQ%CG", group: "CG_dead" });
    await until("the dead letter is there", () => dead.got.length >= 1);
    expect(dead.bodies()).toEqual(["blue-0"]);
  });

  it("no queue has two owners at once, and what one leaves the other takes at once, in order", async () => {
    const producer = await fixture.producer();
    await sendInOrder(producer, "Shared", 1);
    const all: ReceivedMessage[] = [];
    const owners = new Map<string, string>();
    const clashes: string[] = [];
    const member = (name: string) =>
      fixture.consumer({
        topic: "Shared",
        orderly: true,
        consumeBatchSize: 1,
        rebalanceMs: 500,
        listener: async (messages) => {
          const queue = queueOf(messages[0]);
          if (owners.has(queue)) clashes.push(`${name} and ${owners.get(queue)} on ${queue}`);
          owners.set(queue, name);
          await delay(1);
          owners.delete(queue);
          all.push(...messages);
          return "success" as const;
        },
      });
    const first = await member("first");
    await until("the first owns all", () => first.got.length >= 6);
    const second = await member("second");
    const sending = sendInOrder(producer, "Shared", 60);
    const shares = (): number[] =>
      [first, second].map(
        ({ consumer }) => consumer.assignment().filter(({ topic }) => topic === "Shared").length,
      );
    await until("both own queues", () => shares().every((count) => count === 2));
    await until("both consume", () => second.got.length > 10);
    await first[Symbol.asyncDispose]();
    const leftAt = performance.now();
    await until("the second owns all", () => shares()[1] === 4);
    expect(performance.now() - leftAt).toBeLessThan(5_000);
    await sending;
    await until("all are consumed", () =>
      KEYS.every((key) => new Set(numbersOf(all, key)).size === 60),
    );
    expect(clashes).toEqual([]);
    for (const key of KEYS) {
      const firstSeen = [...new Set(numbersOf(all, key).slice(1))];
      expect(firstSeen).toEqual(expect.arrayContaining(upTo(60).slice(1)));
      expect(firstSeen.filter((number) => number > 0)).toEqual(upTo(60).slice(1));
    }
  });
});
