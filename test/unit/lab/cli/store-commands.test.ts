/** promote, restore, reset and snapshot on a lab of local processes none of which runs: what they do to data, and what they refuse. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allot } from "../../../../lab/runtime/allot.ts";
import { readState, writeState, type LabState } from "../../../../lab/runtime/state.ts";
import { withNewMasters } from "../../../../lab/runtime/promote.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
import { RECORD_BYTES, writeLog } from "../../../helpers/commit-log.ts";
import { schemaProblems } from "../../../helpers/json-schema.ts";
import { runCli, type CliRun } from "./run-cli.ts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-store-commands-"));
  const { topology } = loadTopology("2m-2s-sync", home);
  writeState(home, allot({ home, name: "lab", topology, runtime: "process", index: 20 }));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function lab(line: string): Promise<CliRun> {
  return runCli(line.split(" "), { cwd: home, env: { LAB_HOME: home } });
}

async function json<Document>(line: string): Promise<Document> {
  const { stdout } = await lab(`${line} --json`);
  expect(schemaProblems(stdout)).toBe("");
  return JSON.parse(stdout) as Document;
}

function state(): LabState {
  const found = readState(home, "lab");
  if (found === null) throw new Error("no lab");
  return found;
}

function dataOf(node: string): string {
  return join(home, "lab", "nodes", node);
}

function give(node: string, marks: readonly number[]): void {
  writeLog(join(dataOf(node), "store"), marks);
  mkdirSync(join(dataOf(node), "store", "config"), { recursive: true });
  writeFileSync(join(dataOf(node), "store", "config", "topics.json"), JSON.stringify(marks));
  writeFileSync(join(dataOf(node), "node.log"), `log of ${node}\n`);
}

function marksOf(node: string): unknown {
  const file = join(dataOf(node), "store", "config", "topics.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
}

describe("lab promote", () => {
  it("refuses a slave that is behind, says by how much, and changes nothing: exit 4", async () => {
    give("broker-a-master", [1, 2, 3]);
    give("broker-a-slave", [1]);
    const before = state();
    const run = await lab("promote broker-a-slave");
    expect(run.code).toBe(4);
    expect(run.stderr).toContain(`broker-a-master has ${2 * RECORD_BYTES} bytes (2 records) more`);
    expect(run.stderr).toContain("--accept-loss");
    expect(state()).toEqual(before);
  });

  it.each([
    ["promote dashboard", 2, "is no broker"],
    ["promote @slaves", 2, "one is promoted at a time"],
    ["promote broker-c-slave", 6, "no node or group"],
  ])("lab %s: exit %i", async (line, code, text) => {
    const run = await lab(line);
    expect(run.code).toBe(code);
    expect(run.stderr).toContain(text);
  });
});

describe("an old master after a promotion", () => {
  beforeEach(() => {
    const fence = { node: "broker-a-master", logEnd: RECORD_BYTES, at: "2026-01-01T00:00:00.000Z" };
    writeState(home, withNewMasters(state(), { "broker-a": "broker-a-slave" }, [fence]));
  });

  it.each([
    ["has more than the new master ever had", [1, 2, 3], [1]],
    ["went another way, though the new master is longer by now", [1, 2], [1, 9, 9, 9]],
  ])("is not started when it %s: exit 4, with the way out", async (_name, own, master) => {
    give("broker-a-master", own);
    give("broker-a-slave", master);
    const run = await lab("start broker-a-master");
    expect(run.code).toBe(4);
    expect(run.stderr).toContain("never had, so it cannot follow it");
    expect(run.stderr).toContain("lab restore broker-a-master --from broker-a-slave");
  });

  it("show, status and config follow the roles", async () => {
    expect((await lab("show")).stdout).toContain(
      "broker-a: broker-a-slave (host-2) -> broker-a-master (host-1)",
    );
    const { nodes } = await json<{ nodes: { node: string; role: string }[] }>("status");
    expect(nodes.find(({ node }) => node === "broker-a-slave")?.role).toBe("master of broker-a");
    expect((await lab("config broker-a-slave brokerRole")).stdout).toMatch(
      /SYNC_MASTER\s+lab promote broker-a-slave/,
    );
  });

  it("becomes a copy by restore, its own store kept beside it", async () => {
    give("broker-a-master", [1, 2, 3]);
    give("broker-a-slave", [1, 9]);
    expect(await json("restore broker-a-master --from broker-a-slave")).toMatchObject({
      source: "stopped",
      logEnd: 2 * RECORD_BYTES,
      aside: "store.aside",
    });
    expect(marksOf("broker-a-master")).toEqual([1, 9]);
    const aside = join(dataOf("broker-a-master"), "store.aside", "config", "topics.json");
    expect(JSON.parse(readFileSync(aside, "utf8"))).toEqual([1, 2, 3]);
    expect(readdirSync(dataOf("broker-a-master")).toSorted()).toEqual([
      "node.log",
      "store",
      "store.aside",
    ]);
  });
});

describe("lab restore", () => {
  it("fills a lost disk and leaves nothing else; a second time changes nothing", async () => {
    give("broker-a-master", [1, 2, 3]);
    for (let again = 0; again < 2; again += 1) {
      expect(await json("restore broker-a-slave --from broker-a-master")).toMatchObject({
        logEnd: 3 * RECORD_BYTES,
        aside: null,
      });
      expect(readdirSync(dataOf("broker-a-slave"))).toEqual(["store"]);
    }
    expect(marksOf("broker-a-slave")).toEqual([1, 2, 3]);
  });

  it.each([
    ["restore broker-a-slave", 2, "needs --from"],
    ["restore broker-a-slave --from broker-b-master", 4, "no other broker of the set"],
    ["restore broker-a-slave --from broker-a-slave", 4, "no other broker of the set"],
    ["restore broker-a-slave --from broker-a-master", 4, "has no store to copy"],
    ["restore @slaves --from broker-a-master", 2, "one store is copied at a time"],
  ])("lab %s: exit %i", async (line, code, text) => {
    const run = await lab(line);
    expect(run.code).toBe(code);
    expect(run.stderr).toContain(text);
  });
});

describe("lab snapshot", () => {
  it("saves, lists with disk use, restores and deletes", async () => {
    give("broker-a-master", [1, 2]);
    give("broker-a-slave", [1, 2]);
    const saved = await json<{ snapshot: { bytes: number; nodes: unknown[] } }>(
      "snapshot save before",
    );
    expect(saved.snapshot.bytes).toBeGreaterThan(0);
    expect(saved.snapshot.nodes).toContainEqual(
      expect.objectContaining({ node: "broker-a-master", logEnd: 2 * RECORD_BYTES }),
    );
    give("broker-a-master", [1, 2, 3, 4]);
    expect((await lab("snapshot restore before")).code).toBe(0);
    expect(marksOf("broker-a-master")).toEqual([1, 2]);
    expect(readdirSync(dataOf("broker-a-master")).toSorted()).toEqual(["node.log", "store"]);
    const list = await json<{ snapshots: { name: string }[]; bytes: number }>("snapshot list");
    expect(list.snapshots.map(({ name }) => name)).toEqual(["before"]);
    await json("snapshot delete before");
    expect((await lab("snapshot list")).stdout).toContain("no snapshots yet");
    expect(readdirSync(join(home, "lab", "snapshots"))).toEqual([]);
  });

  it("brings back the roles of its time", async () => {
    await lab("snapshot save before");
    writeState(home, withNewMasters(state(), { "broker-a": "broker-a-slave" }, []));
    await lab("snapshot restore before");
    expect(state()).toMatchObject({ masters: {}, fences: [] });
  });

  it("a restore whose command was killed is ended by the next command", async () => {
    give("broker-a-master", [1, 2]);
    await lab("snapshot save before");
    give("broker-a-master", [1, 2, 3]);
    give("broker-a-slave", [1]);
    const snapshots = join(home, "lab", "snapshots");
    for (const node of ["broker-a-master", "broker-a-slave"])
      cpSync(join(snapshots, "before", node), join(dataOf(node), ".incoming"), { recursive: true });
    cpSync(join(snapshots, "before.json"), join(home, "lab", "restoring.json"));
    const run = await lab("status");
    expect(run.stderr).toContain("ended the restore of snapshot before");
    expect(marksOf("broker-a-master")).toEqual([1, 2]);
    expect(readdirSync(dataOf("broker-a-slave"))).toEqual(["node.log"]);
    expect(readdirSync(join(home, "lab")).toSorted()).toEqual(["nodes", "snapshots", "state.json"]);
  });

  it("one that was interrupted is none, and the next of that name is whole", async () => {
    mkdirSync(join(home, "lab", "snapshots", "before", "broker-a-master"), { recursive: true });
    expect((await lab("snapshot restore before")).code).toBe(6);
    give("broker-a-master", [1]);
    expect((await lab("snapshot save before")).code).toBe(0);
    const around = { cwd: home, env: { LAB_HOME: home }, signal: AbortSignal.abort() };
    expect((await runCli(["snapshot", "save", "cut"], around)).code).not.toBe(0);
    expect(readdirSync(join(home, "lab", "snapshots")).toSorted()).toEqual([
      "before",
      "before.json",
    ]);
  });

  it.each([
    ["snapshot keep", 2, "knows save, restore, list, delete"],
    ["snapshot save", 2, "needs the name"],
    ["snapshot save ../x", 2, "no name for a snapshot"],
    ["snapshot restore nothing", 6, 'no snapshot "nothing"'],
    ["snapshot delete nothing", 6, "this lab has none yet"],
  ])("lab %s: exit %i", async (line, code, text) => {
    const run = await lab(line);
    expect(run.code).toBe(code);
    expect(run.stderr).toContain(text);
  });

  it("two of one name are a conflict, and one of other nodes does not fit", async () => {
    await lab("snapshot save before");
    expect((await lab("snapshot save before")).code).toBe(4);
    const { topology } = loadTopology("1m", home);
    writeState(home, allot({ home, name: "lab", topology, runtime: "process", index: 20 }));
    const run = await lab("snapshot restore before");
    expect(run.code).toBe(4);
    expect(run.stderr).toContain("restore it into the lab it was made of");
  });
});

describe("lab reset", () => {
  it("wants a confirmation, then removes all data, promotions too, and keeps lab, logs and snapshots", async () => {
    give("broker-a-master", [1]);
    await lab("snapshot save before");
    writeState(home, withNewMasters(state(), { "broker-a": "broker-a-slave" }, []));
    expect((await lab("reset")).code).toBe(2);
    expect(marksOf("broker-a-master")).toEqual([1]);
    expect(await json("reset --yes")).toMatchObject({ restarted: [] });
    expect(readdirSync(dataOf("broker-a-master"))).toEqual(["node.log"]);
    expect(state()).toMatchObject({ masters: {}, index: 20, phase: "down" });
    await lab("snapshot restore before");
    expect(marksOf("broker-a-master")).toEqual([1]);
  });
});
