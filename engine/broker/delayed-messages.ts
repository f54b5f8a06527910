/**
 * Delivery of delayed messages (store-and-ha 6.1). They wait in SCHEDULE_TOPIC_XXXX, queue = level - 1, each entry's tagsCode its due time.
 * When due a copy goes to the real topic; the level's offset moves on only when that copy is as safe as the broker's mode promises.
 * Runs on masters only.
 */
import { join } from "node:path";
import { readStateFile, writeStateFile } from "../base/state-file.ts";
import { PROPERTY } from "../message/properties.ts";
import { internTopic } from "../message/topic-name.ts";
import { readDelayOffsets, writeDelayOffsets } from "../remoting/bodies/simple.ts";
import type { ConsumeQueueEntry } from "../store/store-api.ts";
import type { BrokerContext, InternalMessage } from "./broker-context.ts";
import { parseDelayLevels } from "../message/delay-levels.ts";
import { SCHEDULE_TOPIC, topicNameProblem } from "./names.ts";
import { isStored } from "./put-internal.ts";
import { SafeProgress, type FollowingSlave } from "./safe-progress.ts";
import { copyOf, readStoredMessage } from "./stored-message.ts";

/** An empty or not yet due level is looked at again after this. */
const IDLE_MS = 100;
/** A refused delivery is tried again after this. */
const RETRY_MS = 1_000;
const BATCH = 64;

const schedule = internTopic(SCHEDULE_TOPIC);

/** The one owner of delay offsets. */
export class DelayedMessages {
  private readonly context: BrokerContext;
  private readonly path: string;
  private readonly levelsMs: readonly number[];
  private readonly progressToKeep: SafeProgress<ReadonlyMap<number, number>>;
  private offsets = new Map<number, number>();
  /** What of it may be written down and told to slaves (C-01). */
  private kept: ReadonlyMap<number, number> = new Map();
  private hasMoved = false;
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  private isDirty = false;

  /**
   * Reads delayOffset.json.
   * @param slaves connected now
   * @throws EngineError STORE_LAYOUT_INVALID when it and its copies are damaged (S-06)
   */
  constructor(context: BrokerContext, slaves: () => readonly FollowingSlave[] = () => []) {
    this.context = context;
    this.progressToKeep = new SafeProgress(context.store.log, slaves);
    this.path = join(context.config.storePathRootDir, "config", "delayOffset.json");
    this.levelsMs = parseDelayLevels(context.config.messageDelayLevel);
    this.load();
  }

  /** Starts delivering; offsets past their queue's end are brought back first (C-01). */
  start(): void {
    this.load();
    for (const [level, offset] of this.offsets) {
      const max = this.context.store.maxOffsetInQueue(schedule, level - 1);
      if (offset > max) this.offsets.set(level, max);
    }
    this.kept = new Map(this.offsets);
    this.running = true;
    this.next(0);
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
    // A clean stop flushes everything behind this.
    if (this.hasMoved) this.keep(this.offsets);
    this.persist();
  }

  /** Writes the file when something changed. */
  persist(): void {
    if (!this.isDirty) return;
    this.isDirty = false;
    writeStateFile(this.context.vfs, this.path, this.toJson());
  }

  /** What may be kept, as the file has it and slaves get it. */
  toJson(): string {
    return writeDelayOffsets(this.kept);
  }

  /** Slave: keeps the master's table, to be used after a promotion. */
  replace(json: string): void {
    const next = readDelayOffsets(json);
    if (writeDelayOffsets(next) === this.toJson()) return;
    this.offsets = next;
    this.keep(next);
    this.persist();
  }

  /** `level → [next offset, max offset]` for runtime info. */
  progress(): ReadonlyMap<number, readonly [number, number]> {
    return new Map(
      [...this.offsets].map(
        ([level, offset]) =>
          [
            level,
            [offset, this.context.store.maxOffsetInQueue(schedule, level - 1)] as const,
          ] as const,
      ),
    );
  }

  private load(): void {
    const text = readStateFile(this.context.vfs, this.path);
    if (text !== null) this.offsets = readDelayOffsets(text);
    this.kept = new Map(this.offsets);
  }

