/** Paths and names below a store's root (store-and-ha 1.1, 1.2). */
import { join } from "node:path";
import type { StoreConfig } from "./store-config.ts";

const OFFSET_NAME = /^\d{20}$/;

/** Where everything of one store lives. */
export interface StoreLayout {
  readonly root: string;
  readonly commitLog: string;
  readonly consumeQueue: string;
  readonly index: string;
  readonly checkpoint: string;
  readonly abort: string;
  readonly lock: string;
  readonly lockOwner: string;
  readonly quarantine: string;
  /** Ours (queue-ends.ts). */
  readonly queueEnds: string;
}

/** @returns the paths of a store */
export function storeLayout(config: StoreConfig): StoreLayout {
  const root = config.storePathRootDir;
  return {
    root,
    commitLog: config.storePathCommitLog,
    consumeQueue: join(root, "consumequeue"),
    index: join(root, "index"),
    checkpoint: join(root, "checkpoint"),
    abort: join(root, "abort"),
    lock: join(root, "lock"),
    lockOwner: join(root, "lock.owner"),
    quarantine: join(root, "quarantine"),
    queueEnds: join(root, "queue-ends.json"),
  };
}

/** @returns the 20-digit name of the file that starts at an offset */
export function offsetName(start: number): string {
  return String(start).padStart(20, "0");
}

/** @returns the offset a file name stands for, or null for any other name */
export function nameOffset(name: string): number | null {
  return OFFSET_NAME.test(name) ? Number(name) : null;
}
