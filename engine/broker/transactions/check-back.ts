/**
 * Asks producers what became of half messages nobody ended (store-and-ha 6.5, remoting-protocol 4.7): every transactionCheckInterval, those older
 * than transactionTimeOut. A copy goes to the end of the half queue first; after transactionCheckMax checks the message is given up.
 */
import type { ClientConnection } from "../broker-context.ts";
import { CHECK_MAX_TOPIC, PERM } from "../names.ts";
import { isStored } from "../put-internal.ts";
import { readStoredMessage } from "../stored-message.ts";
import { checkRequest } from "./check-request.ts";
import { HALF_QUEUE, HalfMessage } from "./half-message.ts";
import { halfTopic, readHalves, type HalfEntry } from "./half-queue.ts";
import type { OpenTransactions } from "./open-transactions.ts";

const BATCH = 64;
const HOUR_MS = 3_600_000;
const READ_WRITE = PERM.READ | PERM.WRITE;

/** Settings a pass goes by (store-and-ha appendix A). */
export interface CheckSettings {
  readonly transactionTimeOut: number;
  readonly transactionCheckMax: number;
  /** Hours. */
  readonly fileReservedTime: number;
}

/**
 * What to do with a half message that is still open:
 * `check` it now; `renew` it, because its own immunity lasts and it must not hold up the queue; leave it, it and all behind it are `young`;
 * or `give-up`, nobody has known its end for too long.
 */
export type CheckVerdict = "check" | "renew" | "young" | "give-up";

/**
 * @param half still open
 * @param nowMs wall clock
 * @returns what 4.9 does with it
 */
export function checkVerdict(
  half: Pick<HalfMessage, "checkTimes" | "immunityMs" | "bornAtMs" | "storedAtMs">,
  settings: CheckSettings,
  nowMs: number,
): CheckVerdict {
  const isOutOfTime = nowMs - half.storedAtMs > settings.fileReservedTime * HOUR_MS;
  if (half.checkTimes >= settings.transactionCheckMax || isOutOfTime) return "give-up";
  const age = nowMs - half.bornAtMs;
  if (age >= (half.immunityMs ?? settings.transactionTimeOut)) return "check";
  return half.immunityMs === undefined ? "young" : "renew";
}

/** Runs on masters only. */
export class CheckBack {
  private readonly open: OpenTransactions;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private turn = 0;

  /** @param open the broker's open transactions, started */
  constructor(open: OpenTransactions) {
    this.open = open;
  }

  start(): void {
    this.plan();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private plan(): void {
    if (this.isStopped) return;
    const { config, logger } = this.open.context;
    this.timer = setTimeout(() => {
      this.pass()
        .catch((error: unknown) =>
          logger.error("checking transactions failed", { reason: String(error) }),
        )
        .finally(() => this.plan());
    }, config.transactionCheckInterval);
    this.timer.unref();
  }

  /** One walk over what stands in the half queue now; the timer's work. */
  async pass(): Promise<void> {
    const { open } = this;
    const { store } = open.context;
    const end = store.maxOffsetInQueue(halfTopic, HALF_QUEUE);
    const first = store.minOffsetInQueue(halfTopic, HALF_QUEUE);
    // Half messages whose files are gone are over.
    for (let at = open.table.progress; at < first; at += 1) open.table.finish(at, -1);
    for (let at = open.table.progress; at < end && !this.isStopped;) {
      const batch = readHalves(store, at, Math.min(BATCH, end - at));
      if (batch.length === 0) return;
      const results = await Promise.all(batch.map((entry) => this.look(entry)));
      if (results.includes(false)) return;
      at += batch.length;
    }
  }

  /** @returns false when this pass must go no further */
  private async look({ at, half }: HalfEntry): Promise<boolean> {
    const { open } = this;
    if (half === null) return this.passOver(at);
    if (open.isBusy(half.root)) return true;
    if (!open.table.isOpen(half.root, at)) {
      open.table.finish(at, -1);
      return true;
    }
    const verdict = checkVerdict(half, open.context.config, open.context.now());
    if (verdict === "young") return false;
    if (verdict === "give-up") return open.hold(half.root, this.giveUp(half));
    return open.hold(half.root, this.moveOn(half, verdict === "check"));
  }

  /** A place without a readable half message: listed, never a reason to stop. */
  private passOver(at: number): boolean {
    if (at >= this.open.table.progress) {
      this.open.context.logger.error("a half message cannot be read and is passed over", { at });
      this.open.table.finish(at, -1);
    }
    return true;
  }

  private async giveUp(half: HalfMessage): Promise<boolean> {
    const { context } = this.open;
    context.topics.ensure(CHECK_MAX_TOPIC, 1, READ_WRITE);
    const outcome = await this.open.replace(half.offset, half.givenUp());
    if (outcome.kind !== "ended") return false;
    context.logger.warn("a transaction is given up: no producer could tell its end", {
      transactionId: half.uniqueKey,
      group: half.group,
      topic: half.destination?.topic,
      checks: half.checkTimes,
    });
    return true;
  }

  /** Puts a copy at the end of the queue; the transaction stands there from now on. */
  private async moveOn(half: HalfMessage, asks: boolean): Promise<boolean> {
    const { context, table } = this.open;
    const result = await context.putInternal(half.again(half.checkTimes + (asks ? 1 : 0)));
    if (!isStored(result)) return false;
    table.moved(half.root, half.offset, result.queueOffset);
    const copy = asks
      ? HalfMessage.of(readStoredMessage(context.store, result.physicalOffset))
      : null;
    if (copy !== null) this.ask(copy);
    return true;
  }

  /** One live producer of the group, in turn. */
  private ask(half: HalfMessage): void {
    const { context } = this.open;
    const request = checkRequest(half);
    const producers = context.clients
      .producers(half.group ?? "")
      .filter((producer) => producer.channel.isOpen);
    this.turn = (this.turn + 1) % Number.MAX_SAFE_INTEGER;
    const chosen: ClientConnection | undefined = producers[this.turn % producers.length];
    if (chosen === undefined || request === null) {
      context.logger.info("nobody is there to ask about a transaction", {
        transactionId: half.uniqueKey,
        group: half.group,
      });
      return;
    }
    chosen.channel.sendOneway(request);
  }
}
