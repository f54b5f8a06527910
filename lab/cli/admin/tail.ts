/** The end of a topic: the last messages of each queue, in the order they were stored, and those that follow. */
import { setTimeout as sleep } from "node:timers/promises";
import type { QueueStats } from "../../../engine/admin/index.ts";
import {
  pullMessages,
  type MessageQueue,
  type ReceivedMessage,
} from "../../../engine/client/index.ts";
import { inTurn } from "./in-turn.ts";
import type { AdminPlace } from "./place.ts";

/** A group every broker of 4.9 has from the start, so that looking makes none. */
const GROUP = "TOOLS_CONSUMER";
const BATCH = 32;
const POLL_MS = 500;

/** A queue, whom to ask, and where to go on. */
interface Position {
  readonly queue: MessageQueue;
  readonly address: string;
  next: number;
}

function byStoreTime(a: ReceivedMessage, b: ReceivedMessage): number {
  return a.storeTimestamp - b.storeTimestamp || a.queueOffset - b.queueOffset;
}

async function positionsOf(
  place: AdminPlace,
  topic: string,
  start: (stats: QueueStats) => number,
): Promise<Position[]> {
  const route = await place.route(topic);
  const holders = place
    .oneOfEach()
    .filter(({ brokerName }) => route.queues.some((queue) => queue.brokerName === brokerName));
  const positions = await inTurn(holders, async ({ address }) =>
    (await place.admin.topicStats(address, topic)).map((stats) => ({
      queue: stats.queue,
      address,
      next: start(stats),
    })),
  );
  return positions.flat();
}

/** Everything from a queue's position to the end it has at the first answer, so that a busy topic comes to an end too; moves the position. */
async function readOn(place: AdminPlace, position: Position): Promise<readonly ReceivedMessage[]> {
  const found: ReceivedMessage[] = [];
  const { queue, address } = position;
  const request = { group: GROUP, queue, messagesMax: BATCH, suspendMs: 0, expression: "*" };
  const { remoting } = place.messaging;
  let end: number | undefined;
  do {
    const next = { ...request, offset: position.next };
    const result = await pullMessages(remoting, address, next, place.timeoutMs);
    found.push(...result.messages);
    end ??= result.maxOffset;
    // An answer that does not lead on (nothing there yet) ends it.
    if (result.nextBeginOffset === position.next) break;
    position.next = result.nextBeginOffset;
  } while (position.next < end);
  return found;
}

/** What a look at the end of a topic gave, and how to go on. */
export interface TopicTail {
  /** Oldest first. */
  readonly messages: readonly ReceivedMessage[];
  /** Hands on what comes after it, until the signal aborts. */
  follow(signal: AbortSignal, take: (messages: readonly ReceivedMessage[]) => void): Promise<void>;
}

/**
 * @param count how many of the last messages, over all queues
 * @throws EngineError ADMIN_NOT_FOUND without such a topic
 */
export async function tailTopic(
  place: AdminPlace,
  topic: string,
  count: number,
): Promise<TopicTail> {
  const positions = await positionsOf(place, topic, (stats) =>
    Math.max(stats.minOffset, stats.maxOffset - count),
  );
  const read = async (): Promise<ReceivedMessage[]> =>
    (await inTurn(positions, (position) => readOn(place, position))).flat().toSorted(byStoreTime);
  const messages = (await read()).slice(-count);
  return {
    messages,
    async follow(signal, take) {
      while (!signal.aborted) {
        const more = await read();
        if (more.length > 0) take(more);
        await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
