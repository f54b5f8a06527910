/** The facade the broker sees: wires log, flush, waiters, dispatch, queues and index, and owns the tick (engine-performance 2.1, 2.4). */
import { EngineError } from "../base/engine-error.ts";
import { RECORD_BYTES_MIN } from "../message/record-layout.ts";
import type { TopicName } from "../message/topic-name.ts";
import { AppendPath } from "./append-path.ts";
import { CommitLog } from "./commit-log.ts";
import { asError, isNoSpace } from "./disk-errors.ts";
import { Dispatcher } from "./dispatch.ts";
import { Expiry } from "./expiry.ts";
import { Flusher } from "./flusher.ts";
import { FileMaintenance } from "./maintenance.ts";
import { openFiles, type OpenedFiles, type OpenFilesParts } from "./opened-files.ts";
import { Persistence } from "./persistence.ts";
import { PutWaiters } from "./put-waiters.ts";
import { ReplicatedLog } from "./replicated-log.ts";
import {
  PUT_STATUS,
  type AppendResult,
  type ArrivalListener,
  type BatchMember,
  type ConsumeQueueEntry,
  type GetMessageResult,
  type MessageFilter,
  type MessageInput,
  type MessageStore,
  type PutWaiter,
  type QueryMessageResult,
  type ReplicaLog,
  type ReplicationGate,
  type StoredRecord,
  type StoreStats,
} from "./store-api.ts";
import { StoreReads } from "./store-reads.ts";
import { StoreTraffic } from "./store-traffic.ts";

const PERSIST_MS = 1_000;

/** What a store needs. */
export interface StoreOptions extends Omit<OpenFilesParts, "now"> {
  /** Wall clock, ms. Default: whatever `Date.now` is at the time, since a lab may replace it. */
  readonly now?: () => number;
}

class FileMessageStore implements MessageStore {
  readonly log: ReplicatedLog;
  readonly maintenance: FileMaintenance;
  readonly traffic = new StoreTraffic();
  private readonly options: OpenFilesParts;
  private readonly opened: OpenedFiles;
  private readonly commitLog: CommitLog;
  private readonly flusher: Flusher;
  private readonly waiters: PutWaiters;
  private readonly dispatcher: Dispatcher;
  private readonly expiry: Expiry;
  private readonly persistence: Persistence;
  private readonly appends: AppendPath;
  private readonly reads: StoreReads;
  private readonly failedListeners: ((error: Error) => void)[] = [];
  private readonly timers: NodeJS.Timeout[] = [];
  private gate: ReplicationGate | null = null;
  private failure: Error | null = null;
  private isOpen = false;
  private tickPlanned = false;

  constructor(options: OpenFilesParts) {
    const { config, logger } = options;
    this.options = options;
    this.opened = openFiles(options);
    const { files, queues, index, end, dispatchFrom } = this.opened;
    this.commitLog = new CommitLog(files, end, (file) => {
      if (file !== undefined) this.flusher.wrote(file.file);
    });
    const log = this.commitLog;
    this.flusher = this.makeFlusher();
    this.flusher.flushed = end;
    this.waiters = this.makeWaiters();
    this.waiters.degradedEnd = end;
    const { traffic } = this;
    const dispatch = { config, log, queues, index, logger, traffic };
    this.dispatcher = new Dispatcher(dispatch, dispatchFrom);
    const isWriteable = (): boolean => this.isWriteable;
    this.appends = new AppendPath({ ...options, log, queues, traffic, isWriteable });
    const newestStoreTimestamp = (): number => this.dispatcher.lastStoreTimestamp;
    const flushed = (): number => this.flusher.flushed;
    this.expiry = new Expiry({ ...options, log, queues, index, newestStoreTimestamp, flushed });
    this.maintenance = new FileMaintenance({ log, queues, expiry: this.expiry });
    this.persistence = new Persistence({
      vfs: options.vfs,
      opened: this.opened,
      dispatcher: this.dispatcher,
      onRefused: (error) => this.refused(error),
      onFailed: (error) => this.fail(asError(error)),
    });
    this.reads = new StoreReads({ config, log, queues, index });
    this.log = new ReplicatedLog({
      log,
      flushedOffset: () => this.flusher.flushed,
      commit: () => this.commit(),
      onCut: (end) => this.flusher.cut(end),
    });
  }

  get isWriteable(): boolean {
    return this.isOpen && this.failure === null && !this.expiry.isDiskFull;
  }

  async start(takeTail?: (log: ReplicaLog) => Promise<void>): Promise<void> {
    if (takeTail !== undefined) await this.adoptTail(takeTail);
    const { vfs, config } = this.options;
    this.dispatcher.advance(this.commitLog.end);
    const newest = this.reads.newestStoreTimestamp();
    this.dispatcher.lastStoreTimestamp = Math.max(this.dispatcher.lastStoreTimestamp, newest);
    this.appends.lastStoreTimestamp = this.dispatcher.lastStoreTimestamp;
    this.opened.queues.resume(this.commitLog.minOffset);
    const { abort } = this.opened.layout;
    if (vfs.stat(abort) === null) vfs.open(abort, "create").close();
    this.expiry.run();
    this.timers.push(
      setInterval(() => this.persistence.begin(), PERSIST_MS),
      setInterval(() => this.clean(), config.cleanResourceInterval),
    );
    for (const timer of this.timers) timer.unref();
    this.isOpen = true;
    this.prepareAhead();
  }

