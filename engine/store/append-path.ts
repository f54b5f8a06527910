/** One put as steps: check, make room, place (offsets are assigned here, S-17), encode (store-and-ha 2.6). Nothing is awaited, nothing is written yet. */
import { physicalOffset, queueOffset } from "../base/brand.ts";
import type { Logger } from "../base/logger.ts";
import type { RecordInput } from "../message/record-encode.ts";
import { PROPERTIES_BYTES_MAX, recordBytes, SYS_FLAG } from "../message/record-layout.ts";
import type { CommitLog } from "./commit-log.ts";
import { QUEUE_ID_MAX, type QueueState, type QueueTable } from "./queue-table.ts";
import {
  PUT_STATUS,
  type AppendResult,
  type BatchMember,
  type MessageInput,
  type PutStatus,
} from "./store-api.ts";
import type { StoreConfig } from "./store-config.ts";
import type { StoreTraffic } from "./store-traffic.ts";

/** Bits a client's message may bring; the others are the broker's. */
const SYS_FLAG_KEPT = SYS_FLAG.COMPRESSED | SYS_FLAG.MULTI_TAGS | SYS_FLAG.TRANSACTION_MASK;

/** What a put needs. */
export interface AppendPathParts {
  readonly config: StoreConfig;
  readonly log: CommitLog;
  readonly queues: QueueTable;
  readonly logger: Logger;
  readonly now: () => number;
  readonly traffic: StoreTraffic;
  readonly isWriteable: () => boolean;
}

type Lengths = { readonly body: number; readonly topic: number; readonly properties: number };

type OpenRecord = RecordInput & { queueOffset: number };

function refusal(status: PutStatus): AppendResult {
  const none = physicalOffset(0);
  return {
    status,
    physicalOffset: none,
    queueOffset: queueOffset(0),
    endOffset: none,
    storeTimestamp: 0,
    memberOffsets: [],
  };
}

/** Sets the IPv6 bits from the real addresses. */
function sysFlagOf(input: MessageInput): number {
  const born = input.bornHost.address.length === 16 ? SYS_FLAG.BORN_HOST_V6 : 0;
  const store = input.storeHost.address.length === 16 ? SYS_FLAG.STORE_HOST_V6 : 0;
  return (input.sysFlag & SYS_FLAG_KEPT) | born | store;
}

/** Prepared and rolled-back messages have no place in a queue (2.5). */
function isQueued(sysFlag: number): boolean {
  const transaction = sysFlag & SYS_FLAG.TRANSACTION_MASK;
  return transaction === 0 || transaction === SYS_FLAG.TRANSACTION_COMMIT;
}

/** See the file's head. */
export class AppendPath {
  /** Never goes back inside one log (S-19). */
  lastStoreTimestamp = 0;
  failures = 0;
  private readonly parts: AppendPathParts;

  constructor(parts: AppendPathParts) {
    this.parts = parts;
  }

  /** One message. */
  append(input: MessageInput): AppendResult {
    const lengths = {
      body: input.bodyEnd - input.bodyStart,
      topic: input.topic.bytes.length,
      properties: input.propertiesEnd - input.propertiesStart,
    };
    const sysFlag = sysFlagOf(input);
    const length = recordBytes(sysFlag, lengths);
    const status = this.refuses(input, lengths, length) ?? this.makeRoom(length);
    if (status !== PUT_STATUS.OK) return this.refused(status);
    const state = this.parts.queues.get(input.topic, input.queueId);
    return this.place(state, this.record(input, sysFlag), length);
  }

  /** All members or none. */
  appendBatch(input: MessageInput, members: readonly BatchMember[]): AppendResult {
    const sysFlag = sysFlagOf(input);
    const topic = input.topic.bytes.length;
    const lengths = members.map((member) =>
      recordBytes(sysFlag, {
        body: member.body.length,
        topic,
        properties: member.properties.length,
      }),
    );
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const body = members.reduce((sum, member) => sum + member.body.length, 0);
    const properties = Math.max(0, ...members.map((member) => member.properties.length));
    const status =
      members.length === 0
        ? PUT_STATUS.MESSAGE_ILLEGAL
        : (this.refuses(input, { body, topic, properties }, total) ?? this.makeRoom(total));
    if (status !== PUT_STATUS.OK) return this.refused(status);
    const state = this.parts.queues.get(input.topic, input.queueId);
    const results = members.map((member, i) =>
      this.place(state, this.memberRecord(input, member, sysFlag), lengths[i] ?? 0),
    );
    const [first = refusal(PUT_STATUS.MESSAGE_ILLEGAL)] = results;
    return {
      ...first,
      endOffset: physicalOffset(this.parts.log.end),
      memberOffsets: results.map((result) => result.physicalOffset),
    };
  }

