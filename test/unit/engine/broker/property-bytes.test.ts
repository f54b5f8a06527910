import { describe, expect, it } from "vitest";
import { appendPair, clusterPair, PropertyScan } from "../../../../engine/broker/property-bytes.ts";

const A = "\u0001";
const B = "\u0002";

function scan(text: string): PropertyScan {
  const found = new PropertyScan();
  const bytes = Buffer.from(`xx${text}yy`, "utf8");
  found.scan(bytes, 2, bytes.length - 2);
  return found;
}

function compose(text: string): string {
  const target = Buffer.alloc(200, "?");
  const end = target.write(text, 3, "utf8") + 3;
  return target.toString("utf8", 3, appendPair(target, 3, end, clusterPair("C1")));
}

describe("PropertyScan", () => {
  it("reads what Java sends: pairs, with and without the last 0x02", () => {
    for (const tail of [B, ""]) {
      const found = scan(`KEYS${A}k1${B}UNIQ_KEY${A}ABC${B}WAIT${A}true${B}TAGS${A}TagA${tail}`);
      expect(found).toMatchObject({
        isWellFormed: true,
        waitStoreMsgOk: true,
        hasDelay: false,
        isTransaction: false,
        hasCluster: false,
        isAscii: true,
      });
    }
  });

  it("A-06: sees WAIT=false and nothing but that", () => {
    expect(scan(`WAIT${A}false${B}`).waitStoreMsgOk).toBe(false);
    expect(scan(`WAIT${A}FALSE${B}`).waitStoreMsgOk).toBe(true);
    expect(scan(`WAITX${A}false${B}`).waitStoreMsgOk).toBe(true);
  });

  it("sees what the fast path must leave alone", () => {
    expect(scan(`DELAY${A}3${B}`).hasDelay).toBe(true);
    expect(scan(`TRAN_MSG${A}true${B}`).isTransaction).toBe(true);
    expect(scan(`TRAN_MSG${A}false${B}`).isTransaction).toBe(false);
    expect(scan(`CLUSTER${A}other${B}`).hasCluster).toBe(true);
    expect(scan(`TAGS${A}标签${B}`).isAscii).toBe(false);
  });

  it("an empty string and an empty value are fine", () => {
    expect(scan("").isWellFormed).toBe(true);
    expect(scan(`TAGS${A}${B}`).isWellFormed).toBe(true);
  });

  it.each([
    ["no 0x01", "KEYS"],
    ["empty name", `${A}v${B}`],
    ["two 0x01", `K${A}v${A}w${B}`],
    ["a repeated name", `K${A}1${B}L${A}2${B}K${A}3${B}`],
    ["an empty item", `K${A}1${B}${B}`],
  ])("R-09: refuses %s", (_name, text) => {
    expect(scan(text).isWellFormed).toBe(false);
  });

  it("one scan says nothing about the next", () => {
    const found = new PropertyScan();
    const bad = Buffer.from(`DELAY${A}1${B}oops`);
    found.scan(bad, 0, bad.length);
    expect(found).toMatchObject({ isWellFormed: false, hasDelay: true });
    const good = Buffer.from(`oops${A}1`);
    found.scan(good, 0, good.length);
    expect(found).toMatchObject({ isWellFormed: true, hasDelay: false });
  });
});

describe("appendPair", () => {
  it("4.1.6: ends the string with CLUSTER, and puts the 0x02 in that 4.9.8 leaves out", () => {
    expect(compose(`K${A}v${B}`)).toBe(`K${A}v${B}CLUSTER${A}C1${B}`);
    expect(compose(`K${A}v`)).toBe(`K${A}v${B}CLUSTER${A}C1${B}`);
    expect(compose("")).toBe(`CLUSTER${A}C1${B}`);
  });
});
