/**
 * Loaded into every node of our own engine before its program: shifts the wall clock while the file `clock-offset` in the folder of the process says so.
 *
 * Without the file `Date` is Node's own, so a node whose clock nobody shifts pays nothing but a look at the file five times a second. With it
 * `Date.now()`, `new Date()` and `Date()` are ahead by its milliseconds; `performance.now()` and timers never are. After each change the main thread
 * writes down what its clock says from now on, so that the lab need not take anybody's word for it.
 */
import { readFileSync, renameSync, stat, statSync, writeFileSync, type Stats } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { CLOCK_OFFSET, CLOCK_SAYS } from "../../runtime/clock-files.ts";

const POLL_MS = 200;
const TrueDate = Date;
const trueNow = Date.now;
const offsetFile = join(process.cwd(), CLOCK_OFFSET);
const saysFile = join(process.cwd(), CLOCK_SAYS);

/** Which file was read last; empty: there was none. */
let known = "";

function unshift(): void {
  TrueDate.now = trueNow;
  globalThis.Date = TrueDate;
}

/** What is made is a real `Date`, so prototypes, `instanceof` and copies between threads stay as they are. */
function shift(offsetMs: number): void {
  const now = (): number => trueNow() + offsetMs;
  // Also for who kept `Date` itself.
  TrueDate.now = now;
  globalThis.Date = new Proxy(TrueDate, {
    apply: () => new TrueDate(now()).toString(),
    construct: (target, given: unknown[], newTarget) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as Date,
  });
}

/** The content counts when it is a whole number; anything else is no offset. */
function readOffset(): number {
  try {
    const text = readFileSync(offsetFile, "utf8").trim();
    return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : 0;
  } catch {
    return 0;
  }
}

/** Replaced as a whole; a disk without room keeps it from being told, not from being done. */
function tell(offsetMs: number): void {
  const says = { offsetMs, clockMs: Date.now(), trueMs: trueNow(), pid: process.pid };
  try {
    writeFileSync(`${saysFile}.new`, JSON.stringify(says));
    renameSync(`${saysFile}.new`, saysFile);
  } catch {
    // The lab waits for it, and says that it did not come.
  }
}

function follow(stats: Stats | undefined): void {
  const found = stats === undefined ? "" : `${stats.ino} ${stats.mtimeMs} ${stats.size}`;
  if (found === known) return;
  known = found;
  const offsetMs = stats === undefined ? 0 : readOffset();
  if (offsetMs === 0) unshift();
  else shift(offsetMs);
  if (isMainThread) tell(offsetMs);
}

/** Asynchronous: a disk that hangs must not hang the node twice. */
function look(): void {
  stat(offsetFile, (error, stats) => {
    follow(error === null ? stats : undefined);
    setTimeout(look, POLL_MS).unref();
  });
}

// A node that starts while its clock is shifted never sees the true one.
follow(statSync(offsetFile, { throwIfNoEntry: false }));
setTimeout(look, POLL_MS).unref();
