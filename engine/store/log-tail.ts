/**
 * The end of the log in memory: records are encoded here, written to the file from here, and read back from here
 * (engine-performance 2.1, 5). A slab covers one run of log bytes; slabs follow each other, with a hole only where a blank
 * record fills the rest of a file.
 *
 *   ── file ──────────────────────────────────────────────▶
 *   ┌── kept slab ──┐┌── kept slab ──┐┌── current slab ···┐
 *   base       base+used              base      base+used = appended
 */

/** One run of log bytes in memory. */
export interface Slab {
  readonly buffer: Buffer;
  readonly view: DataView;
  /** Log offset of byte 0. */
  base: number;
  /** Bytes in use. */
  used: number;
  /** Readers that still hold a slice: it is not written over before they let go. */
  readers: number;
  /** No longer part of the log's tail. */
  isRetired: boolean;
}

/** Usual slab (engine-performance 2.1). The pages nobody touches cost no memory. */
const SLAB_BYTES = 8 * 1024 * 1024;

export class LogTail {
  private readonly slabBytes: number;
  private readonly keptBytesMax: number;
  private readonly slabs: Slab[] = [];
  private spare: Slab | null = null;

  /**
   * @param runBytesMax longest run that must stand in one slab: a record or a batch
   * @param keptBytesMax full slabs kept for readers, bytes
   */
  constructor(runBytesMax: number, keptBytesMax: number = SLAB_BYTES) {
    this.slabBytes = Math.max(SLAB_BYTES, runBytesMax);
    this.keptBytesMax = keptBytesMax;
  }

  /**
   * @param offset where the log ends
   * @param bytes how many are about to be written there
   * @returns the slab that ends at `offset` and has that room
   */
  reserve(offset: number, bytes: number): Slab {
    const current = this.slabs.at(-1);
    if (
      current !== undefined &&
      current.base + current.used === offset &&
      current.used + bytes <= current.buffer.length
    ) {
      return current;
    }
    const slab = this.take(offset, bytes);
    this.slabs.push(slab);
    return slab;
  }

  private take(base: number, bytes: number): Slab {
    const spare = this.spare;
    if (spare !== null && spare.buffer.length >= bytes) {
      this.spare = null;
      spare.base = base;
      spare.used = 0;
      spare.isRetired = false;
      return spare;
    }
    const buffer = Buffer.allocUnsafeSlow(Math.max(this.slabBytes, bytes));
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    return { buffer, view, base, used: 0, readers: 0, isRetired: false };
  }

  /** @returns room behind `offset` in the current slab; 0 when it does not end there */
  roomAt(offset: number): number {
    const current = this.slabs.at(-1);
    if (current === undefined || current.base + current.used !== offset) return 0;
    return current.buffer.length - current.used;
  }

  /** @returns the slab that holds the byte at `offset`, or null */
  find(offset: number): Slab | null {
    for (let i = this.slabs.length - 1; i >= 0; i -= 1) {
      const slab = this.slabs[i];
      if (slab !== undefined && offset >= slab.base) {
        return offset < slab.base + slab.used ? slab : null;
      }
    }
    return null;
  }

  /** Drops slabs that are written, dispatched and more than readers need. @param settled all before it is in the file */
  trim(settled: number): void {
    while (this.slabs.length > 1) {
      const [first] = this.slabs;
      if (first === undefined || first.base + first.used > settled || !this.hasTooMany()) return;
      this.slabs.shift();
      this.retire(first);
    }
  }

  private hasTooMany(): boolean {
    let kept = 0;
    for (let i = 0; i < this.slabs.length - 1; i += 1) kept += this.slabs[i]?.used ?? 0;
    return kept > this.keptBytesMax;
  }

  private retire(slab: Slab): void {
    slab.isRetired = true;
    this.reuse(slab);
  }

  private reuse(slab: Slab): void {
    if (slab.isRetired && slab.readers === 0 && slab.buffer.length === this.slabBytes) {
      this.spare ??= slab;
    }
  }

  /** A reader is done with a slab. */
  release(slab: Slab): void {
    slab.readers -= 1;
    this.reuse(slab);
  }

  /** Forgets everything at and behind `end`. */
  cutTo(end: number): void {
    while (this.slabs.length > 0) {
      const last = this.slabs.at(-1);
      if (last === undefined || last.base < end) break;
      this.slabs.pop();
      this.retire(last);
    }
    const last = this.slabs.at(-1);
    if (last !== undefined) last.used = Math.min(last.used, end - last.base);
  }

  /** Gives memory back while nothing happens. @param settled all before it is in the file */
  shrink(settled: number): void {
    this.spare = null;
    const last = this.slabs.at(-1);
    if (last !== undefined && last.base + last.used <= settled) this.slabs.length = 0;
  }
}
