/**
 * A commit log in memory: the log of a replication peer in protocol tests. It keeps the promises of ReplicaLog that replication relies on (whole
 * records verified, partial ones cut, reads lent and given back) with the smallest record that can be verified:
 *
 *   0       4       8       12
 *   ├───────┼───────┼───────┼──────────┤
 *   │ size  │ magic │ CRC32 │ payload  │     size counts all of it; a blank record has no CRC and fills its file
 */
import { crc32 } from "../../engine/base/crc32.ts";
import { EngineError } from "../../engine/base/engine-error.ts";
import type { ReplicaLog } from "../../engine/store/store-api.ts";

const MAGIC = 0x11223344;
const BLANK_MAGIC = 0x55667788;
const HEAD_BYTES = 12;
const BLANK_BYTES = 8;

function crcOf(payload: Buffer): number {
  return crc32(payload, 0, payload.length) | 0;
}

export class MemoryReplicaLog implements ReplicaLog {
  readonly fileSize: number;
  minOffset = 0;
  flushedOffset = 0;
  /** Reads lent out and not given back. */
  lentReads = 0;
  /** Thrown by the next appendRaw, as a store does that has failed. */
  failure: Error | null = null;
  /** appendRaw checks records and writes nothing, as a store does whose disk refuses. */
  refusesWrites = false;
  private data = Buffer.alloc(1_024);
  private base = 0;
  private end = 0;
  private verifiedEnd = 0;
  private readonly writtenListeners: ((offset: number) => void)[] = [];
  private readonly flushedListeners: ((offset: number) => void)[] = [];

  /** @param fileSize bytes of one log file */
  constructor(fileSize = 1_048_576) {
    this.fileSize = fileSize;
  }

  get writtenOffset(): number {
    return this.end;
  }

  /** All bytes from the first one held. */
  get bytes(): Buffer {
    return this.data.subarray(0, this.end - this.base);
  }

  /** Master: appends one record, rolling to the next file with a blank one. @returns its end */
  append(payload: Buffer): number {
    const size = HEAD_BYTES + payload.length;
    const room = this.fileSize - (this.end % this.fileSize);
    if (room < size + BLANK_BYTES) this.appendBlank(room);
    const record = Buffer.alloc(size);
    record.writeInt32BE(size, 0);
    record.writeInt32BE(MAGIC, 4);
    record.writeInt32BE(crcOf(payload), 8);
    payload.copy(record, HEAD_BYTES);
    this.write(record);
    this.verifiedEnd = this.end;
    for (const listener of this.writtenListeners) listener(this.end);
    return this.end;
  }

  /** Everything written becomes durable. */
  flush(upTo = this.end): void {
    this.flushedOffset = upTo;
    for (const listener of this.flushedListeners) listener(upTo);
  }

  /** Changes one stored byte, as a bad disk does. */
  corrupt(offset: number): void {
    const at = offset - this.base;
    this.data[at] = (this.data[at] ?? 0) ^ 0xff;
  }

  readRaw(offset: number, bytesMax: number): { readonly bytes: Buffer; release(): void } {
    const fileEnd = offset - (offset % this.fileSize) + this.fileSize;
    const end = Math.max(offset, Math.min(offset + bytesMax, fileEnd, this.end));
    this.lentReads += 1;
    return {
      bytes: this.data.subarray(offset - this.base, end - this.base),
      release: () => {
        this.lentReads -= 1;
      },
    };
  }

  appendRaw(offset: number, bytes: Buffer): number {
    if (this.failure !== null) throw this.failure;
    if (this.end === 0 && offset % this.fileSize === 0) this.startAt(offset);
    if (offset !== this.end) throw new Error(`append at ${offset}, the log ends at ${this.end}`);
    this.write(bytes);
    while (this.verifyNext());
    if (this.refusesWrites) this.end = offset;
    return this.verifiedEnd;
  }

  dropPartialRecord(): number {
    this.end = this.verifiedEnd;
    return this.end;
  }

  onWritten(listener: (offset: number) => void): void {
    this.writtenListeners.push(listener);
  }

  onFlushed(listener: (offset: number) => void): void {
    this.flushedListeners.push(listener);
  }

  private startAt(offset: number): void {
    this.base = offset;
    this.end = offset;
    this.verifiedEnd = offset;
    this.minOffset = offset;
  }

  private write(bytes: Buffer): void {
    const used = this.end - this.base;
    if (used + bytes.length > this.data.length) {
      const grown = Buffer.alloc(Math.max(this.data.length * 2, used + bytes.length));
      this.data.copy(grown, 0, 0, used);
      this.data = grown;
    }
    bytes.copy(this.data, used);
    this.end += bytes.length;
  }

  private appendBlank(room: number): void {
    const blank = Buffer.alloc(room);
    blank.writeInt32BE(room, 0);
    blank.writeInt32BE(BLANK_MAGIC, 4);
    this.write(blank);
  }

  /** Moves the verified end over one more whole record. @returns false when the rest is no whole record yet */
  private verifyNext(): boolean {
    const at = this.verifiedEnd - this.base;
    const rest = this.end - this.verifiedEnd;
    if (rest < BLANK_BYTES) return false;
    const size = this.data.readInt32BE(at);
    const magic = this.data.readInt32BE(at + 4);
    const room = this.fileSize - (this.verifiedEnd % this.fileSize);
    const isBlank = magic === BLANK_MAGIC && size === room;
    const isRecord = magic === MAGIC && size >= HEAD_BYTES && size <= room;
    if (!isBlank && !isRecord) this.diverged("no record");
    if (rest < size) return false;
    const payload = this.data.subarray(at + HEAD_BYTES, at + size);
    if (isRecord && crcOf(payload) !== this.data.readInt32BE(at + 8)) this.diverged("bad CRC");
    this.verifiedEnd += size;
    return true;
  }

  private diverged(reason: string): never {
    this.end = this.verifiedEnd;
    throw new EngineError("HA_DIVERGED", { message: `${reason} at ${this.end}` });
  }
}
