/** Which queue the next message goes to (remoting-protocol 4.1.5, 5.3, 5.4). Pure. */
import { MASTER_ID } from "../broker-table.ts";
import type { MessageQueue, TopicRoute } from "../client-api.ts";
import { compareQueues, PERM_WRITE } from "../message-queues.ts";

/** A queue and the master that takes messages for it. */
export interface PublishQueue {
  readonly queue: MessageQueue;
  readonly address: string;
}

function masterOf(route: TopicRoute, brokerName: string): string | undefined {
  return route.brokers
    .find((broker) => broker.brokerName === brokerName)
    ?.brokerAddrs.get(MASTER_ID);
}

/** `broker-a:4;broker-b:4` → names with their number of queues. */
function orderedQueues(conf: string): { brokerName: string; count: number }[] {
  return conf.split(";").flatMap((item) => {
    const [brokerName = "", count] = item.split(":");
    return brokerName === "" ? [] : [{ brokerName, count: Number(count) }];
  });
}

function writableQueues(route: TopicRoute): { brokerName: string; count: number }[] {
  if (route.orderTopicConf !== undefined && route.orderTopicConf !== "")
    return orderedQueues(route.orderTopicConf);
  return route.queues
    .filter((data) => (data.perm & PERM_WRITE) !== 0)
    .map((data) => ({ brokerName: data.brokerName, count: data.writeQueueNums }));
}

function expand(
  route: TopicRoute,
  topic: string,
  counts: readonly { readonly brokerName: string; readonly count: number }[],
): PublishQueue[] {
  const queues = counts.flatMap(({ brokerName, count }) => {
    const address = masterOf(route, brokerName);
    if (address === undefined || !(count > 0)) return [];
    return Array.from({ length: count }, (_, queueId) => ({
      queue: { topic, brokerName, queueId },
      address,
    }));
  });
  return queues.toSorted((a, b) => compareQueues(a.queue, b.queue));
}

/** @returns queues with WRITE whose broker name has a master; `orderTopicConf` overrides the queue data */
export function publishQueuesOf(route: TopicRoute): PublishQueue[] {
  return expand(route, route.topic, writableQueues(route));
}

/**
 * Queues of a topic that does not exist yet, by the template topic's route: the broker that gets its first message creates it.
 * @param topic the new topic
 * @param template route of TBW102
 * @param queueNums queues the producer asks for on each broker; the template's own number is the limit
 */
export function templateQueuesOf(
  topic: string,
  template: TopicRoute,
  queueNums: number,
): PublishQueue[] {
  const counts = template.queues
    .filter((data) => (data.perm & PERM_WRITE) !== 0)
    .map((data) => ({
      brokerName: data.brokerName,
      count: Math.min(queueNums, data.readQueueNums),
    }));
  return expand(template, topic, counts);
}

/** Round robin over queues. */
export class QueueCycle {
  readonly queues: readonly PublishQueue[];
  private at: number;

  /** @param queues not empty @param start index of the first choice */
  constructor(queues: readonly PublishQueue[], start: number) {
    this.queues = queues;
    this.at = start % queues.length;
  }

  /**
   * @param avoid broker names to leave out while there are others
   * @returns the next queue in turn
   */
  next(avoid?: (brokerName: string) => boolean): PublishQueue {
    const first = this.step();
    if (avoid === undefined || !avoid(first.queue.brokerName)) return first;
    for (let tried = 1; tried < this.queues.length; tried += 1) {
      const candidate = this.step();
      if (!avoid(candidate.queue.brokerName)) return candidate;
    }
    return first;
  }

  private step(): PublishQueue {
    const found = this.queues[this.at];
    if (found === undefined) throw new RangeError("a queue cycle needs queues");
    this.at = this.at + 1 === this.queues.length ? 0 : this.at + 1;
    return found;
  }
}
