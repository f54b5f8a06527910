/** Judges SQL92 filters for tests the way Apache's test program LabFilter does: one letter a case. */
import { EngineError } from "../../engine/base/engine-error.ts";
import { CANNOT, FALSE, SqlFilter, TRUE } from "../../engine/filter/sql-filter.ts";

/** E does not compile, T true, F false, U unknown, X cannot be evaluated. */
export type Verdict = "E" | "T" | "F" | "U" | "X";

export type Properties = Readonly<Record<string, string>>;

/** @returns what our engine makes of it */
export function judge(sql: string, properties: Properties): Verdict {
  let filter: SqlFilter;
  try {
    filter = new SqlFilter(sql);
  } catch (error) {
    if (error instanceof EngineError && error.code === "FILTER_INVALID") return "E";
    throw error;
  }
  const value = (slot: number): string | null => properties[filter.names[slot] ?? ""] ?? null;
  const truth = filter.evaluate({ value });
  if (truth === CANNOT) return "X";
  if (truth === TRUE) return "T";
  return truth === FALSE ? "F" : "U";
}
