/** Deletes what is older than fileReservedTime, or what must go because the disk is full (store-and-ha 4.6; S-18, S-26). */
import type { Logger } from "../base/logger.ts";
import type { Vfs } from "../base/vfs.ts";
import { readRecord } from "../message/record-decode.ts";
import type { CommitLog } from "./commit-log.ts";
import type { IndexService } from "./index-service.ts";
import type { QueueTable } from "./queue-table.ts";
import type { StoreConfig } from "./store-config.ts";

const HOUR_MS = 3_600_000;
const CLEAN_RATIO = 0.85;
const FULL_RATIO = 0.9;
const WRITABLE_AGAIN_RATIO = 0.85;
const FILES_A_PASS = 10;

/** What cleaning needs. */
export interface ExpiryParts {
  readonly config: StoreConfig;
  readonly vfs: Vfs;
  readonly logger: Logger;
  readonly now: () => number;
  readonly log: CommitLog;
  readonly queues: QueueTable;
  readonly index: IndexService | null;
  /** Newest storeTimestamp in the log: a clock that jumped forward must not empty the store (S-18). */
  readonly newestStoreTimestamp: () => number;
  /** What a finished sync covers: a file that is not on the disk yet still has a sync to come, which would fail without it. */
  readonly flushed: () => number;
}

/** See the file's head. */
export class Expiry {
  isDiskFull = false;
  /** Start of the log that queues and index were last cut to. */
  private followedTo = 0;
  private readonly parts: ExpiryParts;

  constructor(parts: ExpiryParts) {
    this.parts = parts;
  }

  /** @returns used share of the log's partition, -1 when unknown */
  usedRatio(): number {
    const space = this.parts.vfs.space(this.parts.config.storePathCommitLog);
    return space === null || space.total === 0 ? -1 : 1 - space.available / space.total;
  }

  /** One pass; called every cleanResourceInterval. @param isAsked an administrator does not wait for `deleteWhen` */
  run(isAsked = false): void {
    const ratio = this.usedRatio();
    this.judgeDisk(ratio);
    const hour = String(new Date(this.parts.now()).getHours()).padStart(2, "0");
    const isTime = isAsked || this.parts.config.deleteWhen.split(";").includes(hour);
    const isTight = ratio > this.parts.config.diskMaxUsedSpaceRatio / 100;
    let removed = 0;
    while (
      (isTime || isTight) &&
      removed < FILES_A_PASS &&
      this.mayRemoveFirst(ratio > CLEAN_RATIO)
    ) {
      this.parts.log.files.removeFirst();
      removed += 1;
    }
    this.followLog();
    if (removed === 0) return;
    const { minOffset } = this.parts.log;
    this.parts.logger.info("expired commit log files deleted", { files: removed, minOffset });
  }

  /**
   * Queue and index files that point below the log's start go. Also at the first pass after a start: a stop or a crash may have come in
   * between, and a 4.9 broker that opens this directory takes the units of such a file for messages.
   */
  private followLog(): void {
    const { minOffset } = this.parts.log;
    if (minOffset <= this.followedTo) return;
    for (const { queue } of this.parts.queues.all) queue.removeExpired(minOffset);
    this.parts.index?.removeExpired(minOffset);
    this.followedTo = minOffset;
  }

  private judgeDisk(ratio: number): void {
    const wasFull = this.isDiskFull;
    if (ratio >= FULL_RATIO) this.isDiskFull = true;
    else if (ratio < WRITABLE_AGAIN_RATIO) this.isDiskFull = false;
    if (wasFull !== this.isDiskFull)
      this.parts.logger.warn(
        this.isDiskFull
          ? "the disk is full: sends are refused"
          : "the disk has room again: sends are taken",
        { ratio },
      );
  }

  private mayRemoveFirst(force: boolean): boolean {
    const { log, config } = this.parts;
    const second = log.files.all[1];
    if (second === undefined || second.start > this.parts.flushed()) return false;
    if (force) return true;
    const newest = this.lastTimestampOfFirst();
    const reservedMs = config.fileReservedTime * HOUR_MS;
    return (
      newest > 0 &&
      newest + reservedMs < Math.min(this.parts.now(), this.parts.newestStoreTimestamp())
    );
  }

  /** storeTimestamp of the second file's first record: nothing in the first file is newer. */
  private lastTimestampOfFirst(): number {
    const second = this.parts.log.files.all[1];
    if (second === undefined) return 0;
    const bytes = this.parts.log.readWhole(second.start, 65_536);
    const record = readRecord(bytes, 0, bytes.length);
    return typeof record === "string" ? 0 : record.storeTimestamp;
  }
}
