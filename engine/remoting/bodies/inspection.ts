/** Bodies of answers about progress, statistics and queues (admin-protocol B.1: 223, 303, 308, 315, 317, 321, 328). */
import {
  asNumber,
  asObject,
  parseFastjson,
  writeFastjson,
  type JsonValue,
  type Writable,
} from "../../base/fastjson.ts";
import {
  consumeStatsText,
  javaDouble,
  queueMapValue,
  readQueueMap,
  type ConsumeOffsetBody,
  type MessageQueueBody,
  type QueueMap,
} from "./message-queue.ts";

function utf8(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

/** One window of 315. */
export interface StatsWindowBody {
  readonly sum: number;
  readonly tps: number;
  readonly avgpt: number;
}

/** The three windows of 315. */
export interface StatsDataBody {
  readonly statsMinute: StatsWindowBody;
  readonly statsHour: StatsWindowBody;
  readonly statsDay: StatsWindowBody;
}

function windowText({ sum, tps, avgpt }: StatsWindowBody): string {
  return `{"avgpt":${javaDouble(avgpt)},"sum":${sum},"tps":${javaDouble(tps)}}`;
}

export function encodeStatsData({ statsDay, statsHour, statsMinute }: StatsDataBody): Buffer {
  return utf8(
    `{"statsDay":${windowText(statsDay)},"statsHour":${windowText(statsHour)},"statsMinute":${windowText(statsMinute)}}`,
  );
}

function readWindow(value: JsonValue | undefined): StatsWindowBody {
  const window = asObject(value);
  return {
    sum: asNumber(window.get("sum")),
    tps: asNumber(window.get("tps")),
    avgpt: asNumber(window.get("avgpt")),
  };
}

/** @throws EngineError JSON_INVALID */
export function decodeStatsData(body: Buffer): StatsDataBody {
  const root = asObject(parseFastjson(body.toString("utf8")));
  return {
    statsMinute: readWindow(root.get("statsMinute")),
    statsHour: readWindow(root.get("statsHour")),
    statsDay: readWindow(root.get("statsDay")),
  };
}

/** A group's progress in one topic. */
export interface TopicProgressBody {
  readonly consumeTps: number;
  readonly rows: QueueMap<ConsumeOffsetBody>;
}

/** @param groups every group, in each the topics it has offsets in (317) */
export function encodeBrokerConsumeStats(
  brokerAddr: string,
  groups: readonly (readonly [string, readonly TopicProgressBody[]])[],
  totalDiff: number,
): Buffer {
  const list = groups.map(([group, topics]) => {
    const texts = topics.map(({ rows, consumeTps }) => consumeStatsText(rows, consumeTps));
    return `{${JSON.stringify(group)}:[${texts.join(",")}]}`;
  });
  const address = JSON.stringify(brokerAddr);
  return utf8(
    `{"brokerAddr":${address},"consumeStatsList":[${list.join(",")}],"totalDiff":${totalDiff}}`,
  );
}

/** What 303 tells of one queue; times in ms. */
export interface TimeSpanBody {
  readonly queue: MessageQueueBody;
  readonly minTimeStamp: number;
  readonly maxTimeStamp: number;
  readonly consumeTimeStamp: number;
  /** How long the next message has waited; 0 when there is none. */
  readonly delayTime: number;
}

const TWO = (value: number): string => String(value).padStart(2, "0");

/** `2026-11-22#15:26:03:481` in the broker's zone, as 4.9 writes it. */
function humanTime(ms: number): string {
  const at = new Date(ms);
  const day = `${at.getFullYear()}-${TWO(at.getMonth() + 1)}-${TWO(at.getDate())}`;
  const time = `${TWO(at.getHours())}:${TWO(at.getMinutes())}:${TWO(at.getSeconds())}`;
  return `${day}#${time}:${String(at.getMilliseconds()).padStart(3, "0")}`;
}

export function encodeTimeSpans(spans: readonly TimeSpanBody[]): Buffer {
  const consumeTimeSpanSet = spans.map((span) => {
    const { consumeTimeStamp, delayTime, maxTimeStamp, minTimeStamp, queue } = span;
    return {
      consumeTimeStamp,
      consumeTimeStampStr: humanTime(consumeTimeStamp),
      delayTime,
      maxTimeStamp,
      maxTimeStampStr: humanTime(maxTimeStamp),
      messageQueue: { ...queue },
      minTimeStamp,
      minTimeStampStr: humanTime(minTimeStamp),
    };
  });
  return utf8(writeFastjson({ consumeTimeSpanSet }));
}

/** @param offsets by queue id (308) */
export function encodeCorrectionOffsets(offsets: ReadonlyMap<number, number | bigint>): Buffer {
  return utf8(writeFastjson({ correctionOffsets: new Map(offsets) }));
}

/** An entry of a consume queue. */
export interface QueueEntryBody {
  readonly physicOffset: number;
  readonly physicSize: number;
  readonly tagsCode: bigint;
}

/** Answer of 321. */
export interface QueueQueryBody {
  readonly minQueueIndex: number;
  readonly maxQueueIndex: number;
  readonly queueData: readonly QueueEntryBody[];
  /** Undefined when no group was asked about. */
  readonly filterData: string | undefined;
  readonly subscriptionData: Writable;
}

export function encodeQueueQuery(query: QueueQueryBody): Buffer {
  const queueData = query.queueData.map((entry) => ({ eval: false, ...entry }));
  return utf8(writeFastjson({ ...query, queueData }));
}

/** A connected producer as 328 lists it. */
export interface ProducerBody {
  readonly clientId: string;
  readonly language: string;
  readonly lastUpdateTimestamp: number;
  readonly remoteIP: string;
  readonly version: number;
}

export function encodeProducerTable(groups: ReadonlyMap<string, readonly ProducerBody[]>): Buffer {
  const data = new Map(
    [...groups].map(([group, producers]) => [group, producers.map((one) => ({ ...one }))] as const),
  );
  return utf8(writeFastjson({ data }));
}

/** Offsets of one client, by queue (221). @throws EngineError JSON_INVALID */
export function decodeClientStatus(body: Buffer): QueueMap<number> {
  const root = asObject(parseFastjson(body.toString("utf8")));
  return readQueueMap(root.get("messageQueueTable"), (offset) => asNumber(offset));
}

/** Offsets of every client, by queue (223). */
export function encodeConsumerStatus(clients: ReadonlyMap<string, QueueMap<number>>): Buffer {
  const consumerTable = new Map(
    [...clients].map(([id, table]) => [id, queueMapValue(table, (offset) => offset)] as const),
  );
  return utf8(writeFastjson({ consumerTable, messageQueueTable: {} }));
}
