/** Fills the disk a folder lies on, to the last block or up to some room, and tells what is left and whether it takes a write. */
import { closeSync, openSync, rmSync, statSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BALLAST } from "../../runtime/data-files.ts";
import type { DiskAnswer, DiskRequest } from "./protocol.ts";

const PROBE = ".probe";
const PROBE_BYTES = 65_536;
const REFUSED_MS = 10_000;
const POLL_MS = 50;

/** Reserves bytes of a file behind what it has. @returns why it could not; empty: it could */
export type Reserve = (file: string, offset: number, bytes: number) => string;

const NO_SPACE = /no space left/i;

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Blocks that hold the list of blocks count too, so the last ones are tried for in ever smaller pieces. */
function fill(folder: string, leaveBytes: number, reserve: Reserve): void {
  const file = join(folder, BALLAST);
  let piece = Number.POSITIVE_INFINITY;
  for (;;) {
    const { bavail, bsize } = statfsSync(folder);
    const room = Math.min(piece, Math.max(0, bavail * bsize - leaveBytes));
    const bytes = room - (room % bsize);
    if (bytes === 0) return;
    const reason = reserve(file, sizeOf(file), bytes);
    if (reason === "") continue;
    if (!NO_SPACE.test(reason)) throw new Error(reason);
    piece = Math.floor(bytes / 2);
  }
}

/** @returns `written`, or the code of the error */
function tryToWrite(folder: string): string {
  const file = join(folder, PROBE);
  try {
    const probe = openSync(file, "w", 0o600);
    try {
      writeSync(probe, Buffer.alloc(PROBE_BYTES, 1));
    } finally {
      closeSync(probe);
      rmSync(file, { force: true });
    }
    return "written";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** Tries until a write is refused because the disk is read-only, or long enough. @returns how the last try ended */
async function refusedWrite(folder: string): Promise<string> {
  const deadline = performance.now() + REFUSED_MS;
  for (;;) {
    const write = tryToWrite(folder);
    if (write === "EROFS" || performance.now() > deadline) return write;
    await sleep(POLL_MS);
  }
}

/**
 * @param request what is to be done
 * @param reserve how room is taken
 * @throws whatever the file system says
 */
export async function workOnDisk(request: DiskRequest, reserve: Reserve): Promise<DiskAnswer> {
  const { folder, act } = request;
  if (act === "fill") fill(folder, request.leaveBytes, reserve);
  if (act === "empty") rmSync(join(folder, BALLAST), { force: true });
  const write = act === "await-readonly" ? await refusedWrite(folder) : tryToWrite(folder);
  const { bavail, blocks, bsize } = statfsSync(folder);
  return { totalBytes: blocks * bsize, freeBytes: bavail * bsize, write };
}
