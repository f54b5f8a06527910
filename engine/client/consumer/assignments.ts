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
import type { GroupLocks } from "./queue-locks.ts";
import { QueuePuller } from "./queue-puller.ts";
import type { StoredMessage } from "./received-message.ts";

/** How long a queue that changes its offset waits for listeners that are still at it. */
const SETTLE_MS = 10_000;
/** Between an offset the broker refused and the next try. */
const ILLEGAL_PAUSE_MS = 1_000;
/** How long a locked queue that goes to somebody else waits for the listener; its lock runs out by itself after that. */
const LET_GO_MS = 1_000;

/** What assignments are made of. */
export interface AssignmentParts {
  readonly client: SharedClient;
  readonly group: string;
  readonly isClustering: boolean;
  readonly offsets: OffsetStore;
  readonly consumeFrom: ConsumeFrom;
  /** Of ordered consumption in a group: a queue is taken with its lock only. */
  readonly locks: GroupLocks | undefined;
  readonly isPaused: () => boolean;
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
    const lockedAtMs = Date.now();
    const ours = await this.lock(fresh);
    const taken = await Promise.all(ours.map((queue) => this.take(queue, lockedAtMs)));
    return ours.length === fresh.length && taken.every(Boolean);
  }

  /** Renews all locks; a queue that somebody else holds now is let go. */
  async renewLocks(): Promise<void> {
    const { locks } = this.parts;
    const queues = this.queues();
    if (locks === undefined || queues.length === 0) return;
    const askedAtMs = Date.now();
    const answers = await locks.lock(queues.map(({ queue }) => queue));
    const lost = queues.filter(({ queue }) => answers.get(queueKey(queue)) === false);
    for (const queue of queues)
      if (answers.get(queueKey(queue.queue)) === true) queue.lockedAtMs = askedAtMs;
    if (lost.length === 0) return;
    await this.release(lost);
    this.parts.onReleased();
  }

  /** Gives all locks back: for a consumer whose listener has ended and whose offsets are written. */
  async unlockAll(): Promise<void> {
    await this.parts.locks?.unlock([...this.owned.values()].map(({ queue }) => queue));
  }

  /** Push's pause and resume. */
  setPaused(isPaused: boolean): void {
    for (const queue of this.queues()) {
      if (isPaused) queue.pause();
      else queue.resume();
    }
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
    const { locks, offsets } = this.parts;
    const free = locks === undefined ? [] : await letGo(lost);
    for (const queue of lost) {
      queue.drop();
      this.owned.delete(queueKey(queue.queue));
    }
    await offsets.persist(locks !== undefined);
    for (const queue of lost) offsets.forget(queue.queue);
    await locks?.unlock(free);
  }

  /** @returns the queues that may be taken over now */
  private async lock(fresh: readonly MessageQueue[]): Promise<readonly MessageQueue[]> {
    const { locks } = this.parts;
    if (locks === undefined || fresh.length === 0) return fresh;
    const answers = await locks.lock(fresh);
    return fresh.filter((queue) => answers.get(queueKey(queue)) === true);
  }

  private async take(queue: MessageQueue, lockedAtMs: number): Promise<boolean> {
    const { client, offsets, consumeFrom } = this.parts;
    try {
      const offset = await firstOffset(client, offsets, queue, consumeFrom);
      if (!this.closed && !this.owned.has(queueKey(queue))) this.begin(queue, offset, lockedAtMs);
      return true;
    } catch (error) {
      const { topic, brokerName, queueId } = queue;
      const reason = error instanceof Error ? error.message : String(error);
      this.logger.warn("no first offset yet", { topic, brokerName, queueId, reason });
      return false;
    }
  }

  private begin(queue: MessageQueue, offset: number, lockedAtMs: number): void {
    const processQueue = new ProcessQueue(queue);
    processQueue.lockedAtMs = this.parts.locks === undefined ? 0 : lockedAtMs;
    if (this.parts.isPaused()) processQueue.pause();
    this.owned.set(queueKey(queue), processQueue);
    const { subscription, offsets } = this.parts;
    // Kept from the start: a group that begins at the end must not begin at a later end after a crash before its first message.
    offsets.update(queue, offset, true);
    const puller = new QueuePuller(
      {
        ...this.parts,
        queue: processQueue,
        subscription: () => subscription(queue.topic),
        // Nothing for us up to here: progress must not wait for a message that matches.
        onNothing: (next) => offsets.update(queue, next, true),
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

/** Lets the calls in progress end, for a while. @returns the queues nobody is at any more */
async function letGo(queues: readonly ProcessQueue[]): Promise<MessageQueue[]> {
  for (const queue of queues) queue.leave();
  const isFree = await Promise.all(
    queues.map((queue) =>
      Promise.race([queue.whenEmpty().then(() => true), delay(LET_GO_MS, false, { ref: false })]),
    ),
  );
  return queues.filter((_, i) => isFree[i] === true).map(({ queue }) => queue);
}
