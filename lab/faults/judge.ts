/** Whether measures show that a fault bites, or that it is gone. Pure. */
import type { Measure, Seen } from "./actor.ts";
import type { FaultProof } from "./fault.ts";

/** Bursts a shaper lets through on top of its rate, and headers it does not count. */
const RATE_SLACK = 1.25;
/** Timers of a user-space relay are never early, but a round trip has noise. */
const DELAY_SLACK = 0.9;
/** Standard deviations a measured loss may be off, for about 600 packets. */
const LOSS_SIGMA = 5;
const LOSS_PACKETS = 600;

function during(proof: FaultProof, value: number | string, before: Measure | undefined): boolean {
  switch (proof.kind) {
    case "connect":
      return value === proof.expect;
    case "loss": {
      const share = proof.percent / 100;
      const sigma = 100 * Math.sqrt((share * (1 - share)) / LOSS_PACKETS);
      return Math.abs(Number(value) - proof.percent) <= LOSS_SIGMA * sigma + 0.01;
    }
    case "delay":
      return Number(value) >= Number(before?.value ?? 0) + proof.addedMs * DELAY_SLACK;
    case "rate":
      return Number(value) <= proof.bitsPerSecond * RATE_SLACK;
  }
}

function after(proof: FaultProof, value: number | string): boolean {
  switch (proof.kind) {
    case "connect":
      return value === "connected";
    case "loss":
      return value === 0;
    case "delay":
      return Number(value) < proof.addedMs * DELAY_SLACK;
    case "rate":
      return Number(value) > proof.bitsPerSecond * RATE_SLACK;
  }
}

/**
 * @param proofs of the fault
 * @param measures one a proof
 * @param phase what they shall show; `before` only records
 * @param baseline measures of before, for those that need a comparison
 */
export function judge(
  proofs: readonly FaultProof[],
  measures: readonly Measure[],
  phase: "before" | "during" | "after",
  baseline: readonly Measure[] = [],
): readonly Seen[] {
  return proofs.map((proof, index): Seen => {
    const measure = measures[index];
    if (measure === undefined) return { what: "not measured", holds: null };
    const { value, what } = measure;
    if (value === null || phase === "before") return { what, holds: null };
    // A peer that was down before the fault proves nothing by being out of reach.
    const start = baseline[index];
    if (proof.kind === "connect" && start !== undefined && start.value !== "connected") {
      return { what: `${what} (${String(start.value)} before)`, holds: null };
    }
    return {
      what,
      holds: phase === "during" ? during(proof, value, start) : after(proof, value),
    };
  });
}
