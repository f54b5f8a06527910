/** The checks a pull passes, in 4.9's order (remoting-protocol 4.2.2), and what it wants to read when it passed. */
import type { PullMessageHeader } from "../remoting/commands/pull-message.ts";
import { PULL_FLAG } from "../remoting/commands/pull-message.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { MessageFilter } from "../store/store-api.ts";
import type {
  BrokerContext,
  ConsumerGroup,
  Subscription,
  SubscriptionGroupConfig,
  TopicConfig,
} from "./broker-context.ts";
import { groupNameProblem, PERM } from "./names.ts";
import { FAQ_HINT, unknownTopic, type Refusal } from "./send-checks.ts";
import { tagFilter, TagFilterCache } from "./tag-filter.ts";

/** A pull that may be served. */
export interface AdmittedPull {
  readonly group: SubscriptionGroupConfig;
  readonly topic: TopicConfig;
  readonly filter: MessageFilter | null;
}

const FILTER_BY_SQL: Refusal = {
  code: RESPONSE_CODE.SYSTEM_ERROR,
  remark: "The broker does not support consumer to filter message by SQL92",
};

function noPermission(remark: string): Refusal {
  return { code: RESPONSE_CODE.NO_PERMISSION, remark };
}

function isTagType(expressionType: string | undefined): boolean {
  return expressionType === undefined || expressionType === "" || expressionType === "TAG";
}

/** Judges pulls; one a broker. */
export class PullChecks {
  private readonly context: BrokerContext;
  private readonly expressions = new TagFilterCache();
  private readonly heartbeatFilters = new WeakMap<Subscription, MessageFilter>();

  /** @param context of the broker */
  constructor(context: BrokerContext) {
    this.context = context;
  }

  /** @returns why the pull is refused, or what it reads */
  admit(header: PullMessageHeader, consumer: string): Refusal | AdmittedPull {
    const group = this.findGroup(header.consumerGroup);
    if ("code" in group) return group;
    const topic = this.context.topics.find(header.topic);
    if (topic === undefined) return unknownTopic(header.topic);
    const refusal = this.refusesQueue(topic, header, consumer);
    if (refusal !== null) return refusal;
    const isOwnExpression = (header.sysFlag & PULL_FLAG.SUBSCRIPTION) !== 0;
    const filter = isOwnExpression ? this.ownFilter(header) : this.heartbeatFilter(header);
    if (filter !== null && "code" in filter) return filter;
    return { group, topic, filter };
  }

  /** Checks 1 to 3. */
  private findGroup(name: string): Refusal | SubscriptionGroupConfig {
    const { config, groups } = this.context;
    if ((config.brokerPermission & PERM.READ) === 0) {
      return noPermission(`the broker[${config.brokerIP1}] pulling message is forbidden`);
    }
    let group = groups.get(name);
    if (group === undefined) {
      const problem = groupNameProblem(name);
      if (problem !== null) return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: problem };
      group = groups.getOrCreate(name);
    }
    if (group === undefined) {
      return {
        code: RESPONSE_CODE.SUBSCRIPTION_GROUP_NOT_EXIST,
        remark: `subscription group [${name}] does not exist, ${FAQ_HINT}`,
      };
    }
    return group.consumeEnable ? group : noPermission(`subscription group no permission, ${name}`);
  }

  /** Checks 5 and 6. */
  private refusesQueue(
    topic: TopicConfig,
    header: PullMessageHeader,
    consumer: string,
  ): Refusal | null {
    if ((topic.perm & PERM.READ) === 0) {
      return noPermission(`the topic[${header.topic}] pulling message is forbidden`);
    }
    if (header.queueId >= 0 && header.queueId < topic.readQueueNums) return null;
    return {
      code: RESPONSE_CODE.SYSTEM_ERROR,
      remark: `queueId[${header.queueId}] is illegal, topic:[${header.topic}] topicConfig.readQueueNums:[${topic.readQueueNums}] consumer:[${consumer}]`,
    };
  }

  /** Checks 7 and 13, for a pull that brings its expression. */
  private ownFilter(header: PullMessageHeader): Refusal | MessageFilter | null {
    if (!isTagType(header.expressionType)) return FILTER_BY_SQL;
    const filter = this.expressions.filterOf(header.subscription ?? "");
    if (filter !== undefined) return filter;
    return {
      code: RESPONSE_CODE.SUBSCRIPTION_PARSE_FAILED,
      remark: "parse the consumer's subscription failed",
    };
  }

  /** Checks 8 to 13, for a pull that goes by its group's heartbeats. */
  private heartbeatFilter(header: PullMessageHeader): Refusal | MessageFilter | null {
    const group = this.context.clients.consumerGroup(header.consumerGroup);
    const missing = (remark: string): Refusal => ({
      code: RESPONSE_CODE.SUBSCRIPTION_NOT_EXIST,
      remark: remark + FAQ_HINT,
    });
    if (group === undefined) return missing("the consumer's group info not exist");
    if (this.forbidsBroadcast(group)) {
      return noPermission(
        `the consumer group[${header.consumerGroup}] can not consume by broadcast way`,
      );
    }
    const subscription = group.subscriptions.get(header.topic);
    if (subscription === undefined) return missing("the consumer's subscription not exist");
    if (subscription.subVersion < header.subVersion) {
      return {
        code: RESPONSE_CODE.SUBSCRIPTION_NOT_LATEST,
        remark: "the consumer's subscription not latest",
      };
    }
    return isTagType(subscription.expressionType) ? this.filterOf(subscription) : FILTER_BY_SQL;
  }

  private forbidsBroadcast(group: ConsumerGroup): boolean {
    if (group.messageModel !== "BROADCASTING") return false;
    return this.context.groups.get(group.group)?.consumeBroadcastEnable === false;
  }

  private filterOf(subscription: Subscription): MessageFilter | null {
    const known = this.heartbeatFilters.get(subscription);
    if (known !== undefined) return known;
    const filter = tagFilter(subscription.codeSet);
    if (filter !== null) this.heartbeatFilters.set(subscription, filter);
    return filter;
  }
}
