import { assert } from "../base/assert.ts";

/**
 * States of a slave's replication:
 *
 *     idle ──master known──▶ connecting ──first frame──▶ following
 *      ▲                      ▲      │                    │   │
 *      │                      └──────┼───connection lost──┘   │ append or sync failed
 *      │                             ▼ 3 bad rounds           ▼
 *      └──another master────────── diverged                 failed (for the life of the process)
 *
 * `connecting` includes the pauses between attempts.
 */
export type HaClientState = "idle" | "connecting" | "following" | "diverged" | "failed";

const MOVES: Readonly<Record<HaClientState, readonly HaClientState[]>> = {
  idle: ["connecting", "failed"],
  connecting: ["following", "idle", "diverged", "failed"],
  following: ["connecting", "idle", "diverged", "failed"],
  diverged: ["idle", "connecting"],
  failed: [],
};

/**
 * @param from present state
 * @param to next state; the same one is always legal
 * @returns `to`
 * @throws EngineError ASSERT_FAILED on a move the picture above does not have
 */
export function moved(from: HaClientState, to: HaClientState): HaClientState {
  assert(from === to || MOVES[from].includes(to), `replication cannot go from ${from} to ${to}`);
  return to;
}

/** Rounds in a row that may end badly at the same place before the slave counts as diverged (H-05). */
export const BAD_ROUNDS_MAX = 3;

/** Rounds that ended badly at one place of the log. */
export interface BadRounds {
  readonly atOffset: number;
  readonly count: number;
}

/**
 * @param before what was counted so far, or null
 * @param atOffset end of the verified log when this round ended badly; further on than before starts the count anew
 */
export function countBadRound(before: BadRounds | null, atOffset: number): BadRounds {
  const isSamePlace = before !== null && before.atOffset === atOffset;
  return { atOffset, count: isSamePlace ? before.count + 1 : 1 };
}

/** Pauses between attempts, ms: the first ones short, so that a restarted master has its slave back at once. */
export interface RetryPauses {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * @param failures attempts in a row that failed, from 1
 * @param pauses shortest and longest
 * @returns ms to wait before the next attempt
 */
export function retryPause(failures: number, pauses: RetryPauses): number {
  return Math.min(pauses.maxMs, pauses.firstMs * 2 ** Math.min(failures - 1, 20));
}
