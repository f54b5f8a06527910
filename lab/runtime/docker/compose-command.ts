/** Compose as a child process: `docker compose` v2 where it answers, else `docker-compose` (docker-lab 6). */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { writeAtomically } from "../atomic-file.ts";

/** Which compose a lab uses. v1 and v2 must not take turns on one project: they would recreate each other's containers. */
export interface ComposeCommand {
  readonly program: string;
  /** Before all other arguments. */
  readonly args: readonly string[];
  readonly version: string;
}

/** One call of compose. */
export interface ComposeCall {
  readonly command: ComposeCommand;
  readonly project: string;
  readonly file: string;
  /** Added to ours: which engine. */
  readonly environment: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** Interrupts compose; what it has finished by then stays. */
  readonly signal: AbortSignal;
  /** Told each line compose prints. */
  readonly onLine: (line: string) => void;
}

const REMEMBERED = "compose-command.json";
const CANDIDATES: readonly (readonly [string, readonly string[]])[] = [
  ["docker", ["compose"]],
  ["docker-compose", []],
];
const VERSION_MS = 10_000;
/** Compose gets this long to end by itself after an interrupt. */
const INTERRUPT_MS = 5_000;
const TAIL_LINES = 12;

interface Output {
  readonly code: number;
  readonly lines: readonly string[];
}

interface RunOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

function splitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  let rest = "";
  return (chunk) => {
    const parts = (rest + chunk.toString("utf8")).split(/[\r\n]+/);
    rest = parts.pop() ?? "";
    for (const line of parts.filter((part) => part.trim() !== "")) onLine(line.trim());
  };
}

/** A process group of its own, so that Ctrl-C reaches compose only through us, once. */
function run(program: string, args: readonly string[], options: RunOptions): Promise<Output> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    const child = spawn(program, args, {
      env: { ...process.env, ...options.environment, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32",
    });
    const collect = splitter((line) => {
      lines.push(line);
      options.onLine(line);
    });
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    let hardStop: NodeJS.Timeout | undefined;
    const interrupt = (): void => {
      child.kill("SIGINT");
      hardStop = setTimeout(() => child.kill("SIGKILL"), INTERRUPT_MS);
    };
    const finish = (): void => {
      clearTimeout(hardStop);
      options.signal.removeEventListener("abort", interrupt);
    };
    child.once("error", (error) => {
      finish();
      reject(error);
    });
    child.once("close", (code) => {
      finish();
      resolve({ code: code ?? 1, lines });
    });
    if (options.signal.aborted) interrupt();
    else options.signal.addEventListener("abort", interrupt, { once: true });
  });
}

async function versionOf(program: string, args: readonly string[]): Promise<string | null> {
  try {
    const output = await run(program, [...args, "version", "--short"], {
      environment: {},
      signal: AbortSignal.timeout(VERSION_MS),
      onLine: () => undefined,
    });
    return output.code === 0 ? (output.lines.at(-1) ?? null) : null;
  } catch {
    return null;
  }
}

const rememberedSchema = z.object({
  program: z.string(),
  args: z.array(z.string()),
  version: z.string(),
});

function remembered(stateDir: string): ComposeCommand | null {
  const path = join(stateDir, REMEMBERED);
  if (!existsSync(path)) return null;
  try {
    return rememberedSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return null;
  }
}

/**
 * @param stateDir of the lab; what is found is remembered there
 * @returns the compose this lab uses
 * @throws EngineError DOCKER_COMPOSE_MISSING
 */
export async function findCompose(stateDir: string): Promise<ComposeCommand> {
  const known = remembered(stateDir);
  if (known !== null) return known;
  const command = await detectCompose();
  writeAtomically(join(stateDir, REMEMBERED), `${JSON.stringify(command)}\n`);
  return command;
}

/**
 * @returns the compose this machine has; nothing is remembered
 * @throws EngineError DOCKER_COMPOSE_MISSING
 */
export async function detectCompose(): Promise<ComposeCommand> {
  for (const [program, args] of CANDIDATES) {
    const version = await versionOf(program, args);
    if (version !== null) return { program, args, version };
  }
  throw new EngineError("DOCKER_COMPOSE_MISSING", {
    message: "neither `docker compose` nor `docker-compose` answers",
    hint: "install the compose plugin (docker-compose-v2 or docker-compose), or use `--runtime process`",
  });
}

function described(call: ComposeCall): string {
  const { program, args, version } = call.command;
  return `${[program, ...args, ...call.args].join(" ")} (${version})`;
}

async function runCall(call: ComposeCall): Promise<Output> {
  const { command, project, file } = call;
  const args = [...command.args, "-p", project, "-f", file, ...call.args];
  try {
    return await run(command.program, args, call);
  } catch (error) {
    throw new EngineError("DOCKER_COMPOSE_MISSING", {
      message: `${command.program}, which this lab was made with, cannot be started: ${String(error)}`,
      hint: "install it again, or `lab down` and remove compose-command.json from the lab's folder",
      cause: error,
    });
  }
}

/**
 * Runs compose to its end.
 * @throws EngineError DOCKER_COMPOSE_FAILED with its last lines | LAB_INTERRUPTED | DOCKER_COMPOSE_MISSING
 */
export async function compose(call: ComposeCall): Promise<void> {
  const output = await runCall(call);
  if (call.signal.aborted) {
    throw new EngineError("LAB_INTERRUPTED", {
      message: `${described(call)} was interrupted`,
      hint: "`lab up` goes on from here, `lab down` removes what has been started",
    });
  }
  if (output.code === 0) return;
  throw new EngineError("DOCKER_COMPOSE_FAILED", {
    message: `${described(call)} exited ${output.code}:\n  ${output.lines.slice(-TAIL_LINES).join("\n  ")}`,
    hint: `the lines above are compose's own; its file is ${call.file}`,
  });
}
