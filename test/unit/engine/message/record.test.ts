/** The vectors of store-and-ha 9, accepted by a Java 4.9.0 store, byte for byte. */
import { describe, expect, it } from "vitest";
import { bodyCrc } from "../../../../engine/message/crc32.ts";
import {
  addressBytes,
  addressText,
  offsetMessageId,
  parseOffsetMessageId,
  UniqueIdGenerator,
} from "../../../../engine/message/message-id.ts";
import { decodeBatch, encodeBatch } from "../../../../engine/message/batch.ts";
import { decodeProperties, encodeProperties } from "../../../../engine/message/properties.ts";
import {
  bornHostOf,
  checkRecord,
  readRecord,
  storeHostOf,
} from "../../../../engine/message/record-decode.ts";
import { encodeRecord, type RecordInput } from "../../../../engine/message/record-encode.ts";
import { crc32 } from "node:zlib";

const VECTOR_A = Buffer.from(
  "0000007bdaa320a73610a686000000010000000000000000000000000000000000000000000000000000018bcfe56800c0a8010a0000d4310000018bcfe5687bc0a8011400002a9f000000000000000000000000000000" +
    "0568656c6c6f09546f706963546573740012" +
    "4b455953016b310254414753015461674102",
  "hex",
);
const VECTOR_D = Buffer.from(
  "00000087daa320a7545457030000000000000000000000000000000000000000000001c8000000180000018bcfe573b820010db80000000000000000000000010000c3500000018bcfe5741cc0a8011400002a9f00000001000000000000007b0000000274780954" +
    "6f706963546573740015544147530154616754025047524f5550015450" +
    "4702",
  "hex",
);

