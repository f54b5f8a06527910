/** What is made of a half message, and what its producer cannot say of it (store-and-ha 6.2, R-10, R-14). */
import { describe, expect, it } from "vitest";
import { PROPERTY } from "../../../../../engine/message/properties.ts";
import { addressBytes } from "../../../../../engine/message/message-id.ts";
import { readRecord } from "../../../../../engine/message/record-decode.ts";
import { encodeRecord } from "../../../../../engine/message/record-encode.ts";
import { checkRequest } from "../../../../../engine/broker/transactions/check-request.ts";
import {
  halfCopy,
  HalfMessage,
  parkHalf,
} from "../../../../../engine/broker/transactions/half-message.ts";
import { readStoredMessage } from "../../../../../engine/broker/stored-message.ts";

const HOST = { address: addressBytes("192.0.2.20"), port: 10_911 };
const HALF = "RMQ_SYS_TRANS_HALF_TOPIC";

function stored(
  properties: Readonly<Record<string, string>>,
  changes: {
    readonly topic?: string;
    readonly sysFlag?: number;
    readonly queueOffset?: number;
    readonly bornTimestamp?: number;
  } = {},
) {
  const { topic = HALF, sysFlag = 1, queueOffset = 9, bornTimestamp = 1_000 } = changes;
  const text = Object.entries(properties).map(([k, v]) => `${k}\u0001${v}\u0002`);
  const own = Buffer.from(text.join(""));
  const body = Buffer.from("body");
  const target = Buffer.alloc(1_024);
  const view = new DataView(target.buffer, target.byteOffset, target.length);
  const end = encodeRecord(target, view, 0, {
    queueId: 0,
    flag: 7,
    queueOffset,
    physicalOffset: 4_096,
    sysFlag,
    bornTimestamp,
    bornHost: HOST,
    storeTimestamp: 2_000,
    storeHost: HOST,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body,
    bodyStart: 0,
    bodyEnd: body.length,
    topic: Buffer.from(topic),
    properties: own,
    propertiesStart: 0,
    propertiesEnd: own.length,
  });
  const message = readStoredMessage(
    { recordAt: () => ({ bytes: target.subarray(0, end) }) },
    4_096,
  );
  if (message === null) throw new Error("the record was not read");
  return message;
}

function halfOf(...args: Parameters<typeof stored>): HalfMessage {
  const half = HalfMessage.of(stored(...args));
  if (half === null) throw new Error("no half message");
  return half;
}

const REAL = { REAL_TOPIC: "Trans", REAL_QID: "3", PGROUP: "PG", UNIQ_KEY: "U1" };

describe("a half message", () => {
  it("R-10: is parked with its real place; what only the broker may say is overwritten or gone", () => {
    const properties = new Map([
      ["REAL_TOPIC", "SCHEDULE_TOPIC_XXXX"],
      ["REAL_QID", "77"],
      ["TRANSACTION_CHECK_TIMES", "14"],
      ["TRAN_PREPARED_QUEUE_OFFSET", "5"],
      ["TAGS", "a"],
    ]);
    const parked = parkHalf({ topic: "Trans", queueId: 2, properties });
    expect([parked.topic, parked.queueId]).toEqual([HALF, 0]);
    expect(Object.fromEntries(parked.properties)).toEqual({
      REAL_TOPIC: "Trans",
      REAL_QID: "2",
      TAGS: "a",
    });
  });

  it("becomes the real message with the commit bits and the place it came from", () => {
    const committed = halfOf({ ...REAL, TAGS: "a", DELAY: "3" }).committed();
    expect(committed).toMatchObject({
      topic: "Trans",
      queueId: 3,
      flag: 7,
      sysFlag: 0x9,
      preparedTransactionOffset: 4_096,
    });
    expect(committed?.ignoresDelay).toBeUndefined();
    expect(committed?.properties.get("TAGS")).toBe("a");
  });

  it.each([
    [{ REAL_QID: "0" }],
    [{ REAL_TOPIC: "bad topic", REAL_QID: "0" }],
    [{ REAL_TOPIC: "SCHEDULE_TOPIC_XXXX", REAL_QID: "0" }],
    [{ REAL_TOPIC: "%DLQ%g", REAL_QID: "0" }],
    [{ REAL_TOPIC: "Trans", REAL_QID: "-1" }],
    [{ REAL_TOPIC: "Trans" }],
  ])("R-10: with the place %j goes nowhere", (properties) => {
    const half = halfOf(properties as Record<string, string>);
    expect(half.committed()).toBeNull();
    expect(checkRequest(half)).toBeNull();
  });

  it("a copy says where the first one stood and how often it was checked, and does not wait for its delay level", () => {
    const half = halfOf({ ...REAL, DELAY: "3" });
    expect([half.root, half.checkTimes]).toEqual([9, 0]);
    const copy = half.again(1);
    expect(copy).toMatchObject({ topic: HALF, queueId: 0, ignoresDelay: true });
    const again = halfOf(Object.fromEntries(copy.properties), { queueOffset: 12 });
    expect([again.root, again.checkTimes]).toEqual([9, 1]);
    const anew = halfCopy(again.stored, 0);
    expect(anew.properties.get(PROPERTY.TRANSACTION_CHECK_TIMES)).toBe("0");
    expect(anew.properties.has(PROPERTY.TRAN_PREPARED_QUEUE_OFFSET)).toBe(false);
  });

  it("a place it cannot have come from is not believed", () => {
    for (const place of ["12", "-1", "x", "1e3", "99999999999999999999"])
      expect(halfOf({ ...REAL, TRAN_PREPARED_QUEUE_OFFSET: place }).root).toBe(9);
  });

  it("R-16: a clock ahead of the broker's does not make it younger than it is here", () => {
    expect(halfOf(REAL, { bornTimestamp: 9_000 }).bornAtMs).toBe(2_000);
    expect(halfOf(REAL, { bornTimestamp: 500 }).bornAtMs).toBe(500);
  });

  it("is only what stands in the half topic", () => {
    expect(HalfMessage.of(stored(REAL, { topic: "Trans" }))).toBeNull();
    expect(HalfMessage.of(null)).toBeNull();
  });

  it("is checked as a record of its real topic, all else unchanged", () => {
    const request = checkRequest(halfOf({ ...REAL, TAGS: "a" }));
    const bytes = request?.body ?? Buffer.alloc(0);
    const record = readRecord(bytes, 0, bytes.length);
    if (typeof record === "string") throw new Error(record);
    expect(record.totalSize).toBe(bytes.length);
    expect(bytes.toString("utf8", record.topicStart, record.topicEnd)).toBe("Trans");
    expect(record).toMatchObject({
      queueId: 3,
      queueOffset: 9,
      physicalOffset: 4_096,
      bornTimestamp: 1_000,
      storeTimestamp: 2_000,
      flag: 7,
      sysFlag: 1,
    });
    expect(Object.fromEntries(request?.extFields ?? [])).toEqual({
      tranStateTableOffset: "9",
      commitLogOffset: "4096",
      msgId: "U1",
      transactionId: "U1",
      offsetMsgId: "C000021400002A9F0000000000001000",
    });
  });
});
