/** Promotion, restore, snapshot and reset of a lab of local processes under its own load, from the command line. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { schemaProblems } from "../../helpers/json-schema.ts";
import { LabHome } from "../../helpers/lab-home.ts";

interface Row {
  readonly node: string;
  readonly role: string;
  readonly state: string;
  readonly health: string;
  readonly lagBytes: number | null;
}

interface Promoted {
  readonly before: string;
  readonly logs: readonly { readonly node: string; readonly aheadRecords: number }[];
  readonly routes: Readonly<Record<string, string | null>>;
}

interface Bench {
  readonly workload: { readonly topic: string };
  readonly totals: { readonly ok: number };
  readonly verification: Readonly<Record<string, unknown>>;
}

const BENCH = ["bench", "--producers", "2", "--duration", "300ms", "--warmup", "0s"];

describe("2m-2s-sync as local processes", () => {
  let lab: LabHome;

  const row = async (node: string): Promise<Row> => {
    const { nodes } = await lab.json<{ nodes: readonly Row[] }>("status");
    const found = nodes.find((entry) => entry.node === node);
    if (found === undefined) throw new Error(`no ${node}`);
    return found;
  };

  const ok = async (line: string): Promise<string> => {
    const { code, stdout, stderr } = await lab.run(...line.split(" "));
    if (code !== 0) throw new Error(`lab ${line}: exit ${code}\n${stderr}`);
    return stdout;
  };

  /** Runs with `--json` and holds the document against its schema. */
  const document = async <Document>(line: string): Promise<Document> => {
    const stdout = await ok(`${line} --json`);
    expect(schemaProblems(stdout)).toBe("");
    return JSON.parse(stdout) as Document;
  };

  const bench = async (): Promise<Bench> => {
    const result = await lab.json<Bench>(...BENCH);
    expect(result.verification).toMatchObject({ verdict: "complete", lost: 0 });
    return result;
  };

  beforeAll(async () => {
    lab = await LabHome.create();
    await ok("up 2m-2s-sync --runtime process --size tiny");
    await bench();
  });

  afterAll(() => lab[Symbol.asyncDispose]());

  it("a slave is not promoted while its master serves: exit 4", async () => {
    const run = await lab.run("promote", "broker-a-slave");
    expect(run.code).toBe(4);
    expect(run.stderr).toContain("lab promote broker-a-slave --force");
    expect(await row("broker-a-master")).toMatchObject({
      role: "master of broker-a",
      health: "ok",
    });
  });

  it("after a crash of the master it is, routed by every name server, and takes load", async () => {
    await ok("kill broker-a-master");
    const done = await document<Promoted>("promote broker-a-slave");
    expect(done).toMatchObject({ before: "broker-a-master" });
    expect(done.logs.every(({ aheadRecords }) => aheadRecords === 0)).toBe(true);
    expect(Object.values(done.routes)).toEqual([expect.any(String), expect.any(String)]);
    expect(await row("broker-a-slave")).toMatchObject({ role: "master of broker-a", health: "ok" });
    await bench();
  });

  it("promoting it again changes nothing", async () => {
    const done = await document<Promoted>("promote broker-a-slave");
    expect(done).toMatchObject({ before: "broker-a-slave", logs: [] });
  });

  it("the old master comes back as its slave, in sync", async () => {
    await ok("start broker-a-master");
    expect(await row("broker-a-master")).toMatchObject({
      role: "slave of broker-a",
      health: "ok",
      lagBytes: 0,
    });
    await bench();
  });

  it("a planned switch goes back and loses nothing", async () => {
    await ok("promote broker-a-master --force");
    await ok("start broker-a-slave");
    expect(await row("broker-a-slave")).toMatchObject({ role: "slave of broker-a", health: "ok" });
    await bench();
  });

  it("a master that has more than its slave: refused, given up when told, kept from starting, made a copy", async () => {
    await ok("stop broker-a-slave");
    await bench();
    await ok("kill broker-a-master");
    const refused = await lab.run("promote", "broker-a-slave");
    expect(refused.code).toBe(4);
    expect(refused.stderr).toMatch(/broker-a-master has \d+ bytes \(\d+ records\) more/);
    const done = await document<Promoted>("promote broker-a-slave --accept-loss");
    expect(done.logs.find(({ node }) => node === "broker-a-master")?.aheadRecords).toBeGreaterThan(
      0,
    );
    await bench();
    const kept = await lab.run("start", "broker-a-master");
    expect(kept.code).toBe(4);
    expect(kept.stderr).toContain("lab restore broker-a-master --from broker-a-slave");
    expect((await lab.run("up")).code).toBe(4);
    expect(await document("restore broker-a-master --from broker-a-slave")).toMatchObject({
      source: "paused",
      aside: "store.aside",
    });
    await ok("up");
    expect(await row("broker-a-master")).toMatchObject({
      role: "slave of broker-a",
      health: "ok",
      lagBytes: 0,
    });
    await bench();
  });

  it("a lost disk is filled from the peer", async () => {
    await ok("fault disk-lost broker-b-slave");
    await document("restore broker-b-slave --from broker-b-master");
    await ok("start broker-b-slave");
    expect(await row("broker-b-slave")).toMatchObject({ health: "ok", lagBytes: 0 });
  });

  it("a snapshot of a lab that runs brings back what was there, roles included; Ctrl-C leaves none", async () => {
    const topics = (): string =>
      readFileSync(join(lab.home, "lab/nodes/broker-b-master/store/config/topics.json"), "utf8");
    await document("snapshot save full");
    await ok("promote broker-a-master --force");
    await ok("start broker-a-slave");
    await ok(`${BENCH.join(" ")} --topic AFTERWARDS`);
    expect(topics()).toContain("AFTERWARDS");
    await document("snapshot restore full");
    expect(topics()).not.toContain("AFTERWARDS");
    expect(await row("broker-a-slave")).toMatchObject({ role: "master of broker-a", health: "ok" });
    await bench();
    const cut = lab.start("snapshot", "save", "cut");
    await cut.waitForLine((line) => line.includes("Copying"), 30_000);
    cut.kill("SIGINT");
    expect((await cut.exited).code).not.toBe(1);
    const { snapshots } = await document<{ snapshots: { name: string }[] }>("snapshot list");
    // The copy of a tiny lab may be done before the signal comes; what must not be is a part of one.
    expect(["full", "cut,full", "full,cut"]).toContain(snapshots.map(({ name }) => name).join());
    await ok("wait");
  });

  it("reset empties it and keeps its ports; down and snapshots work as before", async () => {
    const { namesrvAddr } = await lab.json<{ namesrvAddr: string }>("status");
    const done = await document<{ restarted: readonly string[] }>("reset --yes");
    expect(done.restarted).toHaveLength(7);
    const view = await lab.json<{ namesrvAddr: string; healthy: boolean }>("status");
    expect(view).toMatchObject({ namesrvAddr, healthy: true });
    expect(await row("broker-a-master")).toMatchObject({ role: "master of broker-a" });
    await ok("snapshot delete full");
    await bench();
  });
});