  private keep(offsets: ReadonlyMap<number, number>): void {
    this.kept = new Map(offsets);
    this.isDirty = true;
  }

  /** After each pass while something moved: what has become safe may be kept. */
  private offerProgress(): void {
    if (!this.hasMoved) return;
    const safe = this.progressToKeep.offer(new Map(this.offsets));
    if (safe === null) return;
    this.keep(safe);
    this.hasMoved = writeDelayOffsets(safe) !== writeDelayOffsets(this.offsets);
  }

  private next(delayMs: number): void {
    if (!this.running) return;
    this.timer = setTimeout(() => {
      this.deliverAll().then(
        (refused) => this.next(refused ? RETRY_MS : IDLE_MS),
        (error: unknown) => {
          this.context.logger.error("delayed delivery failed", { reason: String(error) });
          this.next(RETRY_MS);
        },
      );
    }, delayMs);
  }

  /** One pass over every level. @returns true when some delivery was refused */
  private async deliverAll(): Promise<boolean> {
    const passes = this.levelsMs.map((delayMs, index) => this.deliverLevel(index + 1, delayMs));
    const results = await Promise.all(passes);
    this.offerProgress();
    return results.some((refused) => refused);
  }

  /** A level with messages has an offset, before the first of them is due as well: 45 and 28 show it (4.9). */
  private noteFirst(level: number, offset: number, waiting: number): void {
    if (waiting === 0 || this.offsets.has(level)) return;
    this.offsets.set(level, offset);
    this.hasMoved = true;
  }

  private async deliverLevel(level: number, delayMs: number): Promise<boolean> {
    for (;;) {
      const from = Math.max(
        this.offsets.get(level) ?? 0,
        this.context.store.minOffsetInQueue(schedule, level - 1),
      );
      const entries = this.context.store.consumeQueueEntries(schedule, level - 1, from, BATCH);
      const now = this.context.now();
      // A due time further ahead than the level's own delay comes from a clock that jumped: it counts as due (4.9 does the same).
      const due = entries.filter(
        (entry) => Number(entry.tagsCode) <= now || Number(entry.tagsCode) > now + delayMs,
      );
      const ready =
        due.length === entries.length
          ? entries
          : entries.slice(
              0,
              entries.findIndex((entry) => !due.includes(entry)),
            );
      this.noteFirst(level, from, entries.length);
      if (ready.length === 0 || !this.running) return false;
      const results = await Promise.all(ready.map((entry) => this.deliver(entry)));
      const failed = results.indexOf(false);
      const done = failed === -1 ? ready.length : failed;
      if (done > 0) {
        this.offsets.set(level, (ready[done - 1]?.queueOffset ?? from) + 1);
        this.hasMoved = true;
      }
      if (failed !== -1) return true;
      if (ready.length < BATCH) return false;
    }
  }

  /** @returns true when the copy is stored, or can never be (and is listed in the log) */
  private async deliver(entry: ConsumeQueueEntry): Promise<boolean> {
    const message = this.messageOf(entry);
    if (message === null) {
      this.context.logger.error("a delayed message cannot be delivered and is passed over", {
        physicalOffset: entry.physicalOffset,
      });
      return true;
    }
    const stored = isStored(await this.context.putInternal(message));
    if (stored && this.context.config.enableScheduleMessageStats) {
      this.context.statsItems.put(internTopic(message.topic), 1, entry.size);
    }
    return stored;
  }

  /** The copy for the real topic, its destination checked again; null when it has none. */
  private messageOf(entry: ConsumeQueueEntry): InternalMessage | null {
    const stored = readStoredMessage(this.context.store, entry.physicalOffset);
    if (stored === null) return null;
    const { properties } = stored;
    const topic = properties.get(PROPERTY.REAL_TOPIC) ?? "";
    const queueId = Number(properties.get(PROPERTY.REAL_QID));
    if (topicNameProblem(topic) !== null || !Number.isInteger(queueId) || queueId < 0) return null;
    return { ...copyOf(stored, { topic, queueId, properties }), ignoresDelay: true };
  }
}
