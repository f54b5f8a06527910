/** What shifts a node's clock, in a real process with the flags of a node: it appears, changes and goes while the process runs. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setClock } from "../../../../lab/faults/clock/offset-file.ts";
import { Cleanup } from "../../../helpers/cleanup.ts";
import { startChild, type LineChild } from "../../../helpers/child.ts";

const FLAGS = ["--disable-proto=delete", "--disallow-code-generation-from-strings"];
const WAIT_MS = 5_000;
/** Tells, at every line it reads, what the clock says in all its forms, in the main thread and in a worker. */
const PROGRAM = `
import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { createInterface } from "node:readline";
const own = () => ({
  now: Date.now(), made: new Date().getTime(), called: Date.parse(Date()), kept: Kept.now(),
  given: new Date(5).getTime(), parsed: Date.parse("1970-01-01T00:00:01Z"), isDate: new Date() instanceof Date && new Date() instanceof Kept,
  type: Object.prototype.toString.call(new Date()), sub: new (class extends Date {})().getTime(), steady: performance.now(),
});
const Kept = Date;
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  worker.unref();
  createInterface({ input: process.stdin }).on("line", () => {
    worker.once("message", (inWorker) => console.log(JSON.stringify({ main: own(), worker: inWorker })));
    worker.postMessage("");
  });
  console.log("ready", Date === Kept && /native code/.test(String(Date.now)));
} else parentPort.on("message", () => parentPort.postMessage(own()));`;

interface Clock {
  readonly now: number;
  readonly made: number;
  readonly called: number;
  readonly kept: number;
  readonly given: number;
  readonly parsed: number;
  readonly isDate: boolean;
  readonly type: string;
  readonly sub: number;
  readonly steady: number;
}

describe("the clock of a node", () => {
  const cleanup = new Cleanup();
  let preload = "";
  let folder = "";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lab-clock-"));
    cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
    preload = join(folder, "clock.mjs");
    const entry = resolve(import.meta.dirname, "../../../../lab/faults/clock/preload.ts");
    await build({
      entryPoints: [entry],
      outfile: preload,
      bundle: true,
      platform: "node",
      format: "esm",
    });
    writeFileSync(join(folder, "program.mjs"), PROGRAM);
  });
  afterAll(() => cleanup[Symbol.asyncDispose]());

  function start(): LineChild {
    const flags = [...FLAGS, "--import", pathToFileURL(preload).href];
    return startChild(process.execPath, [...flags, join(folder, "program.mjs")], { cwd: folder });
  }

  async function says(child: LineChild): Promise<{ main: Clock; worker: Clock }> {
    const before = child.lines.length;
    child.write("\n");
    await child.waitUntil((lines) => lines.length > before, WAIT_MS);
    return JSON.parse(child.lines.at(-1) ?? "") as { main: Clock; worker: Clock };
  }

  function expectAhead(clock: Clock, aheadMs: number): void {
    const off = Date.now() + aheadMs;
    for (const value of [clock.now, clock.made, clock.kept, clock.sub]) {
      expect(Math.abs(value - off)).toBeLessThan(1_500);
    }
    // A text has whole seconds.
    expect(Math.abs(clock.called - off)).toBeLessThan(2_500);
    expect(clock).toMatchObject({ given: 5, parsed: 1_000, isDate: true, type: "[object Date]" });
  }

  it("is shifted, shifted otherwise and shifted back, in worker threads too; steady time goes on", async () => {
    await using child = start();
    await child.waitForLine((line) => line === "ready true", WAIT_MS);
    expectAhead((await says(child)).main, 0);
    for (const offsetMs of [120_000, -30_000, 86_400_000]) {
      const steady = (await says(child)).main.steady;
      const answer = await setClock(folder, { offsetMs, waitMs: WAIT_MS });
      expect(Math.abs((answer.aheadMs ?? 0) - offsetMs)).toBeLessThan(100);
      expectAhead((await says(child)).main, offsetMs);
      // A worker looks for itself, at most a moment later.
      await expect
        .poll(async () => (await says(child)).worker.now - Date.now(), { timeout: WAIT_MS })
        .toBeCloseTo(offsetMs, -4);
      expectAhead((await says(child)).worker, offsetMs);
      const passed = (await says(child)).main.steady - steady;
      expect(passed).toBeGreaterThan(0);
      expect(passed).toBeLessThan(WAIT_MS);
    }
    const healed = await setClock(folder, { offsetMs: 0, waitMs: WAIT_MS });
    expect(healed).toEqual({ aheadMs: 0, hadSaid: true });
    expectAhead((await says(child)).main, 0);
    expect(readdirSync(folder).filter((name) => name.startsWith("clock-"))).toEqual([]);
  });

  it("the same offset once more is answered once more: a node that came back says it itself", async () => {
    await using child = start();
    await child.waitForLine((line) => line === "ready true", WAIT_MS);
    for (let round = 0; round < 2; round += 1) {
      const answer = await setClock(folder, { offsetMs: 60_000, waitMs: WAIT_MS });
      expect(answer.aheadMs).not.toBeNull();
    }
    await setClock(folder, { offsetMs: 0, waitMs: WAIT_MS });
  });

  it("a process that starts with an offset never sees the true clock", async () => {
    await setClock(folder, { offsetMs: 3_600_000, waitMs: 0 });
    await using child = start();
    await child.waitForLine((line) => line.startsWith("ready"), WAIT_MS);
    expect(existsSync(join(folder, "clock-says"))).toBe(true);
    expectAhead((await says(child)).main, 3_600_000);
    await setClock(folder, { offsetMs: 0, waitMs: WAIT_MS });
  });

  it("what is no whole number is no offset", async () => {
    writeFileSync(join(folder, "clock-offset"), "1e9; rm");
    await using child = start();
    expect(await child.waitForLine((line) => line.startsWith("ready"), WAIT_MS)).toBe("ready true");
    expectAhead((await says(child)).main, 0);
  });

  it("keeps no process alive", async () => {
    await using child = startChild(
      process.execPath,
      ["--import", pathToFileURL(preload).href, "-e", ""],
      { cwd: folder },
    );
    expect((await child.exited).code).toBe(0);
  });
});
