import type { PhysicalOffset, QueueOffset } from "../base/brand.ts";
import type { TopicName } from "../message/topic-name.ts";

/**
 * What the broker sees of the store. The store knows no network and no replication: it owns the small interfaces below
 * and broker.ts plugs the implementations in (style-examples 7).
 */

/** Result of a put (store-and-ha 4.4). The broker maps it to a response code in one table. */
export const PUT_STATUS = {
  OK: 0,
  FLUSH_DISK_TIMEOUT: 10,
  SLAVE_NOT_AVAILABLE: 11,
  FLUSH_SLAVE_TIMEOUT: 12,
  MESSAGE_ILLEGAL: 13,
  SERVICE_NOT_AVAILABLE: 14,
  CREATE_FILE_FAILED: 101,
  PAGE_CACHE_BUSY: 102,
} as const;
export type PutStatus = (typeof PUT_STATUS)[keyof typeof PUT_STATUS];

/** An address as the log keeps it: 4 or 16 bytes and a port. */
export interface HostBytes {
  readonly address: Uint8Array;
  readonly port: number;
}

/**
 * One message to append. Buffers are read during the call only and copied once, into the log's slab.
 * The caller may reuse one object for every call.
 */
export interface MessageInput {
  topic: TopicName;
  queueId: number;
  flag: number;
  /** Only bits the broker allows; the IPv6 bits are set by the store from the hosts. */
  sysFlag: number;
  bornTimestamp: number;
  bornHost: HostBytes;
  storeHost: HostBytes;
  reconsumeTimes: number;
  /** Physical offset of the half message for a commit, else 0. */
  preparedTransactionOffset: number;
  body: Buffer;
  bodyStart: number;
  bodyEnd: number;
  /** The complete property string as it shall stand in the log (CLUSTER included), UTF-8. */
  properties: Buffer;
  propertiesStart: number;
  propertiesEnd: number;
}

/** One member of a batch: its own flag, body and complete properties; the rest comes from the batch's MessageInput. */
export interface BatchMember {
  readonly flag: number;
  readonly body: Buffer;
  readonly properties: Buffer;
}

/** Where a put went. On any status but OK nothing was appended and the numbers are 0. */
export interface AppendResult {
  readonly status: PutStatus;
  /** Of the first message. */
  readonly physicalOffset: PhysicalOffset;
  /** Of the first message. */
  readonly queueOffset: QueueOffset;
  /** One past the last byte: compare THIS with durable and replicated offsets. */
  readonly endOffset: PhysicalOffset;
  readonly storeTimestamp: number;
  /** Physical offsets of all members of a batch, in order; empty for a single message. */
  readonly memberOffsets: readonly PhysicalOffset[];
}

/** Somebody who waits for a put to be as safe as the broker's mode promises. */
export interface PutWaiter {
  readonly endOffset: number;
  /** Called exactly once, in log order, with OK, FLUSH_DISK_TIMEOUT, SLAVE_NOT_AVAILABLE or FLUSH_SLAVE_TIMEOUT. */
  complete(status: PutStatus): void;
}

/** Outcome of a read (store-and-ha 4.7); the name is also the remark of the pull response. */
export type GetMessageStatus =
  | "FOUND"
  | "NO_MATCHED_MESSAGE"
  | "MESSAGE_WAS_REMOVING"
  | "OFFSET_FOUND_NULL"
  | "OFFSET_OVERFLOW_BADLY"
  | "OFFSET_OVERFLOW_ONE"
  | "OFFSET_TOO_SMALL"
  | "NO_MATCHED_LOGIC_QUEUE"
  | "NO_MESSAGE_IN_QUEUE";

/** Decides by the consume queue entry (and the record, when it asks for it) whether a reader wants a message. */
export interface MessageFilter {
  /** @param tagsHashLow low 32 bits of the entry's tagsCode, signed */
  matchesTagsCode(tagsHashLow: number): boolean;
  /**
   * Absent: the entry decides alone, and the record is not looked at.
   * @param bytes holds the record
   * @param start first byte of its property string
   * @param end one past the last
   */
  matchesProperties?(bytes: Buffer, start: number, end: number): boolean;
}

