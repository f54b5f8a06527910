import { describe, expect, it } from "vitest";
import { LogTail, reading, type Slab } from "../../../../engine/store/log-tail.ts";

const MIB = 1_048_576;

/** Fills one slab after the other, each byte the slab's number. @returns the slabs in order */
function fill(tail: LogTail, from: number, count: number): Slab[] {
  return Array.from({ length: count }, (_, i) => {
    const base = (from + i) * MIB;
    const slab = tail.reserve(base, MIB, base);
    slab.bytes.fill(from + i, 0, MIB);
    slab.used = MIB;
    return slab;
  });
}

describe("LogTail", () => {
  it("uses the memory of what nobody reads any more again, and keeps the newest 8 MiB readable", () => {
    const tail = new LogTail();
    const [first] = fill(tail, 0, 9);
    const [again] = fill(tail, 9, 1);
    expect(again?.bytes).toBe(first?.bytes);
    expect(tail.find(0)).toBeUndefined();
    for (let i = 2; i < 10; i += 1) expect(tail.find(i * MIB)?.bytes[0]).toBe(i);
  });

  it("bytes that are being read stay as they are, however much is appended; memory read to the end is used again", () => {
    const tail = new LogTail();
    const [first, second] = fill(tail, 0, 2);
    if (first === undefined || second === undefined) throw new Error("no slabs");
    const ends = [reading([first, second]), reading([first])] as const;
    fill(tail, 2, 30);
    expect([first.bytes[0], first.bytes[MIB - 1], second.bytes[0]]).toEqual([0, 0, 1]);
    ends[0]();
    ends[0]();
    expect([first.readers, second.readers]).toEqual([1, 0]);
  });

  it("a record larger than a slab gets memory of its own, which is never used for others", () => {
    const tail = new LogTail();
    const large = tail.reserve(0, 3 * MIB, 0);
    large.used = 3 * MIB;
    const later = fill(tail, 3, 20);
    expect(later.every((slab) => slab.bytes !== large.bytes)).toBe(true);
  });

  it("bytes that are not written yet are never given up", () => {
    const tail = new LogTail();
    for (let i = 0; i < 12; i += 1) {
      const slab = tail.reserve(i * MIB, MIB, 0);
      slab.bytes.fill(i);
      slab.used = MIB;
    }
    for (let i = 0; i < 12; i += 1) expect(tail.find(i * MIB)?.bytes[0]).toBe(i);
  });
});
