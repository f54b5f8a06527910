/**
 * Paired throughput: the same warmed-up Java producer (64 threads, synchronous sends) against our single broker and Apache's
 * 4.9.7 broker, asynchronous and synchronous flush, 128 B and 1 KiB (engine-performance 10).
 *
 *   npm run build && npm run bench:apache -- [rounds=5] [seconds=10] [warm=30] [flush=async,sync] [sizes=128,1024] [threads=64] [json=FILE]
 *
 * Needs Java 17 and Maven. Both brokers start from an empty store with their defaults apart from ports, folders and flush mode;
 * A B, B A, A B … in one run, the other side idle. Prints every round, then median and lower quartile of the quotient.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { startChild, type LineChild } from "../helpers/child.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import { startApacheBroker, startApacheNamesrv, startJava } from "../interop/apache.ts";
import { cpuMicros, portBlock, quantile } from "./statistics.ts";

const VERSION = "4.9.7";
const options = new Map(process.argv.slice(2).map((arg) => arg.split("=", 2) as [string, string]));
const text = (name: string, fallback: string): string => options.get(name) ?? fallback;
const rounds = Number(text("rounds", "5"));
const seconds = Number(text("seconds", "10"));
const warmSeconds = Number(text("warm", "30"));
const threads = Number(text("threads", "64"));
const sizes = text("sizes", "128,1024").split(",").map(Number);
const flushes = text("flush", "async,sync").split(",");

interface Side {
  readonly name: "ours" | "apache";
  readonly namesrv: string;
  readonly brokerPid: number;
}

interface Measured {
  /** SEND_OK only. */
  readonly perSecond: number;
  /** Refused, or answered with a weaker status: a Java broker that is short of CPU answers SYSTEM_BUSY. */
  readonly notOk: number;
  readonly brokerMicros: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function brokerProperties(
  port: number,
  namesrvPort: number,
  flush: string,
): Record<string, string | number> {
  return {
    brokerClusterName: "BenchCluster",
    brokerName: "broker-bench",
    brokerId: 0,
    listenPort: port,
    namesrvAddr: `127.0.0.1:${namesrvPort}`,
    brokerRole: "ASYNC_MASTER",
    flushDiskType: flush === "sync" ? "SYNC_FLUSH" : "ASYNC_FLUSH",
  };
}

async function startOurs(stack: Cleanup, dir: string, flush: string): Promise<Side> {
  const namesrvPort = portBlock(0);
  const namesrvFile = join(dir, "namesrv.properties");
  writeFileSync(namesrvFile, `listenPort=${namesrvPort}\nbindAddress=127.0.0.1\n`);
  const namesrv = stack.use(
    startChild(process.execPath, ["dist/mqnamesrv.mjs", "-c", namesrvFile]),
  );
  await namesrv.waitForLine((line) => line.includes("boot success"), 20_000);
  const store = join(dir, "ours-store");
  const properties = {
    ...brokerProperties(portBlock(1), namesrvPort, flush),
    brokerIP1: "127.0.0.1",
    bindAddress: "127.0.0.1",
    storePathRootDir: store,
    storePathCommitLog: join(store, "commitlog"),
  };
  const file = join(dir, "broker.properties");
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  );
  const flags = ["--max-semi-space-size=16", "--min-semi-space-size=16"];
  const broker = stack.use(
    startChild(process.execPath, [...flags, "dist/mqbroker.mjs", "-c", file]),
  );
  await broker.waitForLine((line) => line.includes("boot success"), 20_000);
  return { name: "ours", namesrv: `127.0.0.1:${namesrvPort}`, brokerPid: broker.pid };
}

async function startApache(stack: Cleanup, dir: string, flush: string): Promise<Side> {
  const namesrvPort = portBlock(2);
  stack.use(
    await startApacheNamesrv({
      version: VERSION,
      home: join(dir, "apache-namesrv"),
      properties: { listenPort: namesrvPort },
    }),
  );
  const properties = brokerProperties(portBlock(3), namesrvPort, flush);
  const broker = stack.use(
    await startApacheBroker({
      version: VERSION,
      home: join(dir, "apache-broker"),
      properties,
      heapMiB: 2048,
    }),
  );
  return { name: "apache", namesrv: `127.0.0.1:${namesrvPort}`, brokerPid: broker.pid };
}