/** What a pull found. `buffers` are whole records back to back; contiguous records share a buffer. */
export interface GetMessageResult {
  readonly status: GetMessageStatus;
  readonly nextBeginOffset: number;
  readonly minOffset: number;
  readonly maxOffset: number;
  readonly buffers: readonly Buffer[];
  readonly messageCount: number;
  readonly bodyBytes: number;
  /** The reader is more than accessMessageInMemoryMaxRatio of memory behind the end. */
  readonly suggestPullingFromSlave: boolean;
  /** Gives the slabs behind `buffers` back; call once, after the socket took the bytes. */
  release(): void;
}

/** The replication side as the store sees it; implemented in engine/ha, plugged in by broker.ts. */
export interface ReplicationGate {
  /** True when this broker promises replication (SYNC_MASTER). */
  readonly required: boolean;
  /** Highest end offset some live slave has acknowledged (H-01). */
  readonly replicatedOffset: number;
  /** H-10: a live, non-diverged slave within haSlaveFallbehindMax exists for a record ending at `endOffset`. */
  isSlaveAvailable(endOffset: number): boolean;
}

/** The log as replication sees it. */
export interface ReplicaLog {
  readonly fileSize: number;
  readonly minOffset: number;
  /** End of the bytes handed to the file system. */
  readonly writtenOffset: number;
  /** End of the bytes a successful fdatasync covers. */
  readonly flushedOffset: number;
  /**
   * Raw log bytes from `offset`, at most `bytesMax`, never past the end of a file nor past `writtenOffset`; empty when
   * there are none. From memory for the tail. Valid until `release` is called.
   */
  readRaw(offset: number, bytesMax: number): { readonly bytes: Buffer; release(): void };
  /**
   * Slave, and a master that starts: writes raw bytes at the end of the log, checks every record they complete (S-11, H-05) and dispatches it.
   * @returns end of the last complete, verified record
   * @throws EngineError HA_DIVERGED when a completed record is invalid (the log is cut back to the last good one)
   */
  appendRaw(offset: number, bytes: Buffer): number;
  /** Cuts a half-received record off (H-06). @returns the new end */
  dropPartialRecord(): number;
  /** Called after each write of the tick, with the new written offset. */
  onWritten(listener: (writtenOffset: number) => void): void;
  /** Called after each successful fdatasync, with the new flushed offset. */
  onFlushed(listener: (flushedOffset: number) => void): void;
}

/** Called when messages of a queue became visible: wakes held pulls. `maxOffset` is the queue's new max offset. */
export type ArrivalListener = (topic: TopicName, queueId: number, maxOffset: number) => void;

/** A record read back for admin calls, send-back and delayed delivery. */
export interface StoredRecord {
  readonly bytes: Buffer;
}

/** Entry of a consume queue, for the delay service and admin calls. */
export interface ConsumeQueueEntry {
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly size: number;
  /** 64 bits: tag hash, or due time (ms) in SCHEDULE_TOPIC_XXXX. */
  readonly tagsCode: bigint;
}

/** The facade. Made by `openMessageStore` of message-store.ts. */
export interface MessageStore {
  readonly log: ReplicaLog;
  readonly isWriteable: boolean;

  /**
   * Recovers, then opens for reads and (on a master) writes.
   * @param takeTail may append raw bytes to the recovered log before anything is served, for example what a slave has of a tail that was lost
   *   here (H-09); they are checked like a slave's and on the disk before this resolves
   */
  start(takeTail?: (log: ReplicaLog) => Promise<void>): Promise<void>;
  /** Flushes everything, writes the checkpoint, removes `abort` if dispatch is complete (S-09). */
  stop(): Promise<void>;

