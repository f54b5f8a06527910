/**
 * Every fault of a lab in Docker bites, measured from inside the nodes' own networks by the faults' proofs and here once more by what clients see; heals,
 * measured the same way; and leaves nothing behind, also when the command that made it is killed.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type Docker from "dockerode";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FaultControl } from "../../lab/faults/control.ts";
import type { FaultRecord, FaultSpec } from "../../lab/faults/fault.ts";
import { createDockerRuntime } from "../../lab/runtime/docker-runtime.ts";
import { connectDocker } from "../../lab/runtime/preflight/engine.ts";
import type { LabRuntime } from "../../lab/runtime/runtime.ts";
import { allocationOf, readState } from "../../lab/runtime/state.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import { freeIndexes } from "../helpers/docker-lab.ts";
import { LabHome } from "../helpers/lab-home.ts";
import { machineHas } from "../helpers/requirements.ts";

const MASTER = "broker-a-master";
const SLAVE = "broker-a-slave";
const LINK = { from: [MASTER], to: [SLAVE], oneWay: false };
const NAME = "faults-test";

/** Times of five synced writes to the node's volume, milliseconds, the median. */
const SYNCED_WRITES = `
const fs = require("node:fs"); const times = [];
const fd = fs.openSync("/data/probe", "w");
for (let i = 0; i < 5; i += 1) {
  const begun = performance.now(); fs.writeSync(fd, "x".repeat(4096)); fs.fdatasyncSync(fd); times.push(performance.now() - begun);
}
fs.closeSync(fd); fs.unlinkSync("/data/probe"); console.log(times.sort((a, b) => a - b)[2]);`;

/** Milliseconds 300 million additions take. */
const BUSY = `const begun = performance.now(); let sum = 0; for (let i = 0; i < 3e8; i += 1) sum += i; console.log(performance.now() - begun);`;

function measuredIn(node: string, program: string): number {
  const args = ["exec", `${NAME}-${node}`, "node", "-e", program];
  return Number(execFileSync("docker", args, { encoding: "utf8", timeout: 60_000 }));
}

