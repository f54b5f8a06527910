/** Where a consumer's progress is kept: on the brokers (clustering) or in a local file (broadcasting). remoting-protocol 4.3, 5.6 step 7. */
import { asNumber, asObject, parseFastjson, writeFastjson } from "../../base/fastjson.ts";
import { readStateFile, writeStateFile } from "../../base/state-file.ts";
import type { Vfs } from "../../base/vfs.ts";
import { queueMapValue, readQueueMap } from "../../remoting/bodies/message-queue.ts";
import { decodeHeader, encodeHeader } from "../../remoting/command-spec.ts";
import { QUERY_CONSUMER_OFFSET, UPDATE_CONSUMER_OFFSET } from "../../remoting/commands/offsets.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { RemotingClient } from "../../remoting/server-api.ts";
import type { BrokerTable } from "../broker-table.ts";
import type { MessageQueue } from "../client-api.ts";
import { queueKey } from "../message-queues.ts";
import { invokeOk, isRefusedWith } from "../request.ts";

const TIMEOUT_MS = 5_000;

/** Progress by queue: in memory between two writes. */
export interface OffsetStore {
  /** Sets the offset to go on from; with `onlyForward` a lower one is ignored. */
  update(queue: MessageQueue, offset: number, onlyForward: boolean): void;
  /** @returns the offset in memory */
  read(queue: MessageQueue): number | undefined;
  /**
   * Asks where it is kept.
   * @returns null when nothing is kept for the queue
   * @throws RefusedError | EngineError when that cannot be known now
   */
  fetch(queue: MessageQueue): Promise<number | null>;
  /**
   * Writes what has changed; `confirmed` waits until the broker has it.
   * @returns why some were not written, and stay for the next time; empty when all were
   */
  persist(confirmed: boolean): Promise<readonly unknown[]>;
  /** Drops a queue from memory. */
  forget(queue: MessageQueue): void;
  /** @returns offsets in memory of one topic */
  ofTopic(topic: string): (readonly [MessageQueue, number])[];
}

interface Entry {
  readonly queue: MessageQueue;
  offset: number;
  isDirty: boolean;
}

/** The part both stores share. */
class OffsetTable {
  private readonly entries = new Map<string, Entry>();

  update(queue: MessageQueue, offset: number, onlyForward: boolean): void {
    const key = queueKey(queue);
    const entry = this.entries.get(key);
    if (entry === undefined) this.entries.set(key, { queue, offset, isDirty: true });
    else if (entry.offset !== offset && !(onlyForward && offset < entry.offset)) {
      entry.offset = offset;
      entry.isDirty = true;
    }
  }

  read(queue: MessageQueue): number | undefined {
    return this.entries.get(queueKey(queue))?.offset;
  }

  forget(queue: MessageQueue): void {
    this.entries.delete(queueKey(queue));
  }

  ofTopic(topic: string): (readonly [MessageQueue, number])[] {
    return this.all()
      .filter(({ queue }) => queue.topic === topic)
      .map(({ queue, offset }) => [queue, offset] as const);
  }

  all(): Entry[] {
    return [...this.entries.values()];
  }

  dirty(): Entry[] {
    return this.all().filter((entry) => entry.isDirty);
  }
}

/** A broker keeps the offsets of a group and topic in one table. */
function tableOf({ queue }: Entry): string {
  return `${queue.brokerName} ${queue.topic}`;
}

/** What a remote store is made of. */
export interface RemoteOffsetParts {
  readonly remoting: RemotingClient;
  readonly brokers: BrokerTable;
  readonly group: string;
}

/** Keeps offsets on the broker that holds the queue. */
export class RemoteOffsetStore extends OffsetTable implements OffsetStore {
  private readonly parts: RemoteOffsetParts;
  /** Brokers and topics that took an offset of this group. */
  private readonly made = new Set<string>();

  constructor(parts: RemoteOffsetParts) {
    super();
    this.parts = parts;
  }

