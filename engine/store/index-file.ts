/**
 * One index file, big endian (store-and-ha 3.5): header, hash slots, entries.
 *
 *   0            8          16            24          32             36           40            40+4·slots
 *   ├────────────┼──────────┼─────────────┼───────────┼──────────────┼────────────┼─────────────┼──────────────
 *   │ begin time │ end time │ begin phys. │ end phys. │ slots in use │ next entry │ i32 a slot  │ 20 B an entry
 *
 * Entry k stands at 40 + 4·slots + 20·k: i32 key hash, i64 physical offset, i32 seconds since begin, i32 previous entry of the slot.
 * The slot table is kept in memory while the file is written (untouched parts cost nothing) and goes to disk in batches with header last.
 */
import type { VfsFile } from "../base/vfs.ts";
import { readLong, writeLong } from "../message/record-encode.ts";

const HEADER_BYTES = 40;
const ENTRY_BYTES = 20;
const BUFFERED_ENTRIES = 2_048;
/** Slots written together: 4 KiB. */
const PAGE_SLOTS = 1_024;

/** Dimensions; they are not stored in the file. */
export interface IndexDimensions {
  readonly slots: number;
  readonly entries: number;
}

/** @returns bytes of a whole file */
export function indexFileBytes({ slots, entries }: IndexDimensions): number {
  return HEADER_BYTES + 4 * slots + ENTRY_BYTES * entries;
}

/** See the file's head. */
export class IndexFile {
  beginTimestamp = 0;
  endTimestamp = 0;
  beginPhysical = 0;
  endPhysical = 0;
  slotCount = 0;
  nextEntry = 1;
  readonly file: VfsFile;
  private readonly dimensions: IndexDimensions;
  private slots: Int32Array | null = null;
  private loadedPages: Uint8Array | null = null;
  private readonly dirtyPages = new Set<number>();
  private readonly pending = Buffer.alloc(BUFFERED_ENTRIES * ENTRY_BYTES);
  private readonly view = new DataView(
    this.pending.buffer,
    this.pending.byteOffset,
    this.pending.length,
  );
  /** First entry that is in memory only. */
  private pendingStart = 1;
  private isDirty = false;

  constructor(file: VfsFile, dimensions: IndexDimensions) {
    this.file = file;
    this.dimensions = dimensions;
    const header = Buffer.alloc(HEADER_BYTES);
    file.read(header, 0, HEADER_BYTES, 0);
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    this.beginTimestamp = readLong(view, 0);
    this.endTimestamp = readLong(view, 8);
    this.beginPhysical = readLong(view, 16);
    this.endPhysical = readLong(view, 24);
    this.slotCount = view.getInt32(32);
    this.nextEntry = Math.max(1, view.getInt32(36));
    this.pendingStart = this.nextEntry;
  }

  get isFull(): boolean {
    return this.nextEntry >= this.dimensions.entries;
  }

  /** @param keyHash abs of Java's hash of `topic#key` */
  put(keyHash: number, physicalOffset: number, storeTimestamp: number): void {
    const slot = keyHash % this.dimensions.slots;
    const slots = this.slotTable(slot);
    const previous = this.validEntry(slots[slot] ?? 0);
    if (this.nextEntry - this.pendingStart >= BUFFERED_ENTRIES) this.flushEntries();
    const seconds =
      this.beginTimestamp <= 0 ? 0 : Math.trunc((storeTimestamp - this.beginTimestamp) / 1_000);
    const at = (this.nextEntry - this.pendingStart) * ENTRY_BYTES;
    this.view.setInt32(at, keyHash);
    writeLong(this.view, at + 4, physicalOffset);
    this.view.setInt32(at + 12, Math.max(0, Math.min(0x7fffffff, seconds)));
    this.view.setInt32(at + 16, previous);
    slots[slot] = this.nextEntry;
    this.dirtyPages.add(Math.floor(slot / PAGE_SLOTS));
    if (this.nextEntry <= 1) {
      this.beginPhysical = physicalOffset;
      this.beginTimestamp = storeTimestamp;
    }
    if (previous === 0) this.slotCount += 1;
    this.nextEntry += 1;
    this.endPhysical = physicalOffset;
    this.endTimestamp = storeTimestamp;
    this.isDirty = true;
  }

