/** Routes of the topics this client uses, kept fresh (remoting-protocol 5.1–5.3, 5.5). */
import type { Logger } from "../base/logger.ts";
import { decodeRouteData } from "../remoting/bodies/route-data.ts";
import { encodeHeader } from "../remoting/command-spec.ts";
import { GET_ROUTEINFO_BY_TOPIC } from "../remoting/commands/name-server.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import { BrokerTable } from "./broker-table.ts";
import type { TopicRoute } from "./client-api.ts";
import type { NameServers } from "./name-servers.ts";
import { RefusedError } from "./request.ts";

/** For all name servers together. */
const ROUTE_TIMEOUT_MS = 3_000;
/**
 * A name server notices a closed connection about when we do: the routes that name a lost broker are asked for again this often after the
 * loss, until they no longer name it.
 */
const RECHECK_DELAYS_MS = [0, 50, 100, 200, 400, 800, 1_600, 3_200] as const;

interface Known {
  readonly route: TopicRoute;
  readonly body: Buffer;
}

/** What a route cache is made of. */
export interface RouteCacheParts {
  readonly nameServers: NameServers;
  readonly logger: Logger;
  /** A topic's route is new or another one than before. */
  readonly onChange: (topic: string) => void;
  /** Routes were asked for again because the connection to this address broke. */
  readonly onRecheck: (address: string) => void;
}

/** @param body answer of code 105 @throws EngineError JSON_INVALID */
export function decodeTopicRoute(topic: string, body: Buffer): TopicRoute {
  const data = decodeRouteData(body);
  return {
    topic,
    brokers: data.brokerDatas,
    queues: data.queueDatas.toSorted((a, b) => (a.brokerName < b.brokerName ? -1 : 1)),
    orderTopicConf: data.orderTopicConf,
  };
}

/** One client's routes. */
export class RouteCache {
  readonly brokers = new BrokerTable();
  private readonly parts: RouteCacheParts;
  private readonly known = new Map<string, Known>();
  /** Topics to refresh, known or not. */
  private readonly used = new Set<string>();
  private readonly asking = new Map<string, Promise<TopicRoute | null>>();
  private readonly suspects = new Map<string, NodeJS.Timeout>();
  private closed = false;

  constructor(parts: RouteCacheParts) {
    this.parts = parts;
  }

  /** @returns the newest route known; undefined when none was ever found */
  cached(topic: string): TopicRoute | undefined {
    return this.known.get(topic)?.route;
  }

  /** Keeps a topic's route fresh from now on. */
  use(topic: string): void {
    this.used.add(topic);
  }

  /**
   * Asks now; askers of one topic share the question.
   * @returns the route; null when every name server that answered says it knows none (an older route stays cached: 5.2)
   * @throws EngineError CLIENT_NO_ROUTE when no name server answered; RefusedError when access control keeps this client out
   */
  fetch(topic: string, timeoutMs: number = ROUTE_TIMEOUT_MS): Promise<TopicRoute | null> {
    const under = this.asking.get(topic);
    if (under !== undefined) return under;
    const asked = this.ask(topic, timeoutMs).finally(() => this.asking.delete(topic));
    this.asking.set(topic, asked);
    return asked;
  }

  /** Refreshes every used topic; failures are logged and leave the old route. */
  async refreshAll(): Promise<void> {
    await Promise.all([...this.used].map((topic) => this.refresh(topic)));
  }

  /** The connection to this address broke: routes that name it are checked at once, and again for some seconds. */
  suspect(address: string): void {
    if (!this.suspects.has(address)) this.recheck(address, 0);
  }

  /** Ends all timers; answers that still come are dropped. */
  close(): void {
    this.closed = true;
    for (const timer of this.suspects.values()) clearTimeout(timer);
    this.suspects.clear();
  }

  private recheck(address: string, round: number): void {
    const delayMs = RECHECK_DELAYS_MS[round];
    const topics = this.closed ? [] : this.topicsNaming(address);
    if (delayMs === undefined || topics.length === 0) {
      this.suspects.delete(address);
      return;
    }
    const timer = setTimeout(() => {
      void Promise.all(topics.map((topic) => this.refresh(topic))).then(() => {
        if (!this.closed) this.parts.onRecheck(address);
        this.recheck(address, round + 1);
      });
    }, delayMs);
    timer.unref();
    this.suspects.set(address, timer);
  }

  private topicsNaming(address: string): string[] {
    const names = (route: TopicRoute): boolean =>
      route.brokers.some((broker) => [...broker.brokerAddrs.values()].includes(address));
    return [...this.known].filter(([, { route }]) => names(route)).map(([topic]) => topic);
  }

  private async refresh(topic: string): Promise<void> {
    try {
      await this.fetch(topic);
    } catch (error) {
      this.parts.logger.warn("route refresh failed, the old route stays", {
        topic,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }

  private async ask(topic: string, timeoutMs: number): Promise<TopicRoute | null> {
    const extFields = encodeHeader(GET_ROUTEINFO_BY_TOPIC.request, { topic });
    const request = { code: GET_ROUTEINFO_BY_TOPIC.code, extFields };
    const answer = await this.parts.nameServers.ask(request, timeoutMs);
    if (answer.code === RESPONSE_CODE.SUCCESS && answer.body !== null)
      return this.store(topic, answer.body);
    // Without the right to ask there is no answer; "no such topic" would send the reader the wrong way.
    if (answer.code === RESPONSE_CODE.NO_PERMISSION)
      throw new RefusedError("the name server", GET_ROUTEINFO_BY_TOPIC.name, answer);
    if (answer.code !== RESPONSE_CODE.TOPIC_NOT_EXIST) {
      this.parts.logger.warn("a name server refused a route", { topic, code: answer.code });
    }
    return null;
  }

  private store(topic: string, body: Buffer): TopicRoute {
    const before = this.known.get(topic);
    if (before !== undefined && before.body.equals(body)) {
      this.brokers.learn(before.route);
      return before.route;
    }
    const route = decodeTopicRoute(topic, body);
    this.known.set(topic, { route, body });
    this.brokers.learn(route);
    this.brokers.retain([...this.known.values()].map((known) => known.route));
    if (!this.closed) this.parts.onChange(topic);
    return route;
  }
}
