/** Message queues as values: their key, their order, and which of them a route offers. */
import type { MessageQueue, TopicRoute } from "./client-api.ts";

/** Permission bits of a topic on one broker (remoting-protocol 2.6). */
export const PERM_READ = 4;
export const PERM_WRITE = 2;

/** @returns text that is the same for equal queues and no others; for maps */
export function queueKey(queue: MessageQueue): string {
  return `${queue.topic}@${queue.brokerName}@${queue.queueId}`;
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Java's order of queues: topic, broker name, id. All members of a group must sort alike. */
export function compareQueues(a: MessageQueue, b: MessageQueue): number {
  return (
    compareText(a.topic, b.topic) ||
    compareText(a.brokerName, b.brokerName) ||
    a.queueId - b.queueId
  );
}

/**
 * @param route of a topic
 * @returns queues to read, whether or not their broker is alive (5.3 step 4), sorted
 */
export function subscribeQueuesOf(route: TopicRoute): MessageQueue[] {
  return route.queues
    .filter((data) => (data.perm & PERM_READ) !== 0)
    .flatMap((data) =>
      Array.from({ length: data.readQueueNums }, (_, queueId) => ({
        topic: route.topic,
        brokerName: data.brokerName,
        queueId,
      })),
    )
    .toSorted(compareQueues);
}
