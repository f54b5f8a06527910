/** All 49 commands of mqadmin 4.9.0, each on Apache's cluster and on ours with the same data: what they print is the same, or a known difference. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../helpers/cleanup.ts";
import { machineHas } from "../helpers/requirements.ts";
import { COMMANDS, SCENE, type Command } from "./mqadmin/commands.ts";
import { compare, stale, unexplained, type Comparison, type Run } from "./mqadmin/compare.ts";
import { DIFFERENCES } from "./mqadmin/differences.ts";
import { Side } from "./mqadmin/sides.ts";

const SETTLE_MS = 40_000;

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`not within ${SETTLE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Topic, traced messages, a group that has consumed them, and statistics that have counted it. */
async function prepare(side: Side): Promise<void> {
  const { topic, group, cluster, messages } = SCENE;
  const { admin, master } = side;
  await until("master and slave are registered", async () => {
    const { brokers } = await admin.clusterInfo(side.namesrv);
    return brokers.some((broker) => broker.brokerAddrs.size === 2);
  });
  await admin.createTopic({ topic, readQueueNums: 4, writeQueueNums: 4 }, { cluster });
  await until("the topic is routed", async () => (await admin.route(side.namesrv, topic)) !== null);
  await side.send(topic, messages);
  await side.consume(topic, group);
  await until("all is consumed and the progress stored", async () => {
    const rows = await admin.consumeStats(master, group, topic);
    return rows.length === 4 && rows.every((row) => row.consumerOffset === messages / 4);
  });
  // A consumer that asked for routes before the broker had told the retry topic learns of it half a minute later.
  await until("the retry topic has its owner and its progress", async () => {
    const rows = await admin.consumeStats(master, group);
    return rows.length === 5;
  });
  for (const [name, key] of [
    ["TOPIC_PUT_NUMS", topic],
    ["GROUP_GET_NUMS", `${topic}@${group}`],
  ] as const)
    await until(`${name} has counted`, async () => {
      const statistic = await admin.brokerStatistic(master, { name, key });
      return statistic?.statsMinute.sum === messages;
    });
}

async function run(side: Side, command: Command): Promise<string> {
  const [member = ""] = await side.members(SCENE.group);
  const args = [...command.args(side, member), "-n", side.namesrv];
  return side.run(args, command.limitMs).catch((error: unknown) => `no answer: ${String(error)}`);
}

/** MQADMIN_DIFF_REPORT=FILE keeps what was printed, to work on the table of differences without running everything again. */
function report(sides: readonly [Side, Side], runs: readonly Run[]): void {
  const file = process.env["MQADMIN_DIFF_REPORT"];
  if (file === undefined) return;
  const names = sides.map(({ namesrv, master, slave, home }) => ({ namesrv, master, slave, home }));
  const printed = runs.map(({ command, outputs }) => ({ name: command.name, outputs }));
  writeFileSync(file, JSON.stringify({ sides: names, runs: printed }, null, 2));
}

describe.runIf(machineHas("java", "maven"))("mqadmin 4.9.0 on Apache's cluster and on ours", () => {
  const cleanup = new Cleanup();
  let comparisons: readonly Comparison[] = [];
  let listed: readonly string[] = [];
  let monitors: readonly (readonly string[])[] = [];

  beforeAll(async () => {
    const home = mkdtempSync(join(tmpdir(), "lab-mqadmin-diff-"));
    cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
    const apache = cleanup.use(await Side.start("apache", join(home, "apache")));
    const ours = cleanup.use(await Side.start("ours", join(home, "ours")));
    await Promise.all([prepare(apache), prepare(ours)]);
    const help = await ours.run([]);
    listed = [...help.matchAll(/^ {3}(\w+) +\S/gm)].map(([, name]) => name ?? "");
    const runs: Run[] = [];
    for (const command of COMMANDS) {
      const outputs = await Promise.all([run(apache, command), run(ours, command)]);
      runs.push({ command, outputs });
      report([apache, ours], runs);
    }
    comparisons = runs.map((one) => compare(one, [apache, ours]));
    for (const side of [apache, ours])
      await until("the monitor is online", async () => {
        return (await side.members("__MONITOR_CONSUMER")).length === 1;
      });
    monitors = await Promise.all([apache, ours].map((side) => side.members("__MONITOR_CONSUMER")));
  }, 300_000);
  afterAll(() => cleanup[Symbol.asyncDispose]());

  it("none of the 49 commands is left out", () => {
    expect(listed.length).toBe(49);
    const called = new Set(COMMANDS.map(({ name }) => name.split(" ")[0]));
    expect(listed.filter((name) => !called.has(name))).toEqual([]);
    expect(new Set(COMMANDS.map(({ name }) => name)).size).toBe(COMMANDS.length);
  });

  it.each(COMMANDS.map(({ name }) => name))("%s", (name) => {
    const [comparison] = comparisons.filter(({ command }) => command.name === name);
    expect(comparison).toBeDefined();
    const left = comparison === undefined ? undefined : unexplained(comparison, DIFFERENCES);
    expect(left).toMatchObject({ onlyApache: [], onlyOurs: [], isShuffled: false });
  });

  it("every known difference still occurs", () => {
    expect(stale(comparisons, DIFFERENCES)).toEqual([]);
  });

  it("startMonitoring joins as a consumer on both", () => {
    expect(monitors.map((members) => members.length)).toEqual([1, 1]);
  });
});
