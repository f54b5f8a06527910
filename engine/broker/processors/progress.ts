/** Where queues and groups stand: GET_TOPIC_STATS_INFO (202), QUERY_CONSUME_TIME_SPAN (303), QUERY_CORRECTION_OFFSET (308) (admin-protocol B.1). */
import { decodeHeader } from "../../remoting/command-spec.ts";
import type { ResponseCommand } from "../../remoting/command.ts";
import { GET_TOPIC_STATS_INFO } from "../../remoting/commands/administration.ts";
import {
  QUERY_CONSUME_TIME_SPAN,
  QUERY_CORRECTION_OFFSET,
} from "../../remoting/commands/inspection.ts";
import {
  encodeCorrectionOffsets,
  encodeTimeSpans,
  type TimeSpanBody,
} from "../../remoting/bodies/inspection.ts";
import { encodeTopicStats } from "../../remoting/bodies/message-queue.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext, TopicConfig } from "../broker-context.ts";
import { queueBody, queuesOf } from "../topic-queues.ts";

/** Java's largest long: what 308 says of a queue where the group is behind all others. */
const LONG_MAX = 9_223_372_036_854_775_807n;

function noTopic(topic: string): ResponseCommand {
  return { code: RESPONSE_CODE.TOPIC_NOT_EXIST, remark: `topic[${topic}] not exist` };
}

/** @returns the processor for code 202 */
export function createTopicStatsProcessor(context: BrokerContext): Processor {
  const { store } = context;
  return (request) => {
    const { topic } = decodeHeader(GET_TOPIC_STATS_INFO.request, request.extFields);
    const config = context.topics.find(topic);
    if (config === undefined) return noTopic(topic);
    const rows = queuesOf(config.writeQueueNums).map((queueId) => {
      const minOffset = Math.max(0, store.minOffsetInQueue(config.name, queueId));
      const maxOffset = Math.max(0, store.maxOffsetInQueue(config.name, queueId));
      const lastUpdateTimestamp =
        maxOffset > minOffset
          ? Math.max(0, store.storeTimeAt(config.name, queueId, maxOffset - 1))
          : 0;
      return [
        queueBody(context, config, queueId),
        { minOffset, maxOffset, lastUpdateTimestamp },
      ] as const;
    });
    return { code: RESPONSE_CODE.SUCCESS, body: encodeTopicStats(rows) };
  };
}

function timeSpan(
  context: BrokerContext,
  group: string,
  topic: TopicConfig,
  queueId: number,
): TimeSpanBody {
  const { store } = context;
  const end = store.maxOffsetInQueue(topic.name, queueId);
  const consumed = context.offsets.query(group, topic.name.text, queueId);
  const timeAt = (offset: number): number => store.storeTimeAt(topic.name, queueId, offset);
  const minTimeStamp = store.earliestStoreTime(topic.name, queueId);
  const nextTime = consumed < end ? timeAt(Math.max(0, consumed)) : -1;
  return {
    queue: queueBody(context, topic, queueId),
    minTimeStamp,
    maxTimeStamp: timeAt(end - 1),
    consumeTimeStamp: consumed > 0 ? timeAt(consumed - 1) : minTimeStamp,
    delayTime: nextTime > 0 ? Math.max(0, context.now() - nextTime) : 0,
  };
}

/** @returns the processor for code 303 */
export function createTimeSpanProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { topic, group } = decodeHeader(QUERY_CONSUME_TIME_SPAN.request, request.extFields);
    const config = context.topics.find(topic);
    if (config === undefined) return noTopic(topic);
    const spans = queuesOf(config.writeQueueNums).map((queueId) =>
      timeSpan(context, group, config, queueId),
    );
    return { code: RESPONSE_CODE.SUCCESS, body: encodeTimeSpans(spans) };
  };
}

/** The smallest offset of the topic's groups by queue, entries below the queue's start left out. */
function smallestOffsets(
  context: BrokerContext,
  topic: string,
  leftOut: ReadonlySet<string>,
): Map<number, number> {
  const smallest = new Map<number, number>();
  const name = context.topics.find(topic)?.name;
  if (name === undefined) return smallest;
  const groups = context.offsets.groupsOf(topic).filter((group) => !leftOut.has(group));
  for (const [queueId, offset] of groups.flatMap((group) => [
    ...context.offsets.ofGroup(group, topic),
  ])) {
    if (offset < context.store.minOffsetInQueue(name, queueId)) continue;
    smallest.set(queueId, Math.min(offset, smallest.get(queueId) ?? offset));
  }
  return smallest;
}

/**
 * @returns the processor for code 308: where the compared group would have to be not to be the furthest ahead. 4.9 removes the offsets of
 * `filterGroups` from its table while it answers; here they are only left out.
 */
export function createCorrectionOffsetProcessor(context: BrokerContext): Processor {
  return (request) => {
    const {
      compareGroup,
      topic,
      filterGroups = "",
    } = decodeHeader(QUERY_CORRECTION_OFFSET.request, request.extFields);
    const smallest = smallestOffsets(context, topic, new Set(filterGroups.split(",")));
    const compared = context.offsets.ofGroup(compareGroup, topic);
    const corrected = [...smallest].map(([queueId, offset]) => {
      const own = compared.get(queueId);
      return [queueId, own !== undefined && offset > own ? LONG_MAX : offset] as const;
    });
    return { code: RESPONSE_CODE.SUCCESS, body: encodeCorrectionOffsets(new Map(corrected)) };
  };
}
