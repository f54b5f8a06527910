import { EngineError } from "../../base/engine-error.ts";
import type { MessageQueue, TopicRoute } from "../client-api.ts";
import type { SharedClient } from "../mq-client.ts";
import { TEMPLATE_TOPIC } from "../names.ts";
import {
  publishQueuesOf,
  QueueCycle,
  templateQueuesOf,
  type PublishQueue,
} from "./publish-queues.ts";

interface Entry {
  /** The route the cycle was made of; another object means another route. */
  readonly route: TopicRoute;
  readonly cycle: QueueCycle;
}

function noQueue(topic: string): never {
  throw new EngineError("CLIENT_NO_ROUTE", {
    message: `no broker takes messages of topic ${topic} now`,
    hint: "the topic's brokers have no master, or the topic is not writable there",
  });
}

/** Topic → where to send, one producer's own turn over the queues (remoting-protocol 4.1.5, 5.3). */
export class PublishRoutes {
  private readonly client: SharedClient;
  private readonly defaultQueueNums: number;
  private readonly entries = new Map<string, Entry>();
  private readonly start = Math.floor(Math.random() * 1_024);

  /** @param defaultQueueNums queues asked for when the topic must be created */
  constructor(client: SharedClient, defaultQueueNums: number) {
    this.client = client;
    this.defaultQueueNums = defaultQueueNums;
  }

  /** @returns the topic's cycle without asking anyone; undefined when a name server must be asked */
  ready(topic: string): QueueCycle | undefined {
    const { routes } = this.client;
    const entry = this.entries.get(topic);
    const route = routes.cached(topic);
    // A topic that has no route of its own yet goes by the template's until a refresh finds one.
    const current = route ?? routes.cached(TEMPLATE_TOPIC);
    if (entry !== undefined && entry.route === current) return entry.cycle;
    return route === undefined ? undefined : this.remember(topic, route);
  }

  /**
   * @param timeoutMs for name servers
   * @throws EngineError CLIENT_NO_ROUTE
   */
  async find(topic: string, timeoutMs: number): Promise<QueueCycle> {
    const ready = this.ready(topic);
    if (ready !== undefined) return ready;
    const { routes } = this.client;
    routes.use(topic);
    const deadline = performance.now() + timeoutMs;
    const own = await routes.fetch(topic, timeoutMs);
    if (own !== null) return this.remember(topic, own) ?? noQueue(topic);
    const template = await routes.fetch(TEMPLATE_TOPIC, Math.max(1, deadline - performance.now()));
    if (template === null) {
      throw new EngineError("CLIENT_NO_ROUTE", {
        message: `no route of topic ${topic}`,
        hint: "create the topic, or start a broker with autoCreateTopicEnable=true",
      });
    }
    routes.use(TEMPLATE_TOPIC);
    return this.remember(topic, template) ?? noQueue(topic);
  }

  /** @returns the target of a queue the caller chose @throws EngineError CLIENT_NO_ROUTE */
  async targetOf(queue: MessageQueue, timeoutMs: number): Promise<PublishQueue> {
    const { brokers } = this.client.routes;
    if (brokers.master(queue.brokerName) === undefined) await this.find(queue.topic, timeoutMs);
    return { queue, address: brokers.requireMaster(queue.brokerName) };
  }

  private remember(topic: string, route: TopicRoute): QueueCycle | undefined {
    const queues =
      route.topic === topic
        ? publishQueuesOf(route)
        : templateQueuesOf(topic, route, this.defaultQueueNums);
    if (queues.length === 0) {
      this.entries.delete(topic);
      return undefined;
    }
    const cycle = new QueueCycle(queues, this.start);
    this.entries.set(topic, { route, cycle });
    return cycle;
  }
}
