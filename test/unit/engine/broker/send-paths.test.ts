/** The fast and the general way of a send must store the same message and give the same answer, whatever the header looks like. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSendMessageFrames } from "../../../../engine/broker/processors/send-message-frames.ts";
import { createSendMessageProcessor } from "../../../../engine/broker/processors/send-message.ts";
import { SendPath } from "../../../../engine/broker/send-path.ts";
import {
  SERIALIZE_JSON,
  SERIALIZE_ROCKETMQ,
  type SerializeType,
} from "../../../../engine/remoting/command.ts";
import { FrameReader } from "../../../../engine/remoting/frame.ts";
import { decodeHeaderBytes, encodeFrameHead } from "../../../../engine/remoting/header.ts";
import { PUT_STATUS } from "../../../../engine/store/store-api.ts";
import { sendFields } from "../../../helpers/broker-peer.ts";
import { brokerFixture, NotingChannel, type BrokerFixture } from "./broker-fixture.ts";

const A = "\u0001";
const B = "\u0002";

interface Send {
  readonly code: number;
  readonly ext: Readonly<Record<string, string | number | boolean>>;
  readonly body: Buffer;
  readonly flag?: number;
  readonly type?: SerializeType;
}

function frameOf(send: Send): Buffer {
  const header = {
    code: send.code,
    language: 0,
    version: 393,
    opaque: 7,
    flag: send.flag ?? 0,
    remark: null,
    extFields: new Map(Object.entries(send.ext).map(([k, v]) => [k, String(v)] as const)),
  };
  const head = encodeFrameHead(header, send.type ?? SERIALIZE_JSON, send.body.length);
  return Buffer.concat([head, send.body]);
}

/** Serves one frame on one path. @returns what was stored and answered, and whether the fast path took it */
function serve(fixture: BrokerFixture, send: Send, isFast: boolean) {
  const path = new SendPath(fixture.context);
  const frames = createSendMessageFrames(path);
  const processor = createSendMessageProcessor(path);
  const channel = new NotingChannel();
  const before = fixture.store.puts.length;
  let taken = false;
  const reader = new FrameReader((frame) => {
    taken = isFast && frames(frame, channel.asChannel);
    if (taken) return;
    const head = frame.buffer.subarray(frame.headerStart, frame.bodyStart);
    const header = decodeHeaderBytes(head, frame.serializeType);
    const body = Buffer.from(frame.buffer.subarray(frame.bodyStart, frame.end));
    const request = {
      ...header,
      body: body.length === 0 ? null : body,
      serializeType: frame.serializeType,
    };
    try {
      void processor(request, { channel: channel.asChannel, receivedAtMs: 0 });
    } catch (error) {
      channel.respond(header.opaque, frame.serializeType, { code: 1, remark: String(error) });
    }
  });
  const bytes = frameOf(send);
  reader.feed(bytes, 0, bytes.length);
  const stored = fixture.store.puts.slice(before);
  const answers = channel.answers.map(({ code, extFields, remark }) => ({
    code,
    remark,
    queueId: extFields?.get("queueId"),
  }));
  return { stored, answers, taken };
}

const value = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom("true", "false", "3", "-1", "标签", 'a"b\\c', ""),
);
const name = fc.oneof(
  fc.constantFrom("KEYS", "TAGS", "WAIT", "UNIQ_KEY"),
  fc.constantFrom("DELAY", "TRAN_MSG", "CLUSTER"),
  fc.string({ minLength: 1, maxLength: 6 }),
);
const properties = fc
  .tuple(
    fc.array(fc.tuple(name, value), { maxLength: 5 }),
    fc.boolean(),
    fc.constantFrom("", "", "", "oops"),
  )
  .map(([pairs, isEnded, tail]) => {
    const text = pairs.map(([k, v]) => `${k}${A}${v}${B}`).join("") + tail;
    return isEnded || !text.endsWith(B) ? text : text.slice(0, -1);
  });
const number = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 3 }) },
  fc.integer({ min: -5, max: 20 }),
  fc.constantFrom("1.5", "", "abc", "99999999999", "2147483647", "-2147483648", " 1", "1e3"),
);
const sends: fc.Arbitrary<Send> = fc.record({
  code: fc.constant(310),
  type: fc.constantFrom(SERIALIZE_JSON, SERIALIZE_ROCKETMQ),
  body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  ext: fc
    .record({
      e: number,
      f: number,
      h: number,
      g: fc.oneof(
        { weight: 10, arbitrary: fc.integer() },
        fc.constantFrom("x", "9007199254740993"),
      ),
    })
    .chain((numbers) =>
      fc
        .record(
          { i: properties, j: number, m: fc.constantFrom("false", "false", "true", "no") },
          { requiredKeys: [] },
        )
        .map((rest) =>
          sendFields("Known", { i: undefined, j: undefined, m: undefined, ...numbers, ...rest }),
        ),
    ),
});

