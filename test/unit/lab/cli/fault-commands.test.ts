import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allot } from "../../../../lab/runtime/allot.ts";
import { writeState } from "../../../../lab/runtime/state.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
import { FaultLedger } from "../../../../lab/faults/ledger.ts";
import { recordOf } from "../faults/fault-fixture.ts";
import { runCli, type CliRun } from "./run-cli.ts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-fault-cli-"));
  const { topology } = loadTopology("2m-2s-sync", home);
  writeState(home, allot({ home, name: "lab", topology, runtime: "process", index: 20 }));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function lab(line: string): Promise<CliRun> {
  return runCli(line.split(" "), { cwd: home, env: { LAB_HOME: home } });
}

describe("fault commands", () => {
  it.each([
    ["fault partitoin host-1", 2, 'no fault "partitoin"', "did you mean partition"],
    ["fault partition", 2, "one or two ends", "lab fault partition host-1 host-2"],
    ["fault partition a-b host-1", 6, 'no node or group "a-b"', ""],
    ["fault partition host-1 host-1", 2, "the same nodes", "lab status"],
    ["fault loss host-1 host-2", 2, "needs --percent", "--percent 2"],
    ["fault loss host-1 host-2 --percent 120", 2, '"120"', "0.5"],
    ["fault delay host-1 host-2", 2, "needs --by", "--by 20ms"],
    ["fault bandwidth @masters --rate fast", 2, '"fast"', "20mbit"],
    ["fault memory", 2, "needs NODE", "lab fault memory"],
    ["fault disk-readonly broker-a-master", 3, "process runtime", "lab pause NODE"],
    ["fault disk-full broker-a-master", 3, "process runtime", "lab pause NODE"],
    ["fault disk-full", 2, "needs NODE", "lab fault disk-full broker-a-master"],
    [
      "up 1m --name other --runtime process --disk 512m",
      3,
      "no disks of their own",
      "--runtime docker",
    ],
    ["up --disk 512m", 4, "was made without --disk", "lab up --name NAME"],
    ["up 1m --name other --disk 1m", 2, '"1m" is out of range', "512"],
    ["fault clock broker-a-master", 2, "needs --offset", "--offset +2m"],
    ["fault clock broker-a-master --offset soon", 2, '"soon"', "-30s"],
    ["fault clock broker-a-master --offset 0", 2, '"0"', "+1d"],
    ["fault clock dashboard --offset 5s", 2, "keeps nothing on a disk", "broker-a-master"],
    ["fault partition host-1 host-2", 3, "process runtime", "--runtime docker"],
    ["fault memory @masters --memory 64m", 3, "process runtime", "lab kill NODE"],
    ["firewall close host-1 10912", 3, "process runtime", "--runtime docker"],
    ["firewall close host-1 1", 2, "listens on port 1", "lab firewall show"],
    ["firewall shut", 2, 'not "shut"', "lab firewall close"],
    ["host sideways host-1", 2, 'not "sideways"', "lab host down host-1"],
    ["host down host-7", 6, 'no host "host-7"', "host-1"],
    ["heal f9", 6, 'no fault "f9"', "lab fault list"],
    ["fault disk-lost dashboard", 2, "dashboard keeps nothing on a disk", "broker-a-master"],
    ["unpause broker-a-master", 4, "does not run", "lab start broker-a-master"],
    ["pause broker-a-master", 4, "does not run", "lab start broker-a-master"],
  ])("lab %s → exit %i", async (line, code, what, next) => {
    const run = await lab(line);
    expect(run.stderr).toContain(what);
    expect(run.stderr).toContain(next);
    expect(run).toMatchObject({ code, stdout: "" });
  });

  it("nothing broken: list and heal say so, exit 0", async () => {
    expect(await lab("fault list")).toMatchObject({ code: 0, stdout: "no faults so far\n" });
    expect(await lab("heal")).toMatchObject({ code: 0, stdout: "nothing to heal\n" });
    expect(JSON.parse((await lab("heal --json")).stdout)).toMatchObject({
      schema: "lab.heal/1",
      faults: [],
    });
  });

  it("firewall show lists each host's ports and what breaks without them", async () => {
    const { stdout, code } = await lab("firewall show");
    expect(code).toBe(0);
    expect(stdout).toMatch(/host-1 +10912 +broker-a-master +ha +open +replication to a slave/);
    const { ports } = JSON.parse((await lab("firewall show --json")).stdout) as {
      ports: unknown[];
    };
    expect(ports).toHaveLength(15);
  });

  it.each([80, 120])(
    "status fits a terminal of %i columns, with colours and faults",
    async (columns) => {
      const ledger = new FaultLedger(join(home, "lab"));
      const link = { from: ["broker-a-master", "namesrv-1"], to: ["broker-a-slave", "namesrv-2"] };
      ledger.add(recordOf("f1", { kind: "partition", ...link, oneWay: false, port: null }));
      ledger.add(recordOf("f2", { kind: "memory", nodes: ["broker-a-slave"], mib: 128 }));
      const around = { cwd: home, env: { LAB_HOME: home }, isTTY: true, columns };
      const { stdout, code } = await runCli(["status", "--routes"], around);
      expect(code).toBe(0);
      // oxlint-disable-next-line no-control-regex -- colour codes begin with the escape character
      const lines = stdout.replaceAll(/\u001b\[\d+m/g, "").split("\n");
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
      expect(lines.find((line) => line.startsWith("broker-a-slave"))).toMatch(/f1, f2 +down: was/);
      expect(lines.join(" ")).toContain("broker-a-slave limited to 128 MiB");
    },
  );

  it("watching never ends and --json is one document: exit 2", async () => {
    const { code, stdout } = await lab("status --watch --json");
    expect(code).toBe(2);
    expect(stdout).toContain("never ends");
  });

  it("of a host only what has a disk loses it", async () => {
    const { stdout } = await lab("fault disk-lost host-1 --plan");
    expect(stdout).toContain("namesrv-1: SIGKILL, then remove all its data");
    expect(stdout).not.toContain("dashboard");
  });

  it.each([
    ["+2m", "+120.0 s"],
    ["-30s", "-30.0 s"],
    ["90", "+90.0 s"],
    ["1.5h", "+5400.0 s"],
    ["-250ms", "-0.3 s"],
  ])("clocks: --offset %s is %s", async (offset, shift) => {
    const { stdout, code } = await lab(`fault clock host-1 --offset ${offset} --plan`);
    expect(code).toBe(0);
    expect(stdout).toContain(`namesrv-1: wall clock ${shift}; heal: the machine's`);
    expect(stdout).not.toContain("dashboard");
  });

  it("--plan tells what would be done and writes nothing down", async () => {
    const { stdout, code } = await lab("host down host-1 --plan");
    expect(code).toBe(0);
    expect(stdout).toContain("broker-a-master: SIGKILL; heal: start it");
    expect((await lab("fault list")).stdout).toBe("no faults so far\n");
  });
});
