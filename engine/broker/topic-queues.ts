/** The queues of a topic on this broker, as answers name them. */
import type { MessageQueueBody } from "../remoting/bodies/message-queue.ts";
import type { BrokerContext, TopicConfig } from "./broker-context.ts";

/** @param count number of queues @returns their ids */
export function queuesOf(count: number): readonly number[] {
  return Array.from({ length: count }, (_, queueId) => queueId);
}

/** @returns one queue as bodies name it */
export function queueBody(
  context: BrokerContext,
  topic: TopicConfig,
  queueId: number,
): MessageQueueBody {
  return { brokerName: context.config.brokerName, queueId, topic: topic.name.text };
}
