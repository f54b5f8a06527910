/**
 * Follows the log and builds queues and index from its bytes (RocketMQ: ReputMessageService; store-and-ha 4.1): the log is the only truth.
 * Records are read where they lie, without strings, up to the offset that may be visible.
 */
import { javaHashOfBytes } from "../base/java-string-hash.ts";
import type { Logger } from "../base/logger.ts";
import { parseDelayLevels } from "../message/delay-levels.ts";
import { NAME_END, VALUE_END } from "../message/properties.ts";
import { readRecord, type RecordView } from "../message/record-decode.ts";
import { AT, BLANK_BYTES, BLANK_MAGIC, SYS_FLAG } from "../message/record-layout.ts";
import type { CommitLog } from "./commit-log.ts";
import type { Unit } from "./consume-queue.ts";
import type { IndexService } from "./index-service.ts";
import type { QueueState, QueueTable } from "./queue-table.ts";
import type { ArrivalListener } from "./store-api.ts";
import type { StoreConfig } from "./store-config.ts";
import type { StoreTraffic } from "./store-traffic.ts";

const READ_BYTES = 1_048_576;
/** Longer than any record. */
const WHOLE_BYTES = 4_194_304 + 131_072;
const TAGS = Buffer.from("TAGS");
const KEYS = Buffer.from("KEYS");
const UNIQ_KEY = Buffer.from("UNIQ_KEY");
const DELAY = Buffer.from("DELAY");
const SCHEDULE_TOPIC = Buffer.from("SCHEDULE_TOPIC_XXXX");
const SPACE = 0x20;
/** Illegal topics that are logged; a peer can make up any number. */
const LISTED_MAX = 100;

/** What dispatch needs of the store. */
export interface DispatcherParts {
  readonly config: StoreConfig;
  readonly log: CommitLog;
  readonly queues: QueueTable;
  readonly index: IndexService | null;
  readonly logger: Logger;
  /** A slave counts what it received here; a master counts its appends. */
  readonly traffic: StoreTraffic;
}

/** See the file's head. */
export class Dispatcher {
  dispatched: number;
  /** storeTimestamp of the newest dispatched record. */
  lastStoreTimestamp = 0;
  private readonly parts: DispatcherParts;
  private readonly isSlave: boolean;
  private readonly delayLevelsMs: readonly number[];
  /** Messages up to here were indexed before the start. */
  private readonly indexedBefore: number;
  private readonly unit: Unit = { physicalOffset: 0, size: 0, tagsHigh: 0, tagsLow: 0 };
  private readonly arrived = new Set<QueueState>();
  private readonly listeners: ArrivalListener[] = [];
  private readonly listed = new Set<string>();

  /** @param from offset of the first record not dispatched yet */
  constructor(parts: DispatcherParts, from: number) {
    this.parts = parts;
    this.delayLevelsMs = parseDelayLevels(parts.config.messageDelayLevel);
    this.isSlave = parts.config.brokerRole === "SLAVE";
    this.dispatched = from;
    this.indexedBefore = parts.index?.endPhysical ?? -1;
  }

  onArrival(listener: ArrivalListener): void {
    this.listeners.push(listener);
  }

  /** Dispatches every whole record below `limit`, then tells who waits for messages. */
  advance(limit: number): void {
    while (this.dispatched < limit) {
      const bytes = this.parts.log.read(
        this.dispatched,
        Math.min(READ_BYTES, limit - this.dispatched),
      );
      const used = bytes.length === 0 ? 0 : this.dispatchBytes(bytes);
      if (used > 0) continue;
      const whole = this.parts.log.readWhole(
        this.dispatched,
        Math.min(WHOLE_BYTES, limit - this.dispatched),
      );
      if (whole.length <= bytes.length || this.dispatchBytes(whole) === 0) break;
    }
    this.tellArrivals();
  }

  private tellArrivals(): void {
    for (const { topic, queueId, queue } of this.arrived) {
      for (const listener of this.listeners) listener(topic, queueId, queue.maxOffset);
    }
    this.arrived.clear();
  }

  /** @returns bytes dispatched; 0 when the first record is not whole */
  private dispatchBytes(bytes: Buffer): number {
    let at = 0;
    while (at + BLANK_BYTES <= bytes.length) {
      if (bytes.readInt32BE(at + AT.magic) === BLANK_MAGIC) {
        // A blank record ends its file; reads never pass the end of a file, so it is the last thing here.
        at += bytes.readInt32BE(at);
        break;
      }
      const record = readRecord(bytes, at, bytes.length);
      if (record === "short") break;
      if (typeof record === "string") {
        this.parts.logger.error("the log holds bytes that are no record; dispatch stops there", {
          offset: this.dispatched + at,
          fault: record,
        });
        break;
      }
      this.dispatchRecord(bytes, record);
      at += record.totalSize;
    }
    this.dispatched += at;
    return at;
  }

