/**
 * A disk in memory that behaves as badly as real ones may: what was not synced is lost at a power cut, wholly or in part; names are
 * durable only after their directory was synced; it fills up; syncs fail. Contents are kept as 4 KiB pages, so sparse files cost nothing.
 *
 *   write ──▶ pages ──datasync──▶ durable pages
 *   create, rename, remove ──▶ names ──syncDirectory──▶ durable names
 */
import { dirname, join } from "node:path";
import type { Vfs, VfsFile } from "../../engine/base/vfs.ts";

const PAGE_BYTES = 4_096;
const SECTOR_BYTES = 512;

interface Content {
  pages: Map<number, Buffer>;
  size: number;
}

interface Inode extends Content {
  durable: Content;
  /** Pages written since the last sync. */
  dirty: Set<number>;
  mtimeMs: number;
}

/** What of the un-synced data a power cut leaves. */
export type Survival = "none" | "all" | { readonly seed: number };

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

function copyOf(content: Content): Content {
  return {
    pages: new Map([...content.pages].map(([index, page]) => [index, Buffer.from(page)])),
    size: content.size,
  };
}

function emptyInode(): Inode {
  return {
    pages: new Map(),
    size: 0,
    durable: { pages: new Map(), size: 0 },
    dirty: new Set(),
    mtimeMs: Date.now(),
  };
}

/** @returns the same numbers for the same seed */
function randomBits(seed: number): () => boolean {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state & 0x100) !== 0;
  };
}

export class SimDisk {
  /** Bytes of pages that fit; more is ENOSPC. */
  capacity = Number.MAX_SAFE_INTEGER;
  /** The next datasyncs of paths with this text fail, and so does every later one of the same file. */
  failSyncOf: string | null = null;
  /** Reported by `space`. */
  reportedUse = 0.1;
  syncs = 0;
  private readonly names = new Map<string, Inode>();
  private readonly durableNames = new Map<string, Inode>();
  private readonly directories = new Set<string>(["/"]);
  private usedBytes = 0;

  readonly vfs: Vfs = {
    open: (path, mode) => this.open(path, mode),
    readText: (path) => this.readText(path),
    list: (directory) => this.list(directory),
    stat: (path) => this.stat(path),
    makeDirectory: (path) => this.makeDirectory(path),
    rename: (from, to) => this.rename(from, to),
    remove: (path) => {
      this.names.delete(path);
    },
    removeDirectory: (path) => {
      this.directories.delete(path);
    },
    syncDirectory: (path) => this.syncDirectory(path),
    space: () => ({ total: 1_000_000, available: Math.round(1_000_000 * (1 - this.reportedUse)) }),
  };

  /** @returns the disk a machine finds after losing power now */
  powerCut(survival: Survival): SimDisk {
    const after = new SimDisk();
    for (const directory of this.directories) after.directories.add(directory);
    const names = survival === "all" ? this.names : this.durableNames;
    const keeps =
      typeof survival === "object" ? randomBits(survival.seed) : () => survival === "all";
    for (const [path, inode] of names) {
      const content = copyOf(inode.durable);
      for (const index of inode.dirty) keepSectors(inode, content, index, keeps);
      if (survival === "all") content.size = inode.size;
      const kept: Inode = { ...emptyInode(), ...content, durable: copyOf(content) };
      after.names.set(path, kept);
      after.durableNames.set(path, kept);
    }
    return after;
  }

  /** Flips bits of a stored byte. */
  corrupt(path: string, position: number): void {
    const inode = this.inode(path);
    const page = pageOf(inode, Math.floor(position / PAGE_BYTES));
    page[position % PAGE_BYTES] = (page[position % PAGE_BYTES] ?? 0) ^ 0xff;
    inode.durable = copyOf(inode);
  }

  /** @returns the whole content */
  content(path: string): Buffer {
    const inode = this.inode(path);
    const bytes = Buffer.alloc(inode.size);
    readPages(inode, bytes, { start: 0, length: bytes.length, position: 0 });
    return bytes;
  }

  /** @returns every file's path, sorted */
  get paths(): readonly string[] {
    return [...this.names.keys()].toSorted();
  }

  private inode(path: string): Inode {
    const inode = this.names.get(path);
    if (inode === undefined) throw systemError("ENOENT");
    return inode;
  }

  private open(path: string, mode: "read" | "write" | "create"): VfsFile {
    if (mode === "create") {
      if (this.names.has(path)) throw systemError("EEXIST");
      if (!this.directories.has(dirname(path))) throw systemError("ENOENT");
      this.names.set(path, emptyInode());
    }
    const inode = this.inode(path);
    return {
      path,
      read: (buffer, start, length, position) =>
        readPages(inode, buffer, { start, length, position }),
      readAsync: (buffer, start, length, position) =>
        Promise.resolve(readPages(inode, buffer, { start, length, position })),
      write: (buffer, start, length, position) =>
        this.write(inode, buffer.subarray(start, start + length), position),
      datasync: async () => this.sync(path, inode),
      datasyncSync: () => this.sync(path, inode),
      truncate: (size) => this.truncate(inode, size),
      size: () => inode.size,
      close: () => undefined,
    };
  }

