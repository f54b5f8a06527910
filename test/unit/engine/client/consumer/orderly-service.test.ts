import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../../../engine/base/logger.ts";
import {
  OrderlyService,
  type OrderlyServiceParts,
} from "../../../../../engine/client/consumer/orderly-service.ts";
import { ProcessQueue } from "../../../../../engine/client/consumer/process-queue.ts";
import {
  decodeMessages,
  type StoredMessage,
} from "../../../../../engine/client/consumer/received-message.ts";
import { storedRecord } from "./stored-records.ts";

function pulled(from: number, count: number): StoredMessage[] {
  const records = Array.from({ length: count }, (_, i) => storedRecord({ queueOffset: from + i }));
  return decodeMessages(Buffer.concat(records), "broker-a");
}

function setUp(parts: Partial<OrderlyServiceParts>) {
  const progress: number[] = [];
  const service = new OrderlyService({
    listener: () => "success",
    batchSize: 2,
    concurrency: 2,
    logger: silentLogger,
    suspendMs: 10,
    maxReconsumeTimes: Number.MAX_SAFE_INTEGER,
    needsLock: true,
    onProgress: (_queue, offset) => progress.push(offset),
    giveUp: () => Promise.resolve(true),
    ...parts,
  });
  const queue = (queueId: number): ProcessQueue => {
    const made = new ProcessQueue({ topic: "T", brokerName: "broker-a", queueId });
    made.lockedAtMs = Date.now();
    return made;
  };
  const take = (to: ProcessQueue, messages: StoredMessage[]): void => {
    to.add(messages, (messages.at(-1)?.queueOffset ?? -1) + 1);
    service.submit(to, messages);
  };
  return { service, queue, progress, take };
}

const offsets = (messages: readonly { readonly queueOffset: number }[]): number[] =>
  messages.map((message) => message.queueOffset);

describe("ordered hand-over", () => {
  it("one call at a time for a queue, what comes meanwhile behind it", async () => {
    const calls: number[][] = [];
    let running = 0;
    const { queue, take, progress } = setUp({
      listener: async (messages) => {
        running += 1;
        expect(running).toBe(1);
        calls.push(offsets(messages));
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return "success" as const;
      },
    });
    const only = queue(0);
    take(only, pulled(0, 3));
    take(only, pulled(3, 2));
    await only.whenEmpty();
    expect(calls).toEqual([[0, 1], [2, 3], [4]]);
    expect(progress).toEqual([2, 4, 5]);
  });

  it("what is put off, or fails, comes again before anything else and commits nothing", async () => {
    const calls: (readonly [number, number])[] = [];
    const { queue, take, progress } = setUp({
      batchSize: 1,
      listener: ([message]) => {
        if (message === undefined) throw new Error("no message");
        calls.push([message.queueOffset, message.reconsumeTimes]);
        if (message.queueOffset === 0 && message.reconsumeTimes === 0) return "later";
        if (message.queueOffset === 0 && message.reconsumeTimes === 1) throw new Error("bug");
        return "success";
      },
    });
    const only = queue(0);
    take(only, pulled(0, 2));
    await only.whenEmpty();
    expect(calls).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
    ]);
    expect(progress).toEqual([1, 2]);
  });

  it("gives up after the last try; what no broker takes stays in its place", async () => {
    const given: number[] = [];
    const seen: number[] = [];
    const { queue, take } = setUp({
      maxReconsumeTimes: 1,
      listener: (messages) => {
        seen.push(...offsets(messages));
        return messages[0]?.queueOffset === 0 ? "later" : "success";
      },
      giveUp: (message) => {
        given.push(message.queueOffset);
        return Promise.resolve(given.length > 1);
      },
    });
    const only = queue(0);
    take(only, pulled(0, 3));
    await only.whenEmpty();
    // At their last try 0 is refused and 1 is taken; at the next 0 is taken, and 2, which came up beside it, has a try left.
    expect(given).toEqual([0, 1, 0]);
    expect(seen).toEqual([0, 1, 0, 1, 0, 2, 2]);
  });

  it("calls nobody without a lock that can be relied on", async () => {
    const seen: number[] = [];
    const { queue, take } = setUp({
      listener: (messages) => {
        seen.push(...offsets(messages));
        return "success";
      },
    });
    const only = queue(0);
    only.lockedAtMs = Date.now() - 31_000;
    take(only, pulled(0, 1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([]);
    only.lockedAtMs = Date.now();
    await only.whenEmpty();
    expect(seen).toEqual([0]);
  });

  it("a queue that is leaving ends its call, commits it, and leaves the rest to the next owner", async () => {
    let end: (() => void) | undefined;
    const seen: number[] = [];
    const { queue, take, progress } = setUp({
      listener: async (messages) => {
        seen.push(...offsets(messages));
        await new Promise<void>((resolve) => (end = resolve));
        return "success" as const;
      },
    });
    const only = queue(0);
    take(only, pulled(0, 4));
    await new Promise((resolve) => setImmediate(resolve));
    only.leave();
    end?.();
    await only.whenEmpty();
    expect([seen, progress]).toEqual([[0, 1], [2]]);
  });

  it("at most so many queues at once, and a stop ends with the calls in progress", async () => {
    let most = 0;
    let running = 0;
    const { queue, take, service } = setUp({
      batchSize: 1,
      listener: async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        return "success" as const;
      },
    });
    const queues = [0, 1, 2, 3].map(queue);
    for (const one of queues) take(one, pulled(0, 3));
    await Promise.all(queues.map((one) => one.whenEmpty()));
    expect(most).toBe(2);
    for (const one of queues) take(one, pulled(3, 3));
    await service.stop();
    expect(running).toBe(0);
    expect(queues.some((one) => one.count > 0)).toBe(true);
  });
});
