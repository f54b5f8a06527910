// `npm test`: builds, checks, then runs every suite and adds the results up; what failed is said once more at the end.
// `node test/run.mjs unit store` runs only those suites. In CI nothing is left out: a missing part of the machine fails.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const results = join(root, "test-results");
// Suites of one row run side by side: both wait most of their time, for JVMs and for containers, and share no port and no name.
const ROWS = [["unit"], ["store"], ["e2e"], ["interop", "docker"], ["browser"]];
const ALL = ROWS.flat();

/** Runs a command; its output is shown when it ends if it is `held`, as it comes otherwise. */
function run(title, command, args, held = false) {
  const started = Date.now();
  const stdio = held ? ["ignore", "pipe", "pipe"] : "inherit";
  const child = spawn(command, args, { cwd: root, stdio });
  const kept = [];
  child.stdout?.on("data", (chunk) => kept.push(chunk));
  child.stderr?.on("data", (chunk) => kept.push(chunk));
  return new Promise((done, failed) => {
    child.on("error", failed);
    child.on("close", (status) => {
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      const end = status === 0 ? "ok" : `FAILED (exit ${status})`;
      process.stdout.write(Buffer.concat(kept));
      process.stdout.write(`\n── ${title}: ${end}, ${seconds} s\n\n`);
      done(status === 0);
    });
  });
}

/** Name and beginning of each failure of a suite, from its JSON report. A file without a failed test fails in its own code or a hook. */
function failuresOf(report) {
  const failures = report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === "failed");
    if (failed.length > 0) return failed.map((test) => [test.fullName, test.failureMessages[0]]);
    return status === "failed" ? [[name, message]] : [];
  });
  return failures.map(([name, message]) => `${name}\n    ${message?.slice(0, 400) ?? ""}`);
}

async function runSuite(suite, held) {
  const file = join(results, `${suite}.json`);
  rmSync(file, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const vitest = join(root, "node_modules/.bin/vitest");
  const ok = await run(suite, vitest, ["run", "--project", suite, ...reporters], held);
  try {
    const report = JSON.parse(readFileSync(file, "utf8"));
    const skipped = report.numPendingTests + report.numTodoTests;
    const { numPassedTests: passed, numFailedTests: failed } = report;
    return { suite, ok, passed, failed, skipped, failures: failuresOf(report) };
  } catch {
    const failures = ["the suite wrote no report"];
    return { suite, ok: false, passed: 0, failed: 1, skipped: 0, failures };
  }
}

/** Row after row; in a row all but the first are held, so that two reports never mix. */
async function runRows(wanted) {
  const reports = [];
  for (const row of ROWS) {
    const suites = row.filter((name) => wanted.includes(name));
    reports.push(...(await Promise.all(suites.map((suite, index) => runSuite(suite, index > 0)))));
  }
  return reports;
}

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !ALL.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no such suite: ${unknown.join(", ")}; there are ${ALL.join(", ")}\n`);
  process.exit(2);
}
mkdirSync(results, { recursive: true });
const built = await run("build", process.execPath, ["docker/build.mjs"]);
const checked = chosen.length > 0 || (await run("check", "npm", ["run", "--silent", "check"]));
const reports = built ? await runRows(chosen.length > 0 ? chosen : ALL) : [];
for (const { suite, failures } of reports) {
  for (const failure of failures) process.stdout.write(`FAILED ${suite}: ${failure}\n\n`);
}
for (const { suite, passed, failed, skipped } of reports) {
  const left = skipped > 0 ? `, ${skipped} LEFT OUT (see !!! above)` : "";
  process.stdout.write(`${suite.padEnd(8)} ${passed} passed, ${failed} failed${left}\n`);
}
const sum = (key) => reports.reduce((total, report) => total + report[key], 0);
process.stdout.write(
  `\n${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped\n`,
);
const noneRan = reports.some((report) => report.passed + report.failed + report.skipped === 0);
if (noneRan) process.stdout.write("a suite ran no test at all: that is a failure\n");
process.exitCode = built && checked && !noneRan && reports.every((report) => report.ok) ? 0 : 1;
