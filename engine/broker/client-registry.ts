/**
 * Who is connected: producer and consumer groups, their members and subscriptions (remoting-protocol 4.4). A member is a connection; a
 * group is gone when its last member is.
 */
import { javaStringHash } from "../base/java-string-hash.ts";
import type { Logger } from "../base/logger.ts";
import type {
  ConsumerBody,
  HeartbeatBody,
  SubscriptionBody,
} from "../remoting/bodies/heartbeat.ts";
import type { Channel } from "../remoting/channel.ts";
import { encodeHeader } from "../remoting/command-spec.ts";
import { NOTIFY_CONSUMER_IDS_CHANGED } from "../remoting/commands/clients.ts";
import { REQUEST_CODE } from "../remoting/request-codes.ts";
import type {
  ClientConnection,
  ClientRegistry,
  ConsumerGroup,
  Subscription,
} from "./broker-context.ts";
import { isTagType, parseTagExpression } from "./tag-filter.ts";

/** A member not heard of for this long is dropped and its connection closed (4.4.2). */
export const CLIENT_EXPIRY_MS = 120_000;

interface Member extends ClientConnection {
  lastHeartbeatMs: number;
}

interface Group {
  readonly group: string;
  consumeType: ConsumerGroup["consumeType"];
  messageModel: ConsumerGroup["messageModel"];
  consumeFromWhere: string;
  readonly subscriptions: Map<string, Subscription>;
  /** By channel id. */
  readonly members: Map<number, Member>;
}

/** What the registry needs of the broker. */
export interface ClientRegistryWiring {
  readonly logger: Logger;
  readonly now: () => number;
  /** False when the group's notifyConsumerIdsChangedEnable is off. */
  readonly mayNotify: (group: string) => boolean;
  /** Told of every heartbeat's subscriptions and of groups that lost their last member. */
  readonly filters: {
    register(group: string, subscriptions: readonly SubscriptionBody[]): void;
    unregister(group: string): void;
  };
}

function subscriptionOf(body: SubscriptionBody): Subscription {
  const tags = isTagType(body.expressionType)
    ? (parseTagExpression(body.subString) ?? body.tagsSet)
    : [];
  return {
    topic: body.topic,
    subString: body.subString,
    tagsSet: tags,
    // Codes from clients are not trusted: Go's differ for non-ASCII tags (4.2.7).
    codeSet: new Set(tags.map(javaStringHash)),
    subVersion: body.subVersion,
    expressionType: body.expressionType,
    classFilterMode: body.classFilterMode,
  };
}

/** The one owner of client connections. */
export class BrokerClients implements ClientRegistry {
  private readonly wiring: ClientRegistryWiring;
  private readonly consumers = new Map<string, Group>();
  private readonly producersByGroup = new Map<string, Map<number, Member>>();

  /** @param wiring clock, log and the groups' wish to be notified */
  constructor(wiring: ClientRegistryWiring) {
    this.wiring = wiring;
  }

  /** Takes one heartbeat in. Members are listed before the heartbeat is answered (4.4.4). */
  heartbeat(
    body: HeartbeatBody,
    from: { readonly channel: Channel; readonly language: number; readonly version: number },
  ): void {
    const member = (): Member => ({
      clientId: body.clientId,
      ...from,
      lastHeartbeatMs: this.wiring.now(),
    });
    for (const group of body.producers) {
      const members = this.producersByGroup.get(group) ?? new Map<number, Member>();
      members.set(from.channel.id, member());
      this.producersByGroup.set(group, members);
    }
    for (const consumer of body.consumers) this.registerConsumer(consumer, member());
  }

  /** UNREGISTER_CLIENT for one group each. */
  unregister(
    channel: Channel,
    groups: {
      readonly producerGroup?: string | undefined;
      readonly consumerGroup?: string | undefined;
    },
  ): void {
    if (groups.producerGroup !== undefined) this.dropProducer(groups.producerGroup, channel);
    if (groups.consumerGroup !== undefined) this.dropConsumer(groups.consumerGroup, channel);
  }

  channelClosed(channel: Channel): void {
    for (const group of this.producersByGroup.keys()) this.dropProducer(group, channel);
    for (const group of this.consumers.keys()) this.dropConsumer(group, channel);
  }

