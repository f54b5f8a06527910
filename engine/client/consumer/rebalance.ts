/** When and how a consumer's share of the queues is worked out anew (remoting-protocol 5.1, 5.6 step 4). */
import { decodeConsumerIdList } from "../../remoting/bodies/simple.ts";
import { GET_CONSUMER_LIST_BY_GROUP } from "../../remoting/commands/clients.ts";
import type { Allocate, MessageQueue, TopicRoute } from "../client-api.ts";
import { subscribeQueuesOf } from "../message-queues.ts";
import type { SharedClient } from "../mq-client.ts";
import { invokeOk } from "../request.ts";

const MEMBERS_TIMEOUT_MS = 3_000;
/** After a round in which something could not be found out. */
const RETRY_MS_FIRST = 200;
const RETRY_MS_MAX = 5_000;

/** What a share is worked out from. */
export interface ShareParts {
  readonly client: SharedClient;
  readonly group: string;
  readonly isClustering: boolean;
  readonly allocate: Allocate;
}

async function routeOf(client: SharedClient, topic: string): Promise<TopicRoute | null> {
  client.routes.use(topic);
  return client.routes.cached(topic) ?? client.routes.fetch(topic);
}

/** Asks one broker of the topic at random, its master if it has one; it is told of us first, or it would not list us. */
async function membersOf(parts: ShareParts, route: TopicRoute): Promise<string[]> {
  const { client, group } = parts;
  const names = route.brokers.map((broker) => broker.brokerName);
  const chosen = names[Math.floor(Math.random() * names.length)] ?? "";
  const address = client.routes.brokers.requireMasterOrAny(chosen);
  await client.heartbeats.ensure(address);
  const answer = await invokeOk(client.remoting, {
    address,
    spec: GET_CONSUMER_LIST_BY_GROUP,
    header: { consumerGroup: group },
    timeoutMs: MEMBERS_TIMEOUT_MS,
  });
  return answer.body === null ? [] : decodeConsumerIdList(answer.body);
}

/**
 * @returns this client's queues of the topic; null when the topic has no route yet
 * @throws RefusedError | EngineError when the members cannot be found out: the round is skipped and the old share kept
 */
export async function shareOf(parts: ShareParts, topic: string): Promise<MessageQueue[] | null> {
  const route = await routeOf(parts.client, topic);
  if (route === null) return null;
  const queues = subscribeQueuesOf(route);
  if (!parts.isClustering) return queues;
  const members = await membersOf(parts, route);
  return parts.allocate(members.toSorted(), parts.client.clientId, queues);
}

/** Runs rounds one after another: now, on request, and at an interval; a round that is incomplete is repeated soon. */
export class RebalanceLoop {
  private readonly round: () => Promise<boolean>;
  private readonly interval: NodeJS.Timeout;
  private running: Promise<void> | undefined;
  private wanted = false;
  private retry: NodeJS.Timeout | undefined;
  private failures = 0;
  private stopped = false;

  /** @param round one round; false when something is still to be found out. Must not reject */
  constructor(round: () => Promise<boolean>, intervalMs: number) {
    this.round = round;
    this.interval = setInterval(() => void this.run(), intervalMs);
    this.interval.unref();
  }

  /** @returns when a round that began after this call has ended */
  run(): Promise<void> {
    this.wanted = true;
    this.running ??= this.drain().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  /** No round begins after this. @returns when the last one has ended */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.interval);
    clearTimeout(this.retry);
    await this.running;
  }

  private async drain(): Promise<void> {
    while (this.wanted && !this.stopped) {
      this.wanted = false;
      const isComplete = await this.round();
      this.failures = isComplete ? 0 : this.failures + 1;
    }
    if (this.failures > 0 && !this.stopped) this.retrySoon();
  }

  private retrySoon(): void {
    clearTimeout(this.retry);
    const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS_FIRST * 2 ** (this.failures - 1));
    this.retry = setTimeout(() => void this.run(), delayMs);
    this.retry.unref();
  }
}
