/** QUERY_CONSUME_QUEUE (321): entries of one consume queue and the filter of a group on it (admin-protocol B.1). */
import { findTopic } from "../../message/topic-name.ts";
import { subscriptionValue } from "../../remoting/bodies/heartbeat.ts";
import { encodeQueueQuery, type QueueEntryBody } from "../../remoting/bodies/inspection.ts";
import { decodeHeader, type HeaderOf } from "../../remoting/command-spec.ts";
import { QUERY_CONSUME_QUEUE } from "../../remoting/commands/inspection.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";

type QueryHeader = HeaderOf<typeof QUERY_CONSUME_QUEUE.request>;

/** Of one answer: an entry takes about 90 bytes there. */
const ENTRIES_MAX = 10_000;

/** 4.9 writes the word null for a group without a SQL92 filter. */
function filterOf(context: BrokerContext, { topic, consumerGroup: group }: QueryHeader) {
  if (group === undefined || group === "") return {};
  const subscription = context.clients.consumerGroup(group)?.subscriptions.get(topic);
  if (subscription === undefined) return { filterData: `${group}@${topic} is not online!` };
  return {
    filterData: context.filters.describe(topic, group),
    subscriptionData: subscriptionValue({ ...subscription, codeSet: [...subscription.codeSet] }),
  };
}

/** @returns the processor for code 321 */
export function createQueueQueryProcessor(context: BrokerContext): Processor {
  const { store } = context;
  return (request) => {
    const header = decodeHeader(QUERY_CONSUME_QUEUE.request, request.extFields);
    const { topic, queueId, index } = header;
    const bytes = Buffer.from(topic, "utf8");
    const name = findTopic(bytes, 0, bytes.length);
    const queue = `${queueId}@${topic}`;
    const maxQueueIndex = name === undefined ? 0 : store.maxOffsetInQueue(name, queueId);
    if (name === undefined || maxQueueIndex === 0) {
      return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: `${queue} is not exist!` };
    }
    const minQueueIndex = store.minOffsetInQueue(name, queueId);
    if (index < minQueueIndex || index >= maxQueueIndex) {
      return { code: RESPONSE_CODE.SUCCESS, remark: `Index ${index} of ${queue} is not exist!` };
    }
    const count = Math.min(ENTRIES_MAX, Math.max(0, header.count), maxQueueIndex - index);
    const queueData: readonly QueueEntryBody[] = store
      .consumeQueueEntries(name, queueId, index, count)
      .map(({ physicalOffset: physicOffset, size: physicSize, tagsCode }) => ({
        physicOffset,
        physicSize,
        tagsCode,
      }));
    const { filterData, subscriptionData } = filterOf(context, header);
    const range = { minQueueIndex, maxQueueIndex };
    const body = encodeQueueQuery({ ...range, queueData, filterData, subscriptionData });
    return { code: RESPONSE_CODE.SUCCESS, body };
  };
}
