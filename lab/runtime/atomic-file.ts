import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

let counter = 0;

function writeBeside(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  counter += 1;
  const temporary = `${path}.${process.pid}.${counter}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  return temporary;
}

/**
 * Replaces a file as a whole: a reader sees the old text or the new one, never a part, whenever this process is killed.
 * @param path its folder is made when missing
 */
export function writeAtomically(path: string, text: string): void {
  renameSync(writeBeside(path, text), path);
}

/**
 * Creates a file together with its text, or not at all.
 * @returns false when the file was there already
 */
export function createAtomically(path: string, text: string): boolean {
  const temporary = writeBeside(path, text);
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}
