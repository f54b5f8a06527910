/** ConsumerRunningInfo, the answer to 307, as tools read it (admin-protocol B.1). */
import { asNumber, asObject, asText, parseFastjson } from "../../base/fastjson.ts";
import { readQueueMap, type MessageQueueBody } from "./message-queue.ts";

/** One queue of the member. Times in ms. */
export interface OwnedQueueBody {
  readonly queue: MessageQueueBody;
  readonly commitOffset: number;
  readonly cachedMsgCount: number;
  readonly lastPullTimestamp: number;
  readonly lastConsumeTimestamp: number;
}

/** The parts of the answer that clients of every language fill in. */
export interface RunningInfoBody {
  readonly properties: ReadonlyMap<string, string>;
  readonly queues: readonly OwnedQueueBody[];
}

/** @throws EngineError JSON_INVALID */
export function decodeRunningInfo(body: Buffer): RunningInfoBody {
  const root = asObject(parseFastjson(body.toString("utf8")));
  const queues = readQueueMap(root.get("mqTable"), (value) => {
    const queue = asObject(value);
    return {
      commitOffset: asNumber(queue.get("commitOffset")),
      cachedMsgCount: asNumber(queue.get("cachedMsgCount")),
      lastPullTimestamp: asNumber(queue.get("lastPullTimestamp")),
      lastConsumeTimestamp: asNumber(queue.get("lastConsumeTimestamp")),
    };
  });
  return {
    properties: new Map(
      [...asObject(root.get("properties"))].map(([key, value]) => [key, asText(value)] as const),
    ),
    queues: queues.map(([queue, values]) => ({ queue, ...values })),
  };
}
