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
import { groupNameProblem, PERM, RETRY_TOPIC_PREFIX } from "./names.ts";
import { filterNotServed, PropertyFilterCache, RetryFilter, SQL92 } from "./property-filter.ts";
import { FAQ_HINT, unknownTopic, type Refusal } from "./send-checks.ts";
import { isTagType, tagFilter, TagFilterCache } from "./tag-filter.ts";

/** A pull that may be served. */
export interface AdmittedPull {
  readonly group: SubscriptionGroupConfig;
  readonly topic: TopicConfig;
  readonly filter: MessageFilter | null;
}

function noPermission(remark: string): Refusal {
  return { code: RESPONSE_CODE.NO_PERMISSION, remark };
}

function parseFailed(problem: string): Refusal {
  const why = problem === "" ? "" : `: ${problem}`;
  return {
    code: RESPONSE_CODE.SUBSCRIPTION_PARSE_FAILED,
    remark: `parse the consumer's subscription failed${why}`,
  };
}

/** Judges pulls; one a broker. */
export class PullChecks {
  private readonly context: BrokerContext;
  private readonly expressions = new TagFilterCache();
  private readonly sqlExpressions: PropertyFilterCache;
  private readonly heartbeatFilters = new WeakMap<Subscription, MessageFilter>();

  /** @param context of the broker */
  constructor(context: BrokerContext) {
    this.context = context;
    this.sqlExpressions = new PropertyFilterCache((expression) =>
      context.logger.warn("a filter cannot be evaluated for some message, which is not delivered", {
        expression: expression.slice(0, 200),
      }),
    );
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
    const isJudgedByOrigin =
      this.context.config.filterSupportRetry && header.topic.startsWith(RETRY_TOPIC_PREFIX);
    return { group, topic, filter: isJudgedByOrigin ? this.retryFilter(header, filter) : filter };
  }

  private retryFilter(header: PullMessageHeader, filter: MessageFilter | null): MessageFilter {
    const group = header.topic.slice(RETRY_TOPIC_PREFIX.length);
    const { filters } = this.context;
    return new RetryFilter(filter, (topic) => filters.find(topic, group)?.filter);
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
    const { expressionType: type, subscription = "" } = header;
    if (type !== undefined && !isTagType(type)) return this.ownSqlFilter(type, subscription);
    const filter = this.expressions.filterOf(subscription);
    return filter === undefined ? parseFailed("") : filter;
  }

  /** 4.9 parses first and is not bothered by a text it does not understand: it then delivers everything. */
  private ownSqlFilter(type: string, expression: string): Refusal | MessageFilter {
    if (!this.context.config.enablePropertyFilter) return filterNotServed(type);
    if (type !== SQL92) return parseFailed(`${type.slice(0, 64)} is no type of expression`);
    const filter = this.sqlExpressions.filterOf(expression);
    return typeof filter === "string" ? parseFailed(filter) : filter;
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
    return isTagType(subscription.expressionType)
      ? this.filterOf(subscription)
      : this.registeredFilter(header, subscription.expressionType);
  }

  /** Checks 12 and 13. */
  private registeredFilter(header: PullMessageHeader, type: string): Refusal | MessageFilter {
    const registered = this.context.filters.find(header.topic, header.consumerGroup);
    if (registered === undefined) {
      return {
        code: RESPONSE_CODE.FILTER_DATA_NOT_EXIST,
        remark: "The broker's consumer filter data is not exist!Your expression may be wrong!",
      };
    }
    if (registered.clientVersion < header.subVersion) {
      return {
        code: RESPONSE_CODE.FILTER_DATA_NOT_LATEST,
        remark: "the consumer's consumer filter data not latest",
      };
    }
    return this.context.config.enablePropertyFilter ? registered.filter : filterNotServed(type);
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
