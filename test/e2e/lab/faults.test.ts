/** Faults of a lab of local processes, from the command line: they bite, they are healed, also when the command that made them is killed. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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
    expect((await lab.run("stop", "namesrv-2")).code).toBe(0);
    expect((await lab.run("start", "namesrv-2")).code).toBe(0);
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

  it("Ctrl-C heals at once and keeps the data, exit 130", async () => {
    const child = lab.start("pause", "broker-b-slave", "--for", "60s");
    await expect.poll(() => child.lines.join("\n"), { timeout: 20_000 }).toContain("is paused");
    process.kill(child.pid, "SIGINT");
    expect((await child.exited).code).toBe(130);
    expect(await stateOf("broker-b-slave")).toBe("running");
  });

  it("kill -9 of lab in mid-fault: the next command heals", async () => {
    const child = lab.start("host", "down", "host-2", "--for", "60s");
    await expect.poll(() => child.lines.join("\n"), { timeout: 20_000 }).toContain("active");
    process.kill(child.pid, "SIGKILL");
    await child.exited;
    const next = await lab.run("status");
    expect(next.stderr).toContain("which an ended command had left");
    await expect.poll(async () => (await status()).healthy, { timeout: 60_000 }).toBe(true);
    expect((await status()).faults).toEqual([]);
  });

  it("a host goes down as a whole and comes back as a whole", async () => {
    expect((await lab.run("host", "down", "host-1")).code).toBe(0);
    const states = (await status()).nodes.map((row) => [row.host, row.state]);
    for (const [host, state] of states)
      expect(state).toBe(host === "host-1" ? "stopped" : "running");
    expect((await lab.run("host", "up", "host-1")).code).toBe(0);
    expect(await status()).toMatchObject({ healthy: true, faults: [] });
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
    expect((await lab.run("down")).code).toBe(0);
    expect(lab.livePids()).toEqual([]);
    expect((await lab.run("fault", "list")).stdout).not.toContain("active");
  });
});
