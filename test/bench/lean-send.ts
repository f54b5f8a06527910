/**
 * Broker capacity with a generator that costs next to nothing (engine-performance "lean generator"): it only frames, counts and checks
 * `code:0`. Starts a broker of its own, sends for a while, prints messages a second and CPU per message, and counts what is stored.
 *
 *   node docker/build.mjs && node test/bench/run.mjs test/bench/lean-send.ts [key=value …]
 *
 * Keys (defaults): seconds=5 warmup=2 connections=4 inFlight=64 bodyBytes=128 arrivals=batched|fragmented flush=ASYNC_FLUSH|SYNC_FLUSH
 * profile=FOLDER (writes a V8 CPU profile of the broker there when it stops).
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startChild, type LineChild } from "../helpers/child.ts";
import { BrokerPeer, sendFields } from "../helpers/broker-peer.ts";
import { freeBrokerPort } from "../helpers/engine-process.ts";
import { writeFileSync } from "node:fs";

const TOPIC = "LeanSend";
const QUEUES = 4;
const CLOCK_TICKS = 100;

const settings = {
  seconds: 5,
  warmup: 2,
  connections: 4,
  inFlight: 64,
  bodyBytes: 128,
  arrivals: "batched",
  flush: "ASYNC_FLUSH",
  profile: "",
  ...Object.fromEntries(process.argv.slice(2).map((argument) => argument.split("=", 2))),
} as Record<string, string | number>;

const numberOf = (name: string): number => Number(settings[name]);

/** One request frame with ten digits for its opaque. */
function template(queueId: number, bodyBytes: number): { frame: Buffer; opaqueAt: number } {
  const properties = `UNIQ_KEY\\u0001C63364415DB95FFD2B276F6CC40E0000\\u0002WAIT\\u0001true\\u0002TAGS\\u0001TagA\\u0002`;
  const before =
    `{"code":310,"extFields":{"a":"PG_lean","b":"${TOPIC}","c":"TBW102","d":"4","e":"${queueId}","f":"0",` +
    `"g":"1795360599055","h":"0","i":"${properties}","j":"0","k":"false","m":"false"},"flag":0,"language":"JAVA","opaque":`;
  const header = Buffer.from(`${before}1000000000,"serializeTypeCurrentRPC":"JSON","version":393}`);
  const frame = Buffer.alloc(8 + header.length + bodyBytes, "x");
  frame.writeInt32BE(frame.length - 4, 0);
  frame.writeInt32BE(header.length, 4);
  header.copy(frame, 8);
  return { frame, opaqueAt: 8 + before.length };
}

/** One connection that keeps `inFlight` requests open. */
class LeanConnection {
  answered = 0;
  refused = 0;
  private readonly socket: Socket;
  private readonly window: Buffer;
  private readonly frameBytes: number;
  private readonly opaqueAt: number;
  private readonly isBatched: boolean;
  private opaque = 0;
  private tail = Buffer.alloc(0);
  private stopped = false;

  constructor(port: number, index: number) {
    const { frame, opaqueAt } = template(index % QUEUES, numberOf("bodyBytes"));
    const inFlight = numberOf("inFlight");
    this.frameBytes = frame.length;
    this.opaqueAt = opaqueAt;
    this.window = Buffer.concat(Array.from({ length: inFlight }, () => frame));
    this.isBatched = settings["arrivals"] === "batched";
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.socket.on("connect", () => this.send(inFlight));
    this.socket.on("data", (chunk: Buffer) => this.received(chunk));
  }

  stop(): void {
    this.stopped = true;
    this.socket.end();
  }

