/**
 * All file work of the engine goes through this interface (S-01), so that tests can run the real store on a disk that loses
 * un-synced writes, tears, fills up or lies. Implementations: node-vfs.ts (the real one) and test disks under test/.
 * Positions and lengths are bytes. Synchronous calls are for data that only goes to, or comes from, the page cache
 * (engine-performance 2.1, 5); `datasync` goes through the thread pool.
 */
export interface VfsFile {
  readonly path: string;
  /** @returns bytes read; fewer than `length` at the end of the file */
  read(buffer: Buffer, start: number, length: number, position: number): number;
  /** For reads that may hit the disk. */
  readAsync(buffer: Buffer, start: number, length: number, position: number): Promise<number>;
  /** Loops until all is written (S-02). @throws the system error when the disk refuses */
  write(buffer: Buffer, start: number, length: number, position: number): void;
  /** One fdatasync. A rejection means the data may be lost for good: never call again (S-03). */
  datasync(): Promise<void>;
  datasyncSync(): void;
  truncate(size: number): void;
  size(): number;
  close(): void;
}

export interface VfsStat {
  readonly size: number;
  readonly mtimeMs: number;
  readonly isDirectory: boolean;
  /** Permission bits: 0o600. */
  readonly mode: number;
}

export interface Vfs {
  /** `read`: must exist. `write`: read and write, must exist. `create`: read and write, must not exist. Mode 0600, no-follow. */
  open(path: string, mode: "read" | "write" | "create"): VfsFile;
  /** Whole small file, or null when it does not exist. */
  readText(path: string): string | null;
  /** Names in a directory, sorted; empty when it does not exist. */
  list(directory: string): readonly string[];
  /** Null when it does not exist. */
  stat(path: string): VfsStat | null;
  /** With parents, mode 0700. */
  makeDirectory(path: string): void;
  rename(from: string, to: string): void;
  /** No error when it does not exist. */
  remove(path: string): void;
  /** An empty directory; no error when it does not exist. */
  removeDirectory(path: string): void;
  /** Makes creates, renames and removes in this directory durable (S-05). */
  syncDirectory(path: string): void;
  /** Of the partition that holds the path, bytes; null when unknown. */
  space(path: string): { readonly total: number; readonly available: number } | null;
}
