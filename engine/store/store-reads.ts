/** Questions about what is stored: offsets by time, records, keys (store-and-ha 3.3, 3.6; remoting-protocol 4.3). Changes nothing. */
import { totalmem } from "node:os";
import { checkRecord } from "../message/record-decode.ts";
import { readLong } from "../message/record-encode.ts";
import { AT, RECORD_BYTES_MIN, storeTimestampAt } from "../message/record-layout.ts";
import type { TopicName } from "../message/topic-name.ts";
import type { CommitLog } from "./commit-log.ts";
import { readUnit, UNIT_BYTES, type ConsumeQueue } from "./consume-queue.ts";
import type { IndexService } from "./index-service.ts";
import type { QueueTable } from "./queue-table.ts";
import { readMessages } from "./read-messages.ts";
import type {
  ConsumeQueueEntry,
  GetMessageResult,
  MessageFilter,
  QueryMessageResult,
  StoredRecord,
} from "./store-api.ts";
import type { StoreConfig } from "./store-config.ts";

/** Room a record may take beyond maxMessageSize (topic, properties, fixed parts). */
const RECORD_OVERHEAD_MAX = 65_536;

/** What reads need. */
export interface StoreReadsParts {
  readonly config: StoreConfig;
  readonly log: CommitLog;
  readonly queues: QueueTable;
  readonly index: IndexService | null;
}

/** See the file's head. */
export class StoreReads {
  private readonly parts: StoreReadsParts;
  private readonly totalMemory = totalmem();
  private readonly damaged = new Set<number>();

  constructor(parts: StoreReadsParts) {
    this.parts = parts;
  }

  /** More than this far behind the end counts as disk. The ratio may change while the broker runs. */
  private get memoryBytes(): number {
    return (this.totalMemory * this.parts.config.accessMessageInMemoryMaxRatio) / 100;
  }

  messages(
    topic: TopicName,
    queueId: number,
    offset: number,
    limits: { readonly messagesMax: number; readonly filter: MessageFilter | null },
  ): GetMessageResult {
    const { config, log } = this.parts;
    const keepsOffset = config.brokerRole === "SLAVE" && !config.offsetCheckInSlave;
    return readMessages(
      { log, memoryBytes: this.memoryBytes, keepsOffset, damaged: this.damaged },
      this.queue(topic, queueId),
      offset,
      limits,
    );
  }

  minOffset(topic: TopicName, queueId: number): number {
    return this.queue(topic, queueId)?.minOffset ?? 0;
  }

  maxOffset(topic: TopicName, queueId: number): number {
    return this.queue(topic, queueId)?.maxOffset ?? 0;
  }

  /** First offset stored at or after a time; the last one when all are older. */
  offsetByTime(topic: TopicName, queueId: number, timestampMs: number): number {
    const queue = this.queue(topic, queueId);
    if (queue === undefined || queue.maxOffset <= queue.minOffset) return queue?.minOffset ?? 0;
    let low = queue.minOffset;
    let high = queue.maxOffset - 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.storeTimeAt(topic, queueId, middle) < timestampMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @returns -1 when there is no message at the offset */
  storeTimeAt(topic: TopicName, queueId: number, offset: number): number {
    const unit = this.queue(topic, queueId)?.unitAt(offset) ?? null;
    return unit === null ? -1 : this.storeTimestampOf(unit.physicalOffset);
  }

  isHeadInMemory(topic: TopicName, queueId: number): boolean {
    const queue = this.queue(topic, queueId);
    const unit = queue?.unitAt(queue.minOffset) ?? null;
    return unit === null || this.parts.log.end - unit.physicalOffset <= this.memoryBytes;
  }

  entries(
    topic: TopicName,
    queueId: number,
    offset: number,
    max: number,
  ): readonly ConsumeQueueEntry[] {
    const bytes = this.queue(topic, queueId)?.read(offset, max) ?? Buffer.alloc(0);
    return Array.from({ length: bytes.length / UNIT_BYTES }, (_, i) => {
      const unit = readUnit(bytes, i * UNIT_BYTES);
      const tagsCode = bytes.readBigInt64BE(i * UNIT_BYTES + 12);
      return {
        queueOffset: offset + i,
        physicalOffset: unit.physicalOffset,
        size: unit.size,
        tagsCode,
      };
    });
  }

  /** Only a whole, valid record that starts exactly there is ever returned. */
  recordAt(offset: number): StoredRecord | null {
    const { log, config } = this.parts;
    const isInside =
      Number.isSafeInteger(offset) &&
      offset >= log.minOffset &&
      offset + RECORD_BYTES_MIN <= log.written;
    if (!isInside) return null;
    const head = log.readWhole(offset, 4);
    const size = head.length < 4 ? 0 : head.readInt32BE(0);
    if (size < RECORD_BYTES_MIN || size > config.maxMessageSize + RECORD_OVERHEAD_MAX) return null;
    const bytes = Buffer.from(log.readWhole(offset, size));
    return typeof checkRecord(bytes, 0, bytes.length, offset) === "string" ? null : { bytes };
  }

  query(
    topic: string,
    key: string,
    max: number,
    range: { readonly beginMs: number; readonly endMs: number },
  ): QueryMessageResult {
    const { index } = this.parts;
    const offsets = index?.query(topic, key, max, range) ?? [];
    const records = offsets
      .toSorted((a, b) => a - b)
      .flatMap((offset) => this.recordAt(offset)?.bytes ?? []);
    return {
      records,
      indexLastUpdateTimestamp: index?.lastTimestamp ?? 0,
      indexLastUpdatePhyoffset: index?.lastPhysical ?? 0,
    };
  }

  /** storeTimestamp of the newest queued record, 0 when there is none: the next one is not older (S-19). */
  newestStoreTimestamp(): number {
    let newest: ConsumeQueue | null = null;
    for (const { queue } of this.parts.queues.all) {
      if (queue.maxPhysicalOffset > (newest?.maxPhysicalOffset ?? 0)) newest = queue;
    }
    const unit = newest?.unitAt(newest.maxOffset - 1) ?? null;
    return unit === null ? 0 : Math.max(0, this.storeTimestampOf(unit.physicalOffset));
  }

  /** storeTimestamp of the first record of the log, -1 for an empty one. */
  earliestStoreTimestamp(): number {
    const { log } = this.parts;
    return log.written > log.minOffset ? this.storeTimestampOf(log.minOffset) : -1;
  }

  private queue(topic: TopicName, queueId: number): ConsumeQueue | undefined {
    return this.parts.queues.find(topic, queueId)?.queue;
  }

  private storeTimestampOf(offset: number): number {
    const head = this.parts.log.readWhole(offset, RECORD_BYTES_MIN);
    if (head.length < RECORD_BYTES_MIN) return -1;
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    return readLong(view, storeTimestampAt(view.getInt32(AT.sysFlag)));
  }
}
