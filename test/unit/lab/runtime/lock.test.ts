import { mkdtempSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineError } from "../../../../engine/base/engine-error.ts";
import { acquireLock } from "../../../../lab/runtime/lock.ts";
import { identify } from "../../../../lab/runtime/process-identity.ts";
import { startChild } from "../../../helpers/child.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lab-lock-"));
  path = join(directory, "deep", ".lab.lock");
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("acquireLock", () => {
  it("tells the second comer who holds it, and lets it in after the release", async () => {
    const first = await acquireLock(path, { command: "lab up", waitMs: 0 });
    const refused = await acquireLock(path, { command: "lab up", waitMs: 0 }).catch(
      (e: unknown) => e,
    );
    expect(refused).toBeInstanceOf(EngineError);
    expect(refused).toMatchObject({ code: "LAB_BUSY" });
    expect(String(refused)).toContain(`process ${process.pid}`);
    first.release();
    expect(existsSync(path)).toBe(false);
    (await acquireLock(path, { command: "lab up", waitMs: 0 })).release();
  });

  it("waits for the holder when asked to", async () => {
    const first = await acquireLock(path, { command: "a", waitMs: 0 });
    const second = acquireLock(path, { command: "b", waitMs: 5_000 });
    first.release();
    (await second).release();
    expect(existsSync(path)).toBe(false);
  });

  it("takes over the lock of a process that was killed", async () => {
    await using child = startChild(process.execPath, [
      "-e",
      "setInterval(() => {}, 1000); console.log('up')",
    ]);
    await child.waitForLine((line) => line === "up", 10_000);
    const holder = { ...identify(child.pid), command: "lab up", at: "2026-11-24", token: "t" };
    (await acquireLock(path, { command: "x", waitMs: 0 })).release();
    writeFileSync(path, JSON.stringify(holder));
    await expect(acquireLock(path, { command: "b", waitMs: 0 })).rejects.toMatchObject({
      code: "LAB_BUSY",
    });
    child.kill("SIGKILL");
    await child.exited;
    (await acquireLock(path, { command: "b", waitMs: 0 })).release();
  });

  it("does not mistake a recycled pid for the holder", async () => {
    (await acquireLock(path, { command: "x", waitMs: 0 })).release();
    const recycled = {
      pid: process.pid,
      started: "long ago",
      command: "lab up",
      at: "2026",
      token: "t",
    };
    writeFileSync(path, JSON.stringify(recycled));
    (await acquireLock(path, { command: "b", waitMs: 0 })).release();
    expect(existsSync(path)).toBe(false);
  });

  it("takes over a lock file that cannot be read", async () => {
    (await acquireLock(path, { command: "x", waitMs: 0 })).release();
    writeFileSync(path, "{ half a fi");
    (await acquireLock(path, { command: "b", waitMs: 0 })).release();
    expect(existsSync(path)).toBe(false);
  });

  it("lets exactly one of many takers of a stale lock in at a time", async () => {
    (await acquireLock(path, { command: "x", waitMs: 0 })).release();
    writeFileSync(
      path,
      JSON.stringify({ pid: 2 ** 22, started: "?", command: "dead", at: "1", token: "t" }),
    );
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        using _lock = await acquireLock(path, { command: "taker", waitMs: 10_000 });
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setTimeout(resolve, 2));
        inside -= 1;
      }),
    );
    expect(most).toBe(1);
  });
});
