/**
 * Makes written bytes durable: group commit for SYNC_FLUSH, an interval for ASYNC_FLUSH. The only caller of `datasync` on the log. One sync in
 * flight; who arrives meanwhile waits for the next one, never for one that began before its bytes were written (engine-performance 2.4).
 */
import type { VfsFile } from "../base/vfs.ts";

/** What the flusher needs of the log. */
export interface FlusherParts {
  readonly isSync: boolean;
  readonly intervalMs: number;
  /** End of the bytes handed to the file system. */
  readonly written: () => number;
  /** Called with the offset a finished sync covers. */
  readonly onFlushed: (offset: number) => void;
  /** A sync failed: the store is lost for the life of the process (S-03). */
  readonly onFailed: (error: Error) => void;
}

/** See the file's head. */
export class Flusher {
  flushed = 0;
  syncCount = 0;
  longestMs = 0;
  private readonly parts: FlusherParts;
  private readonly dirty = new Set<VfsFile>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private failed = false;
  /** Lowest end the log was cut back to since the running sync began. */
  private cutTo = Number.MAX_SAFE_INTEGER;

  constructor(parts: FlusherParts) {
    this.parts = parts;
  }

  /** Bytes of `file` were written. */
  wrote(file: VfsFile): void {
    this.dirty.add(file);
    if (this.parts.isSync) this.begin();
    else this.timer ??= setTimeout(() => this.onInterval(), this.parts.intervalMs);
  }

  /** The log was cut back: no sync, not even the running one, vouches for the bytes that will stand there next. */
  cut(end: number): void {
    this.flushed = Math.min(this.flushed, end);
    this.cutTo = Math.min(this.cutTo, end);
  }

  /** Flushes everything written so far. */
  async flushAll(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    while (!this.failed && this.flushed < this.parts.written()) {
      this.begin();
      await this.running;
    }
  }

  private onInterval(): void {
    this.timer = undefined;
    this.begin();
  }

  private begin(): void {
    if (this.running !== undefined || this.failed || this.flushed >= this.parts.written()) return;
    this.running = this.syncOnce().finally(() => {
      this.running = undefined;
      if (this.dirty.size === 0) return;
      if (this.parts.isSync) this.begin();
      else this.timer ??= setTimeout(() => this.onInterval(), this.parts.intervalMs);
    });
  }

  private async syncOnce(): Promise<void> {
    const target = this.parts.written();
    const files = [...this.dirty];
    this.dirty.clear();
    this.cutTo = Number.MAX_SAFE_INTEGER;
    const began = performance.now();
    try {
      for (const file of files) await file.datasync();
    } catch (error) {
      this.failed = true;
      this.parts.onFailed(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.syncCount += 1;
    this.longestMs = Math.max(this.longestMs, performance.now() - began);
    this.flushed = Math.min(target, this.cutTo);
    this.parts.onFlushed(this.flushed);
  }
}
