import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  prepareBatch,
  prepareMessage,
  type PrepareSettings,
} from "../../../../../engine/client/producer/prepare-message.ts";
import { decodeBatch } from "../../../../../engine/message/batch.ts";
import { UniqueIdGenerator } from "../../../../../engine/message/message-id.ts";
import { decodeProperties } from "../../../../../engine/message/properties.ts";

const settings: PrepareSettings = {
  ids: new UniqueIdGenerator({ address: Buffer.from([192, 0, 2, 1]), pid: 7, salt: 9 }),
  compressOverBytes: 4_096,
};
const body = Buffer.from("hello");

describe("a prepared message", () => {
  it("carries its keys, tag, wait, delay and own properties, and a unique id", () => {
    const prepared = prepareMessage(
      {
        topic: "T",
        body,
        tags: "TagA",
        keys: ["k1", "k2"],
        delayLevel: 3,
        waitStoreMsgOk: false,
        properties: { colour: "blue" },
        flag: 5,
      },
      settings,
    );
    expect(Object.fromEntries(decodeProperties(prepared.properties))).toEqual({
      UNIQ_KEY: prepared.msgId,
      KEYS: "k1 k2",
      TAGS: "TagA",
      WAIT: "false",
      DELAY: "3",
      colour: "blue",
    });
    expect(prepared.msgId).toMatch(/^[0-9A-F]{32}$/);
    expect([prepared.flag, prepared.sysFlag, prepared.body]).toEqual([5, 0, body]);
  });

  it("is deflated from 4,096 bytes on, and says so in its sysFlag", () => {
    const large = Buffer.alloc(4_096, "ab");
    const prepared = prepareMessage({ topic: "T", body: large }, settings);
    expect(prepared.sysFlag).toBe(1);
    expect(prepared.body.subarray(0, 2).toString("hex")).toBe("785e");
    expect(inflateSync(prepared.body).equals(large)).toBe(true);
    expect(prepareMessage({ topic: "T", body: large.subarray(1) }, settings).sysFlag).toBe(0);
  });

  it.each([
    ["an empty body", { topic: "T", body: Buffer.alloc(0) }],
    ["a body over 4 MiB", { topic: "T", body: Buffer.alloc(4_194_305) }],
    ["a bad topic", { topic: "a b", body }],
    ["a long topic", { topic: "t".repeat(128), body }],
    ["a reserved property", { topic: "T", body, properties: { UNIQ_KEY: "x" } }],
    ["U+0001 in a value", { topic: "T", body, properties: { a: "x\u0001y" } }],
    ["U+0002 in a key", { topic: "T", body, keys: ["x\u0002"] }],
    ["a property without value", { topic: "T", body, properties: { a: "" } }],
    ["delay level 0", { topic: "T", body, delayLevel: 0 }],
    ["delay level 19", { topic: "T", body, delayLevel: 19 }],
    ["properties over 32,767 bytes", { topic: "T", body, properties: { a: "x".repeat(32_767) } }],
  ])("refuses %s", (_what, message) => {
    expect(() => prepareMessage(message, settings)).toThrow(
      expect.objectContaining({ code: "MESSAGE_INVALID" }) as Error,
    );
  });
});

describe("a prepared batch", () => {
  it("holds each message with its own properties, uncompressed, and WAIT for the whole", () => {
    const messages = [
      { topic: "T", body: Buffer.alloc(5_000, 1), tags: "a", flag: 1 },
      { topic: "T", body, keys: ["k"] },
    ];
    const prepared = prepareBatch(messages, settings);
    const entries = decodeBatch(prepared.body);
    expect(entries.map((entry) => [entry.flag, entry.body.length])).toEqual([
      [1, 5_000],
      [0, 5],
    ]);
    const ids = entries.map((entry) =>
      decodeProperties(entry.properties.toString()).get("UNIQ_KEY"),
    );
    expect(ids[0]).toBe(prepared.msgId);
    expect(new Set(ids).size).toBe(2);
    expect([prepared.isBatch, prepared.sysFlag, prepared.properties]).toEqual([
      true,
      0,
      "WAIT\u0001true\u0002",
    ]);
  });

  it.each([
    ["no messages", []],
    [
      "two topics",
      [
        { topic: "T", body },
        { topic: "U", body },
      ],
    ],
    ["a retry topic", [{ topic: "%RETRY%g", body }]],
    ["a delay", [{ topic: "T", body, delayLevel: 1 }]],
    [
      "different waits",
      [
        { topic: "T", body },
        { topic: "T", body, waitStoreMsgOk: false },
      ],
    ],
    [
      "more than 4 MiB together",
      Array.from({ length: 5 }, () => ({ topic: "T", body: Buffer.alloc(1_000_000) })),
    ],
  ])("refuses %s", (_what, messages) => {
    expect(() => prepareBatch(messages, settings)).toThrow(
      expect.objectContaining({ code: "MESSAGE_INVALID" }) as Error,
    );
  });
});
