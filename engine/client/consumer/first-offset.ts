/** Where to begin in a queue this group has no offset in (remoting-protocol 5.6 step 5). */
import { decodeHeader } from "../../remoting/command-spec.ts";
import { GET_MAX_OFFSET, SEARCH_OFFSET_BY_TIMESTAMP } from "../../remoting/commands/offsets.ts";
import type { MessageQueue, PushConsumerOptions } from "../client-api.ts";
import type { SharedClient } from "../mq-client.ts";
import { isRetryTopic } from "../names.ts";
import { invokeOk } from "../request.ts";
import type { OffsetStore } from "./offset-store.ts";

const TIMEOUT_MS = 3_000;

export type ConsumeFrom = NonNullable<PushConsumerOptions["consumeFrom"]>;

async function endOf(client: SharedClient, queue: MessageQueue): Promise<number> {
  const spec = GET_MAX_OFFSET;
  const { topic, queueId } = queue;
  const address = client.routes.brokers.requireMaster(queue.brokerName);
  const header = { topic, queueId };
  const answer = await invokeOk(client.remoting, { address, spec, header, timeoutMs: TIMEOUT_MS });
  return decodeHeader(spec.response, answer.extFields).offset ?? 0;
}

/** Asks the master. @returns offset of the first message stored at that time (ms) or later */
export async function offsetAt(
  client: SharedClient,
  queue: MessageQueue,
  timestamp: number,
): Promise<number> {
  const spec = SEARCH_OFFSET_BY_TIMESTAMP;
  const { topic, queueId } = queue;
  const address = client.routes.brokers.requireMaster(queue.brokerName);
  const header = { topic, queueId, timestamp };
  const answer = await invokeOk(client.remoting, { address, spec, header, timeoutMs: TIMEOUT_MS });
  return decodeHeader(spec.response, answer.extFields).offset ?? 0;
}

/**
 * @param store asked first; what it keeps counts
 * @param from where a new group begins; a broker answers 0 itself for a young queue (4.3.1)
 * @returns the first offset to pull
 * @throws RefusedError | EngineError when it cannot be known now: the queue must wait for the next round, or messages would be skipped
 */
export async function firstOffset(
  client: SharedClient,
  store: OffsetStore,
  queue: MessageQueue,
  from: ConsumeFrom,
): Promise<number> {
  const kept = await store.fetch(queue);
  if (kept !== null && kept >= 0) return kept;
  const isRetry = isRetryTopic(queue.topic);
  if (from === "first") return 0;
  if (from === "last") return isRetry ? 0 : endOf(client, queue);
  return isRetry ? endOf(client, queue) : offsetAt(client, queue, from.timestampMs);
}
