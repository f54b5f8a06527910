/**
 * Which bits stand for a consumer group in 4.9's filter bit maps (store-and-ha 3.4). This broker keeps no bit maps; it writes the positions into
 * consumerFilter.json, because Apache's broker refuses a file without them.
 */

const MASK_64 = (1n << 64n) - 1n;
const C1 = 0x87c37b91114253d5n;
const C2 = 0x4cf5ad432745937fn;

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK_64;
}

function mixKey(key: bigint, [first, second]: readonly [bigint, bigint], bits: bigint): bigint {
  return (rotate((key * first) & MASK_64, bits) * second) & MASK_64;
}

function finish(hash: bigint): bigint {
  let mixed = hash ^ (hash >> 33n);
  mixed = (mixed * 0xff51afd7ed558ccdn) & MASK_64;
  mixed ^= mixed >> 33n;
  mixed = (mixed * 0xc4ceb9fe1a85ec53n) & MASK_64;
  return mixed ^ (mixed >> 33n);
}

/** First 64 bits of MurmurHash3 x64-128, seed 0. */
function murmur3(bytes: Buffer): bigint {
  // A tail shorter than 16 bytes counts as if zeros followed, and mixes only into its own half.
  const padded = Buffer.alloc(Math.ceil(bytes.length / 16) * 16);
  bytes.copy(padded);
  let h1 = 0n;
  let h2 = 0n;
  for (let at = 0; at < padded.length; at += 16) {
    h1 ^= mixKey(padded.readBigUInt64LE(at), [C1, C2], 31n);
    const k2 = mixKey(padded.readBigUInt64LE(at + 8), [C2, C1], 33n);
    if (at + 16 > bytes.length) {
      h2 ^= k2;
      break;
    }
    h1 = ((rotate(h1, 27n) + h2) * 5n + 0x52dce729n) & MASK_64;
    h2 = ((rotate(h2 ^ k2, 31n) + h1) * 5n + 0x38495ab5n) & MASK_64;
  }
  const length = BigInt(bytes.length);
  h1 = ((h1 ^ length) + (h2 ^ length)) & MASK_64;
  h2 = ((h2 ^ length) + h1) & MASK_64;
  return (finish(h1) + finish(h2)) & MASK_64;
}

/** A group's bits. */
export interface BloomData {
  /** Length of the bit map. */
  readonly bitNum: number;
  readonly bitPos: readonly number[];
}

/** Sizes and positions for one error rate and one number of consumers. */
export class BloomFilter {
  private readonly bits: number;
  private readonly hashes: number;

  /**
   * @param errorPercent maxErrorRateOfBloomFilter, 1 to 99
   * @param consumers expectConsumerNumUseFilter, at least 1
   */
  constructor(errorPercent: number, consumers: number) {
    const rate = errorPercent / 100;
    this.hashes = Math.ceil(Math.log(rate) / Math.log(0.5));
    const wanted = Math.ceil(consumers * (Math.log(1 / rate) / Math.LN2) * Math.LOG2E);
    this.bits = 8 * Math.ceil(wanted / 8);
  }

  /** @returns the bits of a group's filter for a topic */
  positionsOf(group: string, topic: string): BloomData {
    const hash = murmur3(Buffer.from(`${group}#${topic}`, "utf8"));
    const low = Number(BigInt.asIntN(32, hash));
    const high = Number(BigInt.asIntN(32, hash >> 32n));
    const bitPos = Array.from({ length: this.hashes }, (_, i) => {
      const combined = (low + Math.imul(i + 1, high)) | 0;
      return (combined < 0 ? ~combined : combined) % this.bits;
    });
    return { bitNum: this.bits, bitPos };
  }

  /** @returns true when the data was made with the same sizes */
  fits(data: BloomData): boolean {
    return data.bitNum === this.bits && data.bitPos.length === this.hashes;
  }
}
