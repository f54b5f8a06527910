/** The queues a lite pull consumer reads: pulled ahead, handed out by `take`, with the offset up to which each was handed out. */
import { setTimeout as delay } from "node:timers/promises";
import type { SubscriptionBody } from "../../remoting/bodies/heartbeat.ts";
import type { MessageQueue } from "../client-api.ts";
import { compareQueues, queueKey } from "../message-queues.ts";
import type { SharedClient } from "../mq-client.ts";
import type { OffsetStore } from "./offset-store.ts";
import { ProcessQueue } from "./process-queue.ts";
import { QueuePuller } from "./queue-puller.ts";
import type { StoredMessage } from "./received-message.ts";

/** Between an offset the broker refused and the next try. */
const ILLEGAL_PAUSE_MS = 1_000;

/** What reading is made of. */
export interface ReadQueuesParts {
  readonly client: SharedClient;
  readonly group: string;
  readonly offsets: OffsetStore;
  readonly subscription: (topic: string) => SubscriptionBody | undefined;
}

interface Reading {
  readonly queue: ProcessQueue;
  /** All before it was handed out, or is not for us. */
  handedTo: number;
}

interface Pulled {
  readonly queue: ProcessQueue;
  readonly messages: readonly StoredMessage[];
}

/** One consumer's. */
export class ReadQueues {
  private readonly parts: ReadQueuesParts;
  private readonly reading = new Map<string, Reading>();
  private pulled: Pulled[] = [];
  private readonly waiters = new Set<() => void>();

  constructor(parts: ReadQueuesParts) {
    this.parts = parts;
  }

  has(queue: MessageQueue): boolean {
    return this.reading.has(queueKey(queue));
  }

  /** @returns sorted */
  queues(): ProcessQueue[] {
    return [...this.reading.values()]
      .map(({ queue }) => queue)
      .toSorted((a, b) => compareQueues(a.queue, b.queue));
  }

  /** Reads the queue from that offset on; what was pulled of it before is forgotten. */
  begin(queue: MessageQueue, offset: number): void {
    const before = this.reading.get(queueKey(queue));
    if (before !== undefined) this.forget(before.queue);
    const fresh: Reading = { queue: new ProcessQueue(queue), handedTo: offset };
    if (before?.queue.paused === true) fresh.queue.pause();
    this.reading.set(queueKey(queue), fresh);
    const { client, group, offsets, subscription } = this.parts;
    const puller = new QueuePuller(
      {
        client,
        group,
        offsets,
        isClustering: false,
        isLite: true,
        queue: fresh.queue,
        subscription: () => subscription(queue.topic),
        onMessages: (from, messages) => this.add({ queue: from, messages }),
        onNothing: (next) => {
          if (next > fresh.handedTo) fresh.handedTo = next;
        },
        onOffsetIllegal: (illegal, next) => void this.fixOffset(illegal, next),
      },
      offset,
    );
    void puller.run();
  }

  /** Stops reading these. */
  drop(queues: readonly ProcessQueue[]): void {
    for (const queue of queues) {
      this.forget(queue);
      this.reading.delete(queueKey(queue.queue));
    }
  }

  setPaused(queues: readonly MessageQueue[], isPaused: boolean): void {
    for (const queue of queues) {
      const own = this.reading.get(queueKey(queue))?.queue;
      if (isPaused) own?.pause();
      else own?.resume();
    }
    this.wake();
  }

  /** @returns the oldest pulled messages of a queue that is not paused; empty when there are none */
  take(): readonly StoredMessage[] {
    const at = this.pulled.findIndex(({ queue }) => !queue.paused);
    const [next] = at < 0 ? [] : this.pulled.splice(at, 1);
    if (next === undefined) return [];
    const entry = this.reading.get(queueKey(next.queue.queue));
    const handedTo = next.queue.remove(next.messages);
    if (entry !== undefined && handedTo > entry.handedTo) entry.handedTo = handedTo;
    next.queue.lastConsumeMs = Date.now();
    return next.messages;
  }

  /** @returns true once `take` has something; never when the signal came first */
  whenReady(signal: AbortSignal): Promise<true> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.pulled.some(({ queue }) => !queue.paused)) return;
        this.waiters.delete(look);
        resolve(true);
      };
      signal.addEventListener("abort", () => this.waiters.delete(look), { once: true });
      this.waiters.add(look);
      look();
    });
  }

  /** Makes what was handed out the offsets to be written. */
  noteHanded(): void {
    for (const { queue, handedTo } of this.reading.values())
      this.parts.offsets.update(queue.queue, handedTo, false);
  }

  private add(pulled: Pulled): void {
    this.pulled.push(pulled);
    this.wake();
  }

  private wake(): void {
    for (const look of this.waiters) look();
  }

  private forget(queue: ProcessQueue): void {
    queue.drop();
    this.pulled = this.pulled.filter((pulled) => pulled.queue !== queue);
  }

  /** Code 21: what the broker says is valid is where we go on. */
  private async fixOffset(queue: ProcessQueue, offset: number): Promise<void> {
    const { topic, brokerName, queueId } = queue.queue;
    const where = { topic, brokerName, queueId, offset };
    this.parts.client.logger.warn("the broker does not have the offset", where);
    queue.drop();
    await delay(ILLEGAL_PAUSE_MS, undefined, { ref: false });
    if (this.reading.get(queueKey(queue.queue))?.queue === queue) this.begin(queue.queue, offset);
  }
}
