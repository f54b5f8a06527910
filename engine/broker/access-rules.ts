/**
 * What each request to a broker needs of its caller (E-01, E-02, E-08): every code 4.9 has for brokers, also those this broker does not serve
 * yet, so that none is ever served unguarded. A test walks this table against the processors.
 */
import { sameRule, type AccessRule, type AccessRules, type Need } from "../acl/access-rule.ts";
import { groupResource, RIGHT } from "../acl/acl-account.ts";
import { EngineError } from "../base/engine-error.ts";
import { decodeProperties, PROPERTY } from "../message/properties.ts";
import { readRecord } from "../message/record-decode.ts";
import { decodeCheckClient, decodeHeartbeat } from "../remoting/bodies/heartbeat.ts";
import { decodeLockBatch } from "../remoting/bodies/message-queue.ts";
import type { ExtFields, RemotingCommand } from "../remoting/command.ts";
import { REQUEST_CODE as CODE } from "../remoting/request-codes.ts";
import type { MessageStore } from "../store/store-api.ts";
import { HALF_TOPIC, RETRY_TOPIC_PREFIX, SCHEDULE_TOPIC } from "./names.ts";

const { PUB, SUB } = RIGHT;

/** Codes of 4.9 and of newer tools that have no constant because nobody here serves them yet. */
const OTHER = {
  REGISTER_FILTER_SERVER: 301,
} as const;

/** Topics where messages wait for their own one. */
const PARKING_TOPICS: ReadonlySet<string> = new Set([SCHEDULE_TOPIC, HALF_TOPIC]);

function required(ext: ExtFields, name: string): string {
  const value = ext.get(name);
  if (value === undefined || value === "") {
    throw new EngineError("REMOTING_HEADER_INVALID", {
      message: `the custom field <${name}> is null`,
    });
  }
  return value;
}

function body(request: RemotingCommand): Buffer {
  if (request.body !== null) return request.body;
  throw new EngineError("REMOTING_HEADER_INVALID", {
    message: `request ${request.code} without a body`,
  });
}

const subTopic = (topic: string): Need => ({ resource: topic, right: SUB });
const subGroup = (group: string): Need => ({ resource: groupResource(group), right: SUB });

/** E-02: into a retry topic its own consumers may send, with the right to consume. */
function publish(topic: string): Need {
  return { resource: topic, right: topic.startsWith(RETRY_TOPIC_PREFIX) ? SUB : PUB };
}

/** A rule that needs rights named by header fields. */
function rights(needs: (request: RemotingCommand) => readonly Need[]): AccessRule {
  return { kind: "rights", needs };
}

const publishTo = (field: string): AccessRule =>
  rights(({ extFields }) => [publish(required(extFields, field))]);

const readTopic = rights(({ extFields }) => [subTopic(required(extFields, "topic"))]);

const readGroup = rights(({ extFields }) => [subGroup(required(extFields, "consumerGroup"))]);

const readTopicAsGroup = rights(({ extFields }) => [
  subTopic(required(extFields, "topic")),
  subGroup(required(extFields, "consumerGroup")),
]);

const readGroupAndTopicIfSaid = rights(({ extFields }) => {
  const topic = extFields.get("topic");
  const group = subGroup(required(extFields, "consumerGroup"));
  return topic === undefined || topic === "" ? [group] : [group, subTopic(topic)];
});

const heartbeat = rights((request) =>
  decodeHeartbeat(body(request)).consumers.flatMap(({ groupName, subscriptions }) => [
    subGroup(groupName),
    ...subscriptions.map(({ topic }) => subTopic(topic)),
  ]),
);

const checkClient = rights((request) => {
  const { group, subscription } = decodeCheckClient(body(request));
  return [subGroup(group), subTopic(subscription.topic)];
});

const unregister = rights(({ extFields }) => {
  const group = extFields.get("consumerGroup");
  return group === undefined || group === "" ? [] : [subGroup(group)];
});

const lockQueues = rights((request) => [subGroup(decodeLockBatch(body(request)).consumerGroup)]);

/** Topic of the message at an offset that a request names; the real one for a message that is parked elsewhere. */
function storedTopic(store: MessageStore, offset: string): string | null {
  const position = /^\d{1,16}$/.test(offset) ? Number(offset) : -1;
  const stored = position < 0 ? null : store.recordAt(position);
  if (stored === null) return null;
  const record = readRecord(stored.bytes, 0, stored.bytes.length);
  if (typeof record === "string") return null;
  const topic = stored.bytes.toString("utf8", record.topicStart, record.topicEnd);
  if (!PARKING_TOPICS.has(topic)) return topic;
  const text = stored.bytes.toString("utf8", record.propertiesStart, record.propertiesEnd);
  return decodeProperties(text).get(PROPERTY.REAL_TOPIC) ?? topic;
}

/** Nothing is needed when nothing is there: the processor says so. */
function onStored(store: MessageStore, field: string, need: (topic: string) => Need): AccessRule {
  return rights(({ extFields }) => {
    const topic = storedTopic(store, required(extFields, field));
    return topic === null ? [] : [need(topic)];
  });
}

