/**
 * Start time and idle memory, side by side: our `2m-2s-sync` in both runtimes and Apache's own five JVMs (peers.md).
 *
 *   npm run build && npm run bench:start -- [rounds=3] [runtimes=process,docker] [apache=4.9.0] [json=FILE]
 *
 * Ours: wall time of `lab up 2m-2s-sync` from built until it says ready (every broker routed by every name server, slaves in sync, a
 * probe round every master), then the resident memory of all seven nodes after 10 s. Apache's: until all five say `boot success`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runChild, type LineChild } from "../helpers/child.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import { startApacheBroker, startApacheNamesrv, type ApacheVersion } from "../interop/apache.ts";
import { portBlock, quantile, rssMiB } from "./statistics.ts";

const IDLE_MS = 10_000;
const options = new Map(process.argv.slice(2).map((arg) => arg.split("=", 2) as [string, string]));
const rounds = Number(options.get("rounds") ?? "3");
const runtimes = (options.get("runtimes") ?? "process,docker")
  .split(",")
  .filter((name) => name !== "");
const version = (options.get("apache") ?? "4.9.0") as ApacheVersion;

interface Row {
  readonly what: string;
  readonly readySeconds: number;
  readonly idleMiB: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const idle = (): Promise<void> => new Promise((done) => setTimeout(done, IDLE_MS));

async function lab(home: string, args: readonly string[]): Promise<string> {
  const { code, output } = await runChild(process.execPath, [resolve("dist/lab.mjs"), ...args], {
    env: { LAB_HOME: home, NO_COLOR: "1" },
    timeoutMs: 180_000,
  });
  if (code !== 0) throw new Error(`lab ${args.join(" ")} exited ${code}:\n${output}`);
  return output;
}

async function measureOurs(runtime: string): Promise<Row> {
  const home = mkdtempSync(join(tmpdir(), "lab-start-"));
  await using cleanup = new Cleanup();
  cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
  cleanup.defer(async () => void (await lab(home, ["destroy", "--name", "startbench", "--yes"])));
  const started = performance.now();
  await lab(home, ["up", "2m-2s-sync", "--name", "startbench", "--runtime", runtime]);
  const readySeconds = (performance.now() - started) / 1_000;
  await idle();
  const status = await lab(home, ["status", "--name", "startbench", "--json"]);
  const start = status.indexOf("{");
  const parsed = JSON.parse(status.slice(start, status.lastIndexOf("}") + 1)) as {
    nodes: { rssBytes: number | null }[];
  };
  const bytes = parsed.nodes.reduce((sum, node) => sum + (node.rssBytes ?? Number.NaN), 0);
  return { what: `ours, ${runtime} (7 nodes)`, readySeconds, idleMiB: bytes / 1_048_576 };
}

async function measureApache(): Promise<Row> {
  const dir = mkdtempSync(join(tmpdir(), "lab-apache-"));
  await using cleanup = new Cleanup();
  cleanup.defer(() => rmSync(dir, { recursive: true, force: true }));
  const namesrvPort = portBlock(4);
  const broker = (name: string, id: number, index: number): Promise<LineChild> =>
    startApacheBroker({
      version,
      home: join(dir, `${name}-${id}`),
      properties: {
        brokerClusterName: "StartCluster",
        brokerName: name,
        brokerId: id,
        brokerRole: id === 0 ? "SYNC_MASTER" : "SLAVE",
        flushDiskType: "SYNC_FLUSH",
        listenPort: portBlock(index),
        namesrvAddr: `127.0.0.1:${namesrvPort}`,
      },
    });
  const started = performance.now();
  const all = await Promise.all([
    startApacheNamesrv({
      version,
      home: join(dir, "namesrv"),
      properties: { listenPort: namesrvPort },
    }),
    broker("broker-a", 0, 5),
    broker("broker-a", 1, 6),
    broker("broker-b", 0, 7),
    broker("broker-b", 1, 8),
  ]);
  const readySeconds = (performance.now() - started) / 1_000;
  all.forEach((child) => cleanup.use(child));
  await idle();
  return {
    what: `Apache ${version} (5 JVMs)`,
    readySeconds,
    idleMiB: all.reduce((sum, child) => sum + rssMiB(child.pid), 0),
  };
}

const rows = new Map<string, Row[]>();
for (let round = 0; round < rounds; round += 1) {
  for (const measure of [...runtimes.map((runtime) => () => measureOurs(runtime)), measureApache]) {
    const row = await measure();
    rows.set(row.what, [...(rows.get(row.what) ?? []), row]);
    say(
      `round ${round + 1}: ${row.what.padEnd(26)} ready ${row.readySeconds.toFixed(2)} s, idle ${row.idleMiB.toFixed(0)} MiB`,
    );
  }
}
say("");
for (const [what, list] of rows) {
  const ready = list.map((row) => row.readySeconds);
  const memory = list.map((row) => row.idleMiB);
  say(
    `${what.padEnd(26)} ready median ${quantile(ready, 0.5).toFixed(2)} s [${Math.min(...ready).toFixed(2)} .. ${Math.max(...ready).toFixed(2)}]  idle median ${quantile(memory, 0.5).toFixed(0)} MiB`,
  );
}
const json = options.get("json");
if (json !== undefined)
  writeFileSync(
    json,
    JSON.stringify(
      { schema: "lab.bench-start/1", rounds, rows: [...rows.values()].flat() },
      null,
      2,
    ),
  );
