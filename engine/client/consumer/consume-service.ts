/** Hands pulled messages to the listener and deals with its verdict (remoting-protocol 4.6, 5.6). */
import type { Logger } from "../../base/logger.ts";
import type { ConsumeResult, MessageListener } from "../client-api.ts";
import type { ProcessQueue } from "./process-queue.ts";
import type { StoredMessage } from "./received-message.ts";

/** Messages that could not be sent back are handed to the listener again after this. */
const LOCAL_RETRY_MS = 5_000;
const DELAY_BY_BROKER = 0;

/** Hands pulled messages to a listener: `ConsumeService` many at once, `OrderlyService` in order. */
export interface MessageHandover {
  /** Takes messages that already are in the process queue. */
  submit(queue: ProcessQueue, messages: readonly StoredMessage[]): void;
  /** Calls the listener once. */
  consume(messages: readonly StoredMessage[]): Promise<ConsumeResult>;
  /** Starts no further call. @returns when the calls in progress have ended */
  stop(): Promise<void>;
}

/** What a consume service is made of. */
export interface ConsumeServiceParts {
  readonly listener: MessageListener;
  readonly batchSize: number;
  /** Calls in progress at once. */
  readonly concurrency: number;
  readonly logger: Logger;
  /** All messages of the queue below the offset are done. */
  readonly onProgress: (queue: ProcessQueue, offset: number) => void;
  /** Has a message delivered again at that delay level (0: the broker decides); false when that failed. Undefined drops it, as broadcasting does. */
  readonly sendBack: ((message: StoredMessage, delayLevel: number) => Promise<boolean>) | undefined;
}

/** Calls the listener once; an error of it is "later". */
export async function callListener(
  parts: Pick<ConsumeServiceParts, "listener" | "logger">,
  messages: readonly StoredMessage[],
): Promise<ConsumeResult> {
  try {
    return await parts.listener(messages);
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    parts.logger.warn("a message listener failed; its messages come again", { reason });
    return "later";
  }
}

interface Task {
  readonly queue: ProcessQueue;
  readonly messages: readonly StoredMessage[];
}

/** One consumer's running and waiting calls of its listener. */
export class ConsumeService implements MessageHandover {
  private readonly parts: ConsumeServiceParts;
  private readonly waiting: Task[] = [];
  private running = 0;
  private stopped = false;
  private readonly idleWaiters: (() => void)[] = [];

  constructor(parts: ConsumeServiceParts) {
    this.parts = parts;
  }

  submit(queue: ProcessQueue, messages: readonly StoredMessage[]): void {
    if (this.stopped) return;
    const { batchSize } = this.parts;
    for (let start = 0; start < messages.length; start += batchSize)
      this.waiting.push({ queue, messages: messages.slice(start, start + batchSize) });
    this.pump();
  }

  /**
   * Starts no further call. What waits stays in its process queue, so nothing beyond it is committed.
   * @returns when the calls in progress have ended
   */
  stop(): Promise<void> {
    this.stopped = true;
    this.waiting.length = 0;
    if (this.running === 0) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  consume(messages: readonly StoredMessage[]): Promise<ConsumeResult> {
    return callListener(this.parts, messages);
  }

  private pump(): void {
    while (this.running < this.parts.concurrency) {
      const task = this.waiting.shift();
      if (task === undefined) return;
      this.running += 1;
      void this.run(task).finally(() => {
        this.running -= 1;
        this.pump();
        if (this.running === 0) for (const resolve of this.idleWaiters.splice(0)) resolve();
      });
    }
  }

  private async run(task: Task): Promise<void> {
    const { queue, messages } = task;
    if (queue.dropped) {
      queue.remove(messages);
      return;
    }
    const result = await this.consume(messages);
    const level = typeof result === "object" ? result.delayLevel : DELAY_BY_BROKER;
    const failed = result === "success" ? [] : await this.sendBackAll(messages, level);
    const done = failed.length === 0 ? messages : messages.filter((one) => !failed.includes(one));
    const offset = queue.remove(done);
    queue.lastConsumeMs = Date.now();
    if (!queue.dropped) this.parts.onProgress(queue, offset);
    if (failed.length > 0) this.retryLocally(queue, failed);
  }

  /** @returns those that are still to be consumed here */
  private async sendBackAll(
    messages: readonly StoredMessage[],
    delayLevel: number,
  ): Promise<StoredMessage[]> {
    const { sendBack, logger } = this.parts;
    if (sendBack === undefined) {
      logger.warn("broadcast messages were not consumed and are dropped", {
        count: messages.length,
      });
      return [];
    }
    const sent = await Promise.all(messages.map((message) => sendBack(message, delayLevel)));
    return messages.filter((_, i) => sent[i] === false);
  }

  private retryLocally(queue: ProcessQueue, messages: readonly StoredMessage[]): void {
    for (const message of messages) message.reconsumeTimes += 1;
    setTimeout(() => this.submit(queue, messages), LOCAL_RETRY_MS).unref();
  }
}
