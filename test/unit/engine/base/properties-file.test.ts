import { describe, expect, it } from "vitest";
import { parseProperties } from "../../../../engine/base/properties-file.ts";

const read = (text: string): [string, string, number][] =>
  parseProperties(text, "broker.conf").map(({ key, value, line }) => [key, value, line]);

describe("Java properties", () => {
  it("reads the seven lines of Apache's distribution, comments and blanks around them", () => {
    const text =
      "# licence\n! other comment\n\nbrokerClusterName=DefaultCluster\nbrokerName = broker-a\n  brokerId:0\ndeleteWhen 04\nfileReservedTime=48\r\nbrokerRole=SYNC_MASTER\nflushDiskType=ASYNC_FLUSH\n";
    expect(read(text)).toEqual([
      ["brokerClusterName", "DefaultCluster", 4],
      ["brokerName", "broker-a", 5],
      ["brokerId", "0", 6],
      ["deleteWhen", "04", 7],
      ["fileReservedTime", "48", 8],
      ["brokerRole", "SYNC_MASTER", 9],
      ["flushDiskType", "ASYNC_FLUSH", 10],
    ]);
  });

  it("joins continued lines and unescapes, and keeps the number of the first line", () => {
    expect(read("a=1\nnamesrvAddr=one:9876;\\\n   two:9876\npath=C\\:\\\\x\\u0041")).toEqual([
      ["a", "1", 1],
      ["namesrvAddr", "one:9876;two:9876", 2],
      ["path", "C:\\xA", 4],
    ]);
  });

  it("knows no trailing comments: the text belongs to the value", () => {
    expect(read("brokerIP1=1.2.3.4 #change me")).toEqual([["brokerIP1", "1.2.3.4 #change me", 1]]);
  });

  it("keeps repeated keys in order, the last one to win", () => {
    expect(read("a=1\na=2")).toEqual([
      ["a", "1", 1],
      ["a", "2", 2],
    ]);
  });

  it.each([
    ["=value", /broker\.conf:1: no key/],
    ["x=1\ny=\\u12", /broker\.conf:2: .*hexadecimal/],
  ])("names file and line for %j", (text, message) => {
    expect(() => parseProperties(text, "broker.conf")).toThrow(message);
  });
});
