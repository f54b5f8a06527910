/** Whole tables, asked by slaves and tools: 21, 43, 45, 201 (remoting-protocol 4.11, 4.12). */
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
