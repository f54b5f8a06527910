/** Log lines of a container, across its restarts. */
import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { LogFrames } from "./log-frames.ts";

/** What to read of a log. */
export interface LogReading {
  /** Last lines to begin with. */
  readonly tail: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** How soon after its start a followed container is listened to again. */
const RESTART_POLL_MS = 200;
const STREAMS = { stdout: true, stderr: true, timestamps: true } as const;

/** Docker's time of a line: `2026-11-24T10:00:00.000000000Z`, always as long, so text order is time order. */
function timeOf(line: string): string {
  return line.slice(0, Math.max(0, line.indexOf(" ")));
}

function textOf(line: string): string {
  return line.slice(line.indexOf(" ") + 1);
}

async function* past(container: Docker.Container, tail: number): AsyncGenerator<string> {
  const frames = new LogFrames();
  yield* frames.push(await container.logs({ ...STREAMS, tail, follow: false }));
  yield* frames.end();
}

interface From {
  readonly tail: number | "all";
  /** Seconds since 1970. */
  readonly since: number;
}

/** Until the container ends or the reader goes. */
async function* live(
  container: Docker.Container,
  from: From,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const frames = new LogFrames();
  const options = { ...STREAMS, ...from, follow: true, abortSignal: signal } as const;
  const stream = await container.logs(options as typeof options & { tail: number });
  try {
    for await (const chunk of stream) yield* frames.push(chunk as Buffer);
    yield* frames.end();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    if ("destroy" in stream && typeof stream.destroy === "function") stream.destroy();
  }
}

/** @returns when it started, or null while it does not run */
async function runningSince(container: Docker.Container): Promise<string | null> {
  const { State: state } = await container.inspect();
  return state.Running ? state.StartedAt : null;
}

async function untilItRuns(container: Docker.Container, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await runningSince(container)) === null) {
    await sleep(RESTART_POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Docker ends the stream with the container, so a followed log is asked for again where it broke off. */
async function* followed(container: Docker.Container, reading: LogReading): AsyncGenerator<string> {
  let last = "";
  let from: From = { tail: reading.tail, since: 0 };
  while (!reading.signal.aborted) {
    for await (const line of live(container, from, reading.signal)) {
      if (timeOf(line) <= last) continue;
      last = timeOf(line);
      yield line;
    }
    await untilItRuns(container, reading.signal);
    from = { tail: "all", since: last === "" ? 0 : Math.floor(Date.parse(last) / 1_000) };
  }
}

/** @returns all lines, oldest first; following goes on when the container is stopped and started again */
export async function* containerLogs(
  container: Docker.Container,
  reading: LogReading,
): AsyncGenerator<string> {
  const lines = reading.follow ? followed(container, reading) : past(container, reading.tail);
  for await (const line of lines) yield textOf(line);
}
