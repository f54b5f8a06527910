/** What a check does with a half message that is still open (store-and-ha 6.5). */
import { describe, expect, it } from "vitest";
import { checkVerdict } from "../../../../../engine/broker/transactions/check-back.ts";

const SETTINGS = { transactionTimeOut: 6_000, transactionCheckMax: 15, fileReservedTime: 72 };
const NOW = 1_795_360_000_000;
const HOUR_MS = 3_600_000;

function half(changes: {
  readonly age?: number;
  readonly storedAgo?: number;
  readonly checkTimes?: number;
  readonly immunityMs?: number;
}) {
  const { age = 0, storedAgo = age, checkTimes = 0, immunityMs } = changes;
  return { checkTimes, immunityMs, bornAtMs: NOW - age, storedAtMs: NOW - storedAgo };
}

describe("a check of a half message", () => {
  it.each([
    [{ age: 5_999 }, "young"],
    [{ age: 6_000 }, "check"],
    [{ age: 6_000, checkTimes: 14 }, "check"],
    [{ age: 6_000, checkTimes: 15 }, "give-up"],
    [{ age: 0, checkTimes: 16 }, "give-up"],
    [{ age: 9_000, immunityMs: 10_000 }, "renew"],
    [{ age: 10_000, immunityMs: 10_000 }, "check"],
    [{ age: 1_000, immunityMs: 1_000 }, "check"],
    [{ age: 73 * HOUR_MS, storedAgo: 71 * HOUR_MS }, "check"],
    [{ age: 73 * HOUR_MS, storedAgo: 73 * HOUR_MS }, "give-up"],
  ] as const)("%j: %s", (changes, verdict) => {
    expect(checkVerdict(half(changes), SETTINGS, NOW)).toBe(verdict);
  });
});