  async stop(): Promise<void> {
    const hasServed = this.isOpen;
    this.isOpen = false;
    for (const timer of this.timers) clearInterval(timer);
    if (this.failure === null) {
      this.log.dropPartialRecord();
      this.commit();
      await this.flusher.flushAll();
      // Who waited for a slave was answered: what a clean stop leaves is as visible as after a start.
      this.waiters.degradedEnd = this.commitLog.written;
      this.advance();
      await this.persistence.finish();
      // A start that was given up proves nothing: the next one must ask again whether the last stop was clean.
      const isComplete = hasServed && this.dispatcher.dispatched >= this.commitLog.end;
      if (isComplete) this.options.vfs.remove(this.opened.layout.abort);
      this.opened.close();
    }
    this.opened.unlock();
  }

  append(input: MessageInput): AppendResult {
    const result = this.appends.append(input);
    if (result.status === PUT_STATUS.OK) this.planTick();
    return result;
  }

  appendBatch(input: MessageInput, members: readonly BatchMember[]): AppendResult {
    const result = this.appends.appendBatch(input, members);
    if (result.status === PUT_STATUS.OK) this.planTick();
    return result;
  }

  whenSafe(waiter: PutWaiter, waitStoreMsgOk: boolean): void {
    if (this.failure !== null) waiter.complete(PUT_STATUS.FLUSH_DISK_TIMEOUT);
    else this.waiters.add(waiter, waitStoreMsgOk);
  }

  replicationChanged(): void {
    this.waiters.release();
    this.advance();
  }

  setReplicationGate(gate: ReplicationGate): void {
    this.gate = gate;
  }

  getMessage(
    topic: TopicName,
    queueId: number,
    offset: number,
    limits: { readonly messagesMax: number; readonly filter: MessageFilter | null },
  ): GetMessageResult | Promise<GetMessageResult> {
    try {
      return this.reads.messages(topic, queueId, offset, limits);
    } catch (error) {
      return Promise.reject(asError(error));
    }
  }

  minOffsetInQueue(topic: TopicName, queueId: number): number {
    return this.reads.minOffset(topic, queueId);
  }

  maxOffsetInQueue(topic: TopicName, queueId: number): number {
    return this.reads.maxOffset(topic, queueId);
  }

  offsetByTime(topic: TopicName, queueId: number, timestampMs: number): number {
    return this.reads.offsetByTime(topic, queueId, timestampMs);
  }

  earliestStoreTime(topic: TopicName, queueId: number): number {
    return this.reads.storeTimeAt(topic, queueId, this.reads.minOffset(topic, queueId));
  }

  storeTimeAt(topic: TopicName, queueId: number, offset: number): number {
    return this.reads.storeTimeAt(topic, queueId, offset);
  }

  isHeadInMemory(topic: TopicName, queueId: number): boolean {
    return this.reads.isHeadInMemory(topic, queueId);
  }

  consumeQueueEntries(
    topic: TopicName,
    queueId: number,
    offset: number,
    max: number,
  ): readonly ConsumeQueueEntry[] {
    return this.reads.entries(topic, queueId, offset, max);
  }

  recordAt(offset: number): StoredRecord | null {
    return this.reads.recordAt(offset);
  }

  queryMessage(
    topic: string,
    key: string,
    max: number,
    range: { readonly beginMs: number; readonly endMs: number },
  ): Promise<QueryMessageResult> {
    return Promise.resolve(this.reads.query(topic, key, max, range));
  }

  onArrival(listener: ArrivalListener): void {
    this.dispatcher.onArrival(listener);
  }

  onFailed(listener: (error: Error) => void): void {
    this.failedListeners.push(listener);
  }

  stats(): StoreStats {
    return {
      minOffset: this.commitLog.minOffset,
      writtenOffset: this.commitLog.written,
      flushedOffset: this.flusher.flushed,
      confirmOffset: this.confirmOffset(),
      dispatchedOffset: this.dispatcher.dispatched,
      diskUsedRatio: this.expiry.usedRatio(),
      earliestStoreTimestamp: this.reads.earliestStoreTimestamp(),
      fdatasyncCount: this.flusher.syncCount,
      fdatasyncLongestMs: Math.round(this.flusher.longestMs),
      putFailures: this.appends.failures,
    };
  }

  /** H-09. What a slave has is replicated, so it is visible at once like everything recovered. */
  private async adoptTail(takeTail: (log: ReplicaLog) => Promise<void>): Promise<void> {
    await this.log.adopt(takeTail);
    await this.flusher.flushAll();
    if (this.failure !== null) throw this.failure;
    this.waiters.degradedEnd = this.commitLog.written;
  }

