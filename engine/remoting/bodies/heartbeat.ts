/** Bodies of HEART_BEAT and CHECK_CLIENT_CONFIG (remoting-protocol 4.4.1, 4.4.5), read leniently for Go's spellings (2.5). */
import {
  asArray,
  asBoolean,
  asEnum,
  asNumber,
  asObject,
  asText,
  parseFastjson,
  writeFastjson,
  type JsonValue,
} from "../../base/fastjson.ts";

export const CONSUME_TYPES = ["CONSUME_ACTIVELY", "CONSUME_PASSIVELY"] as const;
export const MESSAGE_MODELS = ["BROADCASTING", "CLUSTERING"] as const;
export const CONSUME_FROM = [
  "CONSUME_FROM_LAST_OFFSET",
  "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST",
  "CONSUME_FROM_MIN_OFFSET",
  "CONSUME_FROM_MAX_OFFSET",
  "CONSUME_FROM_FIRST_OFFSET",
  "CONSUME_FROM_TIMESTAMP",
] as const;

export type ConsumeType = (typeof CONSUME_TYPES)[number];
export type MessageModel = (typeof MESSAGE_MODELS)[number];
export type ConsumeFromWhere = (typeof CONSUME_FROM)[number];

export interface SubscriptionBody {
  readonly topic: string;
  readonly subString: string;
  readonly tagsSet: readonly string[];
  readonly codeSet: readonly number[];
  /** Rounded when beyond 2^53 (Go's nanoseconds): compared with itself only. */
  readonly subVersion: number;
  readonly expressionType: string;
  readonly classFilterMode: boolean;
}

export interface ConsumerBody {
  readonly groupName: string;
  readonly consumeType: ConsumeType;
  readonly messageModel: MessageModel;
  readonly consumeFromWhere: ConsumeFromWhere;
  readonly subscriptions: readonly SubscriptionBody[];
  readonly unitMode: boolean;
}

export interface HeartbeatBody {
  readonly clientId: string;
  readonly producers: readonly string[];
  readonly consumers: readonly ConsumerBody[];
}

function decodeSubscription(value: JsonValue): SubscriptionBody {
  const data = asObject(value);
  return {
    topic: asText(data.get("topic")),
    subString: asText(data.get("subString"), "*"),
    tagsSet: asArray(data.get("tagsSet")).map((tag) => asText(tag)),
    codeSet: asArray(data.get("codeSet")).map((code) => asNumber(code)),
    subVersion: asNumber(data.get("subVersion")),
    expressionType: asText(data.get("expressionType"), "TAG"),
    classFilterMode: asBoolean(data.get("classFilterMode")),
  };
}

function decodeConsumer(value: JsonValue): ConsumerBody {
  const data = asObject(value);
  return {
    groupName: asText(data.get("groupName")),
    consumeType: asEnum(data.get("consumeType"), CONSUME_TYPES, "CONSUME_PASSIVELY"),
    messageModel: asEnum(data.get("messageModel"), MESSAGE_MODELS, "CLUSTERING"),
    consumeFromWhere: asEnum(
      data.get("consumeFromWhere"),
      CONSUME_FROM,
      "CONSUME_FROM_LAST_OFFSET",
    ),
    subscriptions: asArray(data.get("subscriptionDataSet")).map(decodeSubscription),
    unitMode: asBoolean(data.get("unitMode")),
  };
}

/** @throws EngineError JSON_INVALID */
export function decodeHeartbeat(body: Buffer): HeartbeatBody {
  const root = asObject(parseFastjson(body.toString("utf8")));
  return {
    clientId: asText(root.get("clientID")),
    producers: asArray(root.get("producerDataSet")).map((item) =>
      asText(asObject(item).get("groupName")),
    ),
    consumers: asArray(root.get("consumerDataSet")).map(decodeConsumer),
  };
}

/** @returns a subscription as Java writes it */
export function subscriptionValue(subscription: SubscriptionBody) {
  return {
    classFilterMode: subscription.classFilterMode,
    codeSet: subscription.codeSet,
    expressionType: subscription.expressionType,
    subString: subscription.subString,
    subVersion: subscription.subVersion,
    tagsSet: subscription.tagsSet,
    topic: subscription.topic,
  };
}

/** Body of CHECK_CLIENT_CONFIG (4.4.5). */
export interface CheckClientBody {
  readonly clientId: string;
  readonly group: string;
  readonly subscription: SubscriptionBody;
}

/** @throws EngineError JSON_INVALID */
export function decodeCheckClient(body: Buffer): CheckClientBody {
  const root = asObject(parseFastjson(body.toString("utf8")));
  return {
    clientId: asText(root.get("clientId")),
    group: asText(root.get("group")),
    subscription: decodeSubscription(root.get("subscriptionData") ?? null),
  };
}

/** @returns the body a Java client would send */
export function encodeCheckClient({ clientId, group, subscription }: CheckClientBody): Buffer {
  const text = writeFastjson({
    clientId,
    group,
    subscriptionData: subscriptionValue(subscription),
  });
  return Buffer.from(text, "utf8");
}

/** @returns the body a Java client would send */
export function encodeHeartbeat(heartbeat: HeartbeatBody): Buffer {
  const text = writeFastjson({
    clientID: heartbeat.clientId,
    consumerDataSet: heartbeat.consumers.map((consumer) => ({
      consumeFromWhere: consumer.consumeFromWhere,
      consumeType: consumer.consumeType,
      groupName: consumer.groupName,
      messageModel: consumer.messageModel,
      subscriptionDataSet: consumer.subscriptions.map(subscriptionValue),
      unitMode: consumer.unitMode,
    })),
    producerDataSet: heartbeat.producers.map((groupName) => ({ groupName })),
  });
  return Buffer.from(text, "utf8");
}
