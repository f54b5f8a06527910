/**
 * One process a store (S-08). ROOT/lock keeps the text 4.9 writes; who holds the store stands in ROOT/lock.owner: process id and start time.
 * A holder that is gone, or whose process id belongs to somebody else now, is taken over.
 */
import { EngineError } from "../base/engine-error.ts";
import type { Vfs } from "../base/vfs.ts";
import type { StoreLayout } from "./store-layout.ts";

/**
 * What tells a process from a later one with the same id; empty where the system does not say. A zombie is gone: it holds nothing any more,
 * its parent has only not looked yet.
 */
function startTimeOf(vfs: Vfs, pid: number): string {
  const stat = vfs.readText(`/proc/${pid}/stat`);
  if (stat === null) return "";
  const fields = stat.replace(/^.*\) /s, "").split(" ");
  return fields[0] === "Z" ? "gone" : (fields[19] ?? "");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function writeOwner(vfs: Vfs, path: string): void {
  const file = vfs.open(path, "create");
  const bytes = Buffer.from(`${process.pid} ${startTimeOf(vfs, process.pid)}\n`, "utf8");
  file.write(bytes, 0, bytes.length, 0);
  file.datasyncSync();
  file.close();
}

/**
 * @returns a function that gives the store back
 * @throws EngineError STORE_LOCKED when a live process holds it
 */
export function lockStore(vfs: Vfs, layout: StoreLayout): () => void {
  vfs.makeDirectory(layout.root);
  const owner = vfs.readText(layout.lockOwner);
  if (owner !== null) {
    const [pidText = "", startTime = ""] = owner.trim().split(" ");
    const pid = Number(pidText);
    const isSame =
      pid > 0 && pid !== process.pid && isAlive(pid) && startTimeOf(vfs, pid) === startTime;
    if (
      isSame ||
      (pid === process.pid && startTimeOf(vfs, pid) === startTime && held.has(layout.lockOwner))
    ) {
      throw new EngineError("STORE_LOCKED", {
        message: `the store ${layout.root} is in use by process ${pid}`,
        hint: "stop that broker first, or give this one a storePathRootDir of its own",
      });
    }
    vfs.remove(layout.lockOwner);
  }
  writeOwner(vfs, layout.lockOwner);
  held.add(layout.lockOwner);
  if (vfs.stat(layout.lock) === null) {
    const file = vfs.open(layout.lock, "create");
    file.write(Buffer.from("lock"), 0, 4, 0);
    file.close();
  }
  return () => {
    held.delete(layout.lockOwner);
    vfs.remove(layout.lockOwner);
  };
}

/** Stores held by this process (tests open several). */
const held = new Set<string>();
