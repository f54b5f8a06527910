/**
 * kill -9 of broker-a-master under 1,000 messages a second on `2m-2s-sync`, repeated: acknowledged and lost must be 0; the longest gap
 * between two acknowledged sends (to any queue) is printed.
 *
 *   npm run build && npm run bench:kill -- [repeats=10] [rate=1000] [seconds=6] [runtime=process] [json=FILE]
 *
 * Each repeat: load from our own client, the kill in mid-stream, load goes on, load ends, everything acknowledged SEND_OK is read back by a
 * consumer while the master is still dead, then the master is started again.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createClient,
  createProducer,
  createPushConsumer,
  type MqClient,
} from "../../engine/client/index.ts";
import { createAdminClient } from "../../engine/admin/index.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import { labJson, labOk } from "../helpers/lab-command.ts";
import { quantile } from "./statistics.ts";

const options = new Map(process.argv.slice(2).map((arg) => arg.split("=", 2) as [string, string]));
const repeats = Number(options.get("repeats") ?? "10");
const rate = Number(options.get("rate") ?? "1000");
const seconds = Number(options.get("seconds") ?? "6");
const runtime = options.get("runtime") ?? "process";
const labName = "killbench";
const CLUSTER = "DefaultCluster";
const READ_DEADLINE_MS = 60_000;

interface Repeat {
  readonly attempts: number;
  readonly ok: number;
  readonly failed: number;
  readonly lost: number;
  readonly longestGapMs: number;
  readonly readBackMs: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

interface Load {
  readonly acked: Set<string>;
  attempts: number;
  failed: number;
  lastOkMs: number;
  longestGapMs: number;
}

/** Sends at the rate for the whole time, whatever fails; each message once more on another broker after a failure. */
async function runLoad(client: MqClient, topic: string, load: Load): Promise<void> {
  const producer = createProducer(client, { group: "PG_kill", retries: 2, sendTimeoutMs: 3_000 });
  await producer.start();
  const started = performance.now();
  const total = rate * seconds;
  const inFlight = new Set<Promise<void>>();
  for (let i = 0; i < total; i += 1) {
    const wait = started + (i * 1_000) / rate - performance.now();
    if (wait > 1) await pause(wait);
    const key = `k-${i}`;
    load.attempts += 1;
    const one = producer
      .send({ topic, body: Buffer.from(key), keys: [key] })
      .then((result) => {
        if (result.status !== "SEND_OK") return;
        const now = performance.now();
        if (load.lastOkMs > 0) load.longestGapMs = Math.max(load.longestGapMs, now - load.lastOkMs);
        load.lastOkMs = now;
        load.acked.add(key);
      })
      .catch(() => {
        load.failed += 1;
      })
      .finally(() => inFlight.delete(one));
    inFlight.add(one);
  }
  await Promise.all(inFlight);
}

/** @returns keys acknowledged and not delivered within the deadline */
async function readBack(
  client: MqClient,
  topic: string,
  acked: ReadonlySet<string>,
): Promise<number> {
  const missing = new Set(acked);
  const consumer = createPushConsumer(client, {
    group: `CG_${topic}`,
    consumeFrom: "first",
    listener: (messages) => {
      for (const message of messages) missing.delete(message.body.toString());
      return "success";
    },
  });
  consumer.subscribe(topic);
  await consumer.start();
  const deadline = performance.now() + READ_DEADLINE_MS;
  while (missing.size > 0 && performance.now() < deadline) await pause(20);
  await consumer.close();
  return missing.size;
}

/** A topic made by sending stands on one broker only; this one shall have somewhere to go when a master dies. */
async function createTopic(
  client: MqClient,
  topic: string,
  namesrvAddrs: readonly string[],
): Promise<void> {
  const admin = createAdminClient({ namesrvAddrs });
  await admin.createTopic({ topic, readQueueNums: 4, writeQueueNums: 4 }, { cluster: CLUSTER });
  admin.close();
  const deadline = performance.now() + READ_DEADLINE_MS;
  while (performance.now() < deadline) {
    const route = await client.route(topic, { refresh: true });
    if (route !== null && route.queues.length === 2) return;
    await pause(20);
  }
  throw new Error(`${topic} did not reach both masters' routes`);
}

async function oneRepeat(
  home: string,
  namesrvAddrs: readonly string[],
  index: number,
): Promise<Repeat> {
  const topic = `Kill_${index}`;
  const client = createClient({ namesrvAddrs });
  const load: Load = { acked: new Set(), attempts: 0, failed: 0, lastOkMs: 0, longestGapMs: 0 };
  await createTopic(client, topic, namesrvAddrs);
  const running = runLoad(client, topic, load);
  await pause((seconds * 1_000) / 3);
  await labOk(home, ["kill", "broker-a-master", "--name", labName]);
  await running;
  const began = performance.now();
  const lost = await readBack(client, topic, load.acked);
  const readBackMs = performance.now() - began;
  await client.close();
  await labOk(home, ["start", "broker-a-master", "--name", labName]);
  return {
    attempts: load.attempts,
    ok: load.acked.size,
    failed: load.failed,
    lost,
    longestGapMs: load.longestGapMs,
    readBackMs,
  };
}

const home = mkdtempSync(join(tmpdir(), "lab-kill-"));
await using cleanup = new Cleanup();
cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
cleanup.defer(async () => void (await labOk(home, ["destroy", "--name", labName, "--yes"])));
const up = await labJson<{ namesrvAddr: string }>(
  home,
  ["up", "2m-2s-sync", "--name", labName, "--runtime", runtime],
  240_000,
);
const results: Repeat[] = [];
for (let index = 0; index < repeats; index += 1) {
  const result = await oneRepeat(home, up.namesrvAddr.split(";"), index);
  results.push(result);
  say(
    `repeat ${index + 1}: ${result.attempts} sent, ${result.ok} SEND_OK, ${result.failed} failed, LOST ${result.lost}, longest gap ${result.longestGapMs.toFixed(0)} ms, read back in ${result.readBackMs.toFixed(0)} ms`,
  );
}
const gaps = results.map((result) => result.longestGapMs);
const lost = results.reduce((sum, result) => sum + result.lost, 0);
say(
  `\nacknowledged and lost: ${lost} of ${results.reduce((sum, result) => sum + result.ok, 0)} over ${repeats} kills; longest gap median ${quantile(gaps, 0.5).toFixed(0)} ms, max ${Math.max(...gaps).toFixed(0)} ms`,
);
const json = options.get("json");
if (json !== undefined)
  writeFileSync(
    json,
    JSON.stringify({ schema: "lab.bench-kill/1", runtime, rate, seconds, results }, null, 2),
  );
process.exitCode = lost === 0 ? 0 : 1;
