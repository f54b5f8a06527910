import { describe, expect, it } from "vitest";
import type { FaultProof } from "../../../../lab/faults/fault.ts";
import { judge } from "../../../../lab/faults/judge.ts";

const CONNECT: FaultProof = {
  kind: "connect",
  from: "a",
  to: "b",
  host: "h",
  port: 1,
  expect: "blocked",
};
const LOSS: FaultProof = {
  kind: "loss",
  from: "a",
  to: "b",
  host: "h",
  source: "s",
  chain: "c",
  percent: 10,
};
const DELAY: FaultProof = {
  kind: "delay",
  from: "a",
  to: "b",
  host: "h",
  port: 1,
  role: "broker",
  addedMs: 40,
};
const RATE: FaultProof = { kind: "rate", from: "a", host: "h", device: "d", bitsPerSecond: 1e6 };

function verdict(
  proof: FaultProof,
  phase: "during" | "after",
  value: number | string | null,
  before?: number | string,
): boolean | null | undefined {
  const baseline = before === undefined ? [] : [{ value: before, what: "" }];
  return judge([proof], [{ value, what: "" }], phase, baseline)[0]?.holds;
}

describe("what a measure proves", () => {
  it.each([
    [CONNECT, "during", "blocked", ["connected", true]],
    [CONNECT, "during", "connected", ["connected", false]],
    [CONNECT, "during", "refused", ["connected", false]],
    [CONNECT, "after", "connected", [undefined, true]],
    [CONNECT, "after", "blocked", [undefined, false]],
    [LOSS, "during", 11.5, [0, true]],
    [LOSS, "during", 0, [0, false]],
    [LOSS, "during", 40, [0, false]],
    [LOSS, "after", 0, [undefined, true]],
    [LOSS, "after", 9, [undefined, false]],
    [DELAY, "during", 41, [0.5, true]],
    [DELAY, "during", 12, [0.5, false]],
    [DELAY, "after", 0.7, [undefined, true]],
    [DELAY, "after", 41, [undefined, false]],
    [RATE, "during", 1.1e6, [5e8, true]],
    [RATE, "during", 5e6, [5e8, false]],
    [RATE, "after", 5e8, [undefined, true]],
  ] as const)(
    "%o %s %s (before, then whether it holds: %o)",
    (proof, phase, value, [before, holds]) => {
      expect(verdict(proof, phase, value, before)).toBe(holds);
    },
  );

  it("a peer that was out of reach before, or that could not be asked, proves nothing", () => {
    expect(verdict(CONNECT, "during", "blocked", "blocked")).toBeNull();
    expect(verdict(CONNECT, "during", null, "connected")).toBeNull();
  });
});
