import { describe, expect, it } from "vitest";
import { FaultLatency } from "../../../../../engine/client/producer/fault-latency.ts";

/** remoting-protocol 5.4: latency → time left out. */
const TABLE: readonly (readonly [number, number])[] = [
  [549, 0],
  [550, 30_000],
  [999, 30_000],
  [1_000, 60_000],
  [2_000, 120_000],
  [3_000, 180_000],
  [14_999, 180_000],
  [15_000, 600_000],
];

describe("fault latency", () => {
  it.each(TABLE)("an answer after %i ms keeps the broker out for %i ms", (latencyMs, outMs) => {
    const table = new FaultLatency();
    table.answered("a", latencyMs, 1_000);
    expect(table.isOut("a", 1_000 + outMs - 1)).toBe(outMs > 0);
    expect(table.isOut("a", 1_000 + outMs)).toBe(false);
    expect(table.isOut("b", 1_000)).toBe(false);
  });

  it("a failure counts as 30 s, and a quick answer makes up for it", () => {
    const table = new FaultLatency();
    table.failed("a", 0);
    expect(table.isOut("a", 599_999)).toBe(true);
    table.answered("a", 3, 5_000);
    expect(table.isOut("a", 5_000)).toBe(false);
  });
});
