/** Two runs of one command as lines that only one side printed, and what the table of known differences says of them. */
import type { Command } from "./commands.ts";
import type { Difference } from "./differences.ts";
import { normalise, type SideNames } from "./normalise.ts";

/** What one command printed, Apache's first. */
export interface Run {
  readonly command: Command;
  readonly outputs: readonly [string, string];
}

export interface Comparison {
  readonly command: Command;
  readonly onlyApache: readonly string[];
  readonly onlyOurs: readonly string[];
  /** The same lines in another order. */
  readonly isShuffled: boolean;
}

/** Lines of one list that the other does not have, each as often as it is missing there. */
function missing(from: readonly string[], there: readonly string[]): string[] {
  const left = [...there];
  return from.filter((line) => {
    const at = left.indexOf(line);
    if (at < 0) return true;
    left.splice(at, 1);
    return false;
  });
}

/** @param sides names of Apache's side and ours */
export function compare(run: Run, sides: readonly [SideNames, SideNames]): Comparison {
  const { command, outputs } = run;
  const { tidy = (line: string) => line } = command;
  const apache = normalise(sides[0], outputs[0]).map(tidy);
  const ours = normalise(sides[1], outputs[1]).map(tidy);
  const onlyApache = missing(apache, ours);
  const onlyOurs = missing(ours, apache);
  const isSame = onlyApache.length + onlyOurs.length === 0;
  const isShuffled =
    isSame && command.isUnordered !== true && apache.some((line, i) => line !== ours[i]);
  return { command, onlyApache, onlyOurs, isShuffled };
}

function concerns({ command }: Difference, name: string): boolean {
  return typeof command === "string" ? command === name : command.test(name);
}

/** @returns the comparison without the lines that a row of the table explains */
export function unexplained(comparison: Comparison, table: readonly Difference[]): Comparison {
  const rows = table.filter((row) => concerns(row, comparison.command.name));
  const isKnown = (line: string, side: "apache" | "ours"): boolean =>
    rows.some((row) => row[side]?.test(line) === true);
  return {
    ...comparison,
    onlyApache: comparison.onlyApache.filter((line) => !isKnown(line, "apache")),
    onlyOurs: comparison.onlyOurs.filter((line) => !isKnown(line, "ours")),
  };
}

/** @returns rows of the table that explain nothing any more */
export function stale(
  comparisons: readonly Comparison[],
  table: readonly Difference[],
): readonly Difference[] {
  const occurs = (row: Difference, side: "apache" | "ours"): boolean => {
    const pattern = row[side];
    const of = side === "apache" ? "onlyApache" : "onlyOurs";
    const lines = comparisons
      .filter(({ command }) => concerns(row, command.name))
      .flatMap((one) => one[of]);
    return pattern === undefined || lines.some((line) => pattern.test(line));
  };
  return table.filter((row) => !occurs(row, "apache") || !occurs(row, "ours"));
}
