/** Judges test results by the rows of features.ts. Pure. */
import type { Cell, Feature } from "./features.ts";

export const CLIENTS = ["java", "go", "own", "mqadmin"] as const;
export type Client = (typeof CLIENTS)[number];

/** One test of a report. */
export interface TestResult {
  /** `FILE > DESCRIBE > TEST`, the file relative to the project. */
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped";
}

/** One cell: counts, or that the client has no such feature, or that nothing proves it. */
export type Verdict =
  | { readonly kind: "counted"; readonly passed: number; readonly failed: number }
  | { readonly kind: "absent"; readonly why: string }
  | {
      readonly kind: "missing";
      /** Patterns without a test that ran. */
      readonly wanting: readonly string[];
    };

export interface Row {
  readonly feature: string;
  readonly verdicts: Readonly<Record<Client, Verdict>>;
}

function judge(cell: Cell, results: readonly TestResult[]): Verdict {
  if (typeof cell === "string") return { kind: "absent", why: cell };
  const own = results.filter(({ name }) => cell.some((pattern) => pattern.test(name)));
  // A pattern that matches nothing is a promise nobody keeps, however many tests the others match.
  const wanting = cell.filter(
    (pattern) => !own.some(({ name, status }) => status !== "skipped" && pattern.test(name)),
  );
  if (wanting.length > 0) return { kind: "missing", wanting: wanting.map(({ source }) => source) };
  const failed = own.filter(({ status }) => status === "failed").length;
  const passed = own.filter(({ status }) => status === "passed").length;
  return { kind: "counted", passed, failed };
}

/** @returns a row for each feature, none left out */
export function judgeFeatures(
  features: readonly Feature[],
  results: readonly TestResult[],
): readonly Row[] {
  return features.map((feature) => ({
    feature: feature.name,
    verdicts: {
      java: judge(feature.java, results),
      go: judge(feature.go, results),
      own: judge(feature.own, results),
      mqadmin: judge(feature.mqadmin, results),
    },
  }));
}

function text(verdict: Verdict): string {
  switch (verdict.kind) {
    case "absent":
      return "–";
    case "missing":
      return "MISSING";
    case "counted":
      return verdict.failed === 0
        ? `${verdict.passed} pass`
        : `${verdict.passed} pass, ${verdict.failed} FAIL`;
  }
}

/** @returns true when every cell is proven, or says why there is nothing to prove */
export function isComplete(rows: readonly Row[]): boolean {
  return rows.every(({ verdicts }) =>
    CLIENTS.every((client) => {
      const verdict = verdicts[client];
      return verdict.kind === "absent" || (verdict.kind === "counted" && verdict.failed === 0);
    }),
  );
}

/** @returns the table as lines of text, with a sum and the reasons behind its dashes */
export function tableOf(rows: readonly Row[]): string {
  const head = ["FEATURE", "JAVA 4.9.0", "GO 2.1.2", "OWN CLIENT", "MQADMIN 4.9.0"];
  const lines = rows.map(({ feature, verdicts }) => [
    feature,
    ...CLIENTS.map((client) => text(verdicts[client])),
  ]);
  const widths = head.map((title, i) =>
    Math.max(title.length, ...lines.map((line) => line[i]?.length ?? 0)),
  );
  const format = (line: readonly string[]): string =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  const all = rows.flatMap(({ verdicts }) => CLIENTS.map((client) => verdicts[client]));
  const sum = (of: (verdict: Verdict) => number): number => all.reduce((n, one) => n + of(one), 0);
  const passed = sum((one) => (one.kind === "counted" ? one.passed : 0));
  const failed = sum((one) => (one.kind === "counted" ? one.failed : 0));
  const missing = sum((one) => (one.kind === "missing" ? 1 : 0));
  const total = `${rows.length} features: ${passed} passed, ${failed} failed, ${missing} cells without a test`;
  return [format(head), ...lines.map(format), "", total, ...reasons(rows)].join("\n");
}

/** Why cells are dashes, each reason once, and what the missing ones lack. */
function reasons(rows: readonly Row[]): string[] {
  const absent = new Map<string, string[]>();
  const missing: string[] = [];
  for (const { feature, verdicts } of rows) {
    for (const client of CLIENTS) {
      const verdict = verdicts[client];
      if (verdict.kind === "absent") {
        const reason = `– ${client}: ${verdict.why}`;
        absent.set(reason, [...(absent.get(reason) ?? []), feature]);
      } else if (verdict.kind === "missing") {
        missing.push(`MISSING ${client}, ${feature}: no test ran for ${verdict.wanting.join(" ")}`);
      }
    }
  }
  return [...[...absent].map(([reason, names]) => `${reason} (${names.join("; ")})`), ...missing];
}