  /**
   * Appends one message to this tick's slab: offsets are assigned, bytes leave for the file at the end of the tick.
   * Synchronous; never throws for bad input or a full disk (see the status).
   */
  append(input: MessageInput): AppendResult;
  /** Appends all members or none. */
  appendBatch(input: MessageInput, members: readonly BatchMember[]): AppendResult;
  /**
   * @param waiter completed when its end offset is as safe as the mode promises, or at its deadline
   * @param waitStoreMsgOk false: complete after the write of this tick
   */
  whenSafe(waiter: PutWaiter, waitStoreMsgOk: boolean): void;
  /** The replication gate moved or lost a slave. */
  replicationChanged(): void;
  setReplicationGate(gate: ReplicationGate): void;

  /** Reads from a queue; from memory or page cache synchronously, else a promise (engine-performance 5). */
  getMessage(
    topic: TopicName,
    queueId: number,
    offset: number,
    limits: { readonly messagesMax: number; readonly filter: MessageFilter | null },
  ): GetMessageResult | Promise<GetMessageResult>;

  minOffsetInQueue(topic: TopicName, queueId: number): number;
  /** Next offset to become visible; 0 for an unknown queue. */
  maxOffsetInQueue(topic: TopicName, queueId: number): number;
  /** Remoting-protocol 4.3.2: first offset whose storeTimestamp is at or after `timestampMs`. */
  offsetByTime(topic: TopicName, queueId: number, timestampMs: number): number;
  /** -1 when none. */
  earliestStoreTime(topic: TopicName, queueId: number): number;
  /** storeTimestamp of the message at a queue offset, -1 when there is none. */
  storeTimeAt(topic: TopicName, queueId: number, offset: number): number;
  /** 4.3.1: the head of the queue is still within accessMessageInMemoryMaxRatio of memory. */
  isHeadInMemory(topic: TopicName, queueId: number): boolean;
  /** Entries of a queue from `offset`, at most `max`. */
  consumeQueueEntries(
    topic: TopicName,
    queueId: number,
    offset: number,
    max: number,
  ): readonly ConsumeQueueEntry[];
  /** The verified record that starts at a physical offset, or null. */
  recordAt(offset: number): StoredRecord | null;
  /** Store-and-ha 3.6. Records by key, newest first, at most `max`. */
  queryMessage(
    topic: string,
    key: string,
    max: number,
    range: { readonly beginMs: number; readonly endMs: number },
  ): Promise<QueryMessageResult>;

  readonly maintenance: StoreMaintenance;
  readonly traffic: StoreTrafficView;
  onArrival(listener: ArrivalListener): void;
  /** S-03: the store failed for the life of the process; the broker exits 74. */
  onFailed(listener: (error: Error) => void): void;

  /** Numbers for runtime info and `lab.*` keys. */
  stats(): StoreStats;
}

/** What an administrator may ask of a store. */
export interface StoreMaintenance {
  /** Topics that have queues on the disk, configured or not. */
  topics(): readonly TopicName[];
  /** Removes a topic's queues (delete topic). */
  deleteTopic(topic: TopicName): void;
  /** Removes consume queue files whose entries all point below the log's start (306). Offsets are not numbered anew. */
  deleteExpiredQueueFiles(): void;
  /** Removes log files older than fileReservedTime without waiting for `deleteWhen` (329). */
  deleteExpiredFiles(): void;
}

/** Records since the start: appended ones on a master, received ones on a slave. */
export interface StoreTrafficView {
  readonly messages: number;
  readonly bytes: number;
  /** Slowest write of a tick, whole ms. */
  readonly longestMs: number;
  /** Records of this minute in 4.9's 13 time classes: `<=0ms`, `0~10ms`, … , `10s~`. */
  readonly timeClasses: readonly number[];
}

export interface QueryMessageResult {
  readonly records: readonly Buffer[];
  readonly indexLastUpdateTimestamp: number;
  readonly indexLastUpdatePhyoffset: number;
}

/** One instant's numbers. */
export interface StoreStats {
  readonly minOffset: number;
  readonly writtenOffset: number;
  readonly flushedOffset: number;
  readonly confirmOffset: number;
  readonly dispatchedOffset: number;
  readonly diskUsedRatio: number;
  readonly earliestStoreTimestamp: number;
  readonly fdatasyncCount: number;
  readonly fdatasyncLongestMs: number;
  readonly putFailures: number;
}
