/**
 * Who a process is. A pid alone is no identity: the system hands a freed pid out again, so every pid the lab remembers comes
 * with the instant its process started, and a signal goes out only when both still agree.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

/** A pid and the start instant that makes it unique on this machine until the next boot, and across boots. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

/** What the operating system says of a live process. */
export interface ProcessFacts {
  readonly started: string;
  readonly state: "running" | "paused";
  readonly rssBytes: number | null;
}

/** The same, and of one that has ended and whose parent has not asked for its exit code yet. */
interface ProcessEntry extends Omit<ProcessFacts, "state"> {
  readonly state: ProcessFacts["state"] | "zombie";
}

/** Position of `starttime` in /proc/PID/stat counted from the state letter (proc(5): field 22, the letter is field 3). */
const START_TIME_FIELD = 19;
const PS_TIMEOUT_MS = 2_000;

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

let bootId: string | undefined;

function currentBootId(): string {
  bootId ??= readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "boot";
  return bootId;
}

function stateOf(letter: string): ProcessEntry["state"] {
  if (letter === "Z" || letter === "X") return "zombie";
  return letter === "T" || letter === "t" ? "paused" : "running";
}

function readFromProc(pid: number): ProcessEntry | null {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The program's name stands in brackets and may hold anything, so fields count from the last bracket.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`) ?? "")?.[1];
  return {
    started: `${currentBootId()}:${fields[START_TIME_FIELD] ?? "?"}`,
    state: stateOf(fields[0] ?? "X"),
    rssBytes: resident === undefined ? null : Number(resident) * 1_024,
  };
}

function runPs(args: readonly string[]): string | null {
  try {
    return execFileSync("ps", [...args], {
      encoding: "utf8",
      timeout: PS_TIMEOUT_MS,
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, LC_ALL: "C" },
    });
  } catch {
    return null;
  }
}

function readFromPs(pid: number): ProcessEntry | null {
  const line = runPs(["-o", "state=,rss=,lstart=", "-p", String(pid)]);
  if (line === null) return null;
  const [, letter, resident, started] = /^\s*(\S)\S*\s+(\d+)\s+(.+?)\s*$/.exec(line) ?? [];
  if (letter === undefined || started === undefined) return null;
  return {
    started,
    state: stateOf(letter),
    rssBytes: Number(resident) * 1_024,
  };
}

/**
 * @param pid any process id
 * @returns what is known of it, or null when there is no such process or it is only waiting to be reaped
 */
export function readProcess(pid: number): ProcessFacts | null {
  const entry = readEntry(pid);
  if (entry === null || entry.state === "zombie") return null;
  return { ...entry, state: entry.state };
}

function readEntry(pid: number): ProcessEntry | null {
  return process.platform === "linux" ? readFromProc(pid) : readFromPs(pid);
}

/**
 * @param identity as remembered
 * @returns false while its pid is still taken by it, alive or as a zombie, which programs that send signal 0 mistake for life
 */
export function isReaped(identity: ProcessIdentity): boolean {
  const entry = readEntry(identity.pid);
  return entry === null || entry.started !== identity.started;
}

/**
 * @param identity as remembered
 * @returns its facts, or null when it has ended, even when another process has its pid now
 */
export function findProcess(identity: ProcessIdentity): ProcessFacts | null {
  const facts = readProcess(identity.pid);
  return facts !== null && facts.started === identity.started ? facts : null;
}

/**
 * @param pid a process that lives
 * @returns its identity, or null when it ended meanwhile
 */
export function identify(pid: number): ProcessIdentity | null {
  const facts = readProcess(pid);
  return facts === null ? null : { pid, started: facts.started };
}

/** The variables of a process, one after the other; empty when they cannot be read. */
function environments(): readonly (readonly [number, string])[] {
  if (process.platform === "linux") {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.map((pid) => [Number(pid), readText(`/proc/${pid}/environ`) ?? ""]);
  }
  const listing = runPs(["axeww", "-o", "pid=,command="]) ?? "";
  return listing.split("\n").map((line) => [Number.parseInt(line, 10), line]);
}

/**
 * Finds a process by a variable it was started with. Slow: only for what a killed command left unrecorded.
 * @param variable `NAME=value`
 */
export function findByVariable(variable: string): ProcessIdentity | null {
  const found = environments().find(([, text]) => text.split(/[\0 ]/).includes(variable));
  return found === undefined ? null : identify(found[0]);
}

/**
 * Signals a process only while it is still the one remembered.
 * @returns false when it had ended
 */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (findProcess(identity) === null) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}
