/** Topic and queue → its next queue offset and its consume queue (store-and-ha 2.5, 5.7). Indexed by small integers on the message path. */
import { join } from "node:path";
import { isTopicName } from "../message/names.ts";
import { findTopic, internTopic, type TopicName } from "../message/topic-name.ts";
import type { Vfs, VfsFile } from "../base/vfs.ts";
import { ConsumeQueue } from "./consume-queue.ts";

/** One queue's state. */
export interface QueueState {
  readonly topic: TopicName;
  readonly queueId: number;
  readonly queue: ConsumeQueue;
  /** What the next record of this queue gets; ahead of the queue until dispatch has followed. */
  nextOffset: number;
}

/** Arrays are indexed by queue ids; no topic has that many queues (L-08). */
export const QUEUE_ID_MAX = 65_535;

/** See the file's head. */
export class QueueTable {
  private readonly vfs: Vfs;
  private readonly root: string;
  private readonly fileSize: number;
  /** By topic id, then queue id. */
  private readonly byTopic: (QueueState | undefined)[][] = [];
  private readonly states: QueueState[] = [];
  /** Counts queues made and deleted. */
  changes = 0;

  constructor(parts: { readonly vfs: Vfs; readonly root: string; readonly fileSize: number }) {
    this.vfs = parts.vfs;
    this.root = parts.root;
    this.fileSize = parts.fileSize;
    for (const topic of this.vfs.list(this.root)) this.openTopic(topic);
  }

  get all(): readonly QueueState[] {
    return this.states;
  }

  find(topic: TopicName, queueId: number): QueueState | undefined {
    return this.byTopic[topic.id]?.[queueId];
  }

  get(topic: TopicName, queueId: number): QueueState {
    return this.find(topic, queueId) ?? this.make(topic, queueId);
  }

  /**
   * A dispatched record's queue, by the bytes of its topic. The bytes may come from a peer or an old log and name directories here.
   * @returns null when no such queue can exist (N-01, N-05): the record stays in the log and gets none (S-11)
   */
  getByBytes(
    bytes: Buffer,
    place: { readonly start: number; readonly end: number },
    queueId: number,
  ): QueueState | null {
    if (queueId < 0 || queueId > QUEUE_ID_MAX) return null;
    const known = findTopic(bytes, place.start, place.end);
    if (known !== undefined) return this.get(known, queueId);
    if (!isTopicName(bytes, place.start, place.end)) return null;
    return this.get(internTopic(bytes.toString("latin1", place.start, place.end)), queueId);
  }

  delete(topic: TopicName): void {
    for (const state of this.byTopic[topic.id] ?? []) {
      if (state === undefined) continue;
      state.queue.destroy();
      this.states.splice(this.states.indexOf(state), 1);
    }
    this.byTopic[topic.id] = [];
    this.changes += 1;
    this.vfs.removeDirectory(join(this.root, topic.text));
  }

  /** Once everything is dispatched: the next message of a queue goes behind its last entry, and none is read from before the log. */
  resume(logMinOffset: number): void {
    for (const state of this.states) {
      state.nextOffset = state.queue.maxOffset;
      state.queue.raiseMinOffset(logMinOffset);
    }
  }

  /** Writes every queue's entries that are in memory only. @returns files touched */
  flush(): VfsFile[] {
    return this.states.flatMap((state) =>
      state.queue.pendingUnits > 0 ? state.queue.flush() : [],
    );
  }

  close(): void {
    for (const { queue } of this.states) queue.close();
  }

  private openTopic(topic: string): void {
    const directory = join(this.root, topic);
    const bytes = Buffer.from(topic, "utf8");
    const isQueues = this.vfs.stat(directory)?.isDirectory === true;
    if (!isQueues || !isTopicName(bytes, 0, bytes.length)) return;
    for (const name of this.vfs.list(directory)) {
      if (/^\d{1,5}$/.test(name) && Number(name) <= QUEUE_ID_MAX)
        this.make(internTopic(topic), Number(name));
    }
  }

  private make(topic: TopicName, queueId: number): QueueState {
    const directory = join(this.root, topic.text, String(queueId));
    const queue = new ConsumeQueue({ vfs: this.vfs, directory, fileSize: this.fileSize });
    const state: QueueState = { topic, queueId, queue, nextOffset: 0 };
    const queues = (this.byTopic[topic.id] ??= []);
    queues[queueId] = state;
    this.states.push(state);
    this.changes += 1;
    return state;
  }
}
