/** Copies of folders that cost only what is in them: a store's files are made ahead and mostly empty, and holes stay holes. */
import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

const CHUNK_BYTES = 1_048_576;
/** Holes are kept in steps of this; a whole number of them makes a chunk. */
const BLOCK_BYTES = 65_536;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

async function copyFile(from: string, to: string, signal: AbortSignal): Promise<void> {
  await using source = await open(from, "r");
  const { size, mode } = await source.stat();
  await using target = await open(to, "w", mode);
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (let position = 0; position < size; position += CHUNK_BYTES) {
    signal.throwIfAborted();
    const { bytesRead } = await source.read(buffer, 0, CHUNK_BYTES, position);
    for (let at = 0; at < bytesRead; at += BLOCK_BYTES) {
      const block = buffer.subarray(at, Math.min(at + BLOCK_BYTES, bytesRead));
      if (block.equals(ZEROS.subarray(0, block.length))) continue;
      await target.write(block, 0, block.length, position + at);
    }
  }
  await target.truncate(size);
  // What is renamed into place later must be whole even if the machine stops.
  await target.datasync();
}

/**
 * @param from folder
 * @param to folder to make; must not be there
 * @param options names left out at the top, and when to stop
 */
export async function copyFolder(
  from: string,
  to: string,
  options: { readonly without: readonly string[]; readonly signal: AbortSignal },
): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    options.signal.throwIfAborted();
    if (options.without.includes(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory())
      await copyFolder(source, target, { without: [], signal: options.signal });
    else if (entry.isFile()) await copyFile(source, target, options.signal);
  }
}

/** @returns bytes that a folder takes on the disk; 0 when it is not there */
export async function diskUse(folder: string): Promise<number> {
  let bytes = 0;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await diskUse(path);
    else if (entry.isFile()) bytes += (await stat(path)).blocks * 512;
  }
  return bytes;
}

/** Removes a folder and all in it. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
