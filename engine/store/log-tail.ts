/** The newest bytes of the log in memory: written once by the encoder, read by dispatch, replication and pulls (engine-performance 5). */

/** Bytes of one slab; a larger record gets a slab of its own. */
const SLAB_BYTES = 1_048_576;
/** Bytes of slabs kept for readers. */
const KEPT_BYTES = 8_388_608;

/** Slabs nobody reads any more, used again: 1 MiB of new memory every thousand messages would keep the garbage collector busy. */
const SPARES_MAX = 2;

/** A stretch of the log in memory. Its bytes stay as they are while somebody reads them (`readers`), or it is among the newest. */
export interface Slab {
  /** Log offset of its first byte. */
  readonly base: number;
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Bytes used. */
  used: number;
  /** Answers and replication frames under way that hold views of it. Who takes a view for longer than a call counts itself here. */
  readers: number;
}

/** @returns what ends the reading of all these slabs; calling it again does nothing */
export function reading(slabs: readonly Slab[]): () => void {
  for (const slab of slabs) slab.readers += 1;
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    for (const slab of slabs) slab.readers -= 1;
  };
}

/** The slabs, oldest first. They cover one contiguous stretch that ends at the log's end. */
export class LogTail {
  private slabs: Slab[] = [];
  private readonly spares: Pick<Slab, "bytes" | "view">[] = [];

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
    const { bytes, view } = this.memory(length);
    const slab: Slab = { base: offset, bytes, view, used: 0, readers: 0 };
    this.slabs.push(slab);
    this.trim(written);
    return slab;
  }

  private memory(length: number): Pick<Slab, "bytes" | "view"> {
    const spare = length <= SLAB_BYTES ? this.spares.pop() : undefined;
    if (spare !== undefined) return spare;
    const bytes = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, length));
    return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
  }

  private trim(written: number): void {
    let kept = this.slabs.reduce((sum, slab) => sum + slab.bytes.length, 0);
    while (this.slabs.length > 1 && kept > KEPT_BYTES) {
      const [oldest] = this.slabs;
      if (oldest === undefined || oldest.base + oldest.used > written) return;
      kept -= oldest.bytes.length;
      this.slabs.shift();
      const isFree = oldest.readers === 0 && oldest.bytes.length === SLAB_BYTES;
      if (isFree && this.spares.length < SPARES_MAX) this.spares.push(oldest);
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
