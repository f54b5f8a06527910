import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  asBoolean,
  asEnum,
  asNumber,
  asObject,
  asPairs,
  asText,
  JsonPairs,
  parseFastjson,
  WritablePairs,
  writeFastjson,
  type JsonValue,
} from "../../../../engine/base/fastjson.ts";

describe("fastjson dialect", () => {
  it("reads unquoted integer keys as Java writes them (2.1)", () => {
    const addrs = asObject(
      asObject(parseFastjson('{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911"}}')).get(
        "brokerAddrs",
      ),
    );
    expect([...addrs]).toEqual([
      ["0", "10.0.0.1:10911"],
      ["1", "10.0.0.2:10911"],
    ]);
  });

  it("reads the pretty form of config files with tabs, new lines and unquoted keys (store-and-ha 1.5)", () => {
    const table = asObject(
      asObject(parseFastjson('{\n\t"offsetTable":{\n\t\t"T@G":{0:4,1:0\n\t\t}\n\t}\n}')).get(
        "offsetTable",
      ),
    );
    expect([...asObject(table.get("T@G"))]).toEqual([
      ["0", 4],
      ["1", 0],
    ]);
  });

  it.each([
    ["raw", '{{"brokerName":"broker-a","queueId":0,"topic":"T"}:10}'],
    [
      "as a quoted string",
      '{"{\\"brokerName\\":\\"broker-a\\",\\"queueId\\":0,\\"topic\\":\\"T\\"}":10}',
    ],
  ])("reads object keys %s (2.4)", (_how, text) => {
    const [[key, value] = [new Map(), null]] = asPairs(parseFastjson(text));
    expect([asText(key.get("brokerName")), asNumber(key.get("queueId")), asNumber(value)]).toEqual([
      "broker-a",
      0,
      10,
    ]);
  });

  it("keeps integers beyond 2^53 exact", () => {
    expect(parseFastjson("[1795360596220123456,-9223372036854775808]")).toEqual([
      1795360596220123456n,
      -9223372036854775808n,
    ]);
  });

  it("reads what Go sends: codes as strings, enums in mixed case or by number (2.5)", () => {
    expect(asNumber(parseFastjson('"2598919"'))).toBe(2598919);
    expect(
      asEnum(parseFastjson('"BroadCasting"'), ["BROADCASTING", "CLUSTERING"], "CLUSTERING"),
    ).toBe("BROADCASTING");
    expect(asEnum(parseFastjson("0"), ["BROADCASTING", "CLUSTERING"], "CLUSTERING")).toBe(
      "BROADCASTING",
    );
    expect(asBoolean(parseFastjson('"TRUE"'))).toBe(true);
  });

  it("F-10: __proto__ is plain data", () => {
    const value = asObject(parseFastjson('{"__proto__":{"polluted":true}}'));
    expect(value.has("__proto__")).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("F-18: refuses nesting deeper than 32", () => {
    expect(() => parseFastjson("[".repeat(40) + "]".repeat(40))).toThrow(/too deep/);
  });

  it.each(["", "{", '{"a"}', '{"a":}', "[1,]", "{1:2", '"open', "nul", "[1] x", '"\\x"'])(
    "refuses %j and says where",
    (text) => {
      expect(() => parseFastjson(text)).toThrow(/at character \d+/);
    },
  );

  it("writes members sorted, without null members, integer keys unquoted, object keys as objects", () => {
    const queue = { topic: "T", queueId: 0, brokerName: "b" };
    expect(
      writeFastjson({ b: 1, a: null, c: new Map([[0, "x"]]), d: new WritablePairs([[queue, 5]]) }),
    ).toBe('{"b":1,"c":{0:"x"},"d":{{"brokerName":"b","queueId":0,"topic":"T"}:5}}');
  });

  it("reads back whatever it writes", () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.integer(),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n }),
    );
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("value"), { maxLength: 5 }),
        fc.dictionary(fc.string(), tie("value"), { maxKeys: 5 }),
      ),
    })).value;
    const plain = (read: JsonValue): unknown => {
      if (read instanceof JsonPairs) return read.pairs;
      if (Array.isArray(read)) return (read as readonly JsonValue[]).map(plain);
      return read instanceof Map
        ? Object.fromEntries(
            [...(read as ReadonlyMap<string, JsonValue>)].map(([key, item]) => [key, plain(item)]),
          )
        : read;
    };
    fc.assert(
      fc.property(value, (written) => {
        const read = plain(parseFastjson(writeFastjson(written as never)));
        expect(read).toEqual(
          JSON.parse(
            JSON.stringify(written, (_key, item: unknown) =>
              typeof item === "bigint" ? `${item}n` : item,
            ),
            (_key, item: unknown) =>
              typeof item === "string" && /^\d+n$/.test(item) ? BigInt(item.slice(0, -1)) : item,
          ),
        );
      }),
      { numRuns: 300 },
    );
  });
});
