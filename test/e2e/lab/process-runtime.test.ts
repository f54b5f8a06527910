/** The life of a lab of local processes, from the command line alone, as a user drives it. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readProcess } from "../../../lab/runtime/process-identity.ts";
import { LabHome } from "../../helpers/lab-home.ts";

interface View {
  readonly schema: string;
  readonly healthy: boolean;
  readonly namesrvAddr: string;
  readonly dashboardUrl: string;
  readonly started: readonly string[];
  readonly readyMs: number;
  readonly nodes: readonly {
    readonly node: string;
    readonly state: string;
    readonly health: string;
    readonly reason: string;
    readonly pid: number | null;
    readonly rssBytes: number | null;
    readonly address: string;
  }[];
}

interface Bench {
  readonly messagesPerSecond: number;
  readonly totals: { readonly ok: number; readonly unknown: number };
  readonly verdict: { readonly verdict: string; readonly reasons: readonly string[] };
  readonly verification: Readonly<Record<string, unknown>>;
  readonly savedTo: string;
}

const NODES = 7;
const IDLE_MIB_MAX = 400;

function nodeOf(view: View, name: string): View["nodes"][number] {
  const found = view.nodes.find((row) => row.node === name);
  if (found === undefined) throw new Error(`no node ${name}`);
  return found;
}

describe("2m-2s-sync as local processes", () => {
  let lab: LabHome;
  let first: View;

  beforeAll(async () => {
    lab = await LabHome.create();
    first = await lab.json<View>("up", "2m-2s-sync", "--runtime", "process");
  });

  afterAll(() => lab[Symbol.asyncDispose]());

  it("comes up ready: every node running and healthy", () => {
    expect(first).toMatchObject({ schema: "lab.up/1", healthy: true, runtime: "process" });
    expect(first.started).toHaveLength(NODES);
    expect(first.nodes.map((row) => [row.node, row.state, row.health])).toEqual(
      first.nodes.map((row) => [row.node, "running", "ok"]),
    );
  });

  it("idles in at most 400 MiB, all seven nodes together", async () => {
    const { nodes } = await lab.json<View>("status");
    const bytes = nodes.reduce((sum, row) => sum + (row.rssBytes ?? Infinity), 0);
    expect(bytes / 1_024 / 1_024).toBeLessThanOrEqual(IDLE_MIB_MAX);
  });

  it("a second up changes nothing", async () => {
    const second = await lab.json<View>("up");
    expect(second.started).toEqual([]);
    expect(second.nodes.map((row) => row.pid)).toEqual(first.nodes.map((row) => row.pid));
  });

  it("up prints a table, the client's address, the dashboard and next commands", async () => {
    const { stdout, stderr, code } = await lab.run("up");
    expect(code).toBe(0);
    expect(stdout).toContain("broker-a-master");
    expect(stdout).toContain(first.namesrvAddr);
    expect(stdout).toContain(first.dashboardUrl);
    expect(stdout).toContain("lab bench --producers 8");
    expect(`${stdout}${stderr}`).not.toContain("\u001b");
    expect((await fetch(first.dashboardUrl)).status).toBeLessThan(500);
  });

  it("another preset, runtime or block under the same name is a conflict", async () => {
    for (const args of [["1m"], ["--runtime", "docker"], ["--index", "0"]]) {
      const { code, stderr } = await lab.run("up", ...args);
      expect(code).toBe(4);
      expect(stderr).toContain("lab destroy");
    }
  });

  it("a killed master is down in status, its slave is not, and start brings it back with its data", async () => {
    const before = await lab.json<Bench>("bench", "--duration", "300ms", "--warmup", "0s");
    expect((await lab.run("kill", "broker-a-master")).code).toBe(0);
    const broken = await lab.json<View>("status");
    expect(broken.healthy).toBe(false);
    expect(nodeOf(broken, "broker-a-master")).toMatchObject({
      state: "stopped",
      health: "down",
      reason: "does not run (exit code 137)",
      pid: null,
    });
    expect(nodeOf(broken, "broker-b-master").health).toBe("ok");
    const started = await lab.run("start", "broker-a-master");
    expect(started.stderr).toContain("started");
    expect(started.code).toBe(0);
    expect((await lab.json<View>("status")).healthy).toBe(true);
    expect(before.verdict.verdict).toBe("valid");
    // New messages add to the old ones: the bench counts by offsets, which a lost store would have set back.
    const after = await lab.json<Bench>("bench", "--duration", "300ms", "--warmup", "0s");
    expect(after.verification).toMatchObject({ verdict: "complete", lost: 0, unexpected: 0 });
  });

  it("stop is graceful, start of a running node does nothing", async () => {
    expect((await lab.run("stop", "broker-b-slave")).code).toBe(0);
    const log = await lab.json<{ nodes: Record<string, string[]> }>("logs", "broker-b-slave");
    expect(log.nodes["broker-b-slave"]?.length).toBeGreaterThan(0);
    expect((await lab.run("start", "broker-b-slave")).code).toBe(0);
    const pid = nodeOf(await lab.json<View>("status"), "broker-b-slave").pid;
    expect((await lab.run("start", "broker-b-slave")).stdout).toContain("runs already");
    expect(nodeOf(await lab.json<View>("status"), "broker-b-slave").pid).toBe(pid);
  });

  it("a paused node is paused in status, goes on by unpause, and keeps its pid", async () => {
    expect((await lab.run("pause", "broker-a-slave")).code).toBe(0);
    const paused = nodeOf(await lab.json<View>("status"), "broker-a-slave");
    expect(paused).toMatchObject({ state: "paused", health: "down", reason: "is paused" });
    expect((await lab.run("unpause", "broker-a-slave")).code).toBe(0);
    const resumed = nodeOf(await lab.json<View>("status"), "broker-a-slave");
    expect(resumed).toMatchObject({ state: "running", pid: paused.pid });
  });

  it("restart gives a node a new process; a name server is ready when every broker has told it its routes", async () => {
    const before = nodeOf(await lab.json<View>("status"), "namesrv-1").pid;
    expect((await lab.run("restart", "namesrv-1")).code).toBe(0);
    const view = await lab.json<View>("status");
    const after = nodeOf(view, "namesrv-1");
    expect(after.health).toBe("ok");
    expect(view.healthy).toBe(true);
    expect(after.pid).not.toBe(before);
  });

  it("a half-up lab is repaired by up: only what is missing is started", async () => {
    await lab.run("kill", "broker-b-master", "namesrv-2");
    const repaired = await lab.json<View>("up");
    expect([...repaired.started].toSorted()).toEqual(["broker-b-master", "namesrv-2"]);
    expect(repaired.healthy).toBe(true);
  });

  it("logs follow until Ctrl-C", async () => {
    await using follower = lab.start("logs", "namesrv-1", "-f");
    await follower.waitUntil((lines) => lines.length > 0, 10_000);
    follower.kill("SIGINT");
    expect((await follower.exited).code).toBe(130);
  });

  it("down ends every process and keeps the data; up goes on with it", async () => {
    const messages = await lab.json<Bench>("bench", "--duration", "300ms", "--warmup", "0s");
    expect(messages.totals.ok).toBeGreaterThan(0);
    expect((await lab.run("down")).code).toBe(0);
    expect(lab.livePids()).toEqual([]);
    expect((await lab.run("down")).stdout).toContain("was down already");
    const again = await lab.json<View>("up");
    expect(again.namesrvAddr).toBe(first.namesrvAddr);
    expect(again.healthy).toBe(true);
  });

  it("destroy leaves no process and no file", async () => {
    expect((await lab.run("destroy")).code).toBe(2);
    expect((await lab.run("destroy", "--yes")).code).toBe(0);
    expect(lab.livePids()).toEqual([]);
    expect(existsSync(lab.home)).toBe(false);
    expect((await lab.run("status")).code).toBe(6);
  });
});

describe("bench against local processes", () => {
  let lab: LabHome;

  beforeAll(async () => {
    lab = await LabHome.create();
    await lab.json<View>("up", "2m-2s-async", "--runtime", "process");
  });

  afterAll(() => lab[Symbol.asyncDispose]());

  it.each([
    ["sync, closed loop", ["--producers", "4"]],
    ["async", ["--producers", "2", "--mode", "async"]],
    ["open loop", ["--producers", "4", "--rate", "300"]],
    ["read back by consumers", ["--producers", "2", "--consumers", "2", "--rate", "500"]],
    ["large messages", ["--size", "64k"]],
  ])("%s: every message is accounted for", async (_case, args) => {
    const result = await lab.json<Bench>("bench", "--duration", "1s", "--warmup", "200ms", ...args);
    // On a busy machine the generator of an open loop may be late, and then says so.
    const reasons = result.verdict.reasons.filter((reason) => !reason.includes("generator"));
    expect(reasons).toEqual([]);
    expect(result.verification).toMatchObject({
      verdict: "complete",
      lost: 0,
      unexpected: 0,
      duplicates: 0,
    });
    expect(result.messagesPerSecond).toBeGreaterThan(0);
    const saved = JSON.parse(readFileSync(join(result.savedTo, "result.json"), "utf8")) as Bench;
    expect(saved.totals).toEqual(result.totals);
  });

  it("one-way: counts what was handed over and what is stored", async () => {
    const result = await lab.json<Bench>("bench", "--mode", "oneway", "--duration", "500ms");
    expect(result.verification["found"]).toBeGreaterThan(0);
    expect(result.verification["unexpected"]).toBe(0);
  });

  it("Ctrl-C ends it early with what was measured, exit 130", async () => {
    await using run = lab.start("bench", "--duration", "60s", "--warmup", "0s");
    await run.waitForLine((line) => line.includes("measuring"), 20_000);
    await new Promise((resolve) => setTimeout(resolve, 500));
    run.kill("SIGINT");
    expect((await run.exited).code).toBe(130);
    expect(run.lines.join("\n")).toContain("ended early");
    expect(run.lines.join("\n")).toContain("accounted for               complete");
  });

  it("a master that dies in the middle leaves failed sends, and a run that cannot be accounted for is invalid", async () => {
    await using run = lab.start("bench", "--producers", "2", "--duration", "3s", "--warmup", "0s");
    await run.waitForLine((line) => line.includes("measuring"), 20_000);
    await lab.run("kill", "broker-a-master");
    expect((await run.exited).code).toBe(13);
    expect(run.lines.join("\n")).toContain("could not be accounted for");
  });
});

describe("two at once, side by side, interrupted", () => {
  it("of two up at once the second says who is at work, exit 4", async () => {
    await using lab = await LabHome.create();
    await using first = lab.start("up", "1m", "--runtime", "process");
    await first.waitForLine((line) => line.includes("runtime process"), 20_000);
    // Held still, so that it is surely at work when the second one comes.
    first.kill("SIGSTOP");
    const second = await lab.run("up", "1m", "--runtime", "process");
    first.kill("SIGCONT");
    expect(second.code).toBe(4);
    expect(second.stderr).toContain(`process ${first.pid}`);
    expect((await first.exited).code).toBe(0);
  });

  it("an up that was killed is finished by the next one", async () => {
    await using lab = await LabHome.create();
    await using first = lab.start("up", "1m", "--runtime", "process");
    await first.waitForLine((line) => line.includes("started"), 20_000);
    first.kill("SIGKILL");
    await first.exited;
    const second = await lab.json<View>("up", "1m");
    expect(second.healthy).toBe(true);
    expect(new Set(lab.livePids())).toEqual(new Set(second.nodes.map((row) => row.pid)));
  });

  it("Ctrl-C during the first up leaves nothing behind, exit 130", async () => {
    await using lab = await LabHome.create();
    await using up = lab.start("up", "2m-2s-sync", "--runtime", "process");
    await up.waitForLine((line) => line.includes("broker-a-slave started"), 20_000);
    const pids = lab.livePids();
    expect(pids.length).toBeGreaterThan(0);
    up.kill("SIGINT");
    expect((await up.exited).code).toBe(130);
    expect(pids.filter((pid) => readProcess(pid) !== null)).toEqual([]);
    const left = existsSync(lab.home) ? readdirSync(lab.home) : [];
    expect(left).toEqual([]);
  });

  it("Ctrl-C during a later up keeps the data and what ran before", async () => {
    await using lab = await LabHome.create();
    const before = await lab.json<View>("up", "1m", "--runtime", "process");
    const node = before.nodes.find((row) => row.node.startsWith("broker"))?.node ?? "";
    await lab.run("kill", node);
    await using up = lab.start("up");
    await up.waitForLine((line) => line.includes(`${node} started`), 20_000);
    up.kill("SIGINT");
    expect((await up.exited).code).toBe(130);
    const after = await lab.json<View>("status");
    const states = Object.fromEntries(after.nodes.map((row) => [row.node, row.state]));
    expect(states[node]).toBe("stopped");
    expect(states["namesrv-1"]).toBe("running");
    expect((await lab.json<View>("up")).healthy).toBe(true);
  });

  it("the second Ctrl-C leaves up at once; destroy then leaves nothing", async () => {
    await using lab = await LabHome.create();
    await using up = lab.start("up", "1m", "--runtime", "process");
    await up.waitForLine((line) => line.includes("broker-a-master started"), 20_000);
    const pids = lab.livePids();
    // Frozen nodes do not end when they are asked to, so the command is still at it when the second one comes.
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    up.kill("SIGINT");
    await up.waitForLine((line) => line.includes("once more ends at once"), 5_000);
    up.kill("SIGINT");
    expect(await up.exited).toEqual({ code: null, signal: "SIGINT" });
    expect((await lab.run("destroy", "--yes")).code).toBe(0);
    expect(pids.filter((pid) => readProcess(pid) !== null)).toEqual([]);
  });

  it("the second Ctrl-C leaves bench at once; the lab is as it was", async () => {
    await using lab = await LabHome.create();
    await lab.json<View>("up", "1m", "--runtime", "process");
    await using bench = lab.start("bench", "--duration", "60s", "--warmup", "0s");
    await bench.waitForLine((line) => line.includes("measuring"), 20_000);
    await lab.run("pause", "broker-a-master");
    bench.kill("SIGINT");
    await bench.waitForLine((line) => line.includes("once more ends at once"), 5_000);
    bench.kill("SIGINT");
    expect(await bench.exited).toEqual({ code: null, signal: "SIGINT" });
    await lab.run("unpause", "broker-a-master");
    expect((await lab.json<View>("status")).healthy).toBe(true);
  });

  it("a second lab stands beside the first under another name", async () => {
    await using lab = await LabHome.create(2);
    const one = await lab.json<View>("up", "1m", "--runtime", "process");
    const index = String(lab.indexes[1]);
    const as = ["--name", "second", "--index", index];
    const two = await lab.json<View>("up", "1m", "--runtime", "process", ...as);
    expect(two.healthy).toBe(true);
    expect(two.namesrvAddr).not.toBe(one.namesrvAddr);
    expect((await lab.run("destroy", "--yes", "--name", "second")).code).toBe(0);
    expect((await lab.json<View>("status")).healthy).toBe(true);
  });

  it("without an engine up takes local processes and says so; asked for Docker it is exit 3", async () => {
    await using lab = await LabHome.create();
    lab.extraEnvironment = { DOCKER_HOST: `unix://${join(lab.directory, "nobody.sock")}` };
    const refused = await lab.run("up", "1m", "--runtime", "docker");
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("--runtime process");
    const up = await lab.json<View & { runtimeReason: string }>("up", "1m");
    expect(up).toMatchObject({ runtime: "process", healthy: true });
    expect(up.runtimeReason).toContain("no Docker");
  });

  it("a broken topology is refused with file and line, exit 2, and leaves no lab", async () => {
    await using lab = await LabHome.create();
    const folder = join(lab.directory, "mine");
    cpSync("conf/1m", folder, { recursive: true });
    const file = join(folder, "topology.yaml");
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace("    role: namesrv", "    role: nameserver"),
    );
    const { code, stderr } = await lab.run("up", "--topology", "./mine");
    expect(code).toBe(2);
    expect(stderr).toMatch(/mine\/topology\.yaml:\d+:/);
    expect((await lab.run("status")).code).toBe(6);
  });

  it("a port that is taken is named with its holder, exit 4, and leaves no lab", async () => {
    await using lab = await LabHome.create();
    const port = 9_876 + 1_000 * (lab.indexes[0] ?? 0);
    const server = createServer();
    await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
    const { code, stderr } = await lab.run("up", "1m", "--runtime", "process");
    server.close();
    expect(code).toBe(4);
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toContain(`process ${process.pid}`);
    expect((await lab.run("status")).code).toBe(6);
  });

  it("a node that ends right after its start fails up at once, with its last words", async () => {
    await using lab = await LabHome.create();
    await lab.json<View>("up", "1m", "--runtime", "process");
    await lab.run("down");
    const store = join(lab.home, "lab", "nodes", "broker-a-master", "store");
    rmSync(store, { recursive: true, force: true });
    writeFileSync(store, "a file where the store's folder should be");
    const { code, stderr } = await lab.run("up");
    expect(code).toBe(5);
    expect(stderr).toContain("LAB_NODE_FAILED");
    expect(stderr).toContain("last lines of broker-a-master");
    expect(stderr).toContain("lab logs broker-a-master");
  });
});