  async fetch(queue: MessageQueue): Promise<number | null> {
    const { remoting, brokers, group } = this.parts;
    const address = brokers.requireMasterOrAny(queue.brokerName);
    const header = { consumerGroup: group, topic: queue.topic, queueId: queue.queueId };
    const spec = QUERY_CONSUMER_OFFSET;
    try {
      const answer = await invokeOk(remoting, { address, spec, header, timeoutMs: TIMEOUT_MS });
      return decodeHeader(spec.response, answer.extFields).offset ?? null;
    } catch (error) {
      if (isRefusedWith(error, RESPONSE_CODE.QUERY_NOT_FOUND)) return null;
      throw error;
    }
  }

  async persist(confirmed: boolean): Promise<readonly unknown[]> {
    const dirty = this.dirty();
    // 4.9's broker makes the table of a topic and group with the first offset that comes, and loses others that come in that moment.
    const isNew = (entry: Entry): boolean => confirmed && !this.made.has(tableOf(entry));
    const firsts = new Map(dirty.filter(isNew).map((entry) => [tableOf(entry), entry]));
    const ahead = [...firsts.values()];
    const rest = dirty.filter((entry) => !ahead.includes(entry));
    return [...(await this.writeAll(ahead, confirmed)), ...(await this.writeAll(rest, confirmed))];
  }

  private async writeAll(
    entries: readonly Entry[],
    confirmed: boolean,
  ): Promise<readonly unknown[]> {
    const writes = entries.map((entry) => this.write(entry, confirmed));
    return (await Promise.allSettled(writes)).flatMap((outcome): unknown[] =>
      outcome.status === "rejected" ? [outcome.reason] : [],
    );
  }

  private async write(entry: Entry, confirmed: boolean): Promise<void> {
    const { remoting, brokers, group } = this.parts;
    const { queue, offset } = entry;
    const address = brokers.requireMasterOrAny(queue.brokerName);
    const spec = UPDATE_CONSUMER_OFFSET;
    const { topic, queueId } = queue;
    const header = { consumerGroup: group, topic, queueId, commitOffset: offset };
    if (confirmed) {
      await invokeOk(remoting, { address, spec, header, timeoutMs: TIMEOUT_MS });
      this.made.add(tableOf(entry));
    } else {
      const extFields = encodeHeader(spec.request, header);
      await remoting.sendOneway(address, { code: spec.code, extFields });
    }
    if (entry.offset === offset) entry.isDirty = false;
  }
}

/** Keeps offsets in `offsets.json` as Java's broadcasting consumers do: `{"offsetTable":{{queue}:offset}}`. */
export class LocalOffsetStore extends OffsetTable implements OffsetStore {
  private readonly vfs: Vfs;
  private readonly path: string;

  /**
   * Reads what an earlier run left.
   * @throws EngineError STORE_LAYOUT_INVALID when the file and its copies are damaged
   */
  constructor(vfs: Vfs, path: string) {
    super();
    this.vfs = vfs;
    this.path = path;
    const text = readStateFile(vfs, path);
    if (text === null) return;
    const table = asObject(parseFastjson(text)).get("offsetTable");
    for (const [queue, offset] of readQueueMap(table, (value) => asNumber(value)))
      this.update(queue, offset, false);
    for (const entry of this.all()) entry.isDirty = false;
  }

  fetch(queue: MessageQueue): Promise<number | null> {
    return Promise.resolve(this.read(queue) ?? null);
  }

  persist(): Promise<readonly unknown[]> {
    const dirty = this.dirty();
    if (dirty.length === 0) return Promise.resolve([]);
    const table = this.all().map(({ queue, offset }) => [queue, offset] as const);
    writeStateFile(
      this.vfs,
      this.path,
      writeFastjson({ offsetTable: queueMapValue(table, (offset) => offset) }),
    );
    for (const entry of dirty) entry.isDirty = false;
    return Promise.resolve([]);
  }

  /** Its queues are the consumer's for good: nobody else would remember them. */
  override forget(): void {
    return undefined;
  }
}
