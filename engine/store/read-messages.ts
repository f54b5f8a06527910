/** Reads for pulls (store-and-ha 4.7): entries of the queue, then the records behind them, contiguous ones as one buffer, never copied twice. */
import { EngineError } from "../base/engine-error.ts";
import { checkRecord, propertiesStartOf } from "../message/record-decode.ts";
import { MESSAGE_MAGIC } from "../message/record-layout.ts";
import type { CommitLog } from "./commit-log.ts";
import { reading, type Slab } from "./log-tail.ts";
import { PREFILL_SIZE, readUnit, UNIT_BYTES, type ConsumeQueue } from "./consume-queue.ts";
import type { GetMessageResult, GetMessageStatus, MessageFilter } from "./store-api.ts";

const MEMORY_BYTES_MAX = 262_144;
const DISK_BYTES_MAX = 65_536;
const DISK_MESSAGES_MAX = 8;
const MEMORY_MESSAGES_MAX = 32;
const SCAN_BYTES = 16_000;
/** Longest read on the event loop for small messages (engine-performance 5). */
const WINDOW_BYTES = 65_536;
/**
 * Where a broker kept an extended consume queue (store-and-ha 3.4) an entry has an address instead of its tag's hash: nothing is known of the
 * tag then, and consumers look at it themselves (remoting-protocol 4.2.7). Hashes and due times never have a high half below this.
 */
const EXT_ADDRESS_BELOW = -1;
/** No record is longer: a queue entry that says so is damaged. */
const RECORD_BYTES_MAX = 67_108_864;
/** Bytes read from files for messages a filter did not want, after which an answer ends: the event loop waits for these reads. */
const UNWANTED_FILE_BYTES_MAX = 1_048_576;
/** Damaged places that are remembered; each was asked for at least once. */
const DAMAGED_MAX = 1_024;

/** What a read depends on besides queue and offset. */
export interface ReadParts {
  readonly log: CommitLog;
  /** More than this far behind the end counts as disk (accessMessageInMemoryMaxRatio). */
  readonly memoryBytes: number;
  /** SLAVE without offsetCheckInSlave: offsets are not corrected. */
  readonly keepsOffset: boolean;
  /** Offsets of records that could not be read once already. */
  readonly damaged: Set<number>;
}

const noop = (): void => undefined;

function nothing(
  status: GetMessageStatus,
  next: number,
  queue: { readonly minOffset: number; readonly maxOffset: number },
): GetMessageResult {
  return {
    status,
    nextBeginOffset: next,
    minOffset: queue.minOffset,
    maxOffset: queue.maxOffset,
    buffers: [],
    messageCount: 0,
    bodyBytes: 0,
    suggestPullingFromSlave: false,
    release: noop,
  };
}

/** The answer when there is nothing at the offset; null when there is. */
function outOfRange(
  parts: ReadParts,
  queue: ConsumeQueue,
  offset: number,
): GetMessageResult | null {
  const corrected = (next: number): number => (parts.keepsOffset ? offset : next);
  if (queue.maxOffset === 0) return nothing("NO_MESSAGE_IN_QUEUE", corrected(0), queue);
  if (offset < queue.minOffset)
    return nothing("OFFSET_TOO_SMALL", corrected(queue.minOffset), queue);
  if (offset === queue.maxOffset) return nothing("OFFSET_OVERFLOW_ONE", offset, queue);
  if (offset > queue.maxOffset)
    return nothing("OFFSET_OVERFLOW_BADLY", corrected(queue.maxOffset), queue);
  return null;
}

/** Bytes that hold log offsets from `base` on. */
interface Stretch {
  readonly bytes: Buffer;
  readonly base: number;
}

/** A filter that looks at records. */
type RecordFilter = MessageFilter & Required<Pick<MessageFilter, "matchesProperties">>;

function isRecordFilter(filter: MessageFilter): filter is RecordFilter {
  return filter.matchesProperties !== undefined;
}

/** Collects records, joining neighbours. What comes from the file is read in stretches and checked before it is sent. */
class Collector {
  readonly buffers: Buffer[] = [];
  /** Slabs that `buffers` are views of. */
  readonly slabs: Slab[] = [];
  count = 0;
  bytes = 0;
  /** Of messages that were read from a file and not wanted. */
  unwantedFileBytes = 0;
  private readonly log: CommitLog;
  private readonly filter: RecordFilter | null;
  /** The file bytes read last. */
  private window: Stretch = { bytes: Buffer.alloc(0), base: 0 };
  /** Where the records of the open range stand. */
  private source: Buffer | null = null;
  private rangeStart = 0;
  private rangeEnd = 0;

  /** @param filter looks at records; null takes every one */
  constructor(log: CommitLog, filter: RecordFilter | null) {
    this.log = log;
    this.filter = filter;
  }

  /** Takes a record that the filter wants. @returns false when it is not readable: nothing of it will be sent (S-24) */
  add(offset: number, size: number): boolean {
    if (size > RECORD_BYTES_MAX) return false;
    const slab = this.log.inMemory(offset, size);
    const { bytes, base } = slab ?? this.fromFile(offset, size);
    const at = offset - base;
    const isRecord =
      bytes === this.window.bytes
        ? isValid(bytes, at, offset, size)
        : bytes.readInt32BE(at) === size && bytes.readInt32BE(at + 4) === MESSAGE_MAGIC;
    if (!isRecord) return false;
    if (this.filter !== null) {
      const start = propertiesStartOf(bytes, at, size);
      if (start < 0) return false;
      if (!this.filter.matchesProperties(bytes, start, at + size)) {
        if (bytes === this.window.bytes) this.unwantedFileBytes += size;
        return true;
      }
    }
    if (slab !== null && bytes !== this.source) this.slabs.push(slab);
    this.take(bytes, at, size);
    return true;
  }

