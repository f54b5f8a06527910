/** Is every sent message accounted for? A benchmark that loses messages fails (lab-and-drills 4.2, 4). Pure. */
import type { LedgerCounts } from "./ledger.ts";
import { weakTotal, type OutcomeCounts } from "./outcome.ts";

/** The balance of a run. */
export interface Verification {
  /** `offsets`: growth of the queues; `consumed`: every message was read and recognised. */
  readonly method: "offsets" | "consumed";
  readonly verdict: "complete" | "lost" | "unexpected" | "unknown";
  /** Messages found. */
  readonly found: number;
  /** Messages that must be there: acknowledged ones. */
  readonly expectedMin: number;
  /** Messages that may be there: acknowledged ones and those whose outcome nobody knows. */
  readonly expectedMax: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly unexpected: number;
  /** One sentence for people. */
  readonly why: string;
}

function verdictOf(lost: number, unexpected: number): Verification["verdict"] {
  if (lost > 0) return "lost";
  return unexpected > 0 ? "unexpected" : "complete";
}

/**
 * @param counts every send of the run, warm-up included
 * @param stored growth of the topic's queues
 */
export function verifyByOffsets(counts: OutcomeCounts, stored: number): Verification {
  const expectedMin = counts.ok + weakTotal(counts);
  const expectedMax = expectedMin + counts.unknown + counts.handed;
  const lost = Math.max(0, expectedMin - stored);
  const unexpected = Math.max(0, stored - expectedMax);
  const verdict = verdictOf(lost, unexpected);
  const open = counts.unknown + counts.handed;
  const range = open === 0 ? String(expectedMin) : `${expectedMin} to ${expectedMax}`;
  return {
    method: "offsets",
    verdict,
    found: stored,
    expectedMin,
    expectedMax,
    lost,
    duplicates: 0,
    unexpected,
    why: `the queues grew by ${stored}; acknowledged or possible: ${range}`,
  };
}

/**
 * @param counts every send of the run
 * @param ledger what the consumers saw
 * @param isDrained false when the consumers stopped before they had all
 */
export function verifyByConsumers(
  counts: OutcomeCounts,
  ledger: LedgerCounts,
  isDrained: boolean,
): Verification {
  const expectedMin = counts.ok + weakTotal(counts);
  const missing = ledger.lostOk + ledger.lostWeak;
  const verdict = missing > 0 && !isDrained ? "unknown" : verdictOf(missing, ledger.unexpected);
  const late = isDrained ? "" : "; the consumers were still reading when the time to drain was up";
  return {
    method: "consumed",
    verdict,
    found: ledger.received,
    expectedMin,
    expectedMax: expectedMin + counts.unknown + counts.handed,
    lost: verdict === "unknown" ? 0 : missing,
    duplicates: ledger.duplicates,
    unexpected: ledger.unexpected,
    why: `${ledger.received} different messages arrived, ${missing} acknowledged ones did not, ${ledger.recovered} without an answer did${late}`,
  };
}

/** @returns the balance of a run whose masters could not be asked */
export function unverified(counts: OutcomeCounts, reason: string): Verification {
  const expectedMin = counts.ok + weakTotal(counts);
  return {
    method: "offsets",
    verdict: "unknown",
    found: 0,
    expectedMin,
    expectedMax: expectedMin + counts.unknown + counts.handed,
    lost: 0,
    duplicates: 0,
    unexpected: 0,
    why: reason,
  };
}
