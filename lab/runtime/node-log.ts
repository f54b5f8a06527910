import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const FOLLOW_MS = 100;
const CHUNK_BYTES = 64 * 1_024;
/** A tail never reads more than this from the end. */
const TAIL_BYTES_MAX = 4 * 1_024 * 1_024;

/** Text of a log file from a position on; remembers where it is. */
class LogReader {
  private readonly path: string;
  private position = 0;
  private rest = "";

  constructor(path: string) {
    this.path = path;
  }

  /** @returns whole lines written since the last call; none when the file is not there */
  lines(): string[] {
    if (!existsSync(this.path)) return [];
    const file = openSync(this.path, "r");
    try {
      return this.readFrom(file);
    } finally {
      closeSync(file);
    }
  }

  private readFrom(file: number): string[] {
    const { size } = fstatSync(file);
    // The file was set aside and begun anew.
    if (size < this.position) this.position = 0;
    if (this.position === 0 && size > TAIL_BYTES_MAX) this.position = size - TAIL_BYTES_MAX;
    const chunks: Buffer[] = [];
    while (this.position < size) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - this.position));
      const count = readSync(file, chunk, 0, chunk.length, this.position);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      this.position += count;
    }
    const parts = (this.rest + Buffer.concat(chunks).toString("utf8")).split("\n");
    this.rest = parts.pop() ?? "";
    return parts;
  }
}

/**
 * @param path of a log file; it need not be there yet
 * @param options last lines to begin with, whether to go on, and when to end
 */
export async function* logLines(
  path: string,
  options: { readonly tail: number; readonly follow: boolean; readonly signal: AbortSignal },
): AsyncGenerator<string> {
  const reader = new LogReader(path);
  const past = reader.lines();
  yield* options.tail <= 0 ? [] : past.slice(-options.tail);
  while (options.follow && !options.signal.aborted) {
    await sleep(FOLLOW_MS, undefined, { signal: options.signal }).catch(() => undefined);
    yield* reader.lines();
  }
}
