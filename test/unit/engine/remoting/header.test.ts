import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeHeaderBytes, encodeFrameHead } from "../../../../engine/remoting/header.ts";
import { decodeJsonHeader, encodeJsonHeader } from "../../../../engine/remoting/header-json.ts";
import { encodeBinaryHeader } from "../../../../engine/remoting/header-binary.ts";
import { FrameReader } from "../../../../engine/remoting/frame.ts";
import {
  HeaderScan,
  integerAt,
  peekCode,
  unescapeInto,
} from "../../../../engine/remoting/header-scan.ts";
import type { FrameView } from "../../../../engine/remoting/processor.ts";

/** Bytes of remoting-protocol 1.1, made from its text. */
const GOLDEN_JSON_TEXT =
  '{"code":105,"extFields":{"topic":"T"},"flag":0,"language":"JAVA","opaque":7,"serializeTypeCurrentRPC":"JSON","version":393}';
const GOLDEN_JSON = Buffer.concat([
  Buffer.from("0000007f0000007b", "hex"),
  Buffer.from(GOLDEN_JSON_TEXT),
]);
const GOLDEN_BINARY = Buffer.from(
  "0000002501000021" +
    "0069000189000000070000000000000000" +
    "0000000c" +
    "0005746f7069630000000154",
  "hex",
);
const HEADER = {
  code: 105,
  language: 0,
  version: 393,
  opaque: 7,
  flag: 0,
  remark: null,
  extFields: new Map([["topic", "T"]]),
};

function framesOf(bytes: Buffer, chunk: number): string[] {
  const seen: string[] = [];
  const reader = new FrameReader((frame) => seen.push(JSON.stringify(decode(frame))));
  for (let at = 0; at < bytes.length; at += chunk) {
    const part = Buffer.from(bytes.subarray(at, at + chunk));
    reader.feed(part, 0, part.length);
  }
  return seen;
}

function decode(frame: FrameView): unknown {
  const header = decodeHeaderBytes(
    frame.buffer.subarray(frame.headerStart, frame.bodyStart),
    frame.serializeType,
  );
  return {
    ...header,
    extFields: Object.fromEntries(header.extFields),
    body: frame.buffer.toString("hex", frame.bodyStart, frame.end),
  };
}

function frameView(header: Buffer, serializeType: 0 | 1): FrameView {
  return {
    buffer: header,
    headerStart: 0,
    bodyStart: header.length,
    end: header.length,
    serializeType,
  };
}

describe("frames and headers", () => {
  it.each([
    ["JSON", GOLDEN_JSON, 0],
    ["ROCKETMQ", GOLDEN_BINARY, 1],
  ] as const)(
    "writes and reads the golden %s frame of the reference, whole and in every chunk size",
    (_name, golden, type) => {
      expect(encodeFrameHead(HEADER, type, 0).toString("hex")).toBe(golden.toString("hex"));
      for (let chunk = 1; chunk <= golden.length; chunk += 1) {
        const [first, second, ...more] = framesOf(Buffer.concat([golden, golden]), chunk);
        expect(more).toEqual([]);
        expect(second).toBe(first);
        expect(JSON.parse(first ?? "{}")).toMatchObject({
          code: 105,
          opaque: 7,
          version: 393,
          flag: 0,
          extFields: { topic: "T" },
          remark: null,
        });
      }
    },
  );

  it("accepts what other clients write: any order, spaces, numbers as text, empty remark, language by number", () => {
    const text =
      ' { "remark":"", "version" : "317","opaque":1, "language":9,"flag":0 ,"extFields":{"n":5,"b":true,"z":null},"code":"11","unknown":{"x":[1]}}';
    const header = decodeJsonHeader(Buffer.from(text));
    expect({ ...header, extFields: Object.fromEntries(header.extFields) }).toEqual({
      code: 11,
      language: 9,
      version: 317,
      opaque: 1,
      flag: 0,
      remark: null,
      extFields: { n: "5", b: "true" },
      problem: null,
    });
  });

  it("F-06, F-08, F-09: names what makes a sound frame refusable", () => {
    const problem = (text: string | Buffer): string | null =>
      decodeJsonHeader(Buffer.from(text)).problem;
    expect(problem('{"code":"x","opaque":1}')).toMatch(/<code>/);
    expect(problem('{"code":1,"opaque":1,"flag":"y"}')).toMatch(/<flag>/);
    expect(
      problem(
        Buffer.concat([
          Buffer.from('{"code":1,"opaque":1,"remark":"'),
          Buffer.from([0xff]),
          Buffer.from('"}'),
        ]),
      ),
    ).toMatch(/UTF-8/);
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, "v"]));
    expect(problem(JSON.stringify({ code: 1, opaque: 1, extFields: many }))).toMatch(/256/);
    expect(
      problem(JSON.stringify({ code: 1, opaque: 1, extFields: { ["k".repeat(256)]: "v" } })),
    ).toMatch(/255/);
  });

  it.each([
    "[]",
    "1",
    '{"code":1,"opaque":4294967296}',
    "{",
    `{"code":1,"opaque":1,"x":${"[".repeat(20)}${"]".repeat(20)}}`,
  ])("F-05: closes on the header %j", (text) => {
    expect(() => decodeJsonHeader(Buffer.from(text))).toThrow(/header/);
  });
});