  /** Adds offsets of entries with this hash in the time range, newest first, until `found` holds `max` (3.6). */
  collect(
    keyHash: number,
    range: { readonly beginMs: number; readonly endMs: number },
    found: number[],
    max: number,
  ): void {
    let entry = this.validEntry(this.readSlot(keyHash % this.dimensions.slots));
    while (entry > 0 && found.length < max) {
      const bytes = this.readEntry(entry);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const seconds = view.getInt32(12);
      const time = this.beginTimestamp + seconds * 1_000;
      if (seconds < 0) return;
      if (view.getInt32(0) === keyHash && time >= range.beginMs && time <= range.endMs)
        found.push(readLong(view, 4));
      const previous = view.getInt32(16);
      if (previous <= 0 || previous >= entry || time < range.beginMs) return;
      entry = previous;
    }
  }

  /** Writes what is in memory only: entries, slots, header last. */
  flush(): void {
    if (!this.isDirty) return;
    this.isDirty = false;
    this.flushEntries();
    this.flushSlots();
    this.writeHeader([
      this.beginTimestamp,
      this.endTimestamp,
      this.beginPhysical,
      this.endPhysical,
    ]);
  }

  /**
   * Begins an empty file with its predecessor's end in the header, as 4.9 does. A 4.9 broker that finds this file after a crash goes on from
   * there; with zeros it would index once more what the predecessor has. The first put overwrites both ends; unlike 4.9 it does not count
   * its seconds from the predecessor's end, which would move that one message in time.
   */
  beginAfter(previous: IndexFile): void {
    const { endTimestamp, endPhysical } = previous;
    this.writeHeader([endTimestamp, endTimestamp, endPhysical, endPhysical]);
  }

  private writeHeader(longs: readonly number[]): void {
    const header = Buffer.alloc(HEADER_BYTES);
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    for (const [index, value] of longs.entries()) writeLong(view, 8 * index, value);
    view.setInt32(32, this.slotCount);
    view.setInt32(36, this.nextEntry);
    this.file.write(header, 0, HEADER_BYTES, 0);
  }

  /** Gives the memory back; the file is complete. */
  seal(): void {
    this.flush();
    this.slots = null;
    this.loadedPages = null;
  }

  private validEntry(entry: number): number {
    return entry <= 0 || entry >= this.nextEntry ? 0 : entry;
  }

  private entryAt(entry: number): number {
    return HEADER_BYTES + 4 * this.dimensions.slots + ENTRY_BYTES * entry;
  }

  private slotTable(slot: number): Int32Array {
    this.slots ??= new Int32Array(this.dimensions.slots);
    // A file that began empty has only zeros on disk; one that was there before is loaded page by page.
    this.loadedPages ??= new Uint8Array(Math.ceil(this.dimensions.slots / PAGE_SLOTS)).fill(
      this.nextEntry <= 1 ? 1 : 0,
    );
    const page = Math.floor(slot / PAGE_SLOTS);
    if (this.loadedPages[page] === 0) {
      this.loadedPages[page] = 1;
      const bytes = this.pageBytes(page);
      this.file.read(bytes, 0, bytes.length, HEADER_BYTES + page * PAGE_SLOTS * 4);
      for (let i = 0; i < bytes.length; i += 4)
        this.slots[page * PAGE_SLOTS + i / 4] = bytes.readInt32BE(i);
    }
    return this.slots;
  }

  private pageBytes(page: number): Buffer {
    return Buffer.alloc(Math.min(PAGE_SLOTS, this.dimensions.slots - page * PAGE_SLOTS) * 4);
  }

  private readSlot(slot: number): number {
    if (this.slots !== null) return this.slotTable(slot)[slot] ?? 0;
    const bytes = Buffer.alloc(4);
    this.file.read(bytes, 0, 4, HEADER_BYTES + slot * 4);
    return bytes.readInt32BE(0);
  }

  private readEntry(entry: number): Buffer {
    if (entry >= this.pendingStart) {
      const at = (entry - this.pendingStart) * ENTRY_BYTES;
      return this.pending.subarray(at, at + ENTRY_BYTES);
    }
    const bytes = Buffer.alloc(ENTRY_BYTES);
    this.file.read(bytes, 0, ENTRY_BYTES, this.entryAt(entry));
    return bytes;
  }

  private flushEntries(): void {
    const length = (this.nextEntry - this.pendingStart) * ENTRY_BYTES;
    if (length > 0) this.file.write(this.pending, 0, length, this.entryAt(this.pendingStart));
    this.pendingStart = this.nextEntry;
  }

  private flushSlots(): void {
    for (const page of this.dirtyPages) {
      const bytes = this.pageBytes(page);
      for (let i = 0; i < bytes.length; i += 4)
        bytes.writeInt32BE(this.slots?.[page * PAGE_SLOTS + i / 4] ?? 0, i);
      this.file.write(bytes, 0, bytes.length, HEADER_BYTES + page * PAGE_SLOTS * 4);
    }
    this.dirtyPages.clear();
  }
}