function messageRules(store: MessageStore): readonly (readonly [number, AccessRule])[] {
  return [
    [CODE.SEND_MESSAGE, publishTo("topic")],
    [CODE.SEND_MESSAGE_V2, publishTo("b")],
    [CODE.SEND_BATCH_MESSAGE, publishTo("b")],
    [CODE.SEND_REPLY_MESSAGE, publishTo("topic")],
    [CODE.SEND_REPLY_MESSAGE_V2, publishTo("b")],
    [CODE.END_TRANSACTION, onStored(store, "commitLogOffset", publish)],
    [CODE.PULL_MESSAGE, readTopicAsGroup],
    [CODE.QUERY_MESSAGE, readTopic],
    [CODE.VIEW_MESSAGE_BY_ID, onStored(store, "offset", subTopic)],
    [
      CODE.CONSUMER_SEND_MSG_BACK,
      rights(({ extFields }) => [subGroup(required(extFields, "group"))]),
    ],
  ];
}

function clientRules(): readonly (readonly [number, AccessRule])[] {
  return [
    [CODE.HEART_BEAT, heartbeat],
    [CODE.UNREGISTER_CLIENT, unregister],
    [CODE.CHECK_CLIENT_CONFIG, checkClient],
    ...sameRule([CODE.LOCK_BATCH_MQ, CODE.UNLOCK_BATCH_MQ], lockQueues),
    ...sameRule([CODE.GET_CONSUMER_LIST_BY_GROUP, CODE.GET_CONSUMER_CONNECTION_LIST], readGroup),
    ...sameRule([CODE.QUERY_CONSUMER_OFFSET, CODE.UPDATE_CONSUMER_OFFSET], readTopicAsGroup),
    ...sameRule(
      [
        CODE.SEARCH_OFFSET_BY_TIMESTAMP,
        CODE.GET_MAX_OFFSET,
        CODE.GET_MIN_OFFSET,
        CODE.GET_EARLIEST_MSG_STORETIME,
        CODE.GET_TOPIC_STATS_INFO,
        CODE.QUERY_TOPIC_CONSUME_BY_WHO,
        CODE.QUERY_CORRECTION_OFFSET,
        CODE.QUERY_CONSUME_QUEUE,
        CODE.GET_TOPIC_CONFIG,
      ],
      readTopic,
    ),
    [CODE.GET_CONSUME_STATS, readGroupAndTopicIfSaid],
    [
      CODE.QUERY_CONSUME_TIME_SPAN,
      rights(({ extFields }) => [
        subTopic(required(extFields, "topic")),
        subGroup(required(extFields, "group")),
      ]),
    ],
  ];
}

/** What brokers ask each other: tables a slave keeps in step, and the log's bytes for a master that returns. */
const PEER_CODES = [
  CODE.GET_ALL_TOPIC_CONFIG,
  CODE.GET_ALL_CONSUMER_OFFSET,
  CODE.GET_ALL_DELAY_OFFSET,
  CODE.GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
  CODE.GET_LOG_POSITION,
  CODE.READ_LOG,
] as const;

/** Figures of the broker as a whole. */
const ACCOUNT_CODES = [
  CODE.GET_BROKER_RUNTIME_INFO,
  CODE.GET_SYSTEM_TOPIC_LIST_FROM_BROKER,
  CODE.VIEW_BROKER_STATS_DATA,
  CODE.GET_BROKER_CONSUME_STATS,
] as const;

/** Whatever changes or deletes, whatever reads configuration, whatever reaches into a client. */
const ADMIN_CODES = [
  CODE.UPDATE_AND_CREATE_TOPIC,
  CODE.UPDATE_BROKER_CONFIG,
  CODE.GET_BROKER_CONFIG,
  CODE.DELETE_TOPIC_IN_BROKER,
  CODE.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
  CODE.DELETE_SUBSCRIPTIONGROUP,
  CODE.GET_PRODUCER_CONNECTION_LIST,
  CODE.INVOKE_BROKER_TO_RESET_OFFSET,
  CODE.GET_CONSUMER_RUNNING_INFO,
  CODE.CONSUME_MESSAGE_DIRECTLY,
  CODE.UPDATE_AND_CREATE_ACL_CONFIG,
  CODE.DELETE_ACL_CONFIG,
  CODE.GET_BROKER_CLUSTER_ACL_INFO,
  CODE.UPDATE_GLOBAL_WHITE_ADDRS_CONFIG,
  CODE.INVOKE_BROKER_TO_GET_CONSUMER_STATUS,
  OTHER.REGISTER_FILTER_SERVER,
  CODE.CLEAN_EXPIRED_CONSUMEQUEUE,
  CODE.CLONE_GROUP_OFFSET,
  CODE.CLEAN_UNUSED_TOPIC,
  CODE.RESUME_CHECK_HALF_MESSAGE,
  CODE.GET_ALL_PRODUCER_INFO,
  CODE.DELETE_EXPIRED_COMMITLOG,
  CODE.GET_SUBSCRIPTIONGROUP_CONFIG,
] as const;

/**
 * @param store where requests that name a message by its offset find the topic
 * @returns the rule of every code
 */
export function brokerAccessRules(store: MessageStore): AccessRules {
  return new Map([
    ...messageRules(store),
    ...clientRules(),
    ...sameRule(PEER_CODES, { kind: "peer" }),
    ...sameRule(ACCOUNT_CODES, { kind: "account" }),
    ...sameRule(ADMIN_CODES, { kind: "admin" }),
  ]);
}