async function runOnce(
  java: LineChild,
  side: Side,
  size: number,
  duration: number,
): Promise<Measured> {
  const seen = java.lines.length;
  const before = cpuMicros(side.brokerPid);
  java.write(`run ${side.namesrv} BenchTopic ${size} ${threads} ${duration}\n`);
  const isAnswer = (line: string): boolean =>
    line.startsWith('{"event":"run"') || line.startsWith('{"event":"error"');
  await java.waitUntil((lines) => lines.slice(seen).some(isAnswer), (duration + 60) * 1_000);
  const line = java.lines.slice(seen).find(isAnswer) ?? "";
  const result = JSON.parse(line) as {
    perSecond?: number;
    ok?: number;
    weak?: number;
    failed?: number;
    message?: string;
  };
  if (result.perSecond === undefined) throw new Error(`${side.name}: ${line}`);
  return {
    perSecond: result.perSecond,
    notOk: (result.failed ?? 0) + (result.weak ?? 0),
    brokerMicros: (cpuMicros(side.brokerPid) - before) / Math.max(1, result.ok ?? 0),
  };
}

/** Loads a side in 5-second windows until three in a row agree within 10 % and the warm-up time has passed. */
async function warmUp(java: LineChild, side: Side): Promise<void> {
  const windows: number[] = [];
  const enough = Math.ceil(warmSeconds / 5);
  while (windows.length < enough * 2) {
    windows.push((await runOnce(java, side, sizes[0] ?? 128, 5)).perSecond);
    const last = windows.slice(-3);
    const steady = last.length === 3 && Math.max(...last) <= Math.min(...last) * 1.1;
    if (windows.length >= enough && steady) break;
  }
  say(`  warm-up ${side.name}: ${windows.join(", ")} msg/s`);
}

async function comparePairs(
  java: LineChild,
  sides: readonly [Side, Side],
  size: number,
): Promise<Record<string, unknown>> {
  const pairs: { ours: Measured; apache: Measured; ratio: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? sides : [sides[1], sides[0]];
    const measured = new Map<string, Measured>();
    for (const side of order) measured.set(side.name, await runOnce(java, side, size, seconds));
    const ours = measured.get("ours");
    const apache = measured.get("apache");
    if (ours === undefined || apache === undefined) throw new Error("a side was not measured");
    const ratio = ours.perSecond / apache.perSecond;
    pairs.push({ ours, apache, ratio });
    const notOk =
      ours.notOk + apache.notOk === 0 ? "" : `  not SEND_OK ${ours.notOk} / ${apache.notOk}`;
    const cpu = `${ours.brokerMicros.toFixed(1)} / ${apache.brokerMicros.toFixed(1)} µs CPU a message`;
    say(
      `  round ${round + 1}: ours ${ours.perSecond}  apache ${apache.perSecond} msg/s  ratio ${ratio.toFixed(2)}  (${cpu})${notOk}`,
    );
  }
  const ratios = pairs.map((pair) => pair.ratio);
  return {
    size,
    pairs,
    median: quantile(ratios, 0.5),
    lowerQuartile: quantile(ratios, 0.25),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
  };
}

async function compareFlush(flush: string): Promise<Record<string, unknown>[]> {
  const dir = mkdtempSync(join(tmpdir(), "lab-bench-"));
  await using stack = new Cleanup();
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, "java"));
  const sides = [await startOurs(stack, dir, flush), await startApache(stack, dir, flush)] as const;
  const java = stack.use(
    await startJava("LabBench", { version: VERSION, home: join(dir, "java"), heapMiB: 1024 }, []),
  );
  await java.waitForLine((line) => line.includes("started"), 30_000);
  for (const side of sides) await warmUp(java, side);
  const rows: Record<string, unknown>[] = [];
  for (const size of sizes) {
    say(`${flush} flush, ${size} B, ${threads} threads, ${rounds} pairs of ${seconds} s`);
    rows.push({ flush, ...(await comparePairs(java, [sides[0], sides[1]], size)) });
  }
  java.closeInput();
  return rows;
}

const rows: Record<string, unknown>[] = [];
say(
  `machine: ${cpus().length} x ${cpus()[0]?.model ?? "?"}, Node ${process.version}; Apache ${VERSION}, heap 2 GiB`,
);
for (const flush of flushes) rows.push(...(await compareFlush(flush)));
say("");
for (const row of rows) {
  const figure = (name: string): string => Number(row[name]).toFixed(2);
  say(
    `${String(row["flush"]).padEnd(5)} ${String(row["size"]).padStart(5)} B  median ${figure("median")}  lower quartile ${figure("lowerQuartile")}  [${figure("min")} .. ${figure("max")}]`,
  );
}
const json = options.get("json");
if (json !== undefined)
  writeFileSync(
    json,
    JSON.stringify({ schema: "lab.bench-apache/1", rounds, seconds, threads, rows }, null, 2),
  );
