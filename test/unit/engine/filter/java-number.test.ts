/** Numbers as a JVM reads them; what the cases of the table in sql-cases.ts do not reach. */
import { describe, expect, it } from "vitest";
import { BloomFilter } from "../../../../engine/filter/bloom-filter.ts";
import {
  compareDigits,
  compareDoubles,
  parseJavaDouble,
  parseJavaInt,
  parseJavaLong,
} from "../../../../engine/filter/java-number.ts";

describe("Java numbers", () => {
  it("take the decimal digits of every script of the basic plane, as Character.digit does", () => {
    let count = 0;
    for (let unit = 0; unit <= 0xffff; unit += 1) {
      const text = String.fromCharCode(unit);
      const isDigit = /^\p{Nd}$/u.test(text);
      expect([unit, parseJavaInt(text) !== null]).toEqual([unit, isDigit]);
      if (isDigit) count += 1;
    }
    expect(count % 10).toBe(0);
    expect(parseJavaInt("٤٢")).toBe(42);
    expect(parseJavaLong("-４２")).toBe("-42");
  });

  it("order longs by their digits", () => {
    const sorted = ["-9223372036854775808", "-10", "-9", "0", "9", "10", "9223372036854775807"];
    for (const [i, left] of sorted.entries())
      for (const [j, right] of sorted.entries())
        expect(Math.sign(compareDigits(left, right))).toBe(Math.sign(i - j));
    expect(parseJavaLong("-0")).toBe("0");
    expect(parseJavaLong("1".repeat(30_000))).toBeNull();
  });

  it("order doubles as Double.compare does", () => {
    const sorted = [-Infinity, -1, -0, 0, 1, Infinity, Number.NaN];
    for (const [i, left] of sorted.entries())
      for (const [j, right] of sorted.entries())
        expect(compareDoubles(left, right)).toBe(Math.sign(i - j));
  });

  it("read hexadecimal doubles, rounded once", () => {
    const cases: readonly (readonly [string, number | null])[] = [
      ["0x1p3", 8],
      ["-0x1.8p1", -3],
      ["0x.8p0", 0.5],
      ["0x0.0p0", 0],
      ["0x1.fffffffffffffp1023", Number.MAX_VALUE],
      ["0x1p1024", Infinity],
      ["0x1p-1074", Number.MIN_VALUE],
      ["0x1p-1100", 0],
      ["0x1.00000000000008p0", 1],
      ["0x1.000000000000080000000000000000000001p0", 1 + Number.EPSILON],
      ["0x1.00000000000018p0", 1 + 2 * Number.EPSILON],
      ["0x10", null],
      ["0xp1", null],
    ];
    for (const [text, value] of cases) expect([text, parseJavaDouble(text)]).toEqual([text, value]);
  });

  it("store-and-ha 3.4: bloom positions of a group and topic", () => {
    const bloom = new BloomFilter(20, 32);
    expect(bloom.positionsOf("CG", "TopicTest")).toEqual({ bitNum: 112, bitPos: [109, 15, 3] });
    expect(bloom.fits({ bitNum: 112, bitPos: [1, 2] })).toBe(false);
  });
});
