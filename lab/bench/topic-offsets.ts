/** What the masters hold of a topic: the count of messages by queue offsets, which no client can embellish. */
import { setTimeout as sleep } from "node:timers/promises";
import type { AdminClient } from "../../engine/admin/index.ts";

/** Queue name (`broker-a/0`) → next offset. */
export type QueueEnds = ReadonlyMap<string, number>;

/** A master of the topic's cluster. */
export interface MasterAddress {
  readonly node: string;
  readonly address: string;
}

const SETTLE_MS = 1_000;
const SETTLE_POLL_MS = 50;

/** @returns the end of every queue of the topic on these masters */
export async function readQueueEnds(
  admin: AdminClient,
  masters: readonly MasterAddress[],
  topic: string,
): Promise<QueueEnds> {
  const stats = await Promise.all(masters.map(({ address }) => admin.topicStats(address, topic)));
  return new Map(
    stats.flat().map(({ queue, maxOffset }) => [`${queue.brokerName}/${queue.queueId}`, maxOffset]),
  );
}

/** @returns messages stored between two readings */
export function storedBetween(before: QueueEnds, after: QueueEnds): number {
  let stored = 0;
  for (const [queue, end] of after) stored += end - (before.get(queue) ?? 0);
  return stored;
}

/**
 * Reads the ends until they stand still, as queues are filled a moment after the log.
 * @param enough stop at once when this many are stored since `before`
 */
export async function settledQueueEnds(
  read: () => Promise<QueueEnds>,
  before: QueueEnds,
  enough: number,
): Promise<QueueEnds> {
  let ends = await read();
  let stored = storedBetween(before, ends);
  let changedAt = performance.now();
  while (stored < enough && performance.now() - changedAt < SETTLE_MS) {
    await sleep(SETTLE_POLL_MS);
    ends = await read();
    const now = storedBetween(before, ends);
    if (now !== stored) changedAt = performance.now();
    stored = now;
  }
  return ends;
}
