import { describe, expect, it } from "vitest";
import { parseAddressPattern } from "../../../../engine/acl/address-pattern.ts";
import { ADDRESSES, MATCHES } from "./apache-vectors.ts";

describe("address patterns of plain_acl.yml", () => {
  it.each(MATCHES)("%s covers what Apache's broker covers", (pattern, expected) => {
    const covers = parseAddressPattern(pattern);
    expect(ADDRESSES.filter((address) => covers?.(address))).toEqual(expected);
  });

  it.each(["*", "*.*.*.*", "*:*:*:*:*:*:*:*"])("%s covers every address", (pattern) => {
    const covers = parseAddressPattern(pattern);
    expect(ADDRESSES.every((address) => covers?.(address))).toBe(true);
  });

  it("a text that is no address is covered by no pattern but the open ones", () => {
    expect(parseAddressPattern("10.*.*.*")?.("10.1.1")).toBe(false);
    expect(parseAddressPattern("::1")?.("")).toBe(false);
    expect(parseAddressPattern("fe80::1")?.("fe80::1%eth0")).toBe(true);
  });

  it.each([
    "256.1.1.1",
    "1.2.3",
    "1.2.3-1.*",
    "*.1.1.1",
    "1.*.3.4",
    "1.2.3.9-1",
    "1.2.3.{4",
    "{1,2}",
    "1.2.3.{a,b}",
    "1.2.3.4,x",
    "abc",
    "1.2.3.-5",
    "1.2.3.4-5-6",
    "5::*:7",
    "1::2::3",
    "5::g",
    "01.2.3.4444",
  ])("%s is no pattern", (pattern) => {
    expect(parseAddressPattern(pattern)).toBeNull();
  });
});
