/** All index files: the newest is written, the older ones are only asked (store-and-ha 3.5–3.7). */
import { join } from "node:path";
import { javaStringHash } from "../base/java-string-hash.ts";
import type { Logger } from "../base/logger.ts";
import type { Vfs, VfsFile } from "../base/vfs.ts";
import { IndexFile, indexFileBytes, type IndexDimensions } from "./index-file.ts";

/** @returns abs as Java's index has it: abs(-2^31) is forced to 0 */
function indexHash(hash: number): number {
  const value = Math.abs(hash);
  return value > 0x7fffffff ? 0 : value;
}

/** @returns `yyyyMMddHHmmssSSS` in local time */
function fileName(now: number): string {
  const time = new Date(now);
  const parts = [
    time.getFullYear(),
    time.getMonth() + 1,
    time.getDate(),
    time.getHours(),
    time.getMinutes(),
    time.getSeconds(),
  ];
  return (
    parts.map((part, i) => String(part).padStart(i === 0 ? 4 : 2, "0")).join("") +
    String(time.getMilliseconds()).padStart(3, "0")
  );
}

/** What the service needs. */
export interface IndexServiceParts {
  readonly vfs: Vfs;
  readonly directory: string;
  readonly dimensions: IndexDimensions;
  readonly logger: Logger;
  readonly now: () => number;
  /** After an unclean stop: files that end after this were not complete and are removed (5.5). */
  readonly keepUntilTimestamp: number;
  /** An index file was completed. */
  readonly onCompleted: (endTimestamp: number) => void;
}

/** See the file's head. */
export class IndexService {
  private readonly parts: IndexServiceParts;
  private readonly files: IndexFile[] = [];

  constructor(parts: IndexServiceParts) {
    this.parts = parts;
    const size = indexFileBytes(parts.dimensions);
    for (const name of parts.vfs.list(parts.directory)) {
      const path = join(parts.directory, name);
      if (!/^\d{17}$/.test(name) || parts.vfs.stat(path)?.size !== size) {
        parts.logger.warn("not an index file of this store: ignored", { name });
        continue;
      }
      const file = new IndexFile(parts.vfs.open(path, "write"), parts.dimensions);
      // The header of a file is written when it is complete or the store stops: without one its entries mean nothing.
      if (file.nextEntry > 1 && file.endTimestamp <= parts.keepUntilTimestamp)
        this.files.push(file);
      else {
        file.file.close();
        parts.vfs.remove(path);
      }
    }
  }

  /** Physical offset of the newest indexed message; -1 when there is none. */
  get endPhysical(): number {
    const last = this.files.at(-1);
    return last === undefined || last.nextEntry <= 1 ? -1 : last.endPhysical;
  }

  /** @param hash Java's hash of `topic#key`, signed */
  put(hash: number, physicalOffset: number, storeTimestamp: number): void {
    const last = this.files.at(-1);
    if (last !== undefined && physicalOffset < last.endPhysical) return;
    const file = last === undefined || last.isFull ? this.next(last) : last;
    file.put(indexHash(hash), physicalOffset, storeTimestamp);
  }

  /** @returns physical offsets, newest files first, and what the newest file knows */
  query(
    topic: string,
    key: string,
    max: number,
    range: { readonly beginMs: number; readonly endMs: number },
  ): number[] {
    const hash = indexHash(javaStringHash(`${topic}#${key}`));
    const found: number[] = [];
    for (const file of this.files.toReversed()) {
      const overlaps = file.beginTimestamp <= range.endMs && file.endTimestamp >= range.beginMs;
      if (overlaps) file.collect(hash, range, found, max);
      if (file.beginTimestamp < range.beginMs || found.length >= max) break;
    }
    return found;
  }

  get lastTimestamp(): number {
    return this.files.at(-1)?.endTimestamp ?? 0;
  }

  get lastPhysical(): number {
    return this.files.at(-1)?.endPhysical ?? 0;
  }

  /** Removes files, never the newest, that end below the log's start (3.7). */
  removeExpired(logMinOffset: number): void {
    while (this.files.length > 1 && (this.files[0]?.endPhysical ?? 0) < logMinOffset) {
      const doomed = this.files.shift();
      doomed?.file.close();
      if (doomed !== undefined) this.parts.vfs.remove(doomed.file.path);
    }
  }

  get openFiles(): readonly VfsFile[] {
    return this.files.map(({ file }) => file);
  }

  flush(): void {
    for (const file of this.files) file.flush();
  }

  close(): void {
    this.flush();
    for (const { file } of this.files) file.close();
  }

  private next(last: IndexFile | undefined): IndexFile {
    if (last !== undefined) {
      last.seal();
      last.file.datasyncSync();
      this.parts.onCompleted(last.endTimestamp);
    }
    this.parts.vfs.makeDirectory(this.parts.directory);
    const file = this.parts.vfs.open(
      join(this.parts.directory, fileName(this.parts.now())),
      "create",
    );
    file.truncate(indexFileBytes(this.parts.dimensions));
    const made = new IndexFile(file, this.parts.dimensions);
    if (last !== undefined) made.beginAfter(last);
    this.files.push(made);
    return made;
  }
}
