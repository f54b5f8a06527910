import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countBadRound, moved, retryPause } from "../../../../engine/ha/ha-state.ts";
import {
  decodeReport,
  encodeReport,
  encodeTransferHeader,
  TransferReader,
} from "../../../../engine/ha/transfer-header.ts";

describe("states of a slave", () => {
  it("refuses moves the picture does not have", () => {
    expect(moved("connecting", "following")).toBe("following");
    expect(moved("following", "following")).toBe("following");
    expect(() => moved("idle", "following")).toThrow("from idle to following");
    expect(() => moved("diverged", "following")).toThrow("from diverged to following");
    expect(() => moved("failed", "connecting")).toThrow("from failed to connecting");
  });

  it("counts bad rounds at one place only", () => {
    const twice = countBadRound(countBadRound(null, 10), 10);
    expect(twice).toEqual({ atOffset: 10, count: 2 });
    expect(countBadRound(twice, 11)).toEqual({ atOffset: 11, count: 1 });
  });

  it("pauses double up to the longest", () => {
    const pauses = [1, 2, 3, 6, 7, 1_000].map((failures) =>
      retryPause(failures, { firstMs: 100, maxMs: 5_000 }),
    );
    expect(pauses).toEqual([100, 200, 400, 3_200, 5_000, 5_000]);
  });
});

describe("wire codec", () => {
  it("has the bytes of store-and-ha 9.5", () => {
    expect(encodeReport(414).toString("hex")).toBe("000000000000019e");
    expect(encodeTransferHeader(0, 414).toString("hex")).toBe("00000000000000000000019e");
    const large = 2 ** 40 + 5;
    expect(encodeTransferHeader(large, 0).toString("hex")).toBe("000001000000000500000000");
    expect(decodeReport(encodeReport(large), 0)).toBe(large);
  });

  it("any cut of the stream gives the same frames", () => {
    const frame = fc.record({
      offset: fc.nat(2 ** 31 - 1),
      body: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 30 })), (frames, cuts) => {
        const stream = Buffer.concat(
          frames.flatMap(({ offset, body }) => [encodeTransferHeader(offset, body.length), body]),
        );
        const seen: { offset: number; body: number[] }[] = [];
        const reader = new TransferReader({
          onHeader: (offset) => seen.push({ offset, body: [] }),
          onBody: (bytes) => seen.at(-1)?.body.push(...bytes),
        });
        for (let at = 0, i = 0; at < stream.length; i += 1) {
          const size = cuts[i % cuts.length] ?? 7;
          reader.feed(stream.subarray(at, at + size));
          at += size;
        }
        expect(seen).toEqual(frames.map(({ offset, body }) => ({ offset, body: [...body] })));
      }),
    );
  });
});
