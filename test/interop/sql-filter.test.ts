/** Our SQL92 filters against Apache's own classes (rocketmq-filter 4.9.0): the unit test's table, and random filters from a seed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { machineHas } from "../helpers/requirements.ts";
import { SQL_CASES } from "../helpers/sql-cases.ts";
import { SqlGenerator } from "../helpers/sql-generator.ts";
import { judge, type Properties } from "../helpers/sql-judge.ts";
import { startJava } from "./apache.ts";

const RANDOM_FILTERS = 10_000;
const MESSAGES_EACH = 6;
const TIMEOUT_MS = 120_000;
/** One for the whole run: a retried test tries the same filters. */
const SEED = Number(process.env["SQL_SEED"] ?? Date.now() % 1_000_000);

interface Question {
  readonly sql: string;
  readonly properties: Properties;
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** @returns one letter a question, from Apache's classes */
async function askApache(questions: readonly Question[]): Promise<readonly string[]> {
  const home = mkdtempSync(join(tmpdir(), "lab-sql-"));
  try {
    await using java = await startJava("LabFilter", { version: "4.9.0", home }, []);
    for (const { sql, properties } of questions) {
      const words = [sql, ...Object.entries(properties).flat()].map(base64);
      java.write(`${words.join(" ")}\n`);
    }
    java.closeInput();
    await java.waitForLine((line) => line === "finished", TIMEOUT_MS);
    return java.lines.filter((line) => /^[ETFUX]$/.test(line));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

describe.runIf(machineHas("java", "maven"))("SQL92 filters and rocketmq-filter 4.9.0", () => {
  it("agree on every case of the table, and the table is right", async () => {
    const apache = await askApache(SQL_CASES);
    expect(apache).toHaveLength(SQL_CASES.length);
    const wrong = SQL_CASES.filter((one, i) => apache[i] !== one.verdict).map(
      (one) => `${one.sql} ${JSON.stringify(one.properties["v"])}: the table says ${one.verdict}`,
    );
    expect(wrong).toEqual([]);
  });

  it("agree on random filters and messages", async () => {
    process.stdout.write(`random filters from SQL_SEED=${SEED}\n`);
    const generator = new SqlGenerator(SEED);
    const questions = Array.from({ length: RANDOM_FILTERS }, () => generator.filter()).flatMap(
      (sql) =>
        Array.from({ length: MESSAGES_EACH }, () => ({ sql, properties: generator.message() })),
    );
    const apache = await askApache(questions);
    expect(apache).toHaveLength(questions.length);
    for (const verdict of ["E", "T", "F", "U", "X"]) {
      const count = apache.filter((one) => one === verdict).length;
      expect(count, `random cases with verdict ${verdict}`).toBeGreaterThan(500);
    }
    const wrong = questions.filter(
      ({ sql, properties }, i) => judge(sql, properties) !== apache[i],
    );
    expect(wrong.slice(0, 20), `SQL_SEED=${SEED}`).toEqual([]);
  });
});
