/**
 * Docker's log stream of a container without a terminal (Engine API, "attach"): frames of one stream each, cut anywhere.
 *
 *   0        4               8
 *   +-+-+-+-+---------------+----------- - -
 *   |S|0 0 0| length  u32 BE| length bytes
 *   +-+-+-+-+---------------+----------- - -
 *   S: 0 stdin, 1 stdout, 2 stderr
 */

const HEAD_BYTES = 8;
const LENGTH_AT = 4;

/** Frames in, whole lines out. */
export class LogFrames {
  private waiting: Buffer = Buffer.alloc(0);
  /** What each stream has begun and not ended with a line feed, by stream number. */
  private readonly begun = new Map<number, string>();

  /** @returns lines that this chunk completes, in the order of their ends */
  push(chunk: Buffer): readonly string[] {
    this.waiting = this.waiting.length === 0 ? chunk : Buffer.concat([this.waiting, chunk]);
    const lines: string[] = [];
    for (;;) {
      if (this.waiting.length < HEAD_BYTES) return lines;
      const end = HEAD_BYTES + this.waiting.readUInt32BE(LENGTH_AT);
      if (this.waiting.length < end) return lines;
      const text = this.waiting.subarray(HEAD_BYTES, end).toString("utf8");
      lines.push(...this.complete(this.waiting.readUInt8(0), text));
      this.waiting = this.waiting.subarray(end);
    }
  }

  private complete(stream: number, text: string): readonly string[] {
    const parts = ((this.begun.get(stream) ?? "") + text).split("\n");
    this.begun.set(stream, parts.pop() ?? "");
    return parts.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  }

  /** @returns last lines without a line feed, at the end of the log */
  end(): readonly string[] {
    const rest = [...this.begun.values()].filter((line) => line !== "");
    this.begun.clear();
    return rest;
  }
}