describe.runIf(machineHas("docker", "docker-compose", "linux"))("faults in Docker", () => {
  const cleanup = new Cleanup();
  let lab: LabHome;
  let docker: Docker;
  let runtime: LabRuntime;
  let control: FaultControl;

  beforeAll(async () => {
    const [index] = await freeIndexes();
    if (index === undefined) throw new Error("this test needs a free block of ports and subnets");
    lab = cleanup.use(await LabHome.create());
    docker = (await connectDocker()).docker;
    const up = [
      "up",
      "2m-2s-sync",
      "--runtime",
      "docker",
      "--index",
      String(index),
      "--name",
      NAME,
    ];
    const made = await lab.run(...up);
    if (made.code !== 0) throw new Error(made.stderr);
    const state = readState(lab.home, NAME);
    if (state === null) throw new Error("no state");
    runtime = await createDockerRuntime(allocationOf(lab.home, state));
    control = new FaultControl({ runtime, lockFile: join(lab.directory, "lock"), command: "test" });
  });
  // A test that failed in mid-fault must not break the next one.
  afterEach(async () => void (await control.heal()));
  afterAll(() => cleanup[Symbol.asyncDispose]());

  const helpersLeft = async (): Promise<number> => {
    const filters = { label: [`lab.name=${NAME}`, "lab.fault"] };
    return (await docker.listContainers({ all: true, filters })).length;
  };

  /** Injects, checks that all evidence holds, heals, checks again, and that no helper stays. */
  const bitesAndHeals = async (
    spec: FaultSpec,
    during?: () => Promise<void> | void,
  ): Promise<FaultRecord> => {
    const made = await control.inject(spec, undefined);
    const bites = made.evidence.filter((entry) => entry.when === "during");
    expect(bites.map((entry) => [entry.what, entry.holds])).toEqual(
      bites.map((entry) => [entry.what, true]),
    );
    await during?.();
    const [healed] = await control.heal([made.id]);
    if (healed === undefined) throw new Error("nothing was healed");
    const gone = healed.evidence.filter((entry) => entry.when === "after");
    expect(gone.map((entry) => [entry.what, entry.holds])).toEqual(
      gone.map((entry) => [entry.what, true]),
    );
    expect(gone.length).toBeGreaterThan(0);
    expect(await helpersLeft()).toBe(0);
    return healed;
  };

  it.each<FaultSpec>([
    { kind: "partition", ...LINK, port: null },
    { kind: "partition", ...LINK, oneWay: true, port: null },
    { kind: "partition", ...LINK, port: 10_912 },
    { kind: "reject", ...LINK, port: null },
    { kind: "reject", ...LINK, port: 10_912 },
    { kind: "loss", ...LINK, percent: 20 },
    { kind: "delay", ...LINK, delayMs: 25 },
    { kind: "bandwidth", nodes: [MASTER], bitsPerSecond: 10e6 },
    { kind: "firewall", host: "host-1", nodes: [MASTER], port: 10_912 },
  ])("$kind (port $port, one way $oneWay) bites and heals", async (spec) => {
    const { evidence } = await bitesAndHeals(spec);
    expect(evidence.some((entry) => entry.when === "during" && /→|sends/.test(entry.what))).toBe(
      true,
    );
  });

  it("a cut replication port makes the slave fall behind, and it catches up after healing", async () => {
    const status = async (): Promise<string> => (await lab.run("status", "--name", NAME)).stdout;
    await bitesAndHeals({ kind: "partition", ...LINK, port: 10_912 }, async () => {
      await lab.run("bench", "--name", NAME, "--duration", "500ms", "--warmup", "0s");
      expect(await status()).toMatch(/bytes behind broker-a-master/);
    });
    await expect.poll(status, { timeout: 30_000 }).not.toMatch(/bytes behind/);
  });

  it("rules are made again in the new network namespace of a node that was restarted", async () => {
    const slave = runtime.endpoints().find((end) => end.node === SLAVE && end.port === "broker");
    const [host = "", port = ""] = slave?.innerAddress.split(":") ?? [];
    const tried = `
const socket = require("node:net").connect(${port}, "${host}");
socket.on("error", (error) => { console.log(error.code === "ECONNREFUSED" ? 1 : 2); });
socket.on("connect", () => { console.log(0); socket.destroy(); });`;
    expect(measuredIn(MASTER, tried)).toBe(0);
    const spec: FaultSpec = { kind: "reject", ...LINK, oneWay: true, port: null };
    const made = await control.inject(spec, undefined);
    await lab.run("kill", MASTER, "--name", NAME);
    await lab.run("start", MASTER, "--name", NAME, "--timeout", "30s");
    expect(measuredIn(MASTER, tried)).toBe(1);
    const [healed] = await control.heal([made.id]);
    expect(healed?.state).toBe("healed");
    expect(measuredIn(MASTER, tried)).toBe(0);
  });

  it("memory and CPU limits are the engine's, and the CPU limit is felt", async () => {
    await bitesAndHeals({ kind: "memory", nodes: [SLAVE], mib: 128 });
    const before = measuredIn(SLAVE, BUSY);
    await bitesAndHeals({ kind: "cpu", nodes: [SLAVE], cpus: 0.2 }, () => {
      expect(measuredIn(SLAVE, BUSY)).toBeGreaterThan(before * 2);
    });
  });

  it("what grows above a memory limit is ended by the system, and not before", async () => {
    const grow = `const all = []; while (all.length < 25) all.push(Buffer.alloc(8 << 20, 1)); console.log(all.length);`;
    expect(measuredIn(SLAVE, grow)).toBe(25);
    await bitesAndHeals({ kind: "memory", nodes: [SLAVE], mib: 150 }, () => {
      let status: unknown;
      try {
        measuredIn(SLAVE, grow);
      } catch (error) {
        status = (error as { status: unknown }).status;
      }
      // 128 + SIGKILL
      expect(status).toBe(137);
    });
    expect(measuredIn(SLAVE, grow)).toBe(25);
  });

  it("a slow disk makes synced writes slow", async () => {
    const before = measuredIn(SLAVE, SYNCED_WRITES);
    await bitesAndHeals({ kind: "disk-slow", nodes: [SLAVE], iops: 10 }, () => {
      expect(measuredIn(SLAVE, SYNCED_WRITES)).toBeGreaterThan(before + 50);
    });
    expect(measuredIn(SLAVE, SYNCED_WRITES)).toBeLessThan(50);
  });

  it("a shifted clock is the node's alone, and that of its next container too", async () => {
    const clockOf = (node: string): number => {
      const says = `console.log(JSON.parse(require("node:fs").readFileSync("/data/clock-says")).clockMs)`;
      return measuredIn(node, says);
    };
    await bitesAndHeals({ kind: "clock", nodes: [SLAVE, "namesrv-1"], offsetMs: -90_000 });
    const spec: FaultSpec = { kind: "clock", nodes: [MASTER], offsetMs: 7_200_000 };
    await bitesAndHeals(spec, async () => {
      // A program beside the node has the machine's clock.
      expect(Math.abs(measuredIn(MASTER, "console.log(Date.now())") - Date.now())).toBeLessThan(
        60_000,
      );
      const before = clockOf(MASTER);
      await lab.run("kill", MASTER, "--name", NAME);
      await lab.run("start", MASTER, "--name", NAME, "--timeout", "30s");
      expect(clockOf(MASTER)).toBeGreaterThan(before);
      expect(clockOf(MASTER) - Date.now()).toBeGreaterThan(7_100_000);
    });
    expect(measuredIn(MASTER, `console.log(require("node:fs").readdirSync("/data").length)`)).toBe(
      measuredIn(SLAVE, `console.log(require("node:fs").readdirSync("/data").length)`),
    );
  });

  it("a paused, a killed and a lost node come back", async () => {
    expect((await bitesAndHeals({ kind: "pause", nodes: [SLAVE] })).state).toBe("healed");
    expect((await bitesAndHeals({ kind: "kill", nodes: [SLAVE], signal: "SIGKILL" })).state).toBe(
      "healed",
    );
    expect((await bitesAndHeals({ kind: "disk-lost", nodes: [SLAVE] })).state).toBe("healed");
  });

  it("kill -9 of lab in mid-fault: the next command heals, nothing is left in the namespaces", async () => {
    const child = lab.start(
      "fault",
      "delay",
      MASTER,
      SLAVE,
      "--by",
      "30ms",
      "--for",
      "60s",
      "--name",
      NAME,
    );
    await expect.poll(() => child.lines.join("\n"), { timeout: 60_000 }).toContain("active");
    expect(await helpersLeft()).toBe(2);
    process.kill(child.pid, "SIGKILL");
    await child.exited;
    const next = await lab.run("fault", "list", "--name", NAME);
    expect(next.stderr).toContain("which an ended command had left");
    expect(next.stdout).not.toMatch(/active|intended|healing/);
    expect(await helpersLeft()).toBe(0);
  });

  it("down and destroy leave no helper, no volume and no network, with faults in effect", async () => {
    await control.inject({ kind: "delay", ...LINK, delayMs: 5 }, undefined);
    await control.inject({ kind: "clock", nodes: [MASTER, SLAVE], offsetMs: 5_000 }, undefined);
    expect((await lab.run("down", "--name", NAME)).code).toBe(0);
    expect(control.ledger.open()).toEqual([]);
    expect(await helpersLeft()).toBe(0);
    expect((await lab.run("destroy", "--yes", "--name", NAME)).code).toBe(0);
    const filters = { label: [`lab.name=${NAME}`] };
    expect(await docker.listContainers({ all: true, filters })).toEqual([]);
    expect(await docker.listNetworks({ filters })).toEqual([]);
  });
});
