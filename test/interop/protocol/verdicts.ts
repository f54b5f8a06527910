/** The list of known differences, and the check that it says exactly what is so: nothing unlisted, nothing that no longer occurs. */
import type { Case } from "./cases.ts";
import { differences, plainAsked, plainOutcome } from "./comparison.ts";
import type { Played } from "./play.ts";

/** Difference without consequence, difference that loses or corrupts less than 4.9 does, or a difference to be removed. */
export type Verdict = "same" | "safer on purpose" | "bug";

/** One kind of difference, and every case that shows it. */
export interface Difference {
  readonly verdict: Verdict;
  /** The rule (faults-and-security), or the reason. */
  readonly why: string;
  /**
   * What is different → names of the cases, joined with `; `. First what Apache's 4.9.0 answers, then what ours does, as `differences`
   * writes it.
   */
  readonly found: Readonly<Record<string, string>>;
}

/** A server of either kind and what it did. */
export interface Side {
  readonly address: string;
  readonly played: Played;
}

/** @returns case → its difference, for every case where the two sides differ */
export function differencesOf(
  cases: readonly Case[],
  apache: Side,
  ours: Side,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { name, code } of cases) {
    const of = ({ played, address }: Side) =>
      plainOutcome(code, played.outcomes.get(name) ?? "silent", address);
    const what = differences(of(apache), of(ours)).join("; ");
    if (what !== "") found.set(name, what);
  }
  const asked = ({ played, address }: Side) => plainAsked(played.asked, address);
  const what = differences(asked(apache), asked(ours), "asked").join("; ");
  if (what !== "") found.set("requests to the client", what);
  return found;
}

/** @returns `case: difference` of every listed one, as the table has it */
export function listed(table: readonly Difference[]): string[] {
  const rows = table.flatMap((row) => Object.entries(row.found));
  return rows
    .flatMap(([what, names]) => names.split("; ").map((name) => `${name}: ${what}`))
    .toSorted();
}

/** @returns the same for what was found */
export function shown(found: ReadonlyMap<string, string>): string[] {
  return [...found].map(([name, what]) => `${name}: ${what}`).toSorted();
}
