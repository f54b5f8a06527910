/**
 * Brings queues and checkpoint to the disk, a round a second while they move (S-10). Syncs go through the thread pool, one at a time: sends
 * and pulls go on meanwhile. The checkpoint counts only what a finished sync covered.
 */
import type { Vfs, VfsFile } from "../base/vfs.ts";
import { encodeCheckpoint, openCheckpoint } from "./checkpoint.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { OpenedFiles } from "./opened-files.ts";

import { writeQueueEnds } from "./queue-ends.ts";

/** What it works on. */
export interface PersistenceParts {
  readonly vfs: Vfs;
  readonly opened: OpenedFiles;
  readonly dispatcher: Dispatcher;
  /** A write was refused; the next round may try again. */
  readonly onRefused: (error: unknown) => void;
  /** A sync failed: nothing may be written any more (S-03). */
  readonly onFailed: (error: unknown) => void;
}

/** See the file's head. */
export class Persistence {
  private readonly parts: PersistenceParts;
  private running: Promise<void> | null = null;
  private checkpointFile: VfsFile | null = null;
  private lastSaved: Buffer | null = null;
  private savedChanges = 0;
  private hasFailed = false;

  constructor(parts: PersistenceParts) {
    this.parts = parts;
  }

  /** Starts a round unless one is running. */
  begin(): void {
    this.running ??= this.round(false).finally(() => {
      this.running = null;
    });
  }

  /** The last round: everything, the index included. Resolves when it is on the disk. */
  async finish(): Promise<void> {
    await this.running;
    await this.round(true);
    this.checkpointFile?.close();
  }

  private async round(isLast: boolean): Promise<void> {
    if (this.hasFailed) return;
    try {
      await this.persistQueues(isLast);
      await this.saveCheckpoint();
    } catch (error) {
      this.parts.onRefused(error);
    }
  }

  private async persistQueues(withIndex: boolean): Promise<void> {
    const { opened, dispatcher } = this.parts;
    const { checkpoint, queues, index } = opened;
    const { dispatched, lastStoreTimestamp } = dispatcher;
    if (checkpoint.queuesDurableEnd === dispatched && !withIndex) return;
    for (const file of new Set(queues.flush())) await this.sync(file);
    if (withIndex) {
      index?.flush();
      for (const file of index?.openFiles ?? []) await this.sync(file);
      checkpoint.indexedOffset = index?.endPhysical ?? -1;
    }
    if (this.hasFailed) return;
    this.saveQueueEnds(withIndex);
    checkpoint.queuesDurableEnd = dispatched;
    checkpoint.logicsMsgTimestamp = Math.max(checkpoint.logicsMsgTimestamp, lastStoreTimestamp);
  }

  /** When queues came or went, and at the end; blocking, but rare. */
  private saveQueueEnds(isLast: boolean): void {
    const { vfs, opened } = this.parts;
    if (opened.queues.changes === this.savedChanges && !isLast) return;
    this.savedChanges = opened.queues.changes;
    writeQueueEnds(vfs, opened.layout.queueEnds, opened.queues);
  }

  private async saveCheckpoint(): Promise<void> {
    const { vfs, opened } = this.parts;
    const bytes = encodeCheckpoint(opened.checkpoint);
    if (this.hasFailed || this.lastSaved?.equals(bytes) === true) return;
    this.checkpointFile ??= openCheckpoint(vfs, opened.layout.checkpoint);
    this.checkpointFile.write(bytes, 0, bytes.length, 0);
    await this.sync(this.checkpointFile);
    this.lastSaved = bytes;
  }

  private async sync(file: VfsFile): Promise<void> {
    if (this.hasFailed) return;
    try {
      await file.datasync();
    } catch (error) {
      // A topic that was deleted, or a file that expired, meanwhile is nothing to keep.
      if (this.parts.vfs.stat(file.path) === null) return;
      this.hasFailed = true;
      this.parts.onFailed(error);
    }
  }
}
