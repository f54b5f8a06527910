import { spawn } from "node:child_process";

/** What a command printed and how it ended. */
export interface CommandRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end; one that takes longer than `timeoutMs` is killed.
 * @param argv program and arguments
 * @param options `env` is added to this process's own
 */
export async function runToEnd(
  argv: readonly string[],
  options: {
    readonly env: NodeJS.ProcessEnv;
    readonly cwd: string;
    readonly timeoutMs: number;
  },
): Promise<CommandRun> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, {
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeoutMs,
    killSignal: "SIGKILL",
  });
  const chunks = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (chunks.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (chunks.stderr += chunk.toString()));
  const code = await new Promise<number | null>((done) => child.once("close", done));
  return { code, ...chunks };
}

/** @returns what a `lab` command printed on standard output. @throws Error unless it succeeded */
export function succeeded(args: readonly string[], run: CommandRun): string {
  if (run.code === 0) return run.stdout;
  throw new Error(`lab ${args.join(" ")} exited ${run.code}:\n${run.stdout}\n${run.stderr}`);
}
