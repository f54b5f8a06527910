/** Small bodies: one list or one flat table. */
import {
  asArray,
  asNumber,
  asObject,
  asText,
  parseFastjson,
  writeFastjson,
  type JsonObject,
} from "../../base/fastjson.ts";

function root(body: Buffer): JsonObject {
  return asObject(parseFastjson(body.toString("utf8")));
}

/** `{"topicList":[…]}` (206, 224, 304, 305). */
export function encodeTopicList(topics: readonly string[], brokerAddr?: string): Buffer {
  return Buffer.from(writeFastjson({ brokerAddr, topicList: topics }), "utf8");
}

/** @throws EngineError JSON_INVALID */
export function decodeTopicList(body: Buffer): string[] {
  return asArray(root(body).get("topicList")).map((topic) => asText(topic));
}

/** `{"consumerIdList":[…]}` (38). */
export function encodeConsumerIdList(ids: readonly string[]): Buffer {
  return Buffer.from(writeFastjson({ consumerIdList: ids }), "utf8");
}

/** @throws EngineError JSON_INVALID */
export function decodeConsumerIdList(body: Buffer): string[] {
  return asArray(root(body).get("consumerIdList")).map((id) => asText(id));
}

/** `{"groupList":[…]}` (300). */
export function encodeGroupList(groups: readonly string[]): Buffer {
  return Buffer.from(writeFastjson({ groupList: groups }), "utf8");
}

/** @throws EngineError JSON_INVALID */
export function decodeGroupList(body: Buffer): string[] {
  return asArray(root(body).get("groupList")).map((group) => asText(group));
}

/** `{"table":{"key":"value"}}` (28, 219, registration answers). */
export function encodeTextTable(table: ReadonlyMap<string, string>): Buffer {
  return Buffer.from(writeFastjson({ table: new Map(table) }), "utf8");
}

/** @throws EngineError JSON_INVALID */
export function decodeTextTable(body: Buffer): Map<string, string> {
  return new Map(
    [...asObject(root(body).get("table"))].map(([key, value]) => [key, asText(value)] as const),
  );
}

/** `{"offsetTable":{"topic@group":{0:4}}}` (43, consumerOffset.json). */
export type GroupOffsets = ReadonlyMap<string, ReadonlyMap<number, number>>;

export function writeGroupOffsets(offsets: GroupOffsets): string {
  const table = new Map(
    [...offsets].map(
      ([key, queues]) => [key, new Map([...queues].toSorted(([a], [b]) => a - b))] as const,
    ),
  );
  return writeFastjson({ offsetTable: table });
}

/** @throws EngineError JSON_INVALID */
export function readGroupOffsets(text: string): GroupOffsets {
  const table = asObject(asObject(parseFastjson(text)).get("offsetTable"));
  return new Map(
    [...table].map(([key, queues]) => {
      const byQueue = [...asObject(queues)].map(
        ([queueId, offset]) => [Number(queueId), asNumber(offset)] as const,
      );
      return [key, new Map(byQueue)] as const;
    }),
  );
}

/** `{"offsetTable":{3:10}}` (45, delayOffset.json): level → next queue offset. */
export function writeDelayOffsets(offsets: ReadonlyMap<number, number>): string {
  return writeFastjson({ offsetTable: new Map([...offsets].toSorted(([a], [b]) => a - b)) });
}

/** @throws EngineError JSON_INVALID */
export function readDelayOffsets(text: string): Map<number, number> {
  const table = asObject(asObject(parseFastjson(text)).get("offsetTable"));
  return new Map([...table].map(([level, offset]) => [Number(level), asNumber(offset)] as const));
}

/** A client's connection as 203 and 204 list it. */
export interface ConnectionBody {
  readonly clientAddr: string;
  readonly clientId: string;
  readonly language: string;
  readonly version: number;
}

/** @throws EngineError JSON_INVALID */
export function decodeConnectionSet(body: Buffer): ConnectionBody[] {
  return asArray(root(body).get("connectionSet")).map((item) => {
    const connection = asObject(item);
    return {
      clientAddr: asText(connection.get("clientAddr")),
      clientId: asText(connection.get("clientId")),
      language: asText(connection.get("language")),
      version: asNumber(connection.get("version")),
    };
  });
}
