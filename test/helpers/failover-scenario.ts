/**
 * The main promise of `2m-2s-sync`, with unmodified Apache clients at the other end: a master dies in mid-stream, nothing
 * acknowledged is lost, and what was not read yet is read from its slave.
 */
import { expect } from "vitest";
import { deliveries, keysOf, sends } from "../interop/json-events.ts";
import type { LineChild } from "./child.ts";
import { labOk } from "./lab-command.ts";

const WAIT_MS = 90_000;
const COUNT = 4_000;
const RATE = 1_000;

export interface FailoverScenario {
  readonly home: string;
  readonly labName: string;
  /** Starts a Java test program where the scenario wants its clients: on the machine or in a container. */
  readonly java: (
    program: "LabProducer" | "LabConsumer",
    args: readonly string[],
  ) => Promise<LineChild>;
}

function acknowledged(lines: readonly string[]): Set<string> {
  return keysOf(sends(lines).filter((event) => event.status === "SEND_OK"));
}

/** Runs the whole story; the lab must be up. */
export async function masterDiesInMidStream(scenario: FailoverScenario): Promise<void> {
  const { home, labName, java } = scenario;
  const topic = `Failover${Date.now()}`;
  await using producer = await java("LabProducer", [
    `topic=${topic}`,
    `count=${COUNT}`,
    `rate=${RATE}`,
    "retries=4",
    "timeout=6000",
  ]);
  await producer.waitUntil((lines) => sends(lines).length >= COUNT / 4, WAIT_MS);
  await labOk(home, ["kill", "broker-a-master", "--name", labName]);
  const before = sends(producer.lines);
  await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
  const acked = acknowledged(producer.lines);
  const unread = before.filter(
    (event) => event.status === "SEND_OK" && event.queue.startsWith("broker-a/"),
  );
  expect(unread.length).toBeGreaterThan(50);
  expect(acked.size).toBeGreaterThan(COUNT * 0.9);
  expect(sends(producer.lines).at(-1)?.queue).toMatch(/^broker-b\//);

  await using consumer = await java("LabConsumer", [`topic=${topic}`, "group=CG_failover"]);
  const missing = (): string[] => {
    const seen = keysOf(deliveries(consumer.lines));
    return [...acked].filter((key) => !seen.has(key));
  };
  await consumer.waitUntil(() => missing().length === 0, WAIT_MS).catch(() => undefined);
  expect(missing()).toEqual([]);
  const fromSlave = deliveries(consumer.lines).filter((event) => event.broker === "broker-a");
  expect(fromSlave.length).toBeGreaterThanOrEqual(unread.length);

  await labOk(home, ["start", "broker-a-master", "--name", labName]);
  await using afterwards = await java("LabProducer", [
    `topic=${topic}`,
    "count=40",
    "prefix=after",
  ]);
  await afterwards.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
  expect(acknowledged(afterwards.lines).size).toBe(40);
  expect(sends(afterwards.lines).some((event) => event.queue.startsWith("broker-a/"))).toBe(true);
  await consumer.waitUntil(
    (lines) => [...keysOf(deliveries(lines))].filter((key) => key.startsWith("after")).length >= 40,
    WAIT_MS,
  );
}
