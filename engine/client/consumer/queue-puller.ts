/** The pull loop of one queue: one request at a time (remoting-protocol 5.6 step 6, 5.7). */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../base/logger.ts";
import type { SubscriptionBody } from "../../remoting/bodies/heartbeat.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { PullTarget } from "../broker-table.ts";
import type { SharedClient } from "../mq-client.ts";
import { RefusedError } from "../request.ts";
import type { OffsetStore } from "./offset-store.ts";
import type { ProcessQueue } from "./process-queue.ts";
import { pullMessages, type PullRequest, type PullResult } from "./pull.ts";
import type { StoredMessage } from "./received-message.ts";
import { matchesTags } from "./subscription.ts";

const SUSPEND_MS = 15_000;
const PULL_TIMEOUT_MS = 30_000;
const MESSAGES_MAX = 32;
/** After a failed pull, and after an answer that came at once and moved nothing: doubled from here up to the other. */
const PAUSE_MS = 50;
const PAUSE_MS_MAX = 1_000;
/** An empty answer before this was not held. */
const HELD_MS = 20;

/** Answers that mean the broker has lost sight of our group. */
const FORGOTTEN: ReadonlySet<number> = new Set([
  RESPONSE_CODE.SUBSCRIPTION_NOT_EXIST,
  RESPONSE_CODE.SUBSCRIPTION_NOT_LATEST,
  RESPONSE_CODE.SUBSCRIPTION_GROUP_NOT_EXIST,
  RESPONSE_CODE.FILTER_DATA_NOT_EXIST,
  RESPONSE_CODE.FILTER_DATA_NOT_LATEST,
]);

/** What a puller works with. */
export interface QueuePullerParts {
  readonly client: SharedClient;
  readonly group: string;
  readonly isClustering: boolean;
  readonly queue: ProcessQueue;
  readonly offsets: OffsetStore;
  /** Pulls bring their expression and commit nothing, as Java's lite pull does. */
  readonly isLite?: boolean;
  /** The subscription as it is now. */
  readonly subscription: () => SubscriptionBody | undefined;
  readonly onMessages: (queue: ProcessQueue, messages: readonly StoredMessage[]) => void;
  /** Up to that offset there is nothing for us, and nothing is in progress. */
  readonly onNothing: (nextOffset: number) => void;
  /** The queue does not have the offset that was asked for (code 21). */
  readonly onOffsetIllegal: (queue: ProcessQueue, nextOffset: number) => void;
}

/** Pulls until its process queue is dropped. */
export class QueuePuller {
  private readonly parts: QueuePullerParts;
  private readonly logger: Logger;
  private offset: number;
  private suggestedBrokerId = 0;
  private pauses = 0;

  /** @param firstOffset where to begin */
  constructor(parts: QueuePullerParts, firstOffset: number) {
    this.parts = parts;
    this.logger = parts.client.logger;
    this.offset = firstOffset;
  }

  /** Ends when the queue is dropped; never rejects. */
  async run(): Promise<void> {
    const { queue } = this.parts;
    while (!queue.dropped) {
      await queue.whenRoom();
      if (queue.dropped) return;
      try {
        await this.pullOnce();
      } catch (error) {
        this.handleFailure(error);
        await this.pause();
      }
    }
  }

  private async pullOnce(): Promise<void> {
    const { client, queue } = this.parts;
    const target = client.routes.brokers.pullTarget(queue.queue.brokerName, this.suggestedBrokerId);
    if (target === undefined) {
      await this.pause();
      return;
    }
    const beganMs = performance.now();
    queue.lastPullMs = Date.now();
    const result = await this.ask(target);
    if (queue.dropped) return;
    this.suggestedBrokerId = result.suggestedBrokerId;
    if (result.status === "offset-illegal") {
      this.parts.onOffsetIllegal(queue, result.nextBeginOffset);
      return;
    }
    const moved = result.nextBeginOffset !== this.offset;
    this.offset = result.nextBeginOffset;
    this.take(result);
    if (moved || performance.now() - beganMs >= HELD_MS) this.pauses = 0;
    else await this.pause();
  }

  private async ask(target: PullTarget): Promise<PullResult<StoredMessage>> {
    const { client } = this.parts;
    const { address } = target;
    try {
      await client.heartbeats.ensure(address);
      const request = this.request(target.isSlave);
      return await pullMessages(client.remoting, address, request, PULL_TIMEOUT_MS);
    } catch (error) {
      this.noteFailure(error, address);
      throw error;
    }
  }

  private request(isSlave: boolean): PullRequest {
    const { group, queue, isClustering, offsets, subscription, isLite } = this.parts;
    const wanted = subscription();
    const consumed = isClustering && !isSlave ? offsets.read(queue.queue) : undefined;
    const request = {
      group,
      queue: queue.queue,
      offset: this.offset,
      messagesMax: MESSAGES_MAX,
      commitOffset: consumed !== undefined && consumed > 0 ? consumed : undefined,
      suspendMs: SUSPEND_MS,
      subVersion: wanted?.subVersion ?? 0,
      expressionType: wanted?.expressionType ?? "TAG",
    };
    return isLite === true ? { ...request, isLite, expression: wanted?.subString ?? "*" } : request;
  }

  private take(result: PullResult<StoredMessage>): void {
    const { queue, subscription, onMessages, onNothing } = this.parts;
    const wanted = subscription();
    const messages =
      wanted === undefined || wanted.tagsSet.length === 0
        ? result.messages
        : result.messages.filter((message) => matchesTags(wanted, message.tags));
    if (messages.length > 0) {
      queue.add(messages, result.nextBeginOffset);
      onMessages(queue, messages);
    } else if (queue.count === 0) {
      onNothing(result.nextBeginOffset);
    }
  }

  private noteFailure(error: unknown, address: string): void {
    const { client } = this.parts;
    if (error instanceof RefusedError) {
      if (FORGOTTEN.has(error.responseCode)) client.heartbeats.forget(address);
    } else client.routes.suspect(address);
  }

  private handleFailure(error: unknown): void {
    const { queue, client } = this.parts;
    if (queue.dropped || client.isClosed) return;
    const { topic, brokerName, queueId } = queue.queue;
    this.logger.warn("a pull failed, trying again", {
      topic,
      brokerName,
      queueId,
      reason: error instanceof Error ? error.message : String(error),
    });
  }

  private async pause(): Promise<void> {
    const pauseMs = Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** this.pauses);
    this.pauses += 1;
    await delay(pauseMs, undefined, { ref: false });
  }
}
