import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** A child process whose standard output is read line by line; disposed = ended, whatever happens in the test. */
export interface LineChild extends AsyncDisposable {
  readonly pid: number;
  /** Every line so far, standard output and error together, in order. */
  readonly lines: readonly string[];
  /** Resolves with the first line (past ones included) that the test accepts. */
  waitForLine(accept: (line: string) => boolean, timeoutMs: number): Promise<string>;
  /** Resolves when `done` holds for the lines so far; asked again at every line. */
  waitUntil(done: (lines: readonly string[]) => boolean, timeoutMs: number): Promise<void>;
  write(text: string): void;
  closeInput(): void;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
  }>;
}

class Lines {
  readonly all: string[] = [];
  private readonly watchers = new Set<() => void>();

  add(line: string): void {
    this.all.push(line);
    for (const watcher of this.watchers) watcher();
  }

  /** Called at every new line until the returned function is called. */
  watch(listener: () => void): () => void {
    this.watchers.add(listener);
    return () => this.watchers.delete(listener);
  }
}

function waitFor(
  lines: Lines,
  child: ChildProcess,
  done: () => boolean,
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      unwatch();
      child.off("close", onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const check = (): void => {
      if (done()) finish();
    };
    const tail = (): string => lines.all.slice(-15).join("\n");
    const onClose = (): void => {
      if (done()) finish();
      else finish(new Error(`the process ended first; its last lines:\n${tail()}`));
    };
    const timer = setTimeout(
      () => finish(new Error(`nothing within ${timeoutMs} ms; last lines:\n${tail()}`)),
      timeoutMs,
    );
    const unwatch = lines.watch(check);
    child.on("close", onClose);
    if (child.exitCode !== null || child.signalCode !== null) onClose();
    else check();
  });
}

/**
 * @param command program
 * @param args its arguments
 * @param options environment added to ours, and the working directory
 */
export function startChild(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): LineChild {
  const child = spawn(command, [...args], {
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ["pipe", "pipe", "pipe"],
  });
  const lines = new Lines();
  createInterface({ input: child.stdout }).on("line", (line) => lines.add(line));
  createInterface({ input: child.stderr }).on("line", (line) => lines.add(line));
  child.stdin.on("error", () => undefined);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
    (resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ code, signal }));
    },
  );
  exited.catch(() => undefined);
  return {
    pid: child.pid ?? -1,
    lines: lines.all,
    async waitForLine(accept, timeoutMs) {
      await waitFor(lines, child, () => lines.all.some(accept), timeoutMs);
      return lines.all.find(accept) ?? "";
    },
    waitUntil: (done, timeoutMs) => waitFor(lines, child, () => done(lines.all), timeoutMs),
    write: (text) => void child.stdin.write(text),
    closeInput: () => void child.stdin.end(),
    kill: (signal) => void child.kill(signal),
    exited,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited.catch(() => undefined);
    },
  };
}

/** Runs a program to its end. @returns output and exit code */
export async function runChild(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly timeoutMs: number },
): Promise<{ readonly code: number | null; readonly output: string }> {
  await using child = startChild(command, args, options);
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs);
  const { code } = await child.exited;
  clearTimeout(timer);
  return { code, output: child.lines.join("\n") };
}
