/** What the producers and consumers of one process share: connections, routes, heartbeats, timers, answers to brokers. */
import { signerOf } from "../acl/request-signature.ts";
import { EngineError } from "../base/engine-error.ts";
import { silentLogger, type Logger } from "../base/logger.ts";
import { createRemotingClient } from "../remoting/client.ts";
import type { RemotingClient } from "../remoting/server-api.ts";
import { clientCallbacks } from "./callbacks.ts";
import type { ClientOptions, MqClient, TopicRoute } from "./client-api.ts";
import { localAddress, uniqueInstanceName } from "./client-id.ts";
import { Heartbeats } from "./heartbeat.ts";
import type { ConsumerMember, ProducerMember } from "./members.ts";
import { NameServers } from "./name-servers.ts";
import { PendingReplies } from "./producer/pending-replies.ts";
import { RouteCache } from "./route-cache.ts";

const ROUTE_REFRESH_MS = 30_000;
const HEARTBEAT_MS = 30_000;

/** Implementation of MqClient; producers and consumers of this folder reach the rest of it. */
export class SharedClient implements MqClient {
  readonly clientId: string;
  /** `ip@NAME` with the name that was given, or DEFAULT: the same in every run, for files kept over runs. */
  readonly stableId: string;
  readonly remoting: RemotingClient;
  readonly routes: RouteCache;
  readonly heartbeats: Heartbeats;
  readonly logger: Logger;
  readonly namesrvAddrs: readonly string[];
  readonly trustRefusals: boolean;
  readonly replies = new PendingReplies();
  private readonly producers = new Set<ProducerMember>();
  private readonly consumers = new Map<string, ConsumerMember>();
  private readonly timers: readonly NodeJS.Timeout[];
  private closing: Promise<void> | undefined;

  /** @throws EngineError CLIENT_NO_ROUTE without a name server address */
  constructor(options: ClientOptions) {
    const address = localAddress();
    this.clientId = `${address}@${options.instanceName ?? uniqueInstanceName()}`;
    this.stableId = `${address}@${options.instanceName ?? "DEFAULT"}`;
    this.logger = options.logger ?? silentLogger;
    this.namesrvAddrs = options.namesrvAddrs;
    this.trustRefusals = options.trustRefusals ?? true;
    const { tls: clientTls } = options;
    this.remoting = createRemotingClient({
      logger: this.logger,
      sign: signerOf(options.credentials),
      tls: clientTls === undefined ? undefined : () => clientTls,
      table: clientCallbacks({
        consumer: (group) => this.consumers.get(group),
        producers: (group) => [...this.producers].filter((producer) => producer.group === group),
        brokerName: (address) => this.routes.brokers.nameOf(address),
        send: (address, request) => this.remoting.sendOneway(address, request),
        onReply: (request) => this.replies.receive(request),
      }),
      onDisconnect: (lost) => this.connectionLost(lost),
    });
    this.routes = new RouteCache({
      nameServers: new NameServers(this.remoting, options.namesrvAddrs),
      logger: this.logger,
      onChange: (topic) => this.routeChanged(topic),
      // A broker that came back at once has the same route and has forgotten us.
      onRecheck: () => void this.heartbeats.beatMissing(),
    });
    this.heartbeats = new Heartbeats({
      remoting: this.remoting,
      logger: this.logger,
      body: () => this.heartbeatBody(),
      targets: () => this.heartbeatTargets(),
    });
    this.timers = [
      setInterval(() => void this.routes.refreshAll(), options.routeRefreshMs ?? ROUTE_REFRESH_MS),
      setInterval(() => void this.heartbeats.beatAll(), options.heartbeatMs ?? HEARTBEAT_MS),
    ];
    for (const timer of this.timers) timer.unref();
  }

  get isClosed(): boolean {
    return this.closing !== undefined;
  }

  async route(topic: string, options?: { readonly refresh?: boolean }): Promise<TopicRoute | null> {
    this.assertOpen();
    const cached = options?.refresh === true ? undefined : this.routes.cached(topic);
    if (cached !== undefined) return cached;
    this.routes.use(topic);
    return this.routes.fetch(topic);
  }

  addProducer(member: ProducerMember): void {
    this.assertOpen();
    this.producers.add(member);
  }

  /** @throws EngineError CLIENT_GROUP_TAKEN: two members of one group with one client id would share queues (5.7) */
  addConsumer(member: ConsumerMember): void {
    this.assertOpen();
    if (this.consumers.has(member.group)) {
      throw new EngineError("CLIENT_GROUP_TAKEN", {
        message: `this client already has a consumer of group ${member.group}`,
        hint: "give each consumer of a group a client of its own",
      });
    }
    this.consumers.set(member.group, member);
  }

  /** Takes a producer's group back from the brokers when it was the last one of it. */
  async removeProducer(member: ProducerMember): Promise<void> {
    this.producers.delete(member);
    const { group } = member;
    if ([...this.producers].some((other) => other.group === group)) return;
    await this.heartbeats.unregister({ producer: group });
  }

  async removeConsumer(member: ConsumerMember): Promise<void> {
    this.consumers.delete(member.group);
    await this.heartbeats.unregister({ consumer: member.group });
  }

  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  /** @throws EngineError CLIENT_CLOSED */
  assertOpen(): void {
    if (this.closing !== undefined)
      throw new EngineError("CLIENT_CLOSED", { message: "this client is closed" });
  }

  private async closeAll(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    const members = [...this.consumers.values(), ...this.producers];
    await Promise.allSettled(members.map((member) => member.close()));
    this.replies.failAll(new EngineError("CLIENT_CLOSED", { message: "this client is closed" }));
    this.routes.close();
    this.remoting.close();
  }

  private connectionLost(address: string): void {
    this.heartbeats.forget(address);
    this.routes.suspect(address);
  }

  private routeChanged(topic: string): void {
    void this.heartbeats.beatMissing();
    for (const consumer of this.consumers.values()) consumer.routeChanged(topic);
  }

  private heartbeatBody() {
    return {
      clientId: this.clientId,
      producers: [...new Set([...this.producers].map((producer) => producer.group))],
      consumers: [...this.consumers.values()].map((consumer) => consumer.heartbeat()),
    };
  }

  /** A process without consumers has nothing to ask of slaves (5.3). */
  private heartbeatTargets(): readonly string[] {
    const isIdle = this.producers.size === 0 && this.consumers.size === 0;
    return isIdle ? [] : this.routes.brokers.addresses(this.consumers.size > 0 ? "all" : "masters");
  }
}
