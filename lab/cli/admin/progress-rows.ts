/** How far a group is in each queue, over all masters: what `groups` sums up and `offsets` lists. */
import type { AdminPlace } from "./place.ts";
import { inTurn } from "./in-turn.ts";
import { instant } from "./when.ts";

/** One queue. */
export interface ProgressRow {
  readonly topic: string;
  readonly broker: string;
  readonly queue: number;
  readonly brokerOffset: number;
  readonly consumerOffset: number;
  /** Messages not consumed yet. */
  readonly lag: number;
  /** Store time of the last consumed message. */
  readonly lastConsumed: string | null;
}

/**
 * @param topic undefined: every topic the group has an offset in
 * @returns rows by topic, broker and queue
 */
export async function progressRows(
  place: AdminPlace,
  group: string,
  topic: string | undefined,
): Promise<readonly ProgressRow[]> {
  const stats = await inTurn(place.oneOfEach(), ({ address }) =>
    place.admin.consumeStats(address, group, topic),
  );
  return stats
    .flat()
    .map(({ queue, brokerOffset, consumerOffset, lastTimestamp }) => ({
      topic: queue.topic,
      broker: queue.brokerName,
      queue: queue.queueId,
      brokerOffset,
      consumerOffset,
      lag: brokerOffset - consumerOffset,
      lastConsumed: instant(lastTimestamp),
    }))
    .toSorted((a, b) => {
      const [left, right] = [`${a.topic}\0${a.broker}`, `${b.topic}\0${b.broker}`];
      return left === right ? a.queue - b.queue : left < right ? -1 : 1;
    });
}

/** @returns messages of all rows not consumed yet */
export function lagOf(rows: readonly ProgressRow[]): number {
  return rows.reduce((sum, row) => sum + row.lag, 0);
}