function input(overrides: Partial<RecordInput>): RecordInput {
  const body = Buffer.from("hello");
  const properties = Buffer.from("KEYS\u0001k1\u0002TAGS\u0001TagA\u0002");
  return {
    queueId: 1,
    flag: 0,
    queueOffset: 0,
    physicalOffset: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: { address: addressBytes("192.168.1.10"), port: 54_321 },
    storeTimestamp: 1_700_000_000_123,
    storeHost: { address: addressBytes("192.168.1.20"), port: 10_911 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body,
    bodyStart: 0,
    bodyEnd: body.length,
    topic: Buffer.from("TopicTest"),
    properties,
    propertiesStart: 0,
    propertiesEnd: properties.length,
    ...overrides,
  };
}

function encoded(record: RecordInput): Buffer {
  const target = Buffer.alloc(512);
  const view = new DataView(target.buffer, target.byteOffset, target.length);
  return target.subarray(0, encodeRecord(target, view, 0, record));
}

describe("commit log records", () => {
  it("writes vector A (9.1)", () => {
    expect(encoded(input({})).toString("hex")).toBe(VECTOR_A.toString("hex"));
  });

  it("writes vector D: transaction commit, IPv6 born host (9.2)", () => {
    const body = Buffer.from("tx");
    const properties = Buffer.from("TAGS\u0001TagT\u0002PGROUP\u0001TPG\u0002");
    const record = input({
      queueId: 0,
      physicalOffset: 456,
      sysFlag: 0x18,
      bornTimestamp: 1_700_000_003_000,
      bornHost: { address: addressBytes("2001:db8::1"), port: 50_000 },
      storeTimestamp: 1_700_000_003_100,
      reconsumeTimes: 1,
      preparedTransactionOffset: 123,
      body,
      bodyEnd: body.length,
      properties,
      propertiesEnd: properties.length,
    });
    expect(encoded(record).toString("hex")).toBe(VECTOR_D.toString("hex"));
  });

  it("reads both back, hosts included", () => {
    const a = checkRecord(VECTOR_A, 0, VECTOR_A.length, 0);
    const d = checkRecord(VECTOR_D, 0, VECTOR_D.length, 456);
    expect(a).toMatchObject({
      queueId: 1,
      queueOffset: 0,
      storeTimestamp: 1_700_000_000_123,
      totalSize: 123,
    });
    expect(d).toMatchObject({
      sysFlag: 0x18,
      reconsumeTimes: 1,
      preparedTransactionOffset: 123,
      physicalOffset: 456,
    });
    expect(addressText(bornHostOf(VECTOR_D, 0, 0x18).address)).toBe("2001:db8:0:0:0:0:0:1");
    expect(storeHostOf(VECTOR_A, 0, 0)).toMatchObject({ port: 10_911 });
  });

  it("S-11: any single flipped bit of header, topic length or body is noticed, or the record still says the same", () => {
    for (let bit = 0; bit < VECTOR_A.length * 8; bit += 1) {
      const bytes = Buffer.from(VECTOR_A);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const result = checkRecord(bytes, 0, bytes.length, 0);
      const at = bit >> 3;
      // Fields without a checksum in 4.9's format: everything but sizes, magic, offset, CRC and body.
      const isProtected =
        at < 12 || (at >= 28 && at < 36) || (at >= 84 && at < 94) || at === 0x67 || at === 0x68;
      expect(typeof result === "string" || !isProtected, `bit ${bit}`).toBe(true);
    }
  });

  it("tells a record that is not whole from one that is wrong", () => {
    for (let length = 0; length < VECTOR_A.length; length += 1)
      expect(readRecord(VECTOR_A, 0, length)).toBe("short");
    expect(checkRecord(VECTOR_A, 0, VECTOR_A.length, 1)).toBe("offset");
    const zeros = Buffer.alloc(200);
    expect(readRecord(zeros, 0, zeros.length)).toBe("magic");
  });

  it("sums bodies of every length as zlib does, without the top bit", () => {
    const bytes = Buffer.from(Array.from({ length: 600 }, (_, i) => (i * 31) & 255));
    for (let length = 1; length <= 600; length += 1) {
      expect(bodyCrc(bytes, 0, length)).toBe(crc32(bytes.subarray(0, length)) & 0x7fffffff);
    }
    expect(bodyCrc(bytes, 5, 5)).toBe(0);
  });
});

describe("ids, properties, batches", () => {
  it("makes and reads offset ids (4.1.9)", () => {
    const host = { address: addressBytes("127.0.0.1"), port: 10_911 };
    expect(offsetMessageId(host, 2_560)).toBe("7F00000100002A9F0000000000000A00");
    expect(parseOffsetMessageId("7F00000100002A9F0000000000000A00")).toMatchObject({
      port: 10_911,
      physicalOffset: 2_560,
    });
    expect(() => parseOffsetMessageId("nope")).toThrow(/no offset message id/);
  });

  it("makes unique ids of 32 characters that differ", () => {
    const ids = new UniqueIdGenerator({ address: addressBytes("10.0.0.1"), pid: 7, salt: 9 });
    const made = new Set(Array.from({ length: 1_000 }, () => ids.next(1_795_360_000_000)));
    expect(made.size).toBe(1_000);
    expect([...made].every((id) => /^[0-9A-F]{32}$/.test(id))).toBe(true);
  });

  it("reads properties with and without the last separator, the last of a name wins (2.4)", () => {
    expect([...decodeProperties("A\u00011\u0002B\u00012\u0002")]).toEqual([
      ...decodeProperties("A\u00011\u0002B\u00012"),
    ]);
    expect(decodeProperties("A\u00011\u0002A\u00012\u0002").get("A")).toBe("2");
    expect(encodeProperties(new Map([["A", "1"]]))).toBe("A\u00011\u0002");
  });

  it("R-15: takes a batch apart and refuses one that lies about its sizes", () => {
    const entries = [
      { flag: 1, body: Buffer.from("one"), properties: Buffer.from("K\u0001v\u0002") },
      { flag: 2, body: Buffer.alloc(0), properties: Buffer.alloc(0) },
    ];
    const body = encodeBatch(entries);
    expect(
      decodeBatch(body).map((entry) => [
        entry.flag,
        entry.body.toString(),
        entry.properties.toString(),
      ]),
    ).toEqual([
      [1, "one", "K\u0001v\u0002"],
      [2, "", ""],
    ]);
    for (const at of [0, 16]) {
      const wrong = Buffer.from(body);
      wrong.writeInt32BE(1_000_000, at);
      expect(() => decodeBatch(wrong)).toThrow(/batch/);
    }
    expect(() => decodeBatch(Buffer.alloc(0))).toThrow(/without messages/);
    expect(() => decodeBatch(body.subarray(0, body.length - 1))).toThrow(/batch/);
  });
});
