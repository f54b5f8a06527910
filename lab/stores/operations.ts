/**
 * What the lab does to the data of nodes that do not run (or stand still), as data: in the lab's own process for local nodes, in a short-lived
 * container for those in Docker. Every operation can be done again after it was cut short: copies are made beside their place, under a name
 * that is removed first, and moved there as a whole.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { copyFolder, diskUse, removeFolder } from "./copy.ts";
import { compareLogs, readLog } from "./log-end.ts";

/** In a node's data: its store, and the commit log in it. */
export const STORE_FOLDER = "store";
const COMMIT_LOG = "commitlog";
/** Who holds a store is no part of its data. */
const NOT_COPIED = ["lock.owner"];

export const operationSchema = z.discriminatedUnion("do", [
  /** How far the log of a node's data reaches; records at or behind `since` are counted. */
  z.object({ do: z.literal("log"), data: z.string(), since: z.number().optional() }),
  /** Do the logs of two nodes' data agree where both reach, up to 1 MiB below the shorter end? */
  z.object({ do: z.literal("compare"), data: z.string(), with: z.string() }),
  /** Copies entries of one folder to `to`, which is made anew. */
  z.object({
    do: z.literal("copy"),
    from: z.string(),
    to: z.string(),
    /** Entries of `from`; absent: all. */
    only: z.array(z.string()).optional(),
    without: z.array(z.string()),
  }),
  /** Puts what `from` holds in the place of what `to` holds (but for `keep`); `from` is gone then; nothing when it is not there. */
  z.object({
    do: z.literal("replace"),
    from: z.string(),
    to: z.string(),
    keep: z.array(z.string()),
  }),
  /** Moves an entry of a folder to another name in it; nothing when it is not there. */
  z.object({ do: z.literal("move"), from: z.string(), to: z.string() }),
  /** Removes what a folder holds but for `keep`. */
  z.object({ do: z.literal("wipe"), folder: z.string(), keep: z.array(z.string()) }),
  z.object({ do: z.literal("remove"), folder: z.string() }),
  z.object({ do: z.literal("size"), folder: z.string() }),
]);

export type StoreOperation = z.infer<typeof operationSchema>;

export const resultSchema = z.object({
  /** `log`: end of the log; `compare`: of the first one; `size`: bytes on the disk; else 0. */
  value: z.number(),
  /** `log`: records behind the offset that was asked for; `compare`: end of the second log. */
  other: z.number(),
  /** False when there was nothing to act on; `compare`: when they differ. */
  found: z.boolean(),
});

export type StoreResult = z.infer<typeof resultSchema>;

const DONE: StoreResult = { value: 0, other: 0, found: true };
const NOTHING: StoreResult = { value: 0, other: 0, found: false };

async function copy(
  operation: Extract<StoreOperation, { do: "copy" }>,
  signal: AbortSignal,
): Promise<StoreResult> {
  const { from, to, only } = operation;
  await removeFolder(to);
  const entries = await entriesOf(from);
  const left = entries.filter((name) => only !== undefined && !only.includes(name));
  await mkdir(to, { recursive: true });
  if (entries.length === left.length) return NOTHING;
  await copyFolder(from, to, { without: [...left, ...operation.without], signal });
  for (const name of NOT_COPIED) await removeFolder(join(to, STORE_FOLDER, name));
  return DONE;
}

/** Copies that wait for their place carry this behind their name once the old content is out of the way. */
const READY = ".ready";

async function entriesOf(folder: string): Promise<readonly string[]> {
  return existsSync(folder) ? readdir(folder) : [];
}

/**
 * Renames only. First what is there moves aside, then the copy is called ready, then its content moves in: from wherever a kill cut it, the same
 * operation goes on.
 */
async function replace(
  operation: Extract<StoreOperation, { do: "replace" }>,
): Promise<StoreResult> {
  const { from, to, keep } = operation;
  const [old, ready] = [`${from}.old`, `${from}${READY}`];
  if (!existsSync(ready)) {
    if (!existsSync(from)) return NOTHING;
    await mkdir(old, { recursive: true });
    const working = new Set([from, old]);
    for (const name of await readdir(to)) {
      if (keep.includes(name) || working.has(join(to, name))) continue;
      await removeFolder(join(old, name));
      await rename(join(to, name), join(old, name));
    }
    await rename(from, ready);
  }
  for (const name of await entriesOf(ready)) await rename(join(ready, name), join(to, name));
  await removeFolder(ready);
  await removeFolder(old);
  return DONE;
}

async function wipe(folder: string, keep: readonly string[]): Promise<StoreResult> {
  if (!existsSync(folder)) return NOTHING;
  for (const name of await readdir(folder)) {
    if (!keep.includes(name)) await removeFolder(join(folder, name));
  }
  return DONE;
}

function logFolder(data: string): string {
  return join(data, STORE_FOLDER, COMMIT_LOG);
}

async function log(data: string, since: number | undefined): Promise<StoreResult> {
  const folder = logFolder(data);
  if (!existsSync(folder)) return NOTHING;
  const { end, recordsSince } = await readLog(folder, since);
  return { value: end, other: recordsSince, found: true };
}

async function compare(data: string, other: string): Promise<StoreResult> {
  const { end, otherEnd, same } = await compareLogs(logFolder(data), logFolder(other));
  return { value: end, other: otherEnd, found: same };
}

/**
 * @param operation to do
 * @param signal stops copies; what was copied by then is removed by the next try
 * @throws whatever the file system says
 */
export async function operate(
  operation: StoreOperation,
  signal: AbortSignal,
): Promise<StoreResult> {
  switch (operation.do) {
    case "log":
      return log(operation.data, operation.since);
    case "compare":
      return compare(operation.data, operation.with);
    case "copy":
      return copy(operation, signal);
    case "replace":
      return replace(operation);
    case "move":
      if (!existsSync(operation.from)) return NOTHING;
      await rename(operation.from, operation.to);
      return DONE;
    case "wipe":
      return wipe(operation.folder, operation.keep);
    case "remove":
      await removeFolder(operation.folder);
      return DONE;
    case "size":
      return { value: await diskUse(operation.folder), other: 0, found: true };
  }
}
