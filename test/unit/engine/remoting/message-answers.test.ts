import { describe, expect, it } from "vitest";
import { SocketOutbound } from "../../../../engine/remoting/outbound.ts";
import { writePullAnswerHead } from "../../../../engine/remoting/commands/pull-message-response.ts";
import {
  SendAnswerEncoder,
  writeDigits,
} from "../../../../engine/remoting/commands/send-message-response.ts";
import { decodeHeaderBytes } from "../../../../engine/remoting/header.ts";
import { FrameReader } from "../../../../engine/remoting/frame.ts";
import { Writable } from "node:stream";

/** Collects what an encoder put on the wire and decodes it with the general decoder. */
function written(
  write: (outbound: SocketOutbound) => void,
): { header: ReturnType<typeof decodeHeaderBytes>; text: string; bodyLength: number }[] {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const outbound = new SocketOutbound(stream as never);
  write(outbound);
  outbound.flush();
  const bytes = Buffer.concat(chunks);
  const frames: {
    header: ReturnType<typeof decodeHeaderBytes>;
    text: string;
    bodyLength: number;
  }[] = [];
  const reader = new FrameReader((frame) => {
    const head = Buffer.from(frame.buffer.subarray(frame.headerStart, frame.bodyStart));
    frames.push({
      header: decodeHeaderBytes(head, frame.serializeType),
      text: head.toString("latin1"),
      bodyLength: frame.end - frame.bodyStart,
    });
  });
  reader.feed(bytes, 0, bytes.length);
  return frames;
}

const encoder = new SendAnswerEncoder({
  storeHostHex: "7F00000100005597",
  region: "DefaultRegion",
  traceOn: true,
});

describe("answers written in place", () => {
  it("a send's answer is the text a 4.9 broker sends (captured in remoting-protocol 1.2)", () => {
    const [frame] = written((outbound) =>
      encoder.write(
        outbound,
        { code: 0, opaque: 7, queueId: 1, queueOffset: 0, physicalOffset: 2560 },
        0,
      ),
    );
    expect(frame?.text).toBe(
      '{"code":0,"extFields":{"queueId":"1","TRACE_ON":"true","MSG_REGION":"DefaultRegion","msgId":"7F000001000055970000000000000A00","queueOffset":"0"},"flag":1,"language":"JAVA","opaque":7,"serializeTypeCurrentRPC":"JSON","version":393}',
    );
  });

  it.each([0, 1] as const)(
    "carries every field in serialization %i, many answers in one slab",
    (type) => {
      const answers = Array.from({ length: 400 }, (_, i) => ({
        code: i % 13,
        opaque: -i,
        queueId: i,
        queueOffset: i * 99_999_999,
        physicalOffset: i * 123_456_789_012,
      }));
      const frames = written((outbound) =>
        answers.forEach((answer) => encoder.write(outbound, answer, type)),
      );
      expect(frames.length).toBe(400);
      frames.forEach(({ header }, i) => {
        const answer = answers[i];
        expect([header.code, header.opaque, header.flag]).toEqual([
          answer?.code,
          answer?.opaque === 0 ? 0 : answer?.opaque,
          1,
        ]);
        expect(header.extFields.get("queueOffset")).toBe(String(answer?.queueOffset));
        expect(header.extFields.get("msgId")).toBe(
          `7F00000100005597${(answer?.physicalOffset ?? 0).toString(16).toUpperCase().padStart(16, "0")}`,
        );
      });
    },
  );

  it.each([0, 1] as const)(
    "a pull's head announces the body behind it in serialization %i",
    (type) => {
      const body = Buffer.alloc(1_000, 7);
      const [frame] = written((outbound) => {
        const answer = {
          code: 0,
          opaque: 3,
          remark: "FOUND",
          suggestWhichBrokerId: 0,
          nextBeginOffset: 32,
          minOffset: 0,
          maxOffset: 64,
          bodyLength: body.length,
        };
        writePullAnswerHead(outbound, answer, type);
        outbound.append(body);
      });
      expect(frame?.bodyLength).toBe(1_000);
      expect(frame?.header.remark).toBe("FOUND");
      expect(Object.fromEntries(frame?.header.extFields ?? [])).toEqual({
        suggestWhichBrokerId: "0",
        nextBeginOffset: "32",
        minOffset: "0",
        maxOffset: "64",
      });
    },
  );

  it("writes digits as String does", () => {
    const target = Buffer.alloc(32);
    for (const value of [
      0,
      9,
      10,
      99,
      100,
      12_345,
      2 ** 31,
      Number.MAX_SAFE_INTEGER,
      -1,
      -12_345,
    ]) {
      expect(target.toString("latin1", 0, writeDigits(target, 0, value))).toBe(String(value));
    }
  });
});
