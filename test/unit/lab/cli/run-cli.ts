import { Readable } from "node:stream";
import { main } from "../../../../lab/cli/main.ts";
import type { CliIo } from "../../../../lab/cli/io.ts";

/** What a command line did. */
export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How the command finds its surroundings. */
export interface CliSurroundings {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/** Runs one command line inside this process. */
export async function runCli(
  argv: readonly string[],
  around: CliSurroundings = {},
): Promise<CliRun> {
  const out: string[] = [];
  const err: string[] = [];
  const isTTY = around.isTTY ?? false;
  const io: CliIo = {
    stdout: { write: (text) => void out.push(text) },
    stderr: { write: (text) => void err.push(text) },
    stdin: Readable.from(around.input === undefined ? [] : [around.input]),
    env: around.env ?? {},
    cwd: around.cwd ?? process.cwd(),
    columns: () => around.columns ?? null,
    isTTY: { stdin: isTTY, stdout: isTTY, stderr: isTTY },
    signal: around.signal ?? new AbortController().signal,
  };
  const code = await main(argv, io);
  return { code, stdout: out.join(""), stderr: err.join("") };
}
