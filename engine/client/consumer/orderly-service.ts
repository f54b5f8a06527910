/** Hands messages to the listener in the order of their queues, one call at a time for each queue (remoting-protocol 5.6). */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../base/logger.ts";
import type { ConsumeResult, MessageListener } from "../client-api.ts";
import { callListener, type MessageHandover } from "./consume-service.ts";
import type { ProcessQueue } from "./process-queue.ts";
import type { StoredMessage } from "./received-message.ts";

/** A queue whose lock was not renewed in time looks again after this. */
const LOCK_WAIT_MS = 100;

/** What an ordered hand-over is made of. */
export interface OrderlyServiceParts {
  readonly listener: MessageListener;
  readonly batchSize: number;
  /** Queues whose listener call is in progress at once. */
  readonly concurrency: number;
  readonly logger: Logger;
  /** Pause of a queue whose messages were put off. */
  readonly suspendMs: number;
  /** A message that was put off this often is given up. */
  readonly maxReconsumeTimes: number;
  /** Brokers lock queues for their group's members: not when broadcasting. */
  readonly needsLock: boolean;
  /** All messages of the queue below the offset are done. */
  readonly onProgress: (queue: ProcessQueue, offset: number) => void;
  /** Takes a message out of the line for good (dead letter); false when no broker took it. Undefined never gives up. */
  readonly giveUp: ((message: StoredMessage) => Promise<boolean>) | undefined;
}

/** Messages of one queue that wait for their turn. */
interface Line {
  readonly queue: ProcessQueue;
  readonly waiting: StoredMessage[];
}

/** One consumer's queues in order. */
export class OrderlyService implements MessageHandover {
  private readonly parts: OrderlyServiceParts;
  /** A queue is here while somebody serves it or waits to. */
  private readonly lines = new Map<ProcessQueue, Line>();
  private readonly turns: (() => void)[] = [];
  private readonly stopping = new AbortController();
  private running = 0;
  private readonly serving = new Set<Promise<void>>();

  constructor(parts: OrderlyServiceParts) {
    this.parts = parts;
  }

  submit(queue: ProcessQueue, messages: readonly StoredMessage[]): void {
    if (this.isStopped) return;
    const line = this.lines.get(queue);
    if (line !== undefined) {
      line.waiting.push(...messages);
      return;
    }
    const fresh = { queue, waiting: [...messages] };
    this.lines.set(queue, fresh);
    const served = this.serve(fresh).finally(() => this.serving.delete(served));
    this.serving.add(served);
  }

  consume(messages: readonly StoredMessage[]): Promise<ConsumeResult> {
    return callListener(this.parts, messages);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    for (const wake of this.turns.splice(0)) wake();
    await Promise.all(this.serving);
  }

  private get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Ends when the line is empty, the queue is somebody else's, or the service stops. */
  private async serve(line: Line): Promise<void> {
    const { queue, waiting } = line;
    while (waiting.length > 0 && !queue.leaving && !this.isStopped) {
      if (this.parts.needsLock && !queue.isLocked(Date.now())) await this.pause(LOCK_WAIT_MS);
      else await this.takeTurn(line);
    }
    this.lines.delete(queue);
    if (queue.leaving) queue.remove(waiting);
  }

  private async takeTurn(line: Line): Promise<void> {
    const { concurrency, suspendMs, batchSize } = this.parts;
    if (this.running >= concurrency) {
      await new Promise<void>((wake) => this.turns.push(wake));
      return;
    }
    this.running += 1;
    const isDone = await this.call(line, line.waiting.slice(0, batchSize)).finally(() => {
      this.running -= 1;
      this.turns.shift()?.();
    });
    if (!isDone) await this.pause(suspendMs);
  }

  /** @returns false when messages are to be tried again after a pause */
  private async call(line: Line, messages: readonly StoredMessage[]): Promise<boolean> {
    const { queue, waiting } = line;
    const result = await this.consume(messages);
    queue.lastConsumeMs = Date.now();
    const again = result === "success" ? [] : await this.putOff(messages);
    waiting.splice(0, messages.length, ...again);
    const done = messages.filter((message) => !again.includes(message));
    if (done.length > 0) {
      const offset = queue.remove(done);
      if (!queue.dropped) this.parts.onProgress(queue, offset);
    }
    return again.length === 0;
  }

  /** Counts one more try of each. @returns those that are not given up, in order */
  private async putOff(messages: readonly StoredMessage[]): Promise<StoredMessage[]> {
    const { giveUp, maxReconsumeTimes } = this.parts;
    const again: StoredMessage[] = [];
    for (const message of messages) {
      const isLast = message.reconsumeTimes >= maxReconsumeTimes;
      if (isLast && giveUp !== undefined && (await giveUp(message))) continue;
      message.reconsumeTimes += 1;
      again.push(message);
    }
    return again;
  }

  private async pause(ms: number): Promise<void> {
    const { signal } = this.stopping;
    await delay(ms, undefined, { ref: false, signal }).catch(() => undefined);
  }
}
