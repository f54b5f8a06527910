/** Checks 2 to 8 of a send (remoting-protocol 4.1.2): is it taken, and where does it go. Shared by sends and replies. */
import type { SendMessageHeader } from "../remoting/commands/send-message.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { BrokerContext, TopicConfig } from "./broker-context.ts";
import {
  DEAD_LETTER_TOPIC_PREFIX,
  groupNameProblem,
  PERM,
  RETRY_TOPIC_PREFIX,
  TOPIC_SYS_FLAG,
} from "./names.ts";
import {
  FAQ_HINT,
  queueRefusal,
  topicNameRefusal,
  unknownTopic,
  type Refusal,
} from "./send-checks.ts";
import type { SendPath } from "./send-path.ts";

const READ_WRITE = PERM.READ | PERM.WRITE;
/** First version whose `maxReconsumeTimes` counts (1.3). */
const VERSION_3_4_9 = 121;

/** Where a send goes once it was admitted. */
export interface Admitted {
  readonly topic: TopicConfig;
  readonly queueId: number;
  readonly isDeadLetter: boolean;
  /** The send made its topic: resolves when clients can look it up. */
  readonly told: Promise<void> | null;
}

/** @returns true when it was not admitted */
export function isRefusal(outcome: Refusal | Admitted): outcome is Refusal {
  return "code" in outcome;
}

/** Check 8 and N-02, asked before the retry topic is made. */
function refusesRetryGroup(context: BrokerContext, group: string): Refusal | null {
  const problem = groupNameProblem(group);
  if (problem !== null) return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: problem };
  if (context.groups.getOrCreate(group) !== undefined) return null;
  return {
    code: RESPONSE_CODE.SUBSCRIPTION_GROUP_NOT_EXIST,
    remark: `subscription group not exist, ${group} ${FAQ_HINT}`,
  };
}

/** 4.1.5. */
function create(
  context: BrokerContext,
  header: SendMessageHeader,
  isRetry: boolean,
): TopicConfig | undefined {
  const { topics } = context;
  const { topic, defaultTopic, defaultTopicQueueNums } = header;
  const isUnit = header.unitMode === true;
  if (isRetry) return topics.ensure(topic, 1, READ_WRITE, isUnit ? TOPIC_SYS_FLAG.UNIT_SUB : 0);
  const flag = isUnit ? TOPIC_SYS_FLAG.UNIT : 0;
  return topics.createBySend(topic, defaultTopic, defaultTopicQueueNums, flag);
}

/** A retried message that had all its chances goes to the dead letters (4.1.2). */
function isExhausted(
  context: BrokerContext,
  header: SendMessageHeader,
  version: number,
  group: string,
): boolean {
  const ofGroup = context.groups.get(group)?.retryMaxTimes ?? 0;
  const ofRequest = version >= VERSION_3_4_9 ? header.maxReconsumeTimes : undefined;
  return (header.reconsumeTimes ?? 0) >= (ofRequest ?? ofGroup);
}

/**
 * Checks in order; makes the topic when that is allowed.
 * @param path of the broker's sends
 * @param header of the send
 * @param from version and `address:port` of the sender
 */
export function admitSend(
  path: SendPath,
  header: SendMessageHeader,
  from: { readonly version: number; readonly remote: string },
): Refusal | Admitted {
  const { context } = path;
  const refusal = path.refusal() ?? topicNameRefusal(header.topic);
  if (refusal !== null) return refusal;
  const isRetry = header.topic.startsWith(RETRY_TOPIC_PREFIX);
  const retryGroup = header.topic.slice(RETRY_TOPIC_PREFIX.length);
  const groupRefusal = isRetry ? refusesRetryGroup(context, retryGroup) : null;
  if (groupRefusal !== null) return groupRefusal;
  const known = context.topics.find(header.topic);
  const topic = known ?? create(context, header, isRetry);
  if (topic === undefined) return unknownTopic(header.topic);
  const queue = queueRefusal(context, topic, header.queueId, from.remote);
  if (queue !== null) return queue;
  if (isRetry && isExhausted(context, header, from.version, retryGroup)) {
    const deadLetters = context.topics.ensure(DEAD_LETTER_TOPIC_PREFIX + retryGroup, 1, READ_WRITE);
    return { topic: deadLetters, queueId: 0, isDeadLetter: true, told: null };
  }
  const queueId =
    header.queueId < 0 ? Math.floor(Math.random() * topic.writeQueueNums) : header.queueId;
  const told = known === undefined ? context.topicsTold() : null;
  return { topic, queueId, isDeadLetter: false, told };
}
