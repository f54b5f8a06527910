/** Apache's unmodified 4.9.0 Java client against our name server and broker, started as a user starts them. */
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

  it.each(["async", "oneway"])("takes %s sends", async (mode) => {
    const topic = `Java_${mode}`;
    await send([`topic=${topic}`, "count=1", "prefix=create"]);
    await send([`topic=${topic}`, "count=100", `mode=${mode}`]);
    await using consumer = await java("LabConsumer", [`topic=${topic}`, `group=CG_${mode}`]);
    const own = (lines: readonly string[]): number =>
      deliveries(lines).filter((event) => event.key.startsWith("m-")).length;
    await consumer.waitUntil((lines) => own(lines) >= 100, WAIT_MS);
    expect(own(consumer.lines)).toBe(100);
  });

  it("takes a batch and answers the ids of all members", async () => {
    await send(["topic=JavaBatch", "count=1", "prefix=create"]);
    const [batch] = await send(["topic=JavaBatch", "count=20", "mode=batch"]);
    expect(batch?.status).toBe("SEND_OK");
    expect(batch?.offsetMsgId.split(",").length).toBe(20);
    await using consumer = await java("LabConsumer", ["topic=JavaBatch", "group=CG_batch"]);
    await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= 21, WAIT_MS);
    expect(
      new Set(
        deliveries(consumer.lines)
          .filter((event) => event.key.startsWith("m-"))
          .map((event) => event.queue),
      ).size,
    ).toBe(1);
  });

  it("stores and returns compressed bodies unchanged", async () => {
    const sent = await send(["topic=JavaBig", "count=4", "size=200000"]);
    expect(sent.every((event) => event.status === "SEND_OK")).toBe(true);
    await using consumer = await java("LabConsumer", ["topic=JavaBig", "group=CG_big"]);
    await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= 4, WAIT_MS);
    expect(
      deliveries(consumer.lines).every(
        (event) => event.size === 200_000 && event.head === event.key,
      ),
    ).toBe(true);
  });

  it("filters by tag", async () => {
    await send(["topic=JavaTags", "count=20", "tag=red", "prefix=red"]);
    await send(["topic=JavaTags", "count=20", "tag=blue", "prefix=blue"]);
    await send(["topic=JavaTags", "count=20", "tag=green", "prefix=green"]);
    await using consumer = await java("LabConsumer", [
      "topic=JavaTags",
      "group=CG_tags",
      "tags=red || green",
    ]);
    await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= 40, WAIT_MS);
    expect(deliveries(consumer.lines).filter((event) => event.tags === "blue")).toEqual([]);
  });

  it("redelivers a message the consumer put off, through the retry topic and its delay", async () => {
    await send(["topic=JavaRetry", "count=5"]);
    await using consumer = await java("LabConsumer", [
      "topic=JavaRetry",
      "group=CG_retry",
      "later=m-3",
    ]);
    const isRetried = (event: { readonly key: string; readonly reconsume: number }): boolean =>
      event.key === "m-3" && event.reconsume === 1;
    await consumer.waitUntil((lines) => deliveries(lines).some(isRetried), WAIT_MS);
    const again = deliveries(consumer.lines).find(isRetried);
    expect(again?.topic).toBe("JavaRetry");
  });

  it("delivers a delayed message after its level's time and not before", async () => {
    await send(["topic=JavaDelay", "count=1", "prefix=create"]);
    await using consumer = await java("LabConsumer", ["topic=JavaDelay", "group=CG_delay"]);
    await consumer.waitUntil((lines) => deliveries(lines).length >= 1, WAIT_MS);
    const [sent] = await send(["topic=JavaDelay", "count=1", "delay=2"]);
    expect(sent?.status).toBe("SEND_OK");
    await consumer.waitUntil((lines) => deliveries(lines).length >= 2, WAIT_MS);
    const event = deliveries(consumer.lines).find(({ key }) => key === "m-0");
    const waited = (event?.stored ?? 0) - (sent?.at ?? 0);
    expect(waited).toBeGreaterThan(4_500);
    expect(waited).toBeLessThan(8_000);
  });

  it("gives every consumer of a broadcasting group every message", async () => {
    await send(["topic=JavaBroadcast", "count=1", "prefix=create"]);
    const options = ["topic=JavaBroadcast", "group=CG_broadcast", "model=BROADCASTING"];
    await using first = await java("LabConsumer", [...options, "instance=one"]);
    await using second = await java("LabConsumer", [...options, "instance=two"]);
    for (const consumer of [first, second])
      await consumer.waitForLine((line) => line.includes('"started"'), WAIT_MS);
    await send(["topic=JavaBroadcast", "count=20"]);
    for (const consumer of [first, second]) {
      await consumer.waitUntil(
        (lines) =>
          [...keysOf(deliveries(lines))].filter((key) => key.startsWith("m-")).length >= 20,
        WAIT_MS,
      );
    }
    const own = (lines: readonly string[]): number =>
      deliveries(lines).filter((event) => event.key.startsWith("m-")).length;
    expect([own(first.lines), own(second.lines)]).toEqual([20, 20]);
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
    await second.waitUntil(() => [...sent].every((key) => seen().has(key)), WAIT_MS);
    expect(deliveries(second.lines).length).toBeGreaterThan(0);
    expect(deliveries(first.lines).length).toBeGreaterThan(1);
  });

  it("locks queues for an orderly consumer and keeps their order", async () => {
    await send(["topic=JavaOrderly", "count=100"]);
    await using consumer = await java("LabConsumer", [
      "topic=JavaOrderly",
      "group=CG_orderly",
      "orderly=true",
    ]);
    await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= 100, WAIT_MS);
    const byQueue = new Map<number, number[]>();
    for (const event of deliveries(consumer.lines))
      byQueue.set(event.queue, [...(byQueue.get(event.queue) ?? []), event.offset]);
    for (const offsets of byQueue.values())
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  });
});
