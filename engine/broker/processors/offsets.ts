/** Offsets: QUERY/UPDATE_CONSUMER_OFFSET (14, 15) and the queues' own (29–32) (remoting-protocol 4.3). */
import { decodeHeader, encodeHeader } from "../../remoting/command-spec.ts";
import type { ResponseCommand } from "../../remoting/command.ts";
import {
  GET_EARLIEST_MSG_STORETIME,
  GET_MAX_OFFSET,
  GET_MIN_OFFSET,
  QUERY_CONSUMER_OFFSET,
  SEARCH_OFFSET_BY_TIMESTAMP,
  UPDATE_CONSUMER_OFFSET,
} from "../../remoting/commands/offsets.ts";
import { findTopic, type TopicName } from "../../message/topic-name.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";
import { groupNameProblem } from "../names.ts";

const NOT_FOUND = "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first";

/** Interned when some topic or queue of that name exists; unknown ones answer 0 (4.3). */
function topicName(topic: string): TopicName | undefined {
  const bytes = Buffer.from(topic, "utf8");
  return findTopic(bytes, 0, bytes.length);
}

function offsetAnswer(offset: number): ResponseCommand {
  return {
    code: RESPONSE_CODE.SUCCESS,
    extFields: encodeHeader(GET_MAX_OFFSET.response, { offset }),
  };
}

/** @returns the processor for code 14; the not-found rule of 4.3.1 decides where new consumers start */
export function createQueryConsumerOffsetProcessor(context: BrokerContext): Processor {
  const { offsets, store } = context;
  return (request) => {
    const { consumerGroup, topic, queueId } = decodeHeader(
      QUERY_CONSUMER_OFFSET.request,
      request.extFields,
    );
    const stored = offsets.query(consumerGroup, topic, queueId);
    if (stored >= 0) return offsetAnswer(stored);
    const name = topicName(topic);
    const isYoung =
      name === undefined ||
      (store.minOffsetInQueue(name, queueId) <= 0 && store.isHeadInMemory(name, queueId));
    return isYoung
      ? offsetAnswer(0)
      : { code: RESPONSE_CODE.QUERY_NOT_FOUND, remark: NOT_FOUND, extFields: new Map() };
  };
}

/** @returns the processor for code 15 */
export function createUpdateConsumerOffsetProcessor(context: BrokerContext): Processor {
  const { offsets, store, topics, groups, logger } = context;
  return (request) => {
    const { consumerGroup, topic, queueId, commitOffset } = decodeHeader(
      UPDATE_CONSUMER_OFFSET.request,
      request.extFields,
    );
    const config = topics.find(topic);
    const problem = groupNameProblem(consumerGroup);
    if (commitOffset < 0)
      return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: `the offset ${commitOffset} is negative` };
    if (
      problem !== null ||
      config === undefined ||
      groups.getOrCreate(consumerGroup) === undefined
    ) {
      const remark = problem ?? `topic[${topic}] or consumer group[${consumerGroup}] not exist`;
      return { code: RESPONSE_CODE.SYSTEM_ERROR, remark };
    }
    const end = store.maxOffsetInQueue(config.name, queueId);
    // A slave may only be behind: what its consumers say is kept as given.
    const offset = context.isSlave ? commitOffset : Math.min(commitOffset, end);
    if (offset !== commitOffset)
      logger.warn("a consumer offset past the queue's end was clamped", {
        consumerGroup,
        topic,
        queueId,
        commitOffset,
        end,
      });
    offsets.commit(consumerGroup, topic, queueId, offset);
    return { code: RESPONSE_CODE.SUCCESS };
  };
}

/** @returns the processor for code 30 */
export function createMaxOffsetProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { topic, queueId } = decodeHeader(GET_MAX_OFFSET.request, request.extFields);
    const name = topicName(topic);
    return offsetAnswer(name === undefined ? 0 : context.store.maxOffsetInQueue(name, queueId));
  };
}

/** @returns the processor for code 31 */
export function createMinOffsetProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { topic, queueId } = decodeHeader(GET_MIN_OFFSET.request, request.extFields);
    const name = topicName(topic);
    return offsetAnswer(
      name === undefined ? 0 : Math.max(0, context.store.minOffsetInQueue(name, queueId)),
    );
  };
}

/** @returns the processor for code 29 */
export function createSearchOffsetProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { topic, queueId, timestamp } = decodeHeader(
      SEARCH_OFFSET_BY_TIMESTAMP.request,
      request.extFields,
    );
    const name = topicName(topic);
    return offsetAnswer(
      name === undefined ? 0 : context.store.offsetByTime(name, queueId, timestamp),
    );
  };
}

/** @returns the processor for code 32 */
export function createEarliestStoreTimeProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { topic, queueId } = decodeHeader(GET_EARLIEST_MSG_STORETIME.request, request.extFields);
    const name = topicName(topic);
    const timestamp = name === undefined ? -1 : context.store.earliestStoreTime(name, queueId);
    return {
      code: RESPONSE_CODE.SUCCESS,
      extFields: encodeHeader(GET_EARLIEST_MSG_STORETIME.response, { timestamp }),
    };
  };
}