describe("the header scanner of the message path", () => {
  const scan = new HeaderScan();
  const extText = fc.string({ unit: "grapheme" });

  it("sees exactly what the general decoder sees, or declines", () => {
    const anyHeader = fc.record({
      code: fc.nat(32_000),
      opaque: fc.integer(),
      flag: fc.nat(3),
      version: fc.nat(500),
      ext: fc.dictionary(extText, extText, { maxKeys: 15 }),
      binary: fc.boolean(),
    });
    let recognised = 0;
    fc.assert(
      fc.property(anyHeader, ({ code, opaque, flag, version, ext, binary }) => {
        const extFields = new Map(Object.entries(ext));
        const values = { code, opaque, flag, version, language: 0, remark: null, extFields };
        const bytes = binary ? encodeBinaryHeader(values) : encodeJsonHeader(values);
        const frame = frameView(bytes, binary ? 1 : 0);
        expect(peekCode(frame)).toBe(code);
        if (!scan.scan(frame)) return;
        recognised += 1;
        expect([scan.code, scan.opaque, scan.flag, scan.version, scan.entryCount]).toEqual([
          code,
          opaque,
          flag,
          version,
          extFields.size,
        ]);
        for (const [key, value] of extFields) {
          const entry = scan.find(Buffer.from(binary ? key : JSON.stringify(key).slice(1, -1)));
          const target = Buffer.alloc(4_096);
          const range = {
            buffer: bytes,
            start: scan.valueStart[entry] ?? 0,
            end: scan.valueEnd[entry] ?? 0,
          };
          const end =
            scan.escaped[entry] === 1
              ? unescapeInto(range, target, 0)
              : bytes.copy(target, 0, range.start, range.end);
          expect(end < 0 || target.toString("utf8", 0, end) === value).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
    expect(recognised).toBeGreaterThan(300);
  });

  it("recognises the header a Java producer sends, properties unescaped", () => {
    const text =
      '{"code":310,"extFields":{"a":"PG_J","b":"JTopic","c":"TBW102","d":"4","e":"1","f":"0","g":"1795360599055","h":"0","i":"KEYS\\u0001key1\\u0002TAGS\\u0001TagA\\u0002","j":"0","k":"false","m":"false"},"flag":0,"language":"JAVA","opaque":12,"serializeTypeCurrentRPC":"JSON","version":393}';
    const bytes = Buffer.from(text);
    expect(scan.scan(frameView(bytes, 0))).toBe(true);
    expect([scan.code, scan.opaque, scan.entryCount]).toEqual([310, 12, 12]);
    expect(scan.integer(scan.byLetter[6] ?? -1)).toBe(1795360599055);
    const target = Buffer.alloc(100);
    const entry = scan.byLetter[8] ?? -1;
    const end = unescapeInto(
      { buffer: bytes, start: scan.valueStart[entry] ?? 0, end: scan.valueEnd[entry] ?? 0 },
      target,
      0,
    );
    expect(target.toString("utf8", 0, end)).toBe("KEYS\u0001key1\u0002TAGS\u0001TagA\u0002");
  });

  it.each([
    '{"code":1,"extFields":{"a":5}}',
    '{"code":1,"extFields":{"a":"x"},"extFields":{"b":"y"}}',
    '{"code":1} ,',
    '{"code":1.5}',
    '{"extFields":{}}',
    '{"code":1,"z":{}}',
    '{"code":1',
    "",
  ])("declines %j", (text) => {
    expect(scan.scan(frameView(Buffer.from(text), 0))).toBe(false);
  });

  it("F-16: reads canonical integers only", () => {
    const read = (text: string): number => integerAt(Buffer.from(text), 0, text.length);
    expect([read("0"), read("-12"), read("9007199254740991")]).toEqual([
      0, -12, 9_007_199_254_740_991,
    ]);
    for (const bad of ["", "-", "1a", "+1", " 1", "99999999999999999", "1.0"])
      expect(read(bad)).toBeNaN();
  });
});
