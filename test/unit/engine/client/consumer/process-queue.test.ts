import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProcessQueue } from "../../../../../engine/client/consumer/process-queue.ts";

const queue = { topic: "T", brokerName: "b", queueId: 0 };
const message = (queueOffset: number, storedBytes = 100) => ({ queueOffset, storedBytes });
const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => message(from + i));

describe("process queue", () => {
  it("commits the lowest offset still in progress, and one past the last when all are done", () => {
    const processed = new ProcessQueue(queue);
    processed.add(range(10, 14), 14);
    expect(processed.remove([message(11)])).toBe(10);
    expect(processed.remove([message(10)])).toBe(12);
    expect(processed.remove([message(13)])).toBe(12);
    expect(processed.remove([message(12)])).toBe(14);
  });

  it("commits past what was examined and not for us once nothing before it is in progress", () => {
    const processed = new ProcessQueue(queue);
    processed.add([message(4), message(7)], 20);
    expect(processed.remove([message(7)])).toBe(4);
    expect(processed.remove([message(4)])).toBe(20);
  });

  it("never commits past a message that is not done, in whatever order batches end", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(range(0, 40), { minLength: 40 }), (order) => {
        const processed = new ProcessQueue(queue);
        processed.add(range(0, 40), 40);
        const left = new Set(order.map(({ queueOffset }) => queueOffset));
        for (const done of order) {
          left.delete(done.queueOffset);
          const lowest = left.size === 0 ? 40 : Math.min(...left);
          expect(processed.remove([done])).toBe(lowest);
        }
      }),
    );
  });

  it("has no room at 1,000 messages, 100 MiB or a span over 2,000", () => {
    const many = new ProcessQueue(queue);
    many.add(range(0, 999), 999);
    expect(many.hasRoom).toBe(true);
    many.add([message(999)], 1_000);
    expect(many.hasRoom).toBe(false);

    const large = new ProcessQueue(queue);
    large.add([message(0, 100 * 1_024 * 1_024)], 1);
    expect(large.hasRoom).toBe(false);

    const wide = new ProcessQueue(queue);
    wide.add([message(0), message(2_000)], 2_001);
    expect(wide.hasRoom).toBe(true);
    wide.add([message(2_001)], 2_002);
    expect(wide.hasRoom).toBe(false);
  });

  it("wakes who waits for room, and lets a dropped queue's waiter go", async () => {
    const processed = new ProcessQueue(queue);
    processed.add(range(0, 1_000), 1_000);
    let woken = 0;
    const waiting = processed.whenRoom().then(() => (woken += 1));
    await Promise.resolve();
    expect(woken).toBe(0);
    processed.remove([message(0)]);
    await waiting;
    processed.add([message(1_000)], 1_001);
    const dropped = processed.whenRoom();
    processed.drop();
    await dropped;
    expect(processed.dropped).toBe(true);
  });

  it("counts a message pulled twice once", () => {
    const processed = new ProcessQueue(queue);
    processed.add([message(1), message(1)], 2);
    expect([processed.count, processed.byteCount]).toEqual([1, 100]);
    processed.remove([message(1)]);
    expect([processed.count, processed.byteCount]).toEqual([0, 0]);
  });
});
