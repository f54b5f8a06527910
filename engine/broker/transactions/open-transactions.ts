/**
 * Transactions of this broker: what is open, how it ends, how far both queues are done (store-and-ha 6.2 … 6.5). Runs on masters only.
 *
 * The log is the truth: at start the open half messages are found again from the stored progress and the op messages behind it. The progress
 * is written down only when everything it counts is flushed and every connected slave has it (C-01): a broker that comes back, or a slave
 * that takes over, may ask a producer once too often, and never forgets a transaction.
 */
import { PUT_STATUS, type PutStatus } from "../../store/store-api.ts";
import type { BrokerContext, InternalMessage } from "../broker-context.ts";
import { HALF_TOPIC, OP_TOPIC, TRANSACTION_GROUP } from "../names.ts";
import { isStored } from "../put-internal.ts";
import { SafeProgress, type FollowingSlave } from "../safe-progress.ts";
import { HALF_QUEUE, type HalfMessage } from "./half-message.ts";
import { halfTopic, opMessage, opTopic, readHalves, readOps } from "./half-queue.ts";
import { TransactionTable } from "./transaction-table.ts";

const PUBLISH_MS = 1_000;
const READ_BATCH = 256;

/** How a transaction ended, or did not. */
export type TransactionOutcome =
  /** It ended now. */
  | { readonly kind: "ended" }
  /** It had ended before, or was given up: nothing was done. */
  | { readonly kind: "over" }
  /** Nothing was written: it is still open. */
  | { readonly kind: "refused"; readonly status: PutStatus }
  /** Its real topic or queue is no place a message can go to. */
  | { readonly kind: "nowhere" };

/** Progress in the half queue and in the op queue. */
interface Progress {
  readonly half: number;
  readonly op: number;
}

/** The one owner of open transactions. */
export class OpenTransactions {
  readonly context: BrokerContext;
  readonly table = new TransactionTable();
  private readonly progressToKeep: SafeProgress<Progress>;
  /** Roots somebody works on now: one end or one check at a time. */
  private readonly busy = new Map<number, Promise<unknown>>();
  private kept: Progress = { half: 0, op: 0 };
  private timer: NodeJS.Timeout | undefined;

  /** @param slaves connected now */
  constructor(context: BrokerContext, slaves: () => readonly FollowingSlave[]) {
    this.context = context;
    this.progressToKeep = new SafeProgress(context.store.log, slaves);
  }

  /** Finds the open half messages again; must be done before the first end is served. */
  async start(): Promise<void> {
    const half = this.stored(HALF_TOPIC);
    const op = this.stored(OP_TOPIC);
    this.table.reset(half);
    this.kept = { half, op };
    await this.readBack(half, op);
    this.timer = setInterval(() => this.publish(), PUBLISH_MS);
    this.timer.unref();
  }

  stop(): void {
    if (this.timer === undefined) return;
    clearInterval(this.timer);
    // A clean stop flushes everything behind this.
    this.keep(this.progress());
  }

  /** @returns true while an end or a check of that transaction is being written */
  isBusy(root: number): boolean {
    return this.busy.has(root);
  }

  /** Keeps everybody else off a transaction while `work` runs. The caller has asked `isBusy`. */
  async hold<Result>(root: number, work: Promise<Result>): Promise<Result> {
    const held = work.finally(() => this.busy.delete(root));
    this.busy.set(root, held);
    return held;
  }

  /**
   * Ends a transaction: the real message and the op message, or the op message alone, in one write.
   * @param half any of its half messages, checked against who asks
   * @param commit false rolls back
   */
  async end(half: HalfMessage, commit: boolean): Promise<TransactionOutcome> {
    const { root } = half;
    for (let work = this.busy.get(root); work !== undefined; work = this.busy.get(root))
      await work.catch(() => undefined);
    const at = this.table.placeOf(root, half.offset);
    if (!this.table.isOpen(root, at)) return { kind: "over" };
    return this.hold(root, this.conclude(half, at, commit));
  }

  /** Keeps the progress as far as it is safe. Called every second. */
  publish(): void {
    const now = this.progress();
    if (now.half === this.kept.half && now.op === this.kept.op) return;
    const safe = this.progressToKeep.offer(now);
    if (safe !== null) this.keep(safe);
  }

  private progress(): Progress {
    const { store } = this.context;
    const op = this.table.opProgress(store.maxOffsetInQueue(opTopic, HALF_QUEUE));
    return { half: this.table.progress, op };
  }

  private keep(progress: Progress): void {
    const { half, op } = progress;
    if (half === this.kept.half && op === this.kept.op) return;
    const { offsets } = this.context;
    offsets.commit(TRANSACTION_GROUP, HALF_TOPIC, HALF_QUEUE, half);
    offsets.commit(TRANSACTION_GROUP, OP_TOPIC, HALF_QUEUE, op);
    this.kept = progress;
  }

  private async conclude(
    half: HalfMessage,
    at: number,
    commit: boolean,
  ): Promise<TransactionOutcome> {
    const message = commit ? half.committed() : null;
    if (commit && message === null) return { kind: "nowhere" };
    return this.replace(at, message);
  }

  /**
   * Ends a half message by what is kept instead of it, and says so in the op queue, in one write. The caller holds the transaction.
   * @param at its place in the half queue
   * @param by the real message, or the copy of one that is given up; null for nothing
   */
  async replace(at: number, by: InternalMessage | null): Promise<TransactionOutcome> {
    const { appendInternal, storeHost, now } = this.context;
    const op = opMessage(at, { bornHost: storeHost, bornTimestamp: now() });
    const kept = by === null ? null : appendInternal(by);
    // What was not appended must not be called done.
    const written = kept?.isAppended === false ? null : appendInternal(op).safe;
    if (kept !== null) {
      const result = await kept.safe;
      if (!isStored(result)) return { kind: "refused", status: result.status };
    }
    const ended = written === null ? null : await written;
    if (ended !== null && isStored(ended)) return this.finished(at, ended.queueOffset);
    // The message is there and the op message is not: the progress alone will say that it is done.
    if (kept !== null) return this.finished(at, -1);
    return { kind: "refused", status: ended?.status ?? PUT_STATUS.SERVICE_NOT_AVAILABLE };
  }

  private finished(at: number, opOffset: number): TransactionOutcome {
    this.table.finish(at, opOffset);
    return { kind: "ended" };
  }

  /** Stored progress, never before the queue's first entry; the table has brought back what stood past its end (C-01). */
  private stored(topic: string): number {
    const { store, offsets } = this.context;
    const name = topic === HALF_TOPIC ? halfTopic : opTopic;
    const offset = offsets.query(TRANSACTION_GROUP, topic, HALF_QUEUE);
    return Math.max(offset, store.minOffsetInQueue(name, HALF_QUEUE));
  }

  /** In steps: a broker with many open transactions must go on answering. */
  private async readBack(half: number, op: number): Promise<void> {
    const { store, logger } = this.context;
    for (let at = half; ;) {
      const batch = readHalves(store, at, READ_BATCH);
      for (const entry of batch)
        if (entry.half !== null && entry.half.root !== entry.at)
          this.table.noteCopy(entry.half.root, entry.at);
      if (batch.length === 0) break;
      at += batch.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let at = op; ;) {
      const batch = readOps(store, at, READ_BATCH);
      for (const entry of batch) this.table.finish(entry.halfOffset, entry.at);
      if (batch.length === 0) break;
      at += batch.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const max = store.maxOffsetInQueue(halfTopic, HALF_QUEUE);
    if (max > this.table.progress)
      logger.info("transactions may be open", { from: this.table.progress, to: max });
  }
}
