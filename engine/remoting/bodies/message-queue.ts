/** Bodies about message queues: maps with MessageQueue keys (remoting-protocol 2.4) and queue locks (4.5). */
import {
  asArray,
  asNumber,
  asObject,
  asPairs,
  asText,
  parseFastjson,
  WritablePairs,
  writeFastjson,
  type JsonValue,
  type Writable,
} from "../../base/fastjson.ts";

export interface MessageQueueBody {
  readonly brokerName: string;
  readonly queueId: number;
  readonly topic: string;
}

function decodeQueue(value: JsonValue): MessageQueueBody {
  const queue = asObject(value);
  return {
    brokerName: asText(queue.get("brokerName")),
    queueId: asNumber(queue.get("queueId")),
    topic: asText(queue.get("topic")),
  };
}

function queueValue(queue: MessageQueueBody): Writable {
  return { brokerName: queue.brokerName, queueId: queue.queueId, topic: queue.topic };
}

/** A map from queue to something, in order. */
export type QueueMap<Value> = readonly (readonly [MessageQueueBody, Value])[];

/** @param toValue how to write a value */
export function queueMapValue<Value>(
  map: QueueMap<Value>,
  toValue: (value: Value) => Writable,
): WritablePairs {
  return new WritablePairs(
    map.map(([queue, value]) => [queueValue(queue), toValue(value)] as const),
  );
}

/** @param fromValue how to read a value */
export function readQueueMap<Value>(
  value: JsonValue | undefined,
  fromValue: (value: JsonValue) => Value,
): QueueMap<Value> {
  return asPairs(value).map(([key, item]) => [decodeQueue(key), fromValue(item)] as const);
}

/** Offsets by queue: bodies of 220, 222 and their answers. */
export function encodeOffsetTable(table: QueueMap<number>): Buffer {
  return Buffer.from(
    writeFastjson({ offsetTable: queueMapValue(table, (offset) => offset) }),
    "utf8",
  );
}

/** The same as a list of plain objects, for members that speak C++ (220, admin-protocol B.4). */
export function encodeOffsetList(table: QueueMap<number>): Buffer {
  const offsetTable = table.map(([queue, offset]) => ({ ...queue, offset }));
  return Buffer.from(writeFastjson({ offsetTable }), "utf8");
}

/** @throws EngineError JSON_INVALID */
export function decodeOffsetTable(body: Buffer): QueueMap<number> {
  return readQueueMap(asObject(parseFastjson(body.toString("utf8"))).get("offsetTable"), (value) =>
    asNumber(value),
  );
}

/** What one queue of a topic holds (202). */
export interface TopicOffsetBody {
  readonly minOffset: number;
  readonly maxOffset: number;
  readonly lastUpdateTimestamp: number;
}

export function encodeTopicStats(table: QueueMap<TopicOffsetBody>): Buffer {
  return Buffer.from(
    writeFastjson({ offsetTable: queueMapValue(table, (value) => ({ ...value })) }),
    "utf8",
  );
}

/** @throws EngineError JSON_INVALID */
export function decodeTopicStats(body: Buffer): QueueMap<TopicOffsetBody> {
  return readQueueMap(
    asObject(parseFastjson(body.toString("utf8"))).get("offsetTable"),
    (value) => {
      const stats = asObject(value);
      return {
        minOffset: asNumber(stats.get("minOffset")),
        maxOffset: asNumber(stats.get("maxOffset")),
        lastUpdateTimestamp: asNumber(stats.get("lastUpdateTimestamp")),
      };
    },
  );
}

/** Progress of a group in one queue (208). */
export interface ConsumeOffsetBody {
  readonly brokerOffset: number;
  readonly consumerOffset: number;
  readonly lastTimestamp: number;
}

/** Doubles are written as Java prints them: 0.0, not 0. */
export function javaDouble(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** ConsumeStats as text: the body of 208, and a part of 317's. */
export function consumeStatsText(table: QueueMap<ConsumeOffsetBody>, consumeTps: number): string {
  const offsets = writeFastjson(queueMapValue(table, (value) => ({ ...value })));
  return `{"consumeTps":${javaDouble(consumeTps)},"offsetTable":${offsets}}`;
}

export function encodeConsumeStats(table: QueueMap<ConsumeOffsetBody>, consumeTps: number): Buffer {
  return Buffer.from(consumeStatsText(table, consumeTps), "utf8");
}

/** @throws EngineError JSON_INVALID */
export function decodeConsumeStats(body: Buffer): QueueMap<ConsumeOffsetBody> {
  return readQueueMap(
    asObject(parseFastjson(body.toString("utf8"))).get("offsetTable"),
    (value) => {
      const stats = asObject(value);
      return {
        brokerOffset: asNumber(stats.get("brokerOffset")),
        consumerOffset: asNumber(stats.get("consumerOffset")),
        lastTimestamp: asNumber(stats.get("lastTimestamp")),
      };
    },
  );
}

/** LOCK_BATCH_MQ and UNLOCK_BATCH_MQ. */
export interface LockBatchBody {
  readonly clientId: string;
  readonly consumerGroup: string;
  readonly queues: readonly MessageQueueBody[];
}

/** @throws EngineError JSON_INVALID */
export function decodeLockBatch(body: Buffer): LockBatchBody {
  const root = asObject(parseFastjson(body.toString("utf8")));
  return {
    clientId: asText(root.get("clientId")),
    consumerGroup: asText(root.get("consumerGroup")),
    queues: asArray(root.get("mqSet")).map(decodeQueue),
  };
}

export function encodeLockAnswer(queues: readonly MessageQueueBody[]): Buffer {
  return Buffer.from(writeFastjson({ lockOKMQSet: queues.map(queueValue) }), "utf8");
}

export function encodeLockBatch(batch: LockBatchBody): Buffer {
  const { clientId, consumerGroup, queues } = batch;
  return Buffer.from(
    writeFastjson({ clientId, consumerGroup, mqSet: queues.map(queueValue) }),
    "utf8",
  );
}

/** @returns the queues that were granted @throws EngineError JSON_INVALID */
export function decodeLockAnswer(body: Buffer): MessageQueueBody[] {
  const root = asObject(parseFastjson(body.toString("utf8")));
  return asArray(root.get("lockOKMQSet")).map(decodeQueue);
}
