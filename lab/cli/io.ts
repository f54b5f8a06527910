import type { Readable } from "node:stream";

/** Where text goes. */
export interface TextSink {
  write(text: string): void;
}

/** Everything a command may know of the outside; tests hand in their own. */
export interface CliIo {
  /** Data. With `--json`: exactly one document. */
  readonly stdout: TextSink;
  /** Talk: progress, errors, hints. */
  readonly stderr: TextSink;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly isTTY: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** Width of the terminal standard output is, now; null when it is none. */
  readonly columns: () => number | null;
  /** Aborts at the first SIGINT or SIGTERM; its reason is the signal's name. */
  readonly signal: AbortSignal;
  /** For questions; only read when stdin and stderr are terminals. */
  readonly stdin: Readable;
}

/**
 * The real process. The first SIGINT or SIGTERM only asks (commands clean up); the second one ends the process at once.
 * @returns its streams, environment and signals
 */
export function processIo(): CliIo {
  const controller = new AbortController();
  const ask = (signal: NodeJS.Signals): void => {
    process.stderr.write(
      `\n${signal === "SIGINT" ? "Ctrl-C" : signal}: cleaning up; once more ends at once\n`,
    );
    controller.abort(signal);
  };
  // `once`: the second signal meets the default action.
  process.once("SIGINT", () => ask("SIGINT"));
  process.once("SIGTERM", () => ask("SIGTERM"));
  // `lab logs | head`: the reader went away, which is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") controller.abort("EPIPE");
    else throw error;
  });
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
    isTTY: {
      stdin: process.stdin.isTTY,
      stdout: process.stdout.isTTY,
      // A terminal that does not say how wide it is cannot be redrawn.
      stderr: process.stderr.isTTY && process.stderr.columns > 0,
    },
    columns: () =>
      process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : null,
    signal: controller.signal,
  };
}
