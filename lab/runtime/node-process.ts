/** One node as a detached local process: started, remembered on disk, signalled only while it is still the same process. */
import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { EngineError } from "../../engine/base/engine-error.ts";
import { writeAtomically } from "./atomic-file.ts";
import type { NodeLaunch } from "./node-launch.ts";
import {
  findByVariable,
  findProcess,
  identify,
  isReaped,
  signalProcess,
  type ProcessFacts,
} from "./process-identity.ts";
import type { NodeObservation } from "./runtime.ts";

/** Variable every node is started with; tells whose process it is when the command died before it could note the pid. */
const MARK = "LAB_NODE_DIR";

/** Noted just before a start: from then on there may be a process. */
const startingSchema = z.object({ starting: z.literal(true), startedAtMs: z.number() });

const recordSchema = z.object({
  pid: z.int().positive(),
  started: z.string(),
  startedAtMs: z.number(),
  /** The last signal we sent that ends a process; tells a kill of ours from an end of its own. */
  endedBy: z.string().nullable(),
});

type ProcessRecord = z.infer<typeof recordSchema>;

const POLL_MS = 15;
/** A log this large is set aside as node.log.1 at the next start. */
const LOG_BYTES_MAX = 16 * 1_024 * 1_024;

/** What a node gets of our environment. The rest (tokens, NODE_OPTIONS of a test runner, …) is none of its business. */
const INHERITED = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ"];

function environmentFor(launch: NodeLaunch): NodeJS.ProcessEnv {
  const inherited = INHERITED.map((name) => [name, process.env[name]] as const);
  return {
    ...Object.fromEntries(inherited.filter(([, value]) => value !== undefined)),
    ...launch.env,
  };
}

/** 128 + 9. How a process ended that got any other signal is known to its parent only, which is long gone. */
const EXIT_CODE_SIGKILL = 137;

/** See the file's head. All calls are safe when the process is gone. */
export class NodeProcess {
  readonly node: string;
  readonly logFile: string;
  private readonly directory: string;

  /**
   * @param node its name
   * @param directory its folder: log, pid record, store
   */
  constructor(node: string, directory: string) {
    this.node = node;
    this.directory = directory;
    this.logFile = join(directory, "node.log");
  }

  private get recordFile(): string {
    return join(this.directory, "process.json");
  }

  private record(): ProcessRecord | null {
    let value: unknown;
    try {
      value = JSON.parse(readFileSync(this.recordFile, "utf8"));
    } catch {
      return null;
    }
    const starting = startingSchema.safeParse(value);
    if (starting.success) return this.unrecorded(starting.data.startedAtMs);
    const record = recordSchema.safeParse(value);
    return record.success ? record.data : null;
  }

  /** A command was killed between the start of a process and the note of its pid. */
  private unrecorded(startedAtMs: number): ProcessRecord | null {
    const found = findByVariable(`${MARK}=${this.directory}`);
    return found === null ? null : { ...found, startedAtMs, endedBy: null };
  }

  private live(): { readonly record: ProcessRecord; readonly facts: ProcessFacts } | null {
    const record = this.record();
    const facts = record === null ? null : findProcess(record);
    return record === null || facts === null ? null : { record, facts };
  }

  /** @returns what the operating system says now */
  observe(): NodeObservation {
    const live = this.live();
    if (live === null) return this.observeEnded();
    const { record, facts } = live;
    return {
      node: this.node,
      state: facts.state,
      pid: record.pid,
      exitCode: null,
      oomKilled: false,
      cutOff: [],
      startedAtMs: record.startedAtMs,
      rssBytes: facts.rssBytes,
    };
  }

  private observeEnded(): NodeObservation {
    const record = this.record();
    return {
      node: this.node,
      state: record === null ? "missing" : "stopped",
      pid: null,
      exitCode: record?.endedBy === "SIGKILL" ? EXIT_CODE_SIGKILL : null,
      oomKilled: false,
      cutOff: [],
      startedAtMs: record?.startedAtMs ?? null,
      rssBytes: null,
    };
  }

  /**
   * Starts the node unless it lives; wakes it when it is paused.
   * @returns true when a new process was started
   * @throws EngineError LAB_NODE_FAILED when the system starts no process
   */
  start(launch: NodeLaunch): boolean {
    const live = this.live();
    if (live !== null) {
      if (live.facts.state === "paused") signalProcess(live.record, "SIGCONT");
      // It may have been found without a record of its pid; from now on there is one.
      this.write(live.record);
      return false;
    }
    mkdirSync(this.directory, { recursive: true });
    for (const { path, text } of launch.files) writeAtomically(path, text);
    this.setLargeLogAside();
    const log = openSync(this.logFile, "a", 0o600);
    writeAtomically(this.recordFile, JSON.stringify({ starting: true, startedAtMs: Date.now() }));
    try {
      const child = spawn(launch.program, [...launch.args], {
        cwd: this.directory,
        env: { ...environmentFor(launch), [MARK]: this.directory },
        detached: true,
        stdio: ["ignore", log, log],
      });
      // A failed start is told by the missing pid below; without a listener the event would end this process.
      child.on("error", () => undefined);
      child.unref();
      this.remember(child.pid);
    } finally {
      closeSync(log);
    }
    return true;
  }

  private remember(pid: number | undefined): void {
    const identity = pid === undefined ? null : identify(pid);
    if (identity === null) {
      throw new EngineError("LAB_NODE_FAILED", {
        message: `no process could be started for ${this.node}`,
        hint: "check free memory and the process limit (`ulimit -u`)",
      });
    }
    this.write({ ...identity, startedAtMs: Date.now(), endedBy: null });
  }

  private write(record: ProcessRecord): void {
    writeAtomically(this.recordFile, `${JSON.stringify(record)}\n`);
  }

  private setLargeLogAside(): void {
    if (existsSync(this.logFile) && statSync(this.logFile).size > LOG_BYTES_MAX) {
      renameSync(this.logFile, `${this.logFile}.1`);
    }
  }

  /**
   * Sends a signal.
   * @returns false when the node does not run
   */
  signal(signal: NodeJS.Signals): boolean {
    const live = this.live();
    if (live === null) return false;
    const ends = signal !== "SIGSTOP" && signal !== "SIGCONT";
    if (ends) this.write({ ...live.record, endedBy: signal });
    return signalProcess(live.record, signal);
  }

  /**
   * Waits until the system has forgotten the last process, so that what it held (the store's lock names its pid) is free for the next.
   * Gives up silently after `timeoutMs`: then the node itself says what is in its way.
   */
  async reaped(timeoutMs: number): Promise<void> {
    const record = this.record();
    const deadline = performance.now() + timeoutMs;
    while (record !== null && !isReaped(record) && performance.now() < deadline)
      await sleep(POLL_MS);
  }

  /**
   * Waits until the process has ended.
   * @returns false when it still lives after `timeoutMs`
   */
  async ended(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.live() !== null) {
      if (performance.now() >= deadline) return false;
      await sleep(POLL_MS);
    }
    return true;
  }
}
