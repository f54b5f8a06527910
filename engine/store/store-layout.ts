import { dirname, join } from "node:path";
import type { StoreConfig } from "./store-config.ts";

/**
 * Paths under the store root (store-and-ha 1.1). What Apache's broker does not know stands beside its directories, never in
 * them: a stray file in commitlog, consumequeue or index keeps it from starting.
 */
export interface StoreLayout {
  readonly root: string;
  readonly commitLog: string;
  readonly consumeQueue: string;
  readonly index: string;
  readonly checkpoint: string;
  readonly abort: string;
  readonly lock: string;
  /** Ours: who runs on this store (S-08). */
  readonly owner: string;
  /** Ours: offsets known to be on disk (S-10). */
  readonly durableEnds: string;
  /** Ours: which queues exist, and how far they surely reach (S-10). */
  readonly queueEnds: string;
  /** Ours: bytes cut off a log are kept here (S-13, S-20). */
  readonly quarantine: string;
  /** Ours: room that is given back when the disk is full (S-26). */
  readonly ballast: string;
  /** A commit log file while it is made (S-04). Beside the commit log: a rename must not leave its file system. */
  readonly nextLogFile: string;
  /** The same for consume queue and index files. */
  readonly nextFile: string;
}

/** @returns where everything is */
export function storeLayout(config: StoreConfig): StoreLayout {
  const root = config.storePathRootDir;
  const commitLog = config.storePathCommitLog;
  return {
    root,
    commitLog,
    consumeQueue: join(root, "consumequeue"),
    index: join(root, "index"),
    checkpoint: join(root, "checkpoint"),
    abort: join(root, "abort"),
    lock: join(root, "lock"),
    owner: join(root, "lock.owner"),
    durableEnds: join(root, "durable-ends"),
    queueEnds: join(root, "queue-ends.json"),
    quarantine: join(root, "quarantine"),
    ballast: join(root, "ballast"),
    nextLogFile: join(dirname(commitLog), "commitlog-next"),
    nextFile: join(root, "file-next"),
  };
}

const NAME_DIGITS = 20;

/** @returns a file's name: its first byte's offset in 20 digits (1.2) */
export function offsetName(offset: number): string {
  return String(offset).padStart(NAME_DIGITS, "0");
}

/** @returns the offset a name stands for, or null when it is none */
export function parseOffsetName(name: string): number | null {
  const offset = Number(name);
  return /^\d{20}$/.test(name) && Number.isSafeInteger(offset) ? offset : null;
}
