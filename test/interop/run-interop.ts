/**
 * `npm run interop`: runs the tests with foreign clients, and those of our own client, then prints feature × client. `-- --last` judges the results
 * `npm test` left in test-results. Exit 1 when a test failed or a cell has none.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { FEATURES } from "./features.ts";
import { isComplete, judgeFeatures, tableOf, type TestResult } from "./feature-table.ts";

const RESULTS = resolve("test-results");
/** Suites whose results `npm test` leaves. */
const LAST = ["interop", "e2e"];
const SUITES = ["--project", "interop", "--project", "e2e"];
const OWN = [
  "test/interop",
  "test/e2e/engine/client",
  "test/e2e/engine/admin",
  "test/e2e/engine/acl.test.ts",
  "test/e2e/engine/tls.test.ts",
];

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

function read(file: string): TestResult[] {
  if (!existsSync(file)) {
    process.stderr.write(`there is no ${relative("", file)}: run npm test or npm run interop\n`);
    process.exit(2);
  }
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  return report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status }) => ({
      name: [relative("", name), ...ancestorTitles, title].join(" > "),
      status: status === "passed" || status === "failed" ? status : "skipped",
    })),
  );
}

function run(): { readonly results: TestResult[]; readonly isOk: boolean } {
  const build = spawnSync(process.execPath, ["docker/build.mjs"], { stdio: "inherit" });
  if (build.status !== 0) process.exit(1);
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, "interop-table.json");
  const { status } = spawnSync(
    "node_modules/.bin/vitest",
    [
      "run",
      ...SUITES,
      ...OWN,
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
    ],
    { stdio: "inherit" },
  );
  return { results: read(file), isOk: status === 0 };
}

const isLast = process.argv.includes("--last");
const { results, isOk } = isLast
  ? { results: LAST.flatMap((suite) => read(join(RESULTS, `${suite}.json`))), isOk: true }
  : run();
const rows = judgeFeatures(FEATURES, results);
process.stdout.write(`\n${tableOf(rows)}\n`);
process.exitCode = isOk && isComplete(rows) ? 0 : 1;