  /** The disk had no room for what was appended and not written: offsets and bytes go back (S-17, S-26). */
  takeBack(): void {
    const { log, queues } = this.parts;
    log.forEachPending((bytes, { topicStart, topicEnd, queueId, queueOffset, sysFlag }) => {
      const state = queues.getByBytes(bytes, { start: topicStart, end: topicEnd }, queueId);
      if (state === null || !isQueued(sysFlag)) return;
      state.nextOffset = Math.min(state.nextOffset, queueOffset);
    });
    log.truncate(log.written);
  }

  private refused(status: PutStatus): AppendResult {
    this.failures += 1;
    return refusal(status);
  }

  /** Why a put is refused before anything is appended, or null. */
  private refuses(input: MessageInput, lengths: Lengths, length: number): PutStatus | null {
    const { config } = this.parts;
    if (!this.parts.isWriteable() || config.brokerRole === "SLAVE")
      return PUT_STATUS.SERVICE_NOT_AVAILABLE;
    const isTooLong =
      lengths.properties > PROPERTIES_BYTES_MAX || lengths.body > config.maxMessageSize;
    const isNoQueue = input.queueId < 0 || input.queueId > QUEUE_ID_MAX;
    return isTooLong || isNoQueue || length + 8 > config.mappedFileSizeCommitLog
      ? PUT_STATUS.MESSAGE_ILLEGAL
      : null;
  }

  /** S-04: a file that cannot be made is a refusal with nothing appended. */
  private makeRoom(length: number): PutStatus {
    try {
      this.parts.log.makeRoom(length);
      return PUT_STATUS.OK;
    } catch (error) {
      this.parts.logger.error("the next commit log file cannot be made", { reason: String(error) });
      return PUT_STATUS.CREATE_FILE_FAILED;
    }
  }

  private memberRecord(input: MessageInput, member: BatchMember, sysFlag: number): OpenRecord {
    const { flag, body, properties } = member;
    return {
      ...this.record(input, sysFlag),
      flag,
      body,
      bodyStart: 0,
      bodyEnd: body.length,
      properties,
      propertiesStart: 0,
      propertiesEnd: properties.length,
    };
  }

  private record(input: MessageInput, sysFlag: number): OpenRecord {
    this.lastStoreTimestamp = Math.max(this.lastStoreTimestamp, this.parts.now());
    return {
      queueId: input.queueId,
      flag: input.flag,
      queueOffset: 0,
      physicalOffset: this.parts.log.end,
      sysFlag,
      bornTimestamp: Math.max(0, input.bornTimestamp),
      bornHost: input.bornHost,
      storeTimestamp: this.lastStoreTimestamp,
      storeHost: input.storeHost,
      reconsumeTimes: input.reconsumeTimes,
      preparedTransactionOffset: input.preparedTransactionOffset,
      body: input.body,
      bodyStart: input.bodyStart,
      bodyEnd: input.bodyEnd,
      topic: input.topic.bytes,
      properties: input.properties,
      propertiesStart: input.propertiesStart,
      propertiesEnd: input.propertiesEnd,
    };
  }

  /** Encodes one record and counts its queue up; prepared and rolled-back ones have no place in a queue (2.5). */
  private place(state: QueueState, record: OpenRecord, length: number): AppendResult {
    const hasPlace = isQueued(record.sysFlag);
    record.queueOffset = hasPlace ? state.nextOffset : 0;
    const end = this.parts.log.append(record, length);
    if (hasPlace) state.nextOffset += 1;
    this.parts.traffic.count(length);
    return {
      status: PUT_STATUS.OK,
      physicalOffset: physicalOffset(record.physicalOffset),
      queueOffset: queueOffset(record.queueOffset),
      endOffset: physicalOffset(end),
      storeTimestamp: record.storeTimestamp,
      memberOffsets: [],
    };
  }
}
