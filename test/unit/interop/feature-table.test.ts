import { describe, expect, it } from "vitest";
import { isComplete, judgeFeatures, tableOf } from "../../interop/feature-table.ts";
import { FEATURES, type Feature } from "../../interop/features.ts";

const FEATURE: Feature = {
  name: "thing",
  java: [/java.*\[a\]/],
  go: "not there",
  own: [/own.*one/, /own.*two/],
  mqadmin: [/mqadmin/],
};
const passed = (name: string) => ({ name, status: "passed" as const });
const ALL = ["java > x [a]", "java > y [a]", "own > one", "own > two", "mqadmin > z"].map(passed);

describe("feature table", () => {
  it("counts the tests of each cell; a client without the feature has a dash", () => {
    const rows = judgeFeatures([FEATURE], ALL);
    expect(isComplete(rows)).toBe(true);
    const [, line = ""] = tableOf(rows).split("\n");
    expect(line.split(/\s{2,}/)).toEqual(["thing", "2 pass", "–", "2 pass", "1 pass"]);
    expect(tableOf(rows)).toContain("– go: not there (thing)");
  });

  it("a failed test is counted and makes the table incomplete", () => {
    const rows = judgeFeatures([FEATURE], [...ALL, { name: "java > z [a]", status: "failed" }]);
    expect(isComplete(rows)).toBe(false);
    expect(tableOf(rows)).toContain("2 pass, 1 FAIL");
  });

  it.each(["own > two", "mqadmin > z"])("without the test %s its cell is missing", (name) => {
    for (const left of [[], [{ name, status: "skipped" as const }]]) {
      const rows = judgeFeatures([FEATURE], [...ALL.filter((test) => test.name !== name), ...left]);
      expect(isComplete(rows)).toBe(false);
      expect(tableOf(rows)).toMatch(/MISSING (own|mqadmin), thing: no test ran for/);
    }
  });

  it("no feature is listed twice, and every dash says why", () => {
    const names = FEATURES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const texts = FEATURES.flatMap((row) => [row.java, row.go, row.own, row.mqadmin]).filter(
      (cell) => typeof cell === "string",
    );
    expect(texts.every((text) => text.length > 15)).toBe(true);
  });
});
