/** The newest bytes of the log in memory: written once by the encoder, read by dispatch, replication and pulls (engine-performance 5). */

/** Bytes of one slab; a larger record gets a slab of its own. */
const SLAB_BYTES = 1_048_576;
/** Bytes of slabs kept for readers. */
const KEPT_BYTES = 8_388_608;

/** A stretch of the log in memory. Slabs are never written again once sealed, so readers may keep views of them. */
export interface Slab {
  /** Log offset of its first byte. */
  readonly base: number;
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Bytes used. */
  used: number;
}

/** The slabs, oldest first. They cover one contiguous stretch that ends at the log's end. */
export class LogTail {
  private slabs: Slab[] = [];

  /**
   * Room for `length` bytes at the log's end `offset`.
   * @param written bytes behind this are nowhere but here, and stay
   * @returns the slab; write at `slab.used` and move it
   */
  reserve(offset: number, length: number, written: number): Slab {
    const current = this.slabs.at(-1);
    if (
      current !== undefined &&
      current.base + current.used === offset &&
      current.used + length <= current.bytes.length
    )
      return current;
    if (current !== undefined && current.base + current.used !== offset) this.slabs = [];
    const bytes = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, length));
    const slab: Slab = {
      base: offset,
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
      used: 0,
    };
    this.slabs.push(slab);
    this.trim(written);
    return slab;
  }

  private trim(written: number): void {
    let kept = this.slabs.reduce((sum, slab) => sum + slab.bytes.length, 0);
    while (this.slabs.length > 1 && kept > KEPT_BYTES) {
      const [oldest] = this.slabs;
      if (oldest === undefined || oldest.base + oldest.used > written) return;
      kept -= oldest.bytes.length;
      this.slabs.shift();
    }
  }

  /** @returns the slab that holds the byte at `offset` */
  find(offset: number): Slab | undefined {
    for (let i = this.slabs.length - 1; i >= 0; i -= 1) {
      const slab = this.slabs[i];
      if (slab !== undefined && offset >= slab.base)
        return offset < slab.base + slab.used ? slab : undefined;
    }
    return undefined;
  }

  /** Forgets everything (the log was cut back). */
  clear(): void {
    this.slabs = [];
  }
}
