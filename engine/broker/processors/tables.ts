/** Whole tables, asked by slaves and tools: 21, 43, 45, 201 (remoting-protocol 4.11, 4.12); single entries for newer tools: 351, 352 (admin-protocol B.2). */
import { writeFastjson } from "../../base/fastjson.ts";
import { decodeHeader } from "../../remoting/command-spec.ts";
import {
  GET_SUBSCRIPTIONGROUP_CONFIG,
  GET_TOPIC_CONFIG,
} from "../../remoting/commands/inspection.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";
import type { DelayedMessages } from "../delayed-messages.ts";

function table(json: () => string): Processor {
  return () => ({ code: RESPONSE_CODE.SUCCESS, body: Buffer.from(json(), "utf8") });
}

/** @returns the processor for code 21 */
export function createTopicTableProcessor(context: BrokerContext): Processor {
  return table(() => context.topics.toJson());
}

/** @returns the processor for code 43 */
export function createOffsetTableProcessor(context: BrokerContext): Processor {
  return table(() => context.offsets.toJson());
}

/** @returns the processor for code 45 */
export function createDelayTableProcessor(delayed: DelayedMessages): Processor {
  return table(() => delayed.toJson());
}

/** @returns the processor for code 201 */
export function createGroupTableProcessor(context: BrokerContext): Processor {
  return table(() => context.groups.toJson());
}

/** @returns the processor for code 351 */
export function createOneTopicProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { topic } = decodeHeader(GET_TOPIC_CONFIG.request, request.extFields);
    const config = context.topics.find(topic);
    if (config === undefined) {
      return {
        code: RESPONSE_CODE.TOPIC_NOT_EXIST,
        remark: `No topic in this broker. topic: ${topic}`,
      };
    }
    const { name, ...rest } = config;
    const text = writeFastjson({ topicName: name.text, ...rest });
    return { code: RESPONSE_CODE.SUCCESS, body: Buffer.from(text, "utf8") };
  };
}

/** @returns the processor for code 352 */
export function createOneGroupProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { group } = decodeHeader(GET_SUBSCRIPTIONGROUP_CONFIG.request, request.extFields);
    const config = context.groups.get(group);
    if (config === undefined) {
      return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: "No group in this broker" };
    }
    return { code: RESPONSE_CODE.SUCCESS, body: Buffer.from(writeFastjson({ ...config }), "utf8") };
  };
}
