import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MessageQueue } from "../../../../../engine/client/client-api.ts";
import {
  allocateAverage,
  allocateByCircle,
} from "../../../../../engine/client/consumer/allocate.ts";

function queues(count: number): MessageQueue[] {
  return Array.from({ length: count }, (_, queueId) => ({ topic: "T", brokerName: "b", queueId }));
}

const ids = (share: readonly MessageQueue[]): number[] => share.map(({ queueId }) => queueId);

/** Worked out by hand from Java's AllocateMessageQueueAveragely: members, queues → share of each. */
const JAVA_AVERAGE: readonly (readonly [number, number, readonly (readonly number[])[]])[] = [
  [1, 4, [[0, 1, 2, 3]]],
  [
    2,
    4,
    [
      [0, 1],
      [2, 3],
    ],
  ],
  [3, 4, [[0, 1], [2], [3]]],
  [
    3,
    8,
    [
      [0, 1, 2],
      [3, 4, 5],
      [6, 7],
    ],
  ],
  [4, 4, [[0], [1], [2], [3]]],
  [5, 4, [[0], [1], [2], [3], []]],
  [
    4,
    10,
    [
      [0, 1, 2],
      [3, 4, 5],
      [6, 7],
      [8, 9],
    ],
  ],
  [
    3,
    16,
    [
      [0, 1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10],
      [11, 12, 13, 14, 15],
    ],
  ],
];

describe("average strategy", () => {
  it.each(JAVA_AVERAGE)("%i members, %i queues: as Java", (memberCount, queueCount, shares) => {
    const members = Array.from({ length: memberCount }, (_, i) => `c${i}`);
    expect(members.map((self) => ids(allocateAverage(members, self, queues(queueCount))))).toEqual(
      shares,
    );
  });

  it("gives nothing to a client that is not among the members", () => {
    expect(allocateAverage(["a", "b"], "c", queues(4))).toEqual([]);
  });
});

describe("circle strategy", () => {
  it("deals queues out in turn", () => {
    const members = ["a", "b", "c"];
    expect(members.map((self) => ids(allocateByCircle(members, self, queues(7))))).toEqual([
      [0, 3, 6],
      [1, 4],
      [2, 5],
    ]);
    expect(allocateByCircle(members, "d", queues(7))).toEqual([]);
  });
});

describe.each([
  ["average", allocateAverage],
  ["circle", allocateByCircle],
])("%s: every strategy", (_name, allocate) => {
  it("gives every queue to exactly one member, and shares differ by at most one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 64 }), (m, q) => {
        const members = Array.from({ length: m }, (_, i) => `c${String(i).padStart(2, "0")}`);
        const shares = members.map((self) => ids(allocate(members, self, queues(q))));
        const sizes = shares.map((share) => share.length);
        expect(shares.flat().toSorted((a, b) => a - b)).toEqual(ids(queues(q)));
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
