import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../../../engine/base/logger.ts";
import {
  ConsumeService,
  type ConsumeServiceParts,
} from "../../../../../engine/client/consumer/consume-service.ts";
import { ProcessQueue } from "../../../../../engine/client/consumer/process-queue.ts";
import {
  decodeMessages,
  type StoredMessage,
} from "../../../../../engine/client/consumer/received-message.ts";
import { storedRecord } from "./stored-records.ts";

function pulled(count: number): StoredMessage[] {
  const records = Array.from({ length: count }, (_, queueOffset) => storedRecord({ queueOffset }));
  return decodeMessages(Buffer.concat(records), "broker-a");
}

function setUp(parts: Partial<ConsumeServiceParts>) {
  const progress: number[] = [];
  const queue = new ProcessQueue({ topic: "T", brokerName: "broker-a", queueId: 0 });
  const service = new ConsumeService({
    listener: () => "success",
    batchSize: 4,
    concurrency: 2,
    logger: silentLogger,
    onProgress: (_queue, offset) => progress.push(offset),
    sendBack: () => Promise.resolve(true),
    ...parts,
  });
  const take = (messages: StoredMessage[]): void => {
    queue.add(messages, (messages.at(-1)?.queueOffset ?? -1) + 1);
    service.submit(queue, messages);
  };
  return { service, queue, progress, take };
}

describe("consume service", () => {
  it("hands over batches in order, at most so many at once", async () => {
    const sizes: number[] = [];
    let running = 0;
    let most = 0;
    const { queue, progress, take } = setUp({
      listener: async (messages) => {
        running += 1;
        most = Math.max(most, running);
        sizes.push(messages.length);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return "success" as const;
      },
    });
    take(pulled(10));
    await queue.whenEmpty();
    expect([sizes, most]).toEqual([[4, 4, 2], 2]);
    expect(progress.at(-1)).toBe(10);
  });

  it("sends back what a listener wants later, or what it failed on", async () => {
    const back: number[] = [];
    const { queue, progress, take } = setUp({
      listener: (messages) => {
        if (messages[0]?.queueOffset === 0) return "later";
        throw new Error("listener bug");
      },
      sendBack: (message) => {
        back.push(message.queueOffset);
        return Promise.resolve(true);
      },
    });
    take(pulled(8));
    await queue.whenEmpty();
    expect(back.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(progress.at(-1)).toBe(8);
  });

  it("keeps what could not be sent back: progress stops before it", async () => {
    const { service, queue, progress, take } = setUp({
      listener: () => "later",
      sendBack: (message) => Promise.resolve(message.queueOffset !== 2),
    });
    take(pulled(4));
    await service.stop();
    expect(progress).toEqual([2]);
    expect([queue.count, queue.lowest]).toEqual([1, 2]);
  });

  it("drops broadcast messages the listener did not take", async () => {
    const { queue, progress, take } = setUp({ listener: () => "later", sendBack: undefined });
    take(pulled(2));
    await queue.whenEmpty();
    expect(progress).toEqual([2]);
  });

  it("reports no progress for a queue that was dropped meanwhile", async () => {
    let calls = 0;
    const { queue, progress, take } = setUp({
      concurrency: 1,
      listener: async () => {
        calls += 1;
        queue.drop();
        await Promise.resolve();
        return "success" as const;
      },
    });
    take(pulled(8));
    await queue.whenEmpty();
    expect([calls, progress]).toEqual([1, []]);
  });

  it("when stopped lets calls in progress end and commits nothing beyond them", async () => {
    let finish = (): void => undefined;
    const { service, queue, progress, take } = setUp({
      concurrency: 1,
      listener: () => new Promise((resolve) => (finish = () => resolve("success"))),
    });
    take(pulled(8));
    await Promise.resolve();
    const stopped = service.stop();
    finish();
    await stopped;
    take(pulled(12).slice(8));
    expect(progress).toEqual([4]);
    expect(queue.lowest).toBe(4);
  });
});
