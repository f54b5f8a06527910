/**
 * A lock file that says who holds it. The holder's pid and start instant are inside, so that a lock whose holder was killed is
 * taken over, and a live holder is named.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { EngineError } from "../../engine/base/engine-error.ts";
import { createAtomically } from "./atomic-file.ts";
import { findProcess, identify } from "./process-identity.ts";

const holderSchema = z.object({
  pid: z.int().positive(),
  started: z.string(),
  command: z.string(),
  at: z.string(),
  /** Tells two locks of one process apart. */
  token: z.string(),
});

/** Who holds a lock. */
export type LockHolder = z.infer<typeof holderSchema>;

/** A lock that is held; released by `using` or by hand. */
export interface HeldLock extends Disposable {
  release(): void;
}

const RETRY_MS = 20;

function readHolder(path: string): LockHolder | null {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return null;
  }
}

/** Moves a dead holder's file aside; only one of several takers succeeds with the same file. */
function clearStale(path: string, stale: LockHolder | null): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = readHolder(aside);
  const wasStale = moved === null || (stale !== null && moved.token === stale.token);
  // Somebody took it over between our look and our move: put it back, unless yet another one came.
  if (!wasStale) createAtomically(path, `${JSON.stringify(moved)}\n`);
  rmSync(aside, { force: true });
}

function tryAcquire(path: string, command: string): LockHolder | HeldLock {
  const own: LockHolder = {
    pid: process.pid,
    started: identify(process.pid)?.started ?? "unknown",
    command,
    at: new Date().toISOString(),
    token: randomUUID(),
  };
  for (;;) {
    if (createAtomically(path, `${JSON.stringify(own)}\n`)) {
      const release = (): void => {
        if (readHolder(path)?.token === own.token) rmSync(path, { force: true });
      };
      return { release, [Symbol.dispose]: release };
    }
    const holder = readHolder(path);
    if (holder !== null && findProcess(holder) !== null) return holder;
    clearStale(path, holder);
  }
}

/**
 * @param path of the lock file
 * @param options `command` is told to whoever finds it held; `waitMs` is how long to wait for the holder (0: not at all)
 * @returns the lock
 * @throws EngineError LAB_BUSY naming the holder's pid, command and since when
 */
export async function acquireLock(
  path: string,
  options: { readonly command: string; readonly waitMs: number },
): Promise<HeldLock> {
  const deadline = performance.now() + options.waitMs;
  for (;;) {
    const result = tryAcquire(path, options.command);
    if ("release" in result) return result;
    if (performance.now() >= deadline) {
      throw new EngineError("LAB_BUSY", {
        message: `\`${result.command}\` is at work on this lab: process ${result.pid}, since ${result.at}`,
        hint: "wait for it to end, then run the command again",
      });
    }
    await sleep(RETRY_MS);
  }
}