describe("the two ways of a send", () => {
  it("store the same and answer the same", { timeout: 60_000 }, () => {
    using fixture = brokerFixture();
    fixture.context.topics.createBySend("Known", "TBW102", 4);
    let taken = 0;
    fc.assert(
      fc.property(sends, (send) => {
        const fast = serve(fixture, send, true);
        const general = serve(fixture, send, false);
        // A negative queue id is drawn by lot.
        fc.pre(!(Number(send.ext["e"]) < 0));
        expect({ stored: fast.stored, answers: fast.answers }).toEqual({
          stored: general.stored,
          answers: general.answers,
        });
        if (fast.taken) taken += 1;
      }),
      { numRuns: 600, seed: 20_261_124 },
    );
    expect(taken).toBeGreaterThan(60);
  });

  it("takes what Java's producer sends all day, with code 310 and 10, JSON and binary", () => {
    using fixture = brokerFixture();
    fixture.context.topics.createBySend("JTopic", "TBW102", 4);
    const i = `KEYS${A}key1${B}UNIQ_KEY${A}C63364415DB95FFD2B276F6CC40E0000${B}WAIT${A}true${B}TAGS${A}TagA${B}`;
    const long = {
      producerGroup: "PG_J",
      topic: "JTopic",
      defaultTopic: "TBW102",
      defaultTopicQueueNums: 4,
      queueId: 1,
      sysFlag: 0,
      bornTimestamp: 1_795_360_599_055,
      flag: 0,
      properties: i,
      reconsumeTimes: 0,
      unitMode: false,
      batch: false,
    };
    const short = sendFields("JTopic", { i, e: 1, g: 1_795_360_599_055 });
    const body = Buffer.from("hello");
    const outcomes = ([SERIALIZE_JSON, SERIALIZE_ROCKETMQ] as const).flatMap((type) => [
      serve(fixture, { code: 310, ext: short, body, type }, true),
      serve(fixture, { code: 10, ext: long, body, type }, true),
    ]);
    for (const outcome of outcomes) {
      expect(outcome.taken).toBe(true);
      expect(outcome.stored).toEqual([
        {
          topic: "JTopic",
          queueId: 1,
          flag: 0,
          sysFlag: 0,
          bornTimestamp: 1_795_360_599_055,
          reconsumeTimes: 0,
          body: body.toString("hex"),
          properties: `${i}CLUSTER${A}C1${B}`,
          waits: true,
          members: null,
        },
      ]);
      expect(outcome.answers).toEqual([{ code: 0, remark: null, queueId: "1" }]);
    }
  });

  it.each([
    [PUT_STATUS.SERVICE_NOT_AVAILABLE, 14, /^service not available now/],
    [PUT_STATUS.MESSAGE_ILLEGAL, 13, /^the message is illegal/],
    [PUT_STATUS.CREATE_FILE_FAILED, 1, /^create mapped file failed, server is busy or broken\.$/],
    [PUT_STATUS.PAGE_CACHE_BUSY, 2, /^\[PC_SYNCHRONIZED\]broker busy/],
  ])("store-and-ha 4.4: put status %i is answered %i on both", (status, code, remark) => {
    using fixture = brokerFixture();
    fixture.context.topics.createBySend("Known", "TBW102", 4);
    fixture.store.status = status;
    for (const isFast of [true, false]) {
      const send = { code: 310, ext: sendFields("Known"), body: Buffer.from("x") };
      const { answers, stored } = serve(fixture, send, isFast);
      expect(stored).toEqual([]);
      expect(answers).toEqual([
        { code, remark: expect.stringMatching(remark), queueId: undefined },
      ]);
    }
  });

  it("F-25: refuses with 2 while too much waits for its answer", () => {
    using fixture = brokerFixture();
    fixture.context.topics.createBySend("Known", "TBW102", 4);
    const path = new SendPath(fixture.context);
    path.unansweredBytes = 256 * 1_048_576 + 1;
    expect(path.refusal()).toEqual({
      code: 2,
      remark: "[OVERLOAD]system busy, start flow control for a while",
    });
  });

  it("4.1.2: refuses until startAcceptSendRequestTimeStamp, and on a broker without write permission only order topics", () => {
    using early = brokerFixture("startAcceptSendRequestTimeStamp=1795360000001\n");
    early.context.topics.createBySend("Known", "TBW102", 4);
    const send = { code: 310, ext: sendFields("Known"), body: Buffer.from("x") };
    expect(serve(early, send, true).answers).toMatchObject([
      { code: 1, remark: expect.stringMatching(/^broker unable to service, until 2026-/) },
    ]);
    using closed = brokerFixture("brokerPermission=4\n");
    const plain = closed.context.topics.createBySend("Known", "TBW102", 4);
    expect(serve(closed, send, true).answers).toMatchObject([{ code: 0 }]);
    if (plain === undefined) throw new Error("the topic was not made");
    closed.context.topics.put({ ...plain, order: true });
    expect(serve(closed, send, true).answers).toMatchObject([
      { code: 16, remark: "the broker[127.0.0.1] sending message is forbidden" },
    ]);
  });
});
