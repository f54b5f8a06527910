/** What a consumer tells of itself: the answers to 307 and 309 (remoting-protocol 4.10). */
import { writeFastjson, type Writable } from "../../base/fastjson.ts";
import {
  subscriptionValue,
  type ConsumeType,
  type SubscriptionBody,
} from "../../remoting/bodies/heartbeat.ts";
import { queueMapValue } from "../../remoting/bodies/message-queue.ts";
import type { ConsumeResult } from "../client-api.ts";
import type { ProcessQueue } from "./process-queue.ts";

const MEBIBYTE = 1_048_576;

/** What the answer to 307 is made of. */
export interface RunningInfo {
  readonly namesrvAddrs: string;
  readonly startedAtMs: number;
  readonly concurrency: number;
  readonly isOrderly: boolean;
  /** Asked by its user (lite pull) or pushing to a listener. */
  readonly consumeType: ConsumeType;
  readonly subscriptions: readonly SubscriptionBody[];
  readonly queues: readonly { readonly queue: ProcessQueue; readonly committed: number }[];
}

function queueValue(queue: ProcessQueue, committed: number): Writable {
  return {
    cachedMsgCount: queue.count,
    cachedMsgMaxOffset: queue.count === 0 ? 0 : queue.highestAdded,
    cachedMsgMinOffset: queue.lowest ?? 0,
    cachedMsgSizeInMiB: Math.floor(queue.byteCount / MEBIBYTE),
    commitOffset: committed,
    droped: queue.dropped,
    lastConsumeTimestamp: queue.lastConsumeMs,
    lastLockTimestamp: queue.lockedAtMs === 0 ? queue.sinceMs : queue.lockedAtMs,
    lastPullTimestamp: queue.lastPullMs,
    locked: queue.lockedAtMs !== 0,
    transactionMsgCount: 0,
    transactionMsgMaxOffset: 0,
    transactionMsgMinOffset: 0,
    tryUnlockTimes: 0,
  };
}

/** @returns the body of 307's answer, with Java's spelling (`droped`) */
export function encodeRunningInfo(info: RunningInfo): Buffer {
  const queues = info.queues.map((entry) => [entry.queue.queue, entry] as const);
  const text = writeFastjson({
    mqTable: queueMapValue(queues, ({ queue, committed }) => queueValue(queue, committed)),
    properties: {
      PROP_NAMESERVER_ADDR: info.namesrvAddrs,
      PROP_CONSUME_TYPE: info.consumeType,
      PROP_CLIENT_VERSION: "V4_9_0",
      PROP_THREADPOOL_CORE_SIZE: String(info.concurrency),
      PROP_CONSUMEORDERLY: String(info.isOrderly),
      PROP_CONSUMER_START_TIMESTAMP: String(info.startedAtMs),
    },
    statusTable: {},
    subscriptionSet: info.subscriptions.map(subscriptionValue),
  });
  return Buffer.from(text, "utf8");
}

/** @param isOrderly the listener is called in order @returns the body of 309's answer */
export function encodeConsumeDirectly(
  result: ConsumeResult,
  spentMs: number,
  isOrderly: boolean,
): Buffer {
  const text = writeFastjson({
    autoCommit: true,
    consumeResult: result === "success" ? "CR_SUCCESS" : "CR_LATER",
    order: isOrderly,
    spentTimeMills: Math.round(spentMs),
  });
  return Buffer.from(text, "utf8");
}