  private makeFlusher(): Flusher {
    const { config } = this.options;
    return new Flusher({
      isSync: config.flushDiskType === "SYNC_FLUSH",
      intervalMs: config.flushIntervalCommitLog,
      written: () => this.commitLog.written,
      onFlushed: (offset) => this.flushed(offset),
      onFailed: (error) => this.fail(error),
    });
  }

  private makeWaiters(): PutWaiters {
    const { config } = this.options;
    return new PutWaiters({
      localOffset: () =>
        config.flushDiskType === "SYNC_FLUSH" ? this.flusher.flushed : this.commitLog.written,
      gate: () => this.gate,
      flushTimeoutMs: config.syncFlushTimeout,
      slaveTimeoutMs: config.slaveTimeout,
      onDegraded: () => this.advance(),
    });
  }

  private clean(): void {
    try {
      this.expiry.run();
    } catch (error) {
      this.refused(error);
    }
    if (!this.expiry.isDiskFull) this.advance();
  }

  private planTick(): void {
    if (this.tickPlanned) return;
    this.tickPlanned = true;
    setImmediate(() => {
      this.tickPlanned = false;
      if (this.failure === null && this.isOpen) this.commit();
    });
  }

  /** The end of a tick: one write, replication at the same moment, then whoever may go. */
  private commit(): void {
    const startedMs = performance.now();
    try {
      this.commitLog.commit();
      this.traffic.wrote(performance.now() - startedMs);
    } catch (error) {
      // A slave that cannot take the master's bytes has failed (H-06); a master refuses sends until there is room.
      if (this.options.config.brokerRole === "SLAVE") this.fail(asError(error));
      else this.refused(error);
      if (this.failure !== null) return;
      this.appends.takeBack();
      this.waiters.failBehind(this.commitLog.written);
    }
    this.log.wrote();
    this.waiters.releaseWritten(this.commitLog.written);
    this.waiters.release();
    this.advance();
    this.prepareAhead();
  }

  /** Only for who waits for a sync: otherwise zeroes ahead of the writer are just bytes written twice. */
  private prepareAhead(): void {
    if (!this.isOpen || this.options.config.flushDiskType !== "SYNC_FLUSH") return;
    try {
      const isMore = this.opened.files.prepareAhead(this.commitLog.end);
      if (isMore) setImmediate(() => this.isOpen && this.prepareAhead());
    } catch (error) {
      this.refused(error);
    }
  }

  private flushed(offset: number): void {
    // Half a record of the master's is no end a restart could find again.
    this.opened.checkpoint.durableEnd = Math.min(offset, this.log.verifiedOffset());
    this.opened.checkpoint.physicMsgTimestamp = Math.max(
      this.appends.lastStoreTimestamp,
      this.dispatcher.lastStoreTimestamp,
    );
    this.log.flushed(offset);
    this.waiters.release();
    this.advance();
  }

  /** Up to where messages may be seen (C-02; DESIGN 5). */
  private confirmOffset(): number {
    const { brokerRole, flushDiskType, visibility } = this.options.config;
    if (brokerRole === "SLAVE") return this.log.verifiedOffset();
    const isStrict = flushDiskType === "SYNC_FLUSH" || visibility === "flushed";
    const local = isStrict ? this.flusher.flushed : this.commitLog.written;
    if (this.gate?.required !== true) return local;
    return Math.min(local, Math.max(this.gate.replicatedOffset, this.waiters.degradedEnd));
  }

  private advance(): void {
    const limit = this.confirmOffset();
    if (limit <= this.dispatcher.dispatched) return;
    try {
      this.dispatcher.advance(limit);
    } catch (error) {
      this.refused(error);
    }
  }

  /** A full disk refuses sends until there is room (S-26); anything else ends the store (S-03). */
  private refused(error: unknown): void {
    if (!isNoSpace(error)) return this.fail(asError(error));
    this.expiry.isDiskFull = true;
    this.options.logger.warn("no room on the disk: sends are refused", {
      reason: asError(error).message,
    });
  }

  private fail(error: Error): void {
    if (this.failure !== null) return;
    this.failure = error;
    this.options.logger.error("the store failed: nothing more is written", {
      reason: error.message,
    });
    this.waiters.failAll();
    for (const listener of this.failedListeners) listener(error);
  }
}

/**
 * Opens a store: locks it, recovers the log. `start` then dispatches what is missing and takes messages.
 * @throws EngineError STORE_LOCKED | STORE_CORRUPT | STORE_LAYOUT_INVALID
 */
export function openMessageStore(options: StoreOptions): MessageStore {
  const { config, vfs, logger, now = () => Date.now() } = options;
  if (config.mappedFileSizeCommitLog < 2 * RECORD_BYTES_MIN) {
    throw new EngineError("STORE_LAYOUT_INVALID", {
      message: `mappedFileSizeCommitLog=${config.mappedFileSizeCommitLog} holds no message`,
    });
  }
  return new FileMessageStore({ config, vfs, logger, now });
}
