/** What an administrator may have done to a store: drop queues, and run the deletions that otherwise wait for their hour. */
import type { TopicName } from "../message/topic-name.ts";
import type { CommitLog } from "./commit-log.ts";
import type { Expiry } from "./expiry.ts";
import type { QueueTable } from "./queue-table.ts";
import type { StoreMaintenance } from "./store-api.ts";

/** What maintenance works on. */
export interface MaintenanceParts {
  readonly log: CommitLog;
  readonly queues: QueueTable;
  readonly expiry: Expiry;
}

/** Implementation over the store's files. */
export class FileMaintenance implements StoreMaintenance {
  private readonly parts: MaintenanceParts;

  constructor(parts: MaintenanceParts) {
    this.parts = parts;
  }

  topics(): readonly TopicName[] {
    return [...new Set(this.parts.queues.all.map((state) => state.topic))];
  }

  deleteTopic(topic: TopicName): void {
    this.parts.queues.delete(topic);
  }

  deleteExpiredQueueFiles(): void {
    const { log, queues } = this.parts;
    for (const { queue } of queues.all) queue.removeExpired(log.minOffset);
  }

  deleteExpiredFiles(): void {
    this.parts.expiry.run(true);
  }
}
