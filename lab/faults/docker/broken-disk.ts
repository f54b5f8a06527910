/**
 * A disk that fails under open files: ext4 is told that it has found an error, which makes a file system of `lab up --disk` read-only at once, as a dying
 * disk does. What was not on the disk yet is lost. Repaired by e2fsck once nobody has it mounted. Root on the engine's machine only.
 */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { systemProgram } from "../../runtime/docker/node-disks.ts";

const EXT4 = "/sys/fs/ext4";
const TRIGGER = "trigger_fs_error";
const POLL_MS = 100;
const UNMOUNT_MS = 15_000;
const CHECK_MS = 300_000;
/** e2fsck: 1 is "errors corrected", 2 "start the machine anew", which counts for the system's own disk only. */
const REPAIRED_MAX = 3;

/** @returns whether this kernel's ext4 can be told of an error; true also when none is mounted that could show it */
export function canBreakDisks(): boolean {
  if (!existsSync(EXT4)) return false;
  const mounted = readdirSync(EXT4).filter((name) => name !== "features");
  return mounted.length === 0 || mounted.some((name) => existsSync(join(EXT4, name, TRIGGER)));
}

/** @returns whether anybody, in whatever namespace, has the disk mounted */
export function isMounted(device: string): boolean {
  return existsSync(join(EXT4, basename(device)));
}

/**
 * Breaks a disk, again whenever it is mounted anew, until a witness has seen it.
 * @param device loop device
 * @param witness ends when a write was refused, or when it has tried long enough
 */
export async function breakDisk<Result>(device: string, witness: Promise<Result>): Promise<Result> {
  let isOver = false;
  const end = (): void => void (isOver = true);
  witness.then(end, end);
  while (!isOver) {
    try {
      if (isMounted(device)) writeFileSync(join(EXT4, basename(device), TRIGGER), "lab fault\n");
    } catch {
      // Unmounted at this instant; the witness mounts it again.
    }
    await sleep(POLL_MS);
  }
  return witness;
}

/** @returns exit code of a check, and what it said */
function check(
  device: string,
  mode: "-p" | "-y",
): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((resolve) => {
    execFile(
      systemProgram("e2fsck"),
      ["-f", mode, device],
      { timeout: CHECK_MS },
      (error, stdout, stderr) => {
        const code = typeof error?.code === "number" ? error.code : error === null ? 0 : 255;
        resolve({ code, text: `${stdout}${stderr}`.trim() });
      },
    );
  });
}

/**
 * Repairs a disk; the node that uses it must not run.
 * @throws EngineError LAB_FAULT_FAILED when somebody keeps it mounted, or it cannot be repaired
 */
export async function repairDisk(device: string, node: string): Promise<void> {
  const deadline = performance.now() + UNMOUNT_MS;
  while (isMounted(device) && performance.now() < deadline) await sleep(POLL_MS);
  if (isMounted(device)) {
    throw new EngineError("LAB_FAULT_FAILED", {
      message: `the disk of ${node} (${device}) is still mounted, so it cannot be repaired`,
      hint: "`docker ps` shows who has its volume; remove that container, then `lab heal`",
    });
  }
  let done = await check(device, "-p");
  if (done.code > REPAIRED_MAX) done = await check(device, "-y");
  if (done.code <= REPAIRED_MAX) return;
  throw new EngineError("LAB_FAULT_FAILED", {
    message: `the disk of ${node} (${device}) cannot be repaired: e2fsck ended with ${done.code}: ${done.text.slice(-400)}`,
    hint: `\`lab heal\` tries again; \`lab destroy\` removes the disk with the lab`,
  });
}
