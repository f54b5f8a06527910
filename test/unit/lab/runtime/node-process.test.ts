import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { logLines } from "../../../../lab/runtime/node-log.ts";
import { NodeProcess } from "../../../../lab/runtime/node-process.ts";
import { findProcess, identify, isReaped } from "../../../../lab/runtime/process-identity.ts";
import { startChild } from "../../../helpers/child.ts";

const LAUNCH = {
  program: process.execPath,
  files: [],
  args: [
    "-e",
    "console.log('LAB', process.env.LAB_NODE, process.env.SECRET); setInterval(() => {}, 1000)",
  ],
  env: { LAB_NODE: "node-1" },
};

let directory: string;
let child: NodeProcess;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lab-node-"));
  child = new NodeProcess("node-1", join(directory, "node-1"));
});

afterEach(async () => {
  if (child.signal("SIGKILL")) await child.ended(5_000);
  rmSync(directory, { recursive: true, force: true });
});

async function firstLogLine(): Promise<string> {
  const signal = AbortSignal.timeout(10_000);
  for await (const line of logLines(child.logFile, { tail: 1, follow: true, signal })) return line;
  return "";
}

describe("a node as a local process", () => {
  it("is missing, running, paused, running, stopped", async () => {
    expect(child.observe()).toMatchObject({ state: "missing", pid: null, rssBytes: null });
    expect(child.start(LAUNCH)).toBe(true);
    const running = child.observe();
    expect(running.state).toBe("running");
    await expect.poll(() => child.observe().rssBytes).toBeGreaterThan(1_000_000);
    child.signal("SIGSTOP");
    await expect.poll(() => child.observe().state).toBe("paused");
    child.signal("SIGCONT");
    await expect.poll(() => child.observe().state).toBe("running");
    child.signal("SIGKILL");
    expect(await child.ended(5_000)).toBe(true);
    expect(child.observe()).toMatchObject({ state: "stopped", pid: null, exitCode: 137 });
  });

  it("is not started twice, and a paused one goes on", async () => {
    child.start(LAUNCH);
    const { pid } = child.observe();
    expect(child.start(LAUNCH)).toBe(false);
    child.signal("SIGSTOP");
    await expect.poll(() => child.observe().state).toBe("paused");
    expect(child.start(LAUNCH)).toBe(false);
    await expect.poll(() => child.observe().state).toBe("running");
    expect(child.observe().pid).toBe(pid);
  });

  it("is known to another command that reads the record", async () => {
    child.start(LAUNCH);
    const other = new NodeProcess("node-1", join(directory, "node-1"));
    expect(other.observe().pid).toBe(child.observe().pid);
    expect(other.signal("SIGKILL")).toBe(true);
    expect(await child.ended(5_000)).toBe(true);
  });

  it("never signals a recycled pid", () => {
    child.start(LAUNCH);
    const file = join(directory, "node-1", "process.json");
    const record = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    const victim = { ...record, pid: process.pid };
    writeFileSync(join(directory, "victim.json"), "");
    const impostor = new NodeProcess("impostor", join(directory, "impostor"));
    impostor.start(LAUNCH);
    impostor.signal("SIGKILL");
    writeFileSync(join(directory, "impostor", "process.json"), JSON.stringify(victim));
    expect(impostor.observe().state).toBe("stopped");
    expect(impostor.signal("SIGTERM")).toBe(false);
  });

  it("is found again when the command that started it died before it noted the pid", async () => {
    child.start(LAUNCH);
    const { pid } = child.observe();
    const file = join(directory, "node-1", "process.json");
    writeFileSync(file, JSON.stringify({ starting: true, startedAtMs: 1 }));
    expect(child.observe()).toMatchObject({ state: "running", pid });
    expect(child.start(LAUNCH)).toBe(false);
    child.signal("SIGKILL");
    expect(await child.ended(5_000)).toBe(true);
    writeFileSync(file, JSON.stringify({ starting: true, startedAtMs: 1 }));
    expect(child.observe().state).toBe("missing");
  });

  it("is missing when its record cannot be read", () => {
    child.start(LAUNCH);
    child.signal("SIGKILL");
    writeFileSync(join(directory, "node-1", "process.json"), "{");
    expect(child.observe().state).toBe("missing");
  });

  it("gets its own variables and nothing else of ours", async () => {
    process.env["SECRET"] = "token";
    child.start(LAUNCH);
    delete process.env["SECRET"];
    expect(await firstLogLine()).toBe("LAB node-1 undefined");
  });
});

describe("identity of a process", () => {
  it("ends with the process", async () => {
    child.start(LAUNCH);
    const identity = identify(child.observe().pid ?? 0);
    expect(identity).not.toBeNull();
    if (identity === null) return;
    expect(findProcess(identity)?.state).toBe("running");
    expect(findProcess({ ...identity, started: "earlier" })).toBeNull();
    child.signal("SIGKILL");
    await child.ended(5_000);
    expect(findProcess(identity)).toBeNull();
  });
});

describe.runIf(process.platform === "linux")("a zombie", () => {
  it("has ended, but its pid is not free before its parent has asked for it", async () => {
    const script = "sleep 0.3 & echo $!; exec sleep 60";
    await using parent = startChild("sh", ["-c", script]);
    const pid = Number(await parent.waitForLine((line) => /^\d+$/.test(line), 10_000));
    const identity = identify(pid);
    if (identity === null) throw new Error("the child ended before it was looked at");
    expect(isReaped(identity)).toBe(false);
    await expect.poll(() => findProcess(identity), { timeout: 5_000 }).toBeNull();
    expect(isReaped(identity)).toBe(false);
    parent.kill("SIGKILL");
    await expect.poll(() => isReaped(identity), { timeout: 10_000 }).toBe(true);
  });
});

describe("log of a node", () => {
  async function lastLines(file: string, tail: number): Promise<string[]> {
    const lines: string[] = [];
    const options = { tail, follow: false, signal: new AbortController().signal };
    for await (const line of logLines(file, options)) lines.push(line);
    return lines;
  }

  it("gives the last lines only, whole ones only", async () => {
    const file = join(directory, "x.log");
    writeFileSync(file, "one\ntwo\nthree\nhalf");
    expect(await lastLines(file, 2)).toEqual(["two", "three"]);
    expect(await lastLines(file, 0)).toEqual([]);
    expect(await lastLines(join(directory, "none.log"), 5)).toEqual([]);
  });

  it("follows what is written later, also a file that begins anew, until the signal", async () => {
    const file = join(directory, "x.log");
    writeFileSync(file, "one\n");
    const controller = new AbortController();
    const seen: string[] = [];
    const options = { tail: 10, follow: true, signal: controller.signal };
    for await (const line of logLines(file, options)) {
      seen.push(line);
      if (line === "one") writeFileSync(file, "x\n");
      if (line === "x") controller.abort();
    }
    expect(seen).toEqual(["one", "x"]);
    expect(existsSync(file)).toBe(true);
  });
});
