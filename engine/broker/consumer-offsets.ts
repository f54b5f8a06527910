/**
 * How far each group has consumed each queue, and the file `config/consumerOffset.json` (store-and-ha 1.5). Kept in memory, on disk every
 * flushConsumerOffsetInterval and at stop; never before it was loaded (S-07).
 */
import { join } from "node:path";
import { readStateFile, writeStateFile } from "../base/state-file.ts";
import type { Vfs } from "../base/vfs.ts";
import { readGroupOffsets, writeGroupOffsets } from "../remoting/bodies/simple.ts";
import type { ConsumerOffsetTable } from "./broker-context.ts";

const SEPARATOR = "@";

function keyOf(group: string, topic: string): string {
  return topic + SEPARATOR + group;
}

/** The one owner of consumer offsets. */
export class BrokerOffsets implements ConsumerOffsetTable {
  private readonly vfs: Vfs;
  private readonly path: string;
  /** `topic@group` → queueId → next offset to consume. */
  private readonly table = new Map<string, Map<number, number>>();
  private isDirty = false;

  /** Reads the file. @throws EngineError STORE_LAYOUT_INVALID when it and its copies are damaged (S-06) */
  constructor(wiring: { readonly vfs: Vfs; readonly storePathRootDir: string }) {
    this.vfs = wiring.vfs;
    this.path = join(wiring.storePathRootDir, "config", "consumerOffset.json");
    const text = readStateFile(this.vfs, this.path);
    if (text === null) return;
    for (const [key, queues] of readGroupOffsets(text)) this.table.set(key, new Map(queues));
  }

  query(group: string, topic: string, queueId: number): number {
    return this.table.get(keyOf(group, topic))?.get(queueId) ?? -1;
  }

  commit(group: string, topic: string, queueId: number, offset: number): void {
    const key = keyOf(group, topic);
    const queues = this.table.get(key) ?? new Map<number, number>();
    if (queues.get(queueId) === offset) return;
    queues.set(queueId, offset);
    this.table.set(key, queues);
    this.isDirty = true;
  }

  topicsOf(group: string): readonly string[] {
    const suffix = SEPARATOR + group;
    return [...this.table.keys()]
      .filter((key) => key.endsWith(suffix))
      .map((key) => key.slice(0, -suffix.length));
  }

  groupsOf(topic: string): readonly string[] {
    const prefix = topic + SEPARATOR;
    return [...this.table.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length));
  }

  ofGroup(group: string, topic: string): ReadonlyMap<number, number> {
    return this.table.get(keyOf(group, topic)) ?? new Map<number, number>();
  }

  deleteGroup(group: string): void {
    for (const topic of this.topicsOf(group)) this.drop(keyOf(group, topic));
  }

  deleteTopic(topic: string): void {
    for (const group of this.groupsOf(topic)) this.drop(keyOf(group, topic));
  }

  /** H-15: the larger of both sides wins, so that a master that was away does not throw consumers back. */
  merge(json: string): void {
    for (const [key, queues] of readGroupOffsets(json)) {
      const own = this.table.get(key) ?? new Map<number, number>();
      for (const [queueId, offset] of queues) {
        if (offset <= (own.get(queueId) ?? -1)) continue;
        own.set(queueId, offset);
        this.isDirty = true;
      }
      this.table.set(key, own);
    }
  }

  toJson(): string {
    return writeGroupOffsets(this.table);
  }

  /** C-01: after recovery no offset stands past the end of its queue. @returns how many were brought back */
  clamp(maxOffset: (topic: string, queueId: number) => number): number {
    let count = 0;
    for (const [key, queues] of this.table) {
      const topic = key.slice(0, key.lastIndexOf(SEPARATOR));
      for (const [queueId, offset] of queues) {
        const max = maxOffset(topic, queueId);
        if (offset <= max) continue;
        queues.set(queueId, max);
        this.isDirty = true;
        count += 1;
      }
    }
    return count;
  }

  /** Writes the file when something changed. */
  persist(): void {
    if (!this.isDirty) return;
    this.isDirty = false;
    writeStateFile(this.vfs, this.path, this.toJson());
  }

  private drop(key: string): void {
    this.table.delete(key);
    this.isDirty = true;
  }
}
