/**
 * Small state files that must survive a crash at any step (S-06): topics, groups, offsets.
 * Beside `NAME` stand `NAME.bak` (the version before) and `NAME.sum`, one line a version, newest first:
 *
 *     <length in bytes> <CRC-32, 8 hexadecimal digits>
 *
 * A file is valid when it matches a line of the sum. Apache's broker writes the same files without a sum: a file that is
 * younger than its sum (ours never is: the sum is written last) or has none is valid when it is complete JSON.
 */
import { dirname } from "node:path";
import { crc32 } from "./crc32.ts";
import { EngineError } from "./engine-error.ts";
import { parseFastjson } from "./fastjson.ts";
import type { Vfs } from "./vfs.ts";

function fingerprint(text: string): string {
  const bytes = Buffer.from(text, "utf8");
  return `${bytes.length} ${crc32(bytes, 0, bytes.length).toString(16).padStart(8, "0")}`;
}

function writeWhole(vfs: Vfs, path: string, text: string): void {
  vfs.remove(path);
  const bytes = Buffer.from(text, "utf8");
  const file = vfs.open(path, "create");
  try {
    file.write(bytes, 0, bytes.length, 0);
    file.datasyncSync();
  } finally {
    file.close();
  }
}

function sumLines(vfs: Vfs, path: string): readonly string[] {
  const text = readOrNull(vfs, `${path}.sum`);
  return text === null ? [] : text.split("\n").filter((line) => line !== "");
}

/** An unreadable file is as bad as a wrong one: the next candidate gets its chance. */
function readOrNull(vfs: Vfs, path: string): string | null {
  try {
    return vfs.readText(path);
  } catch {
    return null;
  }
}

/**
 * Replaces the file so that a crash at any point leaves the old or the new text (S-06, S-05). Blocks for three syncs.
 * @param vfs where to write
 * @param path the live file; its directory is made when missing
 * @param text complete new content
 * @throws the system error when the disk refuses; the old content is still there
 */
export function writeStateFile(vfs: Vfs, path: string, text: string): void {
  const directory = dirname(path);
  vfs.makeDirectory(directory);
  const [previous] = sumLines(vfs, path);
  writeWhole(vfs, `${path}.tmp`, text);
  // The sum names the new and the present version, so that either is valid whatever a crash leaves in place.
  const lines = [fingerprint(text), ...(previous === undefined ? [] : [previous])];
  writeWhole(vfs, `${path}.sum.tmp`, `${lines.join("\n")}\n`);
  vfs.rename(`${path}.sum.tmp`, `${path}.sum`);
  if (vfs.stat(path) !== null) vfs.rename(path, `${path}.bak`);
  vfs.rename(`${path}.tmp`, path);
  vfs.syncDirectory(directory);
}

function isCompleteJson(text: string): boolean {
  try {
    parseFastjson(text);
    return true;
  } catch {
    return false;
  }
}

function isValid(vfs: Vfs, path: string, candidate: string, text: string): boolean {
  const lines = sumLines(vfs, path);
  if (lines.includes(fingerprint(text))) return true;
  const summedAt = vfs.stat(`${path}.sum`)?.mtimeMs;
  const writtenAt = vfs.stat(candidate)?.mtimeMs ?? 0;
  const isForeign = lines.length === 0 || summedAt === undefined || writtenAt > summedAt;
  return isForeign && isCompleteJson(text);
}

/** The very first write stopped (a full disk, a crash) before its sum was in place: nothing was ever promised. */
function isUnfinishedFirst(vfs: Vfs, path: string, existing: readonly string[]): boolean {
  const isAlone = existing.length === 1 && existing[0] === `${path}.tmp`;
  return isAlone && vfs.stat(`${path}.sum`) === null;
}

/**
 * @param vfs where to read
 * @param path the live file
 * @param onFallback told why when it was not the live file that was read
 * @returns the first valid of live, tmp and bak; null when none of them exists, or only the torn beginning of a first one
 * @throws EngineError STORE_LAYOUT_INVALID when some exist and none is valid: never start as if there was nothing
 */
export function readStateFile(
  vfs: Vfs,
  path: string,
  onFallback?: (message: string) => void,
): string | null {
  const candidates = [path, `${path}.tmp`, `${path}.bak`];
  const existing = candidates.filter((candidate) => vfs.stat(candidate) !== null);
  for (const candidate of existing) {
    const text = readOrNull(vfs, candidate);
    if (text === null || !isValid(vfs, path, candidate, text)) continue;
    if (candidate !== path) onFallback?.(`${path} is missing or damaged: read ${candidate}`);
    return text;
  }
  if (existing.length === 0 || isUnfinishedFirst(vfs, path, existing)) return null;
  throw new EngineError("STORE_LAYOUT_INVALID", {
    message: `${path} is damaged, and so are its copies (looked at ${existing.join(", ")})`,
    hint: "restore the file from a backup; to start without it, move it and its .tmp, .bak and .sum away",
  });
}