  private sync(path: string, inode: Inode): void {
    this.syncs += 1;
    if (this.failSyncOf !== null && path.includes(this.failSyncOf)) {
      // As the kernel: the pages are clean now, and not on the disk (S-03).
      inode.dirty.clear();
      throw systemError("EIO");
    }
    for (const index of inode.dirty) {
      const page = inode.pages.get(index);
      if (page === undefined) inode.durable.pages.delete(index);
      else inode.durable.pages.set(index, Buffer.from(page));
    }
    inode.durable.size = inode.size;
    inode.dirty.clear();
  }

  /** Takes page by page until the disk is full: a refused write has written a part (S-02). */
  private write(inode: Inode, bytes: Buffer, position: number): void {
    for (let at = 0; at < bytes.length;) {
      const index = Math.floor((position + at) / PAGE_BYTES);
      const within = (position + at) % PAGE_BYTES;
      const length = Math.min(PAGE_BYTES - within, bytes.length - at);
      if (!inode.pages.has(index)) {
        if (this.usedBytes + PAGE_BYTES > this.capacity) throw systemError("ENOSPC");
        this.usedBytes += PAGE_BYTES;
      }
      bytes.copy(pageOf(inode, index), within, at, at + length);
      inode.dirty.add(index);
      at += length;
      inode.size = Math.max(inode.size, position + at);
    }
    inode.mtimeMs = Date.now();
  }

  private truncate(inode: Inode, size: number): void {
    const pages = Math.ceil(size / PAGE_BYTES);
    for (const index of [...inode.pages.keys()].filter((page) => page >= pages)) {
      inode.pages.delete(index);
      inode.dirty.add(index);
      this.usedBytes -= PAGE_BYTES;
    }
    const last = inode.pages.get(pages - 1);
    if (last !== undefined && size < inode.size) {
      last.fill(0, size - (pages - 1) * PAGE_BYTES);
      inode.dirty.add(pages - 1);
    }
    inode.size = size;
  }

  private readText(path: string): string | null {
    return this.names.has(path) ? this.content(path).toString("utf8") : null;
  }

  private list(directory: string): readonly string[] {
    const children = [...this.names.keys(), ...this.directories].filter(
      (path) => path !== directory && dirname(path) === directory,
    );
    return children.map((path) => path.slice(join(directory, "/").length)).toSorted();
  }

  private stat(path: string) {
    const inode = this.names.get(path);
    if (inode !== undefined) {
      return { size: inode.size, mtimeMs: inode.mtimeMs, isDirectory: false, mode: 0o600 };
    }
    return this.directories.has(path)
      ? { size: 0, mtimeMs: 0, isDirectory: true, mode: 0o700 }
      : null;
  }

  private makeDirectory(path: string): void {
    for (let at = path; at !== "/"; at = dirname(at)) this.directories.add(at);
  }

  private rename(from: string, to: string): void {
    this.names.set(to, this.inode(from));
    this.names.delete(from);
  }

  private syncDirectory(directory: string): void {
    for (const path of this.durableNames.keys()) {
      if (dirname(path) === directory && !this.names.has(path)) this.durableNames.delete(path);
    }
    for (const [path, inode] of this.names) {
      if (dirname(path) === directory) this.durableNames.set(path, inode);
    }
  }
}

function pageOf(content: Content, index: number): Buffer {
  let page = content.pages.get(index);
  if (page === undefined) {
    page = Buffer.alloc(PAGE_BYTES);
    content.pages.set(index, page);
  }
  return page;
}

/** A cut may leave any of the sectors that were on their way. */
function keepSectors(inode: Inode, content: Content, index: number, keeps: () => boolean): void {
  const written = inode.pages.get(index);
  for (let at = 0; at < PAGE_BYTES; at += SECTOR_BYTES) {
    if (!keeps()) continue;
    const target = pageOf(content, index);
    if (written === undefined) target.fill(0, at, at + SECTOR_BYTES);
    else written.copy(target, at, at, at + SECTOR_BYTES);
  }
}

function readPages(
  content: Content,
  buffer: Buffer,
  place: { readonly start: number; readonly length: number; readonly position: number },
): number {
  const length = Math.max(0, Math.min(place.length, content.size - place.position));
  for (let at = 0; at < length;) {
    const index = Math.floor((place.position + at) / PAGE_BYTES);
    const within = (place.position + at) % PAGE_BYTES;
    const run = Math.min(PAGE_BYTES - within, length - at);
    const page = content.pages.get(index);
    const to = place.start + at;
    if (page === undefined) buffer.fill(0, to, to + run);
    else page.copy(buffer, to, within, within + run);
    at += run;
  }
  return length;
}
