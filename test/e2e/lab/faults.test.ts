/** Faults of a lab of local processes, from the command line: they bite, they are healed, also when the command that made them is killed. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { acquireLock } from "../../../lab/runtime/lock.ts";
import { lockFile } from "../../../lab/runtime/state.ts";
import { LabHome } from "../../helpers/lab-home.ts";

interface Status {
  readonly healthy: boolean;
  readonly nodes: readonly {
    readonly node: string;
    readonly host: string;
    readonly state: string;
    readonly pid: number | null;
    readonly lagBytes: number | null;
    readonly routes: Readonly<Record<string, string | null>>;
    readonly faults: readonly string[];
  }[];
  readonly faults: readonly {
    readonly id: string;
    readonly kind: string;
    readonly state: string;
  }[];
}

describe("faults of local processes", () => {
  let lab: LabHome;

  beforeAll(async () => {
    lab = await LabHome.create();
    await lab.json("up", "2m-2s-sync", "--runtime", "process");
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  const status = (): Promise<Status> => lab.json<Status>("status");
  const stateOf = async (node: string): Promise<string | undefined> =>
    (await status()).nodes.find((row) => row.node === node)?.state;

  /** What stands on the other host follows a little later. */
  const healthy = (): Promise<void> =>
    expect.poll(async () => (await status()).healthy, { timeout: 60_000 }).toBe(true);

  // A test that failed in mid-fault must not break the next one.
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await lab.run("heal");
  });

  it("status shows where each name server routes a broker, how far a slave is, and no faults", async () => {
    const { nodes, faults } = await status();
    expect(faults).toEqual([]);
    const slave = nodes.find((row) => row.node === "broker-a-slave");
    expect(Object.keys(slave?.routes ?? {})).toEqual(["namesrv-1", "namesrv-2"]);
    expect(Object.values(slave?.routes ?? {})).not.toContain(null);
    expect(slave?.lagBytes).toBe(0);
  });

  it("a killed node is in the ledger; heal starts it and waits until it serves", async () => {
    expect((await lab.run("kill", "broker-a-slave")).code).toBe(0);
    const broken = await status();
    expect(broken.faults).toMatchObject([{ kind: "kill", state: "active" }]);
    expect(broken.nodes.find((row) => row.node === "broker-a-slave")?.faults[0]).toContain("kill");
    const healed = await lab.run("heal");
    expect(healed.code).toBe(0);
    expect(healed.stdout).toContain("broker-a-slave is running");
    expect(await status()).toMatchObject({ healthy: true, faults: [] });
  });

  it("start by hand ends the fault too", async () => {
    expect((await lab.run("stop", "broker-a-slave")).code).toBe(0);
    expect((await lab.run("start", "broker-a-slave")).code).toBe(0);
    expect((await status()).faults).toEqual([]);
  });

  it("--for holds the fault, then heals it", async () => {
    const run = await lab.run("pause", "broker-b-slave", "--for", "400ms");
    expect(run.stderr).toContain("broker-b-slave is paused");
    expect(run.stdout).toContain("broker-b-slave is running");
    expect(run.code).toBe(0);
  });

  it("SIGSTOP is a freeze that heal ends", async () => {
    expect((await lab.run("kill", "broker-b-slave", "--signal", "SIGSTOP")).code).toBe(0);
    expect(await stateOf("broker-b-slave")).toBe("paused");
    expect((await lab.run("heal")).code).toBe(0);
    expect(await stateOf("broker-b-slave")).toBe("running");
  });

  it("up tells at once that a paused node will not get ready, and names the fault", async () => {
    await lab.json("pause", "broker-b-slave");
    const { code, stderr } = await lab.run("up");
    expect(code).toBe(5);
    expect(stderr).toMatch(/note: f\d+ is in effect \(broker-b-slave frozen\)/);
    expect(stderr).toContain("lab unpause broker-b-slave");
    expect((await lab.run("unpause", "broker-b-slave")).code).toBe(0);
    expect(await status()).toMatchObject({ healthy: true, faults: [] });
  });

  it("Ctrl-C heals at once and keeps the data, exit 130", async () => {
    const child = lab.start("pause", "broker-b-slave", "--for", "60s");
    await expect.poll(() => child.lines.join("\n"), { timeout: 20_000 }).toContain("is paused");
    process.kill(child.pid, "SIGINT");
    expect((await child.exited).code).toBe(130);
    expect(await stateOf("broker-b-slave")).toBe("running");
  });

  it("the second Ctrl-C leaves at once, and the next command heals", async () => {
    const child = lab.start("pause", "broker-b-slave", "--for", "60s");
    await child.waitForLine((line) => line.includes("is paused"), 20_000);
    {
      // Healing waits for this, so the command is still at it when the second one comes.
      using _busy = await acquireLock(lockFile(lab.home, "lab"), { command: "test", waitMs: 0 });
      child.kill("SIGINT");
      await child.waitForLine((line) => line.includes("once more ends at once"), 5_000);
      child.kill("SIGINT");
      expect(await child.exited).toEqual({ code: null, signal: "SIGINT" });
    }
    expect((await lab.run("status")).stderr).toContain("which an ended command had left");
    expect(await stateOf("broker-b-slave")).toBe("running");
  });

  it("of two commands that hold a fault each heals its own", async () => {
    const first = lab.start("pause", "broker-b-slave", "--for", "60s");
    const second = lab.start("stop", "broker-a-slave", "--for", "60s");
    await first.waitForLine((line) => line.includes("is paused"), 20_000);
    await second.waitForLine((line) => line.includes("is stopped"), 20_000);
    expect((await status()).faults).toMatchObject([{ state: "active" }, { state: "active" }]);
    second.kill("SIGINT");
    expect((await second.exited).code).toBe(130);
    expect((await status()).faults).toMatchObject([{ kind: "pause" }]);
    expect(await stateOf("broker-b-slave")).toBe("paused");
    // Healed from elsewhere: the command that holds it has nothing left to do.
    expect((await lab.run("heal")).code).toBe(0);
    first.kill("SIGINT");
    expect((await first.exited).code).toBe(130);
    expect(first.lines.join("\n")).toContain("healed: broker-b-slave frozen");
    expect(await status()).toMatchObject({ healthy: true, faults: [] });
  });

  it("host up brings back also a node that was stopped before the host went down", async () => {
    await lab.json("stop", "broker-b-slave");
    await lab.json("host", "down", "host-1");
    await lab.json("host", "up", "host-1");
    expect((await status()).faults).toEqual([]);
    await healthy();
  });

  it("kill -9 of lab in mid-fault: the next command heals", async () => {
    const child = lab.start("host", "down", "host-2", "--for", "60s");
    await expect.poll(() => child.lines.join("\n"), { timeout: 20_000 }).toContain("active");
    process.kill(child.pid, "SIGKILL");
    await child.exited;
    const next = await lab.run("status");
    expect(next.stderr).toContain("which an ended command had left");
    await healthy();
    expect((await status()).faults).toEqual([]);
  });

  it.each([250, 450, 650, 900])(
    "kill -9 of lab %i ms after it began to lose a disk: whatever was half done, the next command ends it",
    async (ms) => {
      const child = lab.start("fault", "disk-lost", "broker-b-slave", "--for", "200ms");
      await new Promise((resolve) => setTimeout(resolve, ms));
      child.kill("SIGKILL");
      await child.exited;
      await lab.run("status");
      await healthy();
      const after = await status();
      expect(after.faults).toEqual([]);
      expect(after.nodes.find(({ node }) => node === "broker-b-slave")).toMatchObject({
        state: "running",
        lagBytes: 0,
      });
    },
  );

  it("a host goes down as a whole and comes back as a whole", async () => {
    expect((await lab.run("host", "down", "host-1")).code).toBe(0);
    const states = (await status()).nodes.map((row) => [row.host, row.state]);
    for (const [host, state] of states)
      expect(state).toBe(host === "host-1" ? "stopped" : "running");
    expect((await lab.run("host", "up", "host-1")).code).toBe(0);
    expect((await status()).faults).toEqual([]);
    await healthy();
  });

  it("a shifted clock stamps messages, survives a restart and a lost disk, and heals from a new process", async () => {
    await lab.json("admin", "topics", "create", "clocks", "--queues", "1");
    const storedAt = async (key: string): Promise<number> => {
      await lab.json("admin", "messages", "send", "--topic", "clocks", "--key", key, "--body", "x");
      const find = (): Promise<{ messages: { stored: string }[] }> =>
        lab.json("admin", "messages", "find", "--topic", "clocks", "--key", key);
      const { messages } = await find();
      return Date.parse(messages[0]?.stored ?? "");
    };
    const made = await lab.run("fault", "clock", "@brokers", "--offset", "+2m");
    expect(made.stdout).toContain("the clock of broker-a-master says +120.0 s");
    expect(made.code).toBe(0);
    expect((await status()).faults).toMatchObject([{ kind: "clock", state: "active" }]);
    expect((await storedAt("during")) - Date.now()).toBeGreaterThan(100_000);
    const again = await lab.run("fault", "clock", "broker-a-slave", "--offset", "-1m");
    expect(again).toMatchObject({ code: 4 });
    expect(again.stderr).toContain("the clock of broker-a-slave is changed already");

    expect((await lab.run("restart", "broker-a-master", "broker-b-master")).code).toBe(0);
    await healthy();
    expect((await storedAt("restarted")) - Date.now()).toBeGreaterThan(100_000);
    const offset = join(lab.home, "lab", "nodes", "broker-a-slave", "clock-offset");
    await lab.json("fault", "disk-lost", "broker-a-slave");
    expect(existsSync(offset)).toBe(true);
    const healed = await lab.run("heal");
    expect(healed.stdout).toContain("the clock of broker-b-slave says +0.0 s");
    expect(healed.code).toBe(0);
    expect(existsSync(offset)).toBe(false);
    // A store's times never go back: until the true clock has passed them, each of the two brokers gives its last one.
    const times = new Set<number>();
    for (const key of ["a", "b", "c", "d"]) times.add(await storedAt(key));
    expect(times.size).toBeLessThanOrEqual(2);
    await healthy();
  });

  it("a lost disk is empty, and the slave is filled again by its master", async () => {
    await lab.json("bench", "--duration", "300ms", "--warmup", "0s");
    expect((await lab.run("fault", "disk-lost", "broker-a-slave")).code).toBe(0);
    const folder = join(lab.home, "lab", "nodes", "broker-a-slave");
    expect(readdirSync(folder).filter((name) => name === "store")).toEqual([]);
    expect((await lab.run("heal")).code).toBe(0);
    const slave = (await status()).nodes.find((row) => row.node === "broker-a-slave");
    expect(slave).toMatchObject({ state: "running", lagBytes: 0 });
  });

  it("a rolling restart gives every broker a new process, one after the other", async () => {
    const before = (await status()).nodes;
    const run = await lab.run("restart", "@brokers", "--rolling");
    expect(run.stdout).toMatch(/a-slave, broker-b-slave, broker-a-master, broker-b-master/);
    expect(run.code).toBe(0);
    const after = await status();
    expect(after.healthy).toBe(true);
    for (const row of after.nodes.filter(({ node }) => node.startsWith("broker"))) {
      expect(row.pid).not.toBe(before.find(({ node }) => node === row.node)?.pid);
    }
  });

  it("status --watch shows the lab until it is interrupted", async () => {
    const child = lab.start("status", "--watch");
    await expect
      .poll(() => child.lines.filter((line) => line.includes("lab lab:")).length, {
        timeout: 20_000,
      })
      .toBeGreaterThan(1);
    process.kill(child.pid, "SIGINT");
    expect((await child.exited).code).toBe(130);
  });

  it("down ends every fault without starting anything", async () => {
    await lab.run("kill", "namesrv-1");
    await lab.json("fault", "clock", "broker-a-master", "namesrv-1", "--offset", "-5m");
    expect((await lab.run("down")).code).toBe(0);
    const folder = join(lab.home, "lab", "nodes");
    for (const node of readdirSync(folder))
      expect(readdirSync(join(folder, node)).filter((name) => name.startsWith("clock"))).toEqual(
        [],
      );
    expect(lab.livePids()).toEqual([]);
    expect((await lab.run("fault", "list")).stdout).not.toContain("active");
  });
});
