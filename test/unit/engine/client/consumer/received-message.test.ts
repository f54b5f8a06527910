import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeMessages } from "../../../../../engine/client/consumer/received-message.ts";
import { retryMessage } from "../../../../../engine/client/consumer/send-back.ts";
import { decodeProperties } from "../../../../../engine/message/properties.ts";
import { storedRecord, type RecordSpec } from "./stored-records.ts";

/** A record captured from a 4.9.0 broker (remoting-protocol 4.2.6). */
const CAPTURED = Buffer.from(
  "000000c2daa320a70565553b00000000000000000000000000000000000000000000" +
    "1db400000000000001a203d64cb27f0000010000dcc6000001a203d64cc07f000001000055970000000000000000000000000000" +
    "00026f30064f546f706963005f4b455953016b6579300255" +
    "4e49515f4b455901433633333634343137454332354646443242323736463645363442323030303202434c5553544552014465" +
    "6661756c74436c7573746572025741495401747275650254414753015461674102",
  "hex",
);

function decodeOne(spec: RecordSpec) {
  const [message] = decodeMessages(storedRecord(spec), "broker-a");
  if (message === undefined) throw new Error("no message");
  return message;
}

describe("received message", () => {
  it("reads what a 4.9.0 broker answers", () => {
    const [message, ...rest] = decodeMessages(CAPTURED, "broker-a");
    expect(rest).toEqual([]);
    expect(message).toMatchObject({
      topic: "OTopic",
      brokerName: "broker-a",
      queueId: 0,
      queueOffset: 0,
      commitLogOffset: 7_604,
      msgId: "C63364417EC25FFD2B276F6E64B20002",
      offsetMsgId: "7F000001000055970000000000001DB4",
      tags: "TagA",
      keys: ["key0"],
      bornTimestamp: 0x01a203d64cb2,
      storeTimestamp: 0x01a203d64cc0,
      reconsumeTimes: 0,
    });
    expect(message?.body.toString()).toBe("o0");
  });

  it("inflates a compressed body once, and hands over one that does not inflate as it is", () => {
    const compressed = decodeOne({ body: deflateSync(Buffer.from("long")), sysFlag: 1 });
    expect(compressed.body.toString()).toBe("long");
    expect(compressed.body).toBe(compressed.body);
    expect(decodeOne({ body: Buffer.from("no zlib"), sysFlag: 1 }).body.toString()).toBe("no zlib");
  });

  it("has the original topic when it comes from a retry topic, and its offset id when it has no unique id", () => {
    const retried = decodeOne({ topic: "%RETRY%G", properties: { RETRY_TOPIC: "Orders" } });
    expect([retried.topic, retried.storedTopic]).toEqual(["Orders", "%RETRY%G"]);
    expect(retried.msgId).toBe("7F00000100002A9F0000000000000A00");
  });

  it("refuses a body with a record that cannot be read: passing over it would lose the rest", () => {
    const whole = Buffer.concat([storedRecord(), storedRecord({ queueOffset: 1 })]);
    expect(decodeMessages(whole, "b")).toHaveLength(2);
    expect(() => decodeMessages(whole.subarray(0, -1), "b")).toThrow("cannot be read (short)");
  });
});

describe("a message sent back as a normal one (remoting-protocol 4.6)", () => {
  it("names its origin, its topic and its level; the times go into the header", () => {
    const message = decodeOne({
      topic: "Orders",
      reconsumeTimes: 2,
      properties: { UNIQ_KEY: "U1", TAGS: "a", RECONSUME_TIME: "9", TRAN_MSG: "true" },
    });
    const again = retryMessage(message, "G", 16);
    expect(Object.fromEntries(decodeProperties(again.properties))).toEqual({
      UNIQ_KEY: "U1",
      TAGS: "a",
      ORIGIN_MESSAGE_ID: "U1",
      RETRY_TOPIC: "Orders",
      DELAY: "5",
    });
    expect(again).toMatchObject({ topic: "%RETRY%G", reconsumeTimes: 3, maxReconsumeTimes: 16 });
  });

  it("keeps the first origin and the compressed body as stored", () => {
    const body = deflateSync(Buffer.from("x"));
    const message = decodeOne({
      topic: "%RETRY%G",
      body,
      sysFlag: 9,
      properties: { RETRY_TOPIC: "Orders", ORIGIN_MESSAGE_ID: "FIRST" },
    });
    const again = retryMessage(message, "G", 16);
    expect([again.sysFlag, again.body.equals(body)]).toEqual([1, true]);
    expect(decodeProperties(again.properties).get("ORIGIN_MESSAGE_ID")).toBe("FIRST");
    expect(decodeProperties(again.properties).get("RETRY_TOPIC")).toBe("Orders");
  });
});
