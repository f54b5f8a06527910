/** Apache's unmodified 4.9.0 Java client against our name server and broker, each client a process of its own; every feature: java-features.test.ts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../helpers/cleanup.ts";
import type { LineChild } from "../helpers/child.ts";
import { startBrokerProcess, startNamesrvProcess } from "../helpers/engine-process.ts";
import { machineHas } from "../helpers/requirements.ts";
import { startJava } from "./apache.ts";
import { deliveries, keysOf, sends } from "./json-events.ts";

const WAIT_MS = 60_000;
const version = "4.9.0";

describe.runIf(machineHas("java", "maven"))("Apache's Java client 4.9.0 on our broker", () => {
  const cluster = new Cleanup();
  let home = "";
  let namesrv = "";

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "lab-interop-"));
    cluster.defer(() => rmSync(home, { recursive: true, force: true }));
    const server = cluster.use(await startNamesrvProcess(join(home, "namesrv")));
    namesrv = server.address;
    cluster.use(
      await startBrokerProcess(join(home, "broker-a"), {
        brokerName: "broker-a",
        namesrvAddr: namesrv,
      }),
    );
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const java = (
    program: "LabProducer" | "LabConsumer",
    args: readonly string[],
  ): Promise<LineChild> => startJava(program, { version, home }, [`namesrv=${namesrv}`, ...args]);

  /** Sends to the end and returns every outcome. */
  async function send(args: readonly string[]): Promise<ReturnType<typeof sends>> {
    await using producer = await java("LabProducer", args);
    await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
    return sends(producer.lines);
  }

  it("creates a topic by sending, sends, and consumes every message once", async () => {
    const sent = await send(["topic=JavaSync", "count=200"]);
    expect(sent.filter((event) => event.status !== "SEND_OK")).toEqual([]);
    expect(new Set(sent.map((event) => event.queue)).size).toBe(4);
    await using consumer = await java("LabConsumer", ["topic=JavaSync", "group=CG_sync"]);
    await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= 200, WAIT_MS);
    const received = deliveries(consumer.lines);
    expect(received.length).toBe(200);
    expect(keysOf(received)).toEqual(keysOf(sent));
    expect(received.every((event) => event.head === event.key && event.broker === "broker-a")).toBe(
      true,
    );
  });

  it("goes on from the committed offset in a new process of the same group", async () => {
    await send(["topic=JavaCommit", "count=40", "prefix=first"]);
    {
      await using consumer = await java("LabConsumer", ["topic=JavaCommit", "group=CG_commit"]);
      await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= 40, WAIT_MS);
      consumer.closeInput();
      await consumer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
    }
    await send(["topic=JavaCommit", "count=40", "prefix=second"]);
    await using consumer = await java("LabConsumer", ["topic=JavaCommit", "group=CG_commit"]);
    await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= 40, WAIT_MS);
    expect(deliveries(consumer.lines).filter((event) => event.key.startsWith("first"))).toEqual([]);
  });

  it("rebalances when a second consumer joins: both get work, nothing is missed", async () => {
    await send(["topic=JavaRebalance", "count=1", "prefix=create"]);
    await using first = await java("LabConsumer", [
      "topic=JavaRebalance",
      "group=CG_rebalance",
      "instance=one",
    ]);
    await first.waitUntil((lines) => deliveries(lines).length >= 1, WAIT_MS);
    await using second = await java("LabConsumer", [
      "topic=JavaRebalance",
      "group=CG_rebalance",
      "instance=two",
    ]);
    await second.waitForLine((line) => line.includes('"started"'), WAIT_MS);
    await using producer = await java("LabProducer", [
      "topic=JavaRebalance",
      "count=600",
      "rate=60",
      "prefix=run",
    ]);
    await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
    const sent = keysOf(sends(producer.lines).filter((event) => event.status === "SEND_OK"));
    expect(sent.size).toBe(600);
    const seen = (): Set<string> =>
      keysOf([...deliveries(first.lines), ...deliveries(second.lines)]);
    // Either of the two may be the one that gets the last message.
    const missing = (): readonly string[] => [...sent].filter((key) => !seen().has(key));
    await expect.poll(missing, { timeout: WAIT_MS }).toEqual([]);
    expect(deliveries(second.lines).length).toBeGreaterThan(0);
    expect(deliveries(first.lines).length).toBeGreaterThan(1);
  });
});
