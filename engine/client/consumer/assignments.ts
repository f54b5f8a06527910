/** The queues one consumer owns: taken over, pulled, given back, set to another offset (remoting-protocol 5.6). */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../base/logger.ts";
import type { SubscriptionBody } from "../../remoting/bodies/heartbeat.ts";
import type { QueueMap } from "../../remoting/bodies/message-queue.ts";
import type { MessageQueue } from "../client-api.ts";
import { compareQueues, queueKey } from "../message-queues.ts";
import type { SharedClient } from "../mq-client.ts";
import { firstOffset, type ConsumeFrom } from "./first-offset.ts";
import type { OffsetStore } from "./offset-store.ts";
import { ProcessQueue } from "./process-queue.ts";
import { QueuePuller } from "./queue-puller.ts";
import type { StoredMessage } from "./received-message.ts";

/** How long a queue that changes its offset waits for listeners that are still at it. */
const SETTLE_MS = 10_000;
/** Between an offset the broker refused and the next try. */
const ILLEGAL_PAUSE_MS = 1_000;

/** What assignments are made of. */
export interface AssignmentParts {
  readonly client: SharedClient;
  readonly group: string;
  readonly isClustering: boolean;
  readonly offsets: OffsetStore;
  readonly consumeFrom: ConsumeFrom;
  readonly subscription: (topic: string) => SubscriptionBody | undefined;
  readonly onMessages: (queue: ProcessQueue, messages: readonly StoredMessage[]) => void;
  /** A queue was let go to be taken up again. */
  readonly onReleased: () => void;
}

/** One consumer's queues. */
export class Assignments {
  private readonly parts: AssignmentParts;
  private readonly logger: Logger;
  private readonly owned = new Map<string, ProcessQueue>();
  private closed = false;

  constructor(parts: AssignmentParts) {
    this.parts = parts;
    this.logger = parts.client.logger;
  }

  /** @returns queues being pulled */
  queues(): ProcessQueue[] {
    return [...this.owned.values()]
      .filter((queue) => !queue.dropped)
      .toSorted((a, b) => compareQueues(a.queue, b.queue));
  }

  /**
   * Makes `mine` the share of this topic.
   * @returns false when a queue could not be taken over yet
   */
  async apply(topic: string, mine: readonly MessageQueue[]): Promise<boolean> {
    const wanted = new Map(mine.map((queue) => [queueKey(queue), queue] as const));
    const lost = [...this.owned.values()].filter(
      ({ queue }) => queue.topic === topic && !wanted.has(queueKey(queue)),
    );
    await this.release(lost);
    const fresh = mine.filter((queue) => !this.owned.has(queueKey(queue)));
    const taken = await Promise.all(fresh.map((queue) => this.take(queue)));
    return taken.every(Boolean);
  }

  /** Code 220: these queues go on from these offsets. */
  async reset(topic: string, offsets: QueueMap<number>): Promise<void> {
    const moves = offsets
      .filter(([queue]) => queue.topic === topic)
      .flatMap(([queue, offset]) => {
        const owned = this.owned.get(queueKey(queue));
        return owned === undefined ? [] : [this.moveTo(owned, offset)];
      });
    await Promise.all(moves);
    this.parts.onReleased();
  }

  /** Stops pulling for good. */
  close(): void {
    this.closed = true;
    for (const queue of this.owned.values()) queue.drop();
  }

  private async release(lost: readonly ProcessQueue[]): Promise<void> {
    if (lost.length === 0) return;
    for (const queue of lost) {
      queue.drop();
      this.owned.delete(queueKey(queue.queue));
    }
    await this.parts.offsets.persist(false);
    for (const queue of lost) this.parts.offsets.forget(queue.queue);
  }

  private async take(queue: MessageQueue): Promise<boolean> {
    const { client, offsets, consumeFrom } = this.parts;
    try {
      const offset = await firstOffset(client, offsets, queue, consumeFrom);
      if (!this.closed && !this.owned.has(queueKey(queue))) this.begin(queue, offset);
      return true;
    } catch (error) {
      const { topic, brokerName, queueId } = queue;
      const reason = error instanceof Error ? error.message : String(error);
      this.logger.warn("no first offset yet", { topic, brokerName, queueId, reason });
      return false;
    }
  }

  private begin(queue: MessageQueue, offset: number): void {
    const processQueue = new ProcessQueue(queue);
    this.owned.set(queueKey(queue), processQueue);
    const { subscription, offsets } = this.parts;
    // Kept from the start: a group that begins at the end must not begin at a later end after a crash before its first message.
    offsets.update(queue, offset, true);
    const puller = new QueuePuller(
      {
        ...this.parts,
        queue: processQueue,
        subscription: () => subscription(queue.topic),
        onOffsetIllegal: (illegal, next) => void this.fixOffset(illegal, next),
      },
      offset,
    );
    void puller.run();
  }

  /** Code 21: what the broker says is valid is where we go on. */
  private async fixOffset(queue: ProcessQueue, offset: number): Promise<void> {
    const { topic, brokerName, queueId } = queue.queue;
    this.logger.warn("the broker does not have the offset", { topic, brokerName, queueId, offset });
    queue.drop();
    await delay(ILLEGAL_PAUSE_MS, undefined, { ref: false });
    await this.moveTo(queue, offset);
    this.parts.onReleased();
  }

  /** Stays among the owned until the new offset is written, so that no round takes it up before. */
  private async moveTo(queue: ProcessQueue, offset: number): Promise<void> {
    const { offsets } = this.parts;
    queue.drop();
    await Promise.race([queue.whenEmpty(), delay(SETTLE_MS, undefined, { ref: false })]);
    offsets.update(queue.queue, offset, false);
    await offsets.persist(true);
    offsets.forget(queue.queue);
    this.owned.delete(queueKey(queue.queue));
  }
}
