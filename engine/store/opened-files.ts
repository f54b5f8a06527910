/** Opens a store's files in the order of store-and-ha 5.2: lock, checkpoint, log, queues, index; recovers what an unclean stop left. */
import type { Logger } from "../base/logger.ts";
import type { Vfs } from "../base/vfs.ts";
import { readCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { IndexService } from "./index-service.ts";
import { LogFiles } from "./log-files.ts";
import { missesQueueEntries } from "./queue-ends.ts";
import { QueueTable } from "./queue-table.ts";
import { recoverLog } from "./recovery.ts";
import type { StoreConfig } from "./store-config.ts";
import { lockStore } from "./store-lock.ts";
import { storeLayout, type StoreLayout } from "./store-layout.ts";

/** What opening needs. */
export interface OpenFilesParts {
  readonly config: StoreConfig;
  readonly vfs: Vfs;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Everything of a store that is on disk, opened. */
export interface OpenedFiles {
  readonly layout: StoreLayout;
  readonly checkpoint: Checkpoint;
  readonly files: LogFiles;
  readonly queues: QueueTable;
  readonly index: IndexService | null;
  /** Where the log ends. */
  readonly end: number;
  /** Where dispatch begins again. */
  readonly dispatchFrom: number;
  /** Closes every file; nothing may be read or written afterwards. */
  close(): void;
  /** Gives the store back to others. */
  unlock(): void;
}

function openIndex(
  parts: OpenFilesParts,
  layout: StoreLayout,
  checkpoint: Checkpoint,
  wasClean: boolean,
): IndexService {
  const { config, vfs, logger, now } = parts;
  return new IndexService({
    vfs,
    directory: layout.index,
    dimensions: { slots: config.maxHashSlotNum, entries: config.maxIndexNum },
    logger,
    now,
    keepUntilTimestamp: wasClean ? Number.MAX_SAFE_INTEGER : checkpoint.indexMsgTimestamp,
    onCompleted: (endTimestamp) => {
      checkpoint.indexMsgTimestamp = endTimestamp;
    },
  });
}

/** Behind what queues and index have, at a record's start (5.2). What was deleted or lost is rebuilt from the log (S-15). */
function dispatchStart(
  opened: Pick<OpenedFiles, "files" | "queues" | "index" | "end" | "checkpoint">,
  recovered: {
    readonly checkedFrom: number;
    readonly wasClean: boolean;
    readonly missesEntries: boolean;
  },
): number {
  const { files, queues, index, end, checkpoint } = opened;
  const { minOffset } = files;
  const queueEnd = Math.max(-1, ...queues.all.map(({ queue }) => queue.maxPhysicalOffset));
  if (queueEnd < 0 || recovered.missesEntries) return minOffset;
  const indexEnd = index === null ? end : index.endPhysical;
  if (!recovered.wasClean) return Math.max(minOffset, Math.min(recovered.checkedFrom, indexEnd));
  return indexEnd < checkpoint.indexedOffset
    ? Math.max(minOffset, indexEnd)
    : Math.min(end, Math.max(minOffset, queueEnd));
}

/** A kill leaves bytes that only the page cache has: nothing counts them as flushed before they are (S-10). */
function makeDurable(files: LogFiles, checkpoint: Checkpoint, end: number): void {
  for (const { start, file } of files.all) {
    if (start + files.fileSize > checkpoint.durableEnd) file.datasyncSync();
  }
  checkpoint.durableEnd = end;
}

/** @throws EngineError STORE_LOCKED | STORE_CORRUPT | STORE_LAYOUT_INVALID; the lock is given back then */
export function openFiles(parts: OpenFilesParts): OpenedFiles {
  const { config, vfs, logger } = parts;
  const layout = storeLayout(config);
  const unlock = lockStore(vfs, layout);
  try {
    const wasClean = vfs.stat(layout.abort) === null;
    const checkpoint = readCheckpoint(vfs, layout.checkpoint);
    const files = new LogFiles({
      vfs,
      directory: layout.commitLog,
      fileSize: config.mappedFileSizeCommitLog,
      logger,
    });
    const recovered = recoverLog({
      files,
      vfs,
      quarantine: layout.quarantine,
      checkpoint,
      wasClean,
      logger,
    });
    makeDurable(files, checkpoint, recovered.end);
    const queues = new QueueTable({
      vfs,
      root: layout.consumeQueue,
      fileSize: config.mappedFileSizeConsumeQueue,
    });
    for (const { queue } of queues.all) queue.recover(recovered.end);
    const index = config.messageIndexEnable ? openIndex(parts, layout, checkpoint, wasClean) : null;
    const { from, end, records, tornBytes } = recovered;
    logger.info("commit log recovered", { clean: wasClean, from, end, records, torn: tornBytes });
    const dispatchFrom = dispatchStart(
      { files, queues, index, end, checkpoint },
      {
        checkedFrom: from,
        wasClean,
        missesEntries: missesQueueEntries(parts, layout.queueEnds, queues),
      },
    );
    const close = (): void => {
      index?.close();
      queues.close();
      files.close();
    };
    return { layout, checkpoint, files, queues, index, end, dispatchFrom, close, unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}