  /** Drops members that fell silent; called every 10 s. */
  expire(): void {
    const oldest = this.wiring.now() - CLIENT_EXPIRY_MS;
    const all = [...this.consumers.values()].flatMap((group) => [...group.members.values()]);
    const producers = [...this.producersByGroup.values()].flatMap((members) => [
      ...members.values(),
    ]);
    for (const member of [...all, ...producers]) {
      if (member.lastHeartbeatMs >= oldest) continue;
      this.wiring.logger.info("client fell silent", {
        clientId: member.clientId,
        remote: member.channel.remote,
      });
      member.channel.close("no heartbeat for 120 s");
      this.channelClosed(member.channel);
    }
  }

  consumerGroup(group: string): ConsumerGroup | undefined {
    const known = this.consumers.get(group);
    return known === undefined ? undefined : { ...known, members: [...known.members.values()] };
  }

  consumerGroups(): readonly string[] {
    return [...this.consumers.keys()];
  }

  producerGroups(): readonly string[] {
    return [...this.producersByGroup.keys()];
  }

  /** A group's subscription to a topic, without building the group's view: the pull path asks for every request. */
  subscription(group: string, topic: string): Subscription | undefined {
    return this.consumers.get(group)?.subscriptions.get(topic);
  }

  producers(group: string): readonly ClientConnection[] {
    return [...(this.producersByGroup.get(group)?.values() ?? [])];
  }

  findProducer(clientId: string): ClientConnection | undefined {
    for (const members of this.producersByGroup.values()) {
      for (const member of members.values()) if (member.clientId === clientId) return member;
    }
    return undefined;
  }

  findConsumer(group: string, clientId: string): ClientConnection | undefined {
    return [...(this.consumers.get(group)?.members.values() ?? [])].find(
      (member) => member.clientId === clientId,
    );
  }

  /** Ids of a group's members, each once (4.4.4). */
  consumerIds(group: string): readonly string[] {
    return [
      ...new Set(
        [...(this.consumers.get(group)?.members.values() ?? [])].map((member) => member.clientId),
      ),
    ];
  }

  private registerConsumer(body: ConsumerBody, member: Member): void {
    const group = this.consumers.get(body.groupName) ?? this.newGroup(body);
    this.consumers.set(body.groupName, group);
    group.consumeType = body.consumeType;
    group.messageModel = body.messageModel;
    group.consumeFromWhere = body.consumeFromWhere;
    const isNewMember = !group.members.has(member.channel.id);
    group.members.set(member.channel.id, member);
    const changed = this.updateSubscriptions(group, body.subscriptions);
    if (isNewMember || changed) this.notify(group);
    this.wiring.filters.register(body.groupName, body.subscriptions);
  }

  private newGroup(body: ConsumerBody): Group {
    const { groupName: group, consumeType, messageModel, consumeFromWhere } = body;
    return {
      group,
      consumeType,
      messageModel,
      consumeFromWhere,
      subscriptions: new Map(),
      members: new Map(),
    };
  }

  /** The higher subVersion wins a topic; topics missing from this heartbeat go. @returns true when the set of topics changed */
  private updateSubscriptions(group: Group, bodies: readonly SubscriptionBody[]): boolean {
    let changed = false;
    const wanted = new Set(bodies.map((body) => body.topic));
    for (const topic of group.subscriptions.keys()) {
      if (!wanted.has(topic)) changed = group.subscriptions.delete(topic) || changed;
    }
    for (const body of bodies) {
      const known = group.subscriptions.get(body.topic);
      if (known === undefined) changed = true;
      if (known === undefined || body.subVersion > known.subVersion)
        group.subscriptions.set(body.topic, subscriptionOf(body));
    }
    return changed;
  }

  private dropProducer(group: string, channel: Channel): void {
    const members = this.producersByGroup.get(group);
    members?.delete(channel.id);
    if (members?.size === 0) this.producersByGroup.delete(group);
  }

  private dropConsumer(name: string, channel: Channel): void {
    const group = this.consumers.get(name);
    if (group === undefined || !group.members.delete(channel.id)) return;
    if (group.members.size === 0) {
      this.consumers.delete(name);
      this.wiring.filters.unregister(name);
    } else this.notify(group);
  }

  private notify(group: Group): void {
    if (!this.wiring.mayNotify(group.group)) return;
    const extFields = encodeHeader(NOTIFY_CONSUMER_IDS_CHANGED.request, {
      consumerGroup: group.group,
    });
    for (const member of group.members.values()) {
      member.channel.sendOneway({ code: REQUEST_CODE.NOTIFY_CONSUMER_IDS_CHANGED, extFields });
    }
  }
}
