/** Says what is wrong with a filter, and where. */
import { EngineError } from "../base/engine-error.ts";

/** Characters shown before and behind the place. */
const AROUND = 40;

/**
 * @param sql the whole expression
 * @param at of the character that is wrong, from 0
 * @param problem what is wrong
 * @throws EngineError FILTER_INVALID, always
 */
export function invalidFilter(sql: string, at: number, problem: string): never {
  const from = Math.max(0, at - AROUND);
  const to = Math.min(sql.length, at + AROUND);
  const near = `${from > 0 ? "…" : ""}${sql.slice(from, to)}${to < sql.length ? "…" : ""}`;
  throw new EngineError("FILTER_INVALID", {
    message: `character ${at + 1} of the SQL92 filter: ${problem}; in: ${near}`,
    hint: "write conditions on message properties, like: region = 'eu' AND amount BETWEEN 10 AND 20",
  });
}
