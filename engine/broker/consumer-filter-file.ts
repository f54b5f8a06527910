/** `consumerFilter.json` as 4.9 writes it: topics, in each its groups' filters (store-and-ha 1.5). */
import {
  asArray,
  asNumber,
  asObject,
  asText,
  parseFastjson,
  writeFastjson,
  type JsonValue,
} from "../base/fastjson.ts";
import type { BloomData } from "../filter/bloom-filter.ts";

/** What 4.9 keeps of one group's filter for one topic. Times in ms. */
export interface FilterData {
  readonly topic: string;
  readonly consumerGroup: string;
  readonly expression: string;
  readonly expressionType: string;
  /** subVersion of the subscription it came with. */
  readonly clientVersion: number;
  readonly bornTime: number;
  /** 0, or below bornTime: alive. */
  readonly deadTime: number;
  readonly bloomFilterData: BloomData;
}

/** By topic, then group. */
export type FilterTable = ReadonlyMap<string, ReadonlyMap<string, FilterData>>;

function filterValue(data: FilterData) {
  const { bornTime, deadTime, clientVersion, consumerGroup, expression, expressionType, topic } =
    data;
  const { bitNum, bitPos } = data.bloomFilterData;
  return {
    bloomFilterData: { bitNum, bitPos },
    bornTime,
    clientVersion,
    consumerGroup,
    dead: deadTime >= bornTime,
    deadTime,
    expression,
    expressionType,
    topic,
  };
}

/** @returns one filter as fastjson prints it for people: a tab a level, no space behind a colon, numbers of a list on one line */
export function filterText(data: FilterData): string {
  const text = JSON.stringify(filterValue(data), null, "\t");
  return text
    .replace(/^(\t+"\w+"): /gm, "$1:")
    .replace(/\[[\s\d,]*\]/g, (list) => list.replace(/\s/g, ""));
}

/** @returns text of the file */
export function writeFilterFile(table: FilterTable): string {
  const topics = [...table].map(([topic, groups]) => {
    const entries = [...groups].map(([group, data]) => [group, filterValue(data)] as const);
    return [topic, { groupFilterData: new Map(entries), topic }] as const;
  });
  return writeFastjson({ filterDataByTopic: new Map(topics) });
}

function readFilter(value: JsonValue, topic: string, consumerGroup: string): FilterData {
  const data = asObject(value);
  const bloom = asObject(data.get("bloomFilterData"));
  return {
    topic,
    consumerGroup,
    expression: asText(data.get("expression")),
    expressionType: asText(data.get("expressionType")),
    clientVersion: asNumber(data.get("clientVersion")),
    bornTime: asNumber(data.get("bornTime")),
    deadTime: asNumber(data.get("deadTime")),
    bloomFilterData: {
      bitNum: asNumber(bloom.get("bitNum")),
      bitPos: asArray(bloom.get("bitPos")).map((position) => asNumber(position)),
    },
  };
}

/** @returns every filter of a file @throws EngineError JSON_INVALID */
export function readFilterFile(text: string): readonly FilterData[] {
  const topics = asObject(asObject(parseFastjson(text)).get("filterDataByTopic"));
  return [...topics].flatMap(([topic, value]) =>
    [...asObject(asObject(value).get("groupFilterData"))].map(([group, data]) =>
      readFilter(data, topic, group),
    ),
  );
}
