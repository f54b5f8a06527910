/** UPDATE_AND_CREATE_TOPIC (17), DELETE_TOPIC_IN_BROKER (215), GET_SYSTEM_TOPIC_LIST_FROM_BROKER (305) (remoting-protocol 4.12). */
import { internTopic } from "../../message/topic-name.ts";
import { decodeHeader } from "../../remoting/command-spec.ts";
import type { ResponseCommand } from "../../remoting/command.ts";
import {
  DELETE_TOPIC_IN_BROKER,
  UPDATE_AND_CREATE_TOPIC,
} from "../../remoting/commands/administration.ts";
import { encodeTopicList } from "../../remoting/bodies/simple.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";
import { NOT_ON_SLAVES, topicNameProblem } from "../names.ts";
import { QUEUES_MAX } from "../topic-config.ts";

const SUCCESS: ResponseCommand = { code: RESPONSE_CODE.SUCCESS };
const PERM_MAX = 7;

function refuse(remark: string): ResponseCommand {
  return { code: RESPONSE_CODE.SYSTEM_ERROR, remark };
}

function queueProblem(read: number, write: number, perm: number): string | null {
  const bad = [read, write].find((queues) => queues < 1 || queues > QUEUES_MAX);
  if (bad !== undefined) return `${bad} queues: 1 to ${QUEUES_MAX} are possible`;
  return perm < 0 || perm > PERM_MAX ? `perm ${perm} is outside 0 to ${PERM_MAX}` : null;
}

/** @returns the processor for code 17 */
export function createUpdateTopicProcessor(context: BrokerContext): Processor {
  return async (request) => {
    const header = decodeHeader(UPDATE_AND_CREATE_TOPIC.request, request.extFields);
    const { topic, readQueueNums, writeQueueNums, perm } = header;
    if (context.isSlave) return refuse(NOT_ON_SLAVES);
    if (context.topics.isSystemTopic(topic))
      return refuse(`The topic[${topic}] is conflict with system topic.`);
    const problem = topicNameProblem(topic) ?? queueProblem(readQueueNums, writeQueueNums, perm);
    if (problem !== null) return refuse(problem);
    const topicFilterType = header.topicFilterType === "MULTI_TAG" ? "MULTI_TAG" : "SINGLE_TAG";
    const { topicSysFlag = 0 } = header;
    // Name servers decide what is ordered, with their answer to the next registration; until then it stays as it is.
    const order = context.topics.find(topic)?.order ?? false;
    context.topics.put({
      name: internTopic(topic),
      readQueueNums,
      writeQueueNums,
      perm,
      topicSysFlag,
      order,
      topicFilterType,
    });
    await context.topicsTold();
    return SUCCESS;
  };
}

/** @returns the processor for code 215 */
export function createDeleteTopicProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { topic } = decodeHeader(DELETE_TOPIC_IN_BROKER.request, request.extFields);
    const problem = topicNameProblem(topic);
    if (problem !== null) return refuse(problem);
    if (context.topics.isSystemTopic(topic))
      return refuse(`The topic[${topic}] is conflict with system topic.`);
    context.topics.delete(topic);
    context.offsets.deleteTopic(topic);
    const name = internTopic(topic);
    context.store.maintenance.deleteTopic(name);
    if (context.config.autoDeleteUnusedStats) context.statsItems.dropTopic(name);
    return SUCCESS;
  };
}

/** @returns the processor for code 305 */
export function createSystemTopicsProcessor(context: BrokerContext): Processor {
  return () => ({
    code: RESPONSE_CODE.SUCCESS,
    body: encodeTopicList(context.topics.systemTopicNames),
  });
}
