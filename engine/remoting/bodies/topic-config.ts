/** Topic tables as they travel in registrations and code 21, and stand in topics.json (store-and-ha 1.5). */
import {
  asArray,
  asBoolean,
  asEnum,
  asNumber,
  asObject,
  asText,
  parseFastjson,
  type JsonValue,
} from "../../base/fastjson.ts";

/** `{"counter":…,"timestamp":…}` (2.6). */
export interface DataVersionBody {
  readonly counter: number;
  readonly timestamp: number;
}

export interface TopicConfigBody {
  readonly topicName: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  readonly perm: number;
  readonly topicFilterType: "SINGLE_TAG" | "MULTI_TAG";
  readonly topicSysFlag: number;
  readonly order: boolean;
}

export interface TopicConfigTableBody {
  readonly dataVersion: DataVersionBody;
  readonly topics: readonly TopicConfigBody[];
}

const FILTER_TYPES = ["SINGLE_TAG", "MULTI_TAG"] as const;
const QUEUES_DEFAULT = 16;
const PERM_DEFAULT = 6;

/** @returns version 0/0 for a missing one */
export function decodeDataVersion(value: JsonValue | undefined): DataVersionBody {
  const version = asObject(value);
  return {
    counter: asNumber(version.get("counter")),
    timestamp: asNumber(version.get("timestamp")),
  };
}

function decodeTopicConfig(name: string, value: JsonValue): TopicConfigBody {
  const config = asObject(value);
  return {
    topicName: asText(config.get("topicName"), name),
    readQueueNums: asNumber(config.get("readQueueNums"), QUEUES_DEFAULT),
    writeQueueNums: asNumber(config.get("writeQueueNums"), QUEUES_DEFAULT),
    perm: asNumber(config.get("perm"), PERM_DEFAULT),
    topicFilterType: asEnum(config.get("topicFilterType"), FILTER_TYPES, "SINGLE_TAG"),
    topicSysFlag: asNumber(config.get("topicSysFlag")),
    order: asBoolean(config.get("order")),
  };
}

/** @param value the parsed wrapper object */
export function readTopicConfigTable(value: JsonValue | undefined): TopicConfigTableBody {
  const root = asObject(value);
  const table = [...asObject(root.get("topicConfigTable"))];
  return {
    dataVersion: decodeDataVersion(root.get("dataVersion")),
    topics: table.map(([name, item]) => decodeTopicConfig(name, item)),
  };
}

/** @param text JSON of topics.json or of code 21's body @throws EngineError JSON_INVALID */
export function decodeTopicConfigTable(text: string): TopicConfigTableBody {
  return readTopicConfigTable(parseFastjson(text));
}

/** @returns the writable form of a table, members as Java orders them */
export function topicConfigTableValue(table: TopicConfigTableBody) {
  return {
    dataVersion: { ...table.dataVersion },
    topicConfigTable: new Map(
      table.topics.map((topic) => [topic.topicName, { ...topic }] as const),
    ),
  };
}

/** @returns texts of a JSON array */
export function decodeTextArray(value: JsonValue | undefined): string[] {
  return asArray(value).map((item) => asText(item));
}
