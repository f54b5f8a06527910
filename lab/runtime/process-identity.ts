/**
 * Who a process is. A pid alone is no identity: the system hands a freed pid out again, so every pid the lab remembers comes
 * with the instant its process started, and a signal goes out only when both still agree.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

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

function readFromProc(pid: number): ProcessFacts | null {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The program's name stands in brackets and may hold anything, so fields count from the last bracket.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const letter = fields[0] ?? "X";
  if (letter === "Z" || letter === "X") return null;
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`) ?? "")?.[1];
  return {
    started: `${currentBootId()}:${fields[START_TIME_FIELD] ?? "?"}`,
    state: letter === "T" || letter === "t" ? "paused" : "running",
    rssBytes: resident === undefined ? null : Number(resident) * 1_024,
  };
}

function readFromPs(pid: number): ProcessFacts | null {
  let line: string;
  try {
    line = execFileSync("ps", ["-o", "state=,rss=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
      timeout: PS_TIMEOUT_MS,
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, LC_ALL: "C" },
    });
  } catch {
    return null;
  }
  const [, letter, resident, started] = /^\s*(\S)\S*\s+(\d+)\s+(.+?)\s*$/.exec(line) ?? [];
  if (letter === undefined || started === undefined || letter === "Z") return null;
  return {
    started,
    state: letter === "T" ? "paused" : "running",
    rssBytes: Number(resident) * 1_024,
  };
}

/**
 * @param pid any process id
 * @returns what is known of it, or null when there is no such process or it is only waiting to be reaped
 */
export function readProcess(pid: number): ProcessFacts | null {
  return process.platform === "linux" ? readFromProc(pid) : readFromPs(pid);
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
