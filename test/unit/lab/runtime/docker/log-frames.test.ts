import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogFrames } from "../../../../../lab/runtime/docker/log-frames.ts";

function frame(stream: number, text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(8);
  head.writeUInt8(stream, 0);
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]);
}

describe("log frames", () => {
  it("lines come out whole, in the order of their ends, each stream for itself", () => {
    const frames = new LogFrames();
    const bytes = [
      frame(1, "out one\nout "),
      frame(2, "err one\r\n"),
      frame(1, "two\n"),
      frame(1, "end"),
    ];
    expect(frames.push(Buffer.concat(bytes))).toEqual(["out one", "err one", "out two"]);
    expect(frames.end()).toEqual(["end"]);
    expect(frames.end()).toEqual([]);
  });

  it("wherever the stream is cut, the lines are the same", () => {
    const bytes = Buffer.concat([
      frame(1, "first\nsecond\n"),
      frame(2, "ünï\n"),
      frame(1, "third\n"),
    ]);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 6 }), (cuts) => {
        const frames = new LogFrames();
        const ends = [...cuts.toSorted((a, b) => a - b), bytes.length];
        let start = 0;
        const lines = ends.flatMap((end) => {
          const chunk = bytes.subarray(start, end);
          start = end;
          return frames.push(chunk);
        });
        expect(lines).toEqual(["first", "second", "ünï", "third"]);
      }),
    );
  });
});