  private dispatchRecord(bytes: Buffer, record: RecordView): void {
    const transaction = record.sysFlag & SYS_FLAG.TRANSACTION_MASK;
    this.lastStoreTimestamp = record.storeTimestamp;
    if (this.isSlave) this.parts.traffic.count(record.totalSize);
    if (transaction === 0 || transaction === SYS_FLAG.TRANSACTION_COMMIT)
      this.putUnit(bytes, record);
    const isIndexed =
      transaction !== SYS_FLAG.TRANSACTION_ROLLBACK && record.physicalOffset > this.indexedBefore;
    if (this.parts.index !== null && isIndexed) this.putKeys(bytes, record, this.parts.index);
  }

  private putUnit(bytes: Buffer, record: RecordView): void {
    const state = this.parts.queues.getByBytes(
      bytes,
      { start: record.topicStart, end: record.topicEnd },
      record.queueId,
    );
    if (state === null) {
      this.list(bytes, record);
      return;
    }
    const { unit } = this;
    unit.physicalOffset = record.physicalOffset;
    unit.size = record.totalSize;
    this.setTagsCode(bytes, record);
    state.queue.put(unit, record.queueOffset);
    if (state.nextOffset < state.queue.maxOffset) state.nextOffset = state.queue.maxOffset;
    this.arrived.add(state);
  }

  /** Names what got no queue, each name once. */
  private list(bytes: Buffer, record: RecordView): void {
    const topic = bytes.toString("utf8", record.topicStart, record.topicEnd);
    if (this.listed.has(topic) || this.listed.size >= LISTED_MAX) return;
    this.listed.add(topic);
    this.parts.logger.warn("messages of the log name a queue that cannot exist: they get none", {
      topic,
      queueId: record.queueId,
      offset: record.physicalOffset,
    });
  }

  /** The tag's hash, or the due time of a delayed message (2.8). */
  private setTagsCode(bytes: Buffer, record: RecordView): void {
    const { unit, delayLevelsMs } = this;
    const isSchedule =
      record.topicEnd - record.topicStart === SCHEDULE_TOPIC.length &&
      bytes.compare(
        SCHEDULE_TOPIC,
        0,
        SCHEDULE_TOPIC.length,
        record.topicStart,
        record.topicEnd,
      ) === 0;
    if (isSchedule) {
      const level = Number(propertyText(bytes, record, DELAY));
      const clamped = Math.min(level, delayLevelsMs.length);
      if (clamped > 0) {
        const due = record.storeTimestamp + (delayLevelsMs[clamped - 1] ?? 1_000);
        unit.tagsHigh = Math.floor(due / 4_294_967_296);
        unit.tagsLow = due | 0;
        return;
      }
    }
    const tags = findValue(bytes, record, TAGS);
    unit.tagsLow =
      tags < 0 ? 0 : javaHashOfBytes(bytes, tags, valueEnd(bytes, tags, record.propertiesEnd));
    unit.tagsHigh = unit.tagsLow < 0 ? -1 : 0;
  }

  /** UNIQ_KEY first, then each word of KEYS (3.5). */
  private putKeys(bytes: Buffer, record: RecordView, index: IndexService): void {
    const unique = findValue(bytes, record, UNIQ_KEY);
    const keys = findValue(bytes, record, KEYS);
    if (unique < 0 && keys < 0) return;
    const topicHash = javaHashOfBytes(
      HASH_SIGN,
      0,
      1,
      javaHashOfBytes(bytes, record.topicStart, record.topicEnd),
    );
    const put = (start: number, end: number): void =>
      index.put(
        javaHashOfBytes(bytes, start, end, topicHash),
        record.physicalOffset,
        record.storeTimestamp,
      );
    if (unique >= 0) put(unique, valueEnd(bytes, unique, record.propertiesEnd));
    if (keys < 0) return;
    const end = valueEnd(bytes, keys, record.propertiesEnd);
    for (let start = keys; start < end;) {
      const space = bytes.indexOf(SPACE, start);
      const stop = space < 0 || space > end ? end : space;
      if (stop > start) put(start, stop);
      start = stop + 1;
    }
  }
}

const HASH_SIGN = Buffer.from("#");

/** @returns where a property's value starts, or -1; names are compared byte by byte */
function findValue(bytes: Buffer, record: RecordView, name: Buffer): number {
  let at = record.propertiesStart;
  const end = record.propertiesEnd;
  let found = -1;
  while (at < end) {
    let i = 0;
    while (i < name.length && bytes[at + i] === name[i]) i += 1;
    if (
      i === name.length &&
      bytes[at + i] === NAME_END &&
      at + i + 1 < end &&
      bytes[at + i + 1] !== VALUE_END
    )
      found = at + i + 1;
    at = valueEnd(bytes, at, end) + 1;
  }
  return found;
}

/** In a loop: values are short, and a native search costs more and does not stop at the limit. */
function valueEnd(bytes: Buffer, start: number, limit: number): number {
  let at = start;
  while (at < limit && bytes[at] !== VALUE_END) at += 1;
  return at;
}

function propertyText(bytes: Buffer, record: RecordView, name: Buffer): string {
  const start = findValue(bytes, record, name);
  return start < 0
    ? ""
    : bytes.toString("utf8", start, valueEnd(bytes, start, record.propertiesEnd));
}