  private take(bytes: Buffer, at: number, size: number): void {
    if (bytes !== this.source || at !== this.rangeEnd) {
      this.closeRange();
      this.source = bytes;
      this.rangeStart = at;
    }
    this.rangeEnd = at + size;
    this.count += 1;
    this.bytes += size;
  }

  /** The window, moved when it does not hold the whole record: one read serves many (engine-performance 5). */
  private fromFile(offset: number, size: number): Stretch {
    const { bytes, base } = this.window;
    if (offset < base || offset + size > base + bytes.length) {
      this.window = {
        bytes: this.log.readFile(offset, Math.max(size, WINDOW_BYTES)),
        base: offset,
      };
    }
    return this.window;
  }

  closeRange(): void {
    if (this.source !== null)
      this.buffers.push(this.source.subarray(this.rangeStart, this.rangeEnd));
    this.source = null;
  }
}

function isValid(bytes: Buffer, at: number, offset: number, size: number): boolean {
  const record = checkRecord(bytes, at, bytes.length, offset);
  return typeof record !== "string" && record.totalSize === size;
}

/**
 * @param queue the consume queue, or undefined when there is none
 * @param offset first one wanted
 * @param limits messages and filter
 * @throws EngineError STORE_CORRUPT when the first record is damaged and was asked for before (S-24)
 */
export function readMessages(
  parts: ReadParts,
  queue: ConsumeQueue | undefined,
  offset: number,
  limits: { readonly messagesMax: number; readonly filter: MessageFilter | null },
): GetMessageResult {
  if (queue === undefined)
    return nothing("NO_MATCHED_LOGIC_QUEUE", parts.keepsOffset ? offset : 0, {
      minOffset: 0,
      maxOffset: 0,
    });
  const early = outOfRange(parts, queue, offset);
  if (early !== null) return early;
  const scanBytes = Math.max(SCAN_BYTES, limits.messagesMax * UNIT_BYTES);
  const units = queue.read(offset, scanBytes / UNIT_BYTES);
  if (units.length === 0) return nothing("OFFSET_FOUND_NULL", offset, queue);
  const { filter } = limits;
  const recordFilter = filter !== null && isRecordFilter(filter) ? filter : null;
  const collector = new Collector(parts.log, recordFilter);
  const { units: seen, removed, behind } = collect(parts, collector, units, limits);
  collector.closeRange();
  const status =
    collector.count > 0 ? "FOUND" : removed ? "MESSAGE_WAS_REMOVING" : "NO_MATCHED_MESSAGE";
  return {
    status,
    nextBeginOffset: offset + seen,
    minOffset: queue.minOffset,
    maxOffset: queue.maxOffset,
    buffers: collector.buffers,
    messageCount: collector.count,
    bodyBytes: collector.bytes,
    suggestPullingFromSlave: behind > parts.memoryBytes,
    release: reading(collector.slabs),
  };
}

/** Goes over entries until the answer is full. @returns how many were dealt with, whether one's message is gone, bytes behind the end */
function collect(
  parts: ReadParts,
  collector: Collector,
  units: Buffer,
  limits: { readonly messagesMax: number; readonly filter: MessageFilter | null },
): { readonly units: number; readonly removed: boolean; readonly behind: number } {
  const logMinOffset = parts.log.minOffset;
  let removed = false;
  let behind = 0;
  let at = 0;
  for (; at < units.length; at += UNIT_BYTES) {
    const unit = readUnit(units, at);
    if (unit.size === PREFILL_SIZE) {
      removed = true;
      continue;
    }
    behind = parts.log.end - unit.physicalOffset;
    if (isFull(collector, unit.size, limits.messagesMax, behind > parts.memoryBytes)) break;
    if (limits.filter !== null && !limits.filter.matchesTagsCode(unit.tagsLow)) {
      if (unit.tagsHigh >= EXT_ADDRESS_BELOW) continue;
    }
    if (collector.add(unit.physicalOffset, unit.size)) continue;
    removed = true;
    // Only what was deleted with its file is passed over; what should be there and cannot be read is never skipped (4.2.6).
    if (unit.physicalOffset < logMinOffset) continue;
    if (collector.count === 0) noteDamage(parts, unit.physicalOffset);
    break;
  }
  return { units: at / UNIT_BYTES, removed, behind };
}

/** S-24: the reader is asked to try again once; then it is told. @throws EngineError STORE_CORRUPT the second time */
function noteDamage({ damaged }: ReadParts, offset: number): void {
  if (damaged.has(offset)) {
    throw new EngineError("STORE_CORRUPT", {
      message: `the record at offset ${offset} of the commit log is damaged`,
      hint: "restore the commit log from a copy or from the slave's store",
    });
  }
  if (damaged.size < DAMAGED_MAX) damaged.add(offset);
}

/** The first message is always taken, whatever its size; a filter's reader asks on behind what it did not want. */
function isFull(
  collector: Collector,
  size: number,
  messagesMax: number,
  fromDisk: boolean,
): boolean {
  if (collector.unwantedFileBytes > UNWANTED_FILE_BYTES_MAX) return true;
  if (collector.count === 0) return false;
  if (collector.count >= Math.min(messagesMax, fromDisk ? DISK_MESSAGES_MAX : MEMORY_MESSAGES_MAX))
    return true;
  return collector.bytes + size > (fromDisk ? DISK_BYTES_MAX : MEMORY_BYTES_MAX);
}
