import { dirname } from "node:path";
import type { Vfs, VfsFile } from "../base/vfs.ts";

/** A file to be made at its final size. */
export interface SizedFile {
  readonly path: string;
  readonly size: number;
  /** Where it stands until it has its size; on the same file system if possible. */
  readonly temporary: string;
  /** The log depends on it: size and name are made durable before it is used (S-04, S-05). */
  readonly isDurable: boolean;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function moveInPlace(vfs: Vfs, file: SizedFile): void {
  try {
    vfs.rename(file.temporary, file.path);
  } catch (error) {
    if (!hasCode(error, "EXDEV")) throw error;
    vfs.remove(file.temporary);
    const handle = vfs.open(file.path, "create");
    handle.truncate(file.size);
    handle.close();
  }
}

/**
 * Creates a file of zeros that never shows in its directory at another length (store-and-ha 1.2, S-04).
 * @returns the file, open for writing
 * @throws the system error; nothing is left at `path` then
 */
export function createSizedFile(vfs: Vfs, file: SizedFile): VfsFile {
  const directory = dirname(file.path);
  vfs.makeDirectory(directory);
  vfs.remove(file.temporary);
  const made = vfs.open(file.temporary, "create");
  try {
    made.truncate(file.size);
    if (file.isDurable) made.datasyncSync();
  } finally {
    made.close();
  }
  moveInPlace(vfs, file);
  if (file.isDurable) vfs.syncDirectory(directory);
  return vfs.open(file.path, "write");
}