  private send(count: number): void {
    // The kernel may still hold the last window: a fresh copy leaves each time.
    const bytes = Buffer.from(this.window.subarray(0, count * this.frameBytes));
    for (let n = 0; n < count; n += 1) {
      let rest = (this.opaque = (this.opaque + 1) % 1_000_000_000);
      for (let digit = 9; digit > 0; digit -= 1, rest = Math.floor(rest / 10)) {
        bytes[n * this.frameBytes + this.opaqueAt + digit] = 48 + (rest % 10);
      }
    }
    if (this.isBatched) this.socket.write(bytes);
    else {
      for (let n = 0; n < count; n += 1) {
        this.socket.write(bytes.subarray(n * this.frameBytes, (n + 1) * this.frameBytes));
      }
    }
  }

  private received(chunk: Buffer): void {
    const bytes = this.tail.length === 0 ? chunk : Buffer.concat([this.tail, chunk]);
    let at = 0;
    let count = 0;
    while (at + 4 <= bytes.length) {
      const end = at + 4 + bytes.readInt32BE(at);
      if (end > bytes.length) break;
      // {"code":0, stands at byte 8; its ninth and tenth byte decide.
      const isOk = bytes[at + 16] === 0x30 && bytes[at + 17] === 0x2c;
      if (!isOk) this.refused += 1;
      count += 1;
      at = end;
    }
    this.tail = Buffer.from(bytes.subarray(at));
    this.answered += count;
    if (!this.stopped && count > 0) this.send(count);
  }
}

/** User and system CPU of a process so far, seconds. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

async function startBroker(home: string, port: number): Promise<LineChild> {
  const file = join(home, "broker.properties");
  const properties = {
    listenPort: port,
    bindAddress: "127.0.0.1",
    brokerIP1: "127.0.0.1",
    brokerName: "lean",
    storePathRootDir: join(home, "store"),
    flushDiskType: String(settings["flush"]),
  };
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  );
  const profile = String(settings["profile"]);
  const flags = profile === "" ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
  const child = startChild(process.execPath, [...flags, "dist/mqbroker.mjs", "-c", file]);
  await child.waitForLine((line) => line.includes("boot success"), 20_000);
  return child;
}

async function storedMessages(port: number): Promise<number> {
  using peer = await BrokerPeer.connect(`127.0.0.1:${port}`);
  let total = 0;
  for (let queueId = 0; queueId < QUEUES; queueId += 1) {
    const answer = await peer.ask({ code: 30, ext: { topic: TOPIC, queueId } });
    total += Number(answer.ext["offset"]);
  }
  return total;
}

const home = mkdtempSync(join(tmpdir(), "lab-lean-"));
const port = await freeBrokerPort();
const broker = await startBroker(home, port);
try {
  using peer = await BrokerPeer.connect(`127.0.0.1:${port}`);
  await peer.ask({ code: 310, ext: sendFields(TOPIC), body: Buffer.from("first") });
  const connections = Array.from(
    { length: numberOf("connections") },
    (_, index) => new LeanConnection(port, index),
  );
  const sum = (field: "answered" | "refused"): number =>
    connections.reduce((total, connection) => total + connection[field], 0);
  await sleep(numberOf("warmup") * 1_000);
  const before = { answered: sum("answered"), cpu: cpuSeconds(broker.pid), at: performance.now() };
  await sleep(numberOf("seconds") * 1_000);
  const count = sum("answered") - before.answered;
  const seconds = (performance.now() - before.at) / 1_000;
  const cpu = cpuSeconds(broker.pid) - before.cpu;
  for (const connection of connections) connection.stop();
  await sleep(200);
  const figures = {
    settings,
    messagesPerSecond: Math.round(count / seconds),
    brokerCpuMicrosPerMessage: Number(((cpu * 1e6) / count).toFixed(2)),
    answered: sum("answered") + 1,
    refused: sum("refused"),
    stored: await storedMessages(port),
  };
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  if (figures.refused > 0 || figures.stored < figures.answered) process.exitCode = 1;
} finally {
  broker.kill("SIGTERM");
  await Promise.race([broker.exited, sleep(10_000)]);
  await broker[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
}
