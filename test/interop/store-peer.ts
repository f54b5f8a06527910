/** A store directory as both brokers fill, read and rebuild it: the same requests to either, the same bytes expected from either. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { expect } from "vitest";
import { encodeBatch } from "../../engine/message/batch.ts";
import { BrokerPeer, pullFields, recordsOf, type PulledMessage } from "../helpers/broker-peer.ts";

const QUEUES = 4;

/** Sizes that make several files of everything out of a few thousand messages; both brokers must be configured alike (store-and-ha 0.4). */
export const STORE_SIZES = {
  mappedFileSizeCommitLog: 262_144,
  mappedFileSizeConsumeQueue: 1_000,
  maxHashSlotNum: 500,
  maxIndexNum: 800,
  // A cold Java broker refuses what waited for 200 ms; not here.
  brokerFastFailureEnable: "false",
} as const;

const TOPICS = ["StorePlain", "StoreKeys", "StoreBatch", "StoreLarge", "StoreDelay"] as const;

/** The topics `fill` writes to, and the broker's own that it causes. */
export const FILLED_TOPICS: readonly string[] = [...TOPICS, "SCHEDULE_TOPIC_XXXX"];

async function makeTopics(peer: BrokerPeer): Promise<void> {
  for (const topic of TOPICS) {
    const ext = {
      topic,
      defaultTopic: "TBW102",
      readQueueNums: QUEUES,
      writeQueueNums: QUEUES,
      perm: 6,
      topicFilterType: "SINGLE_TAG",
      order: false,
    };
    expect((await peer.ask({ code: 17, ext })).code).toBe(0);
  }
}

interface Sent {
  readonly topic: string;
  readonly body: Buffer;
  readonly changes: Readonly<Record<string, string | number | boolean>>;
  readonly code?: number;
}

function uniqueKey(round: number, index: number): string {
  return `UNIQ_KEY\u0001C0A80001${String(round).padStart(8, "0")}${String(index).padStart(16, "0")}\u0002`;
}

/** The sends of one round: every feature that changes what stands in the log, the queues or the index. */
function sendsOf(round: number, count: number): Sent[] {
  const sends: Sent[] = [];
  for (let index = 0; index < count; index += 1) {
    const e = index % QUEUES;
    const own = uniqueKey(round, index);
    const text = Buffer.from(`round ${round} message ${index}`);
    sends.push({ topic: "StorePlain", body: text, changes: { e, h: index, i: "" } });
    const keys = `KEYS\u0001k${round}.${index} shared${index % 7}  last${round}.${index}\u0002${own}TAGS\u0001Tag${index % 3}\u0002user\u0001v ${index}\u0002`;
    sends.push({ topic: "StoreKeys", body: text, changes: { e, i: keys } });
    if (index % 5 === 0) {
      const entries = [0, 1, 2].map((member) => ({
        flag: member,
        body: Buffer.from(`batch ${round}.${index}.${member}`),
        properties: Buffer.from(`KEYS\u0001b${index}\u0002TAGS\u0001Batch\u0002`),
      }));
      const changes = { e, m: true, i: "WAIT\u0001true\u0002" };
      sends.push({ topic: "StoreBatch", body: encodeBatch(entries), changes, code: 320 });
    }
    if (index % 40 === 0) {
      const large = Buffer.alloc(60_000, `large ${index} `);
      sends.push({ topic: "StoreLarge", body: large, changes: { e, i: own } });
      const packed = deflateSync(large);
      sends.push({
        topic: "StoreLarge",
        body: packed,
        changes: { e, f: 1, i: "TAGS\u0001z\u0002" },
      });
    }
    if (index % 50 === 0) {
      // Level 18 is two hours: the messages stay in the schedule topic for the whole test.
      const changes = { e, i: `DELAY\u000118\u0002TAGS\u0001Later\u0002${own}` };
      sends.push({ topic: "StoreDelay", body: text, changes });
    }
  }
  return sends;
}

/**
 * @param address broker
 * @param round makes keys and bodies of different calls different
 * @param count messages of each of the plain kinds
 */
export async function fill(address: string, round: number, count: number): Promise<void> {
  using peer = await BrokerPeer.connect(address);
  await makeTopics(peer);
  for (const { topic, body, changes, code } of sendsOf(round, count)) {
    const all = {
      a: "PG_store",
      b: topic,
      c: "TBW102",
      d: QUEUES,
      f: 0,
      g: 1_795_360_599_055,
      h: 0,
    };
    const answer = await peer.ask({ code: code ?? 310, ext: { ...all, ...changes }, body });
    expect([answer.code, answer.remark]).toEqual([0, null]);
  }
}

async function offsetOf(peer: BrokerPeer, code: number, topic: string, queueId: number) {
  return Number((await peer.ask({ code, ext: { topic, queueId } })).ext["offset"]);
}

function recordsIn(body: Buffer, where: string): readonly PulledMessage[] {
  try {
    return recordsOf(body);
  } catch (cause) {
    const head = body.toString("hex", 0, 48);
    throw new Error(`${where}: ${body.length} bytes that are no records: ${head}`, { cause });
  }
}

/** @returns every message of one queue as `topic queue offset` → the stored bytes in hexadecimal */
async function readQueue(
  peer: BrokerPeer,
  topic: string,
  queueId: number,
): Promise<[string, string][]> {
  const end = await offsetOf(peer, 30, topic, queueId);
  const found: [string, string][] = [];
  for (let at = await offsetOf(peer, 31, topic, queueId); at < end;) {
    const fields = pullFields(topic, { queueId, queueOffset: at, consumerGroup: "CG_store" });
    const answer = await peer.ask({ code: 11, ext: fields });
    expect([topic, queueId, at, answer.remark]).toEqual([topic, queueId, at, "FOUND"]);
    let start = 0;
    for (const record of recordsIn(answer.body, `${topic} ${queueId} ${at}`)) {
      expect([record.topic, record.queueId, record.queueOffset]).toEqual([topic, queueId, at]);
      const bytes = answer.body.toString("hex", start, start + record.totalSize);
      found.push([`${topic} ${queueId} ${at}`, bytes]);
      start += record.totalSize;
      at += 1;
    }
  }
  return found;
}

/** Pulls every message of every filled topic through the network. @returns `topic queue offset` → stored bytes */
export async function readAll(address: string): Promise<ReadonlyMap<string, string>> {
  using peer = await BrokerPeer.connect(address);
  const found = new Map<string, string>();
  for (const topic of FILLED_TOPICS) {
    const queues =
      topic === "SCHEDULE_TOPIC_XXXX" ? [17] : Array.from({ length: QUEUES }, (_, i) => i);
    for (const queueId of queues)
      for (const [key, bytes] of await readQueue(peer, topic, queueId)) found.set(key, bytes);
  }
  return found;
}

/** Key queries over the network: `key` → how many messages, over the whole time. */
export async function countByKey(address: string, keys: readonly string[]): Promise<number[]> {
  using peer = await BrokerPeer.connect(address);
  const counts: number[] = [];
  for (const key of keys) {
    const window = { maxNum: 32, beginTimestamp: 0, endTimestamp: 4_000_000_000_000 };
    const answer = await peer.ask({ code: 12, ext: { topic: "StoreKeys", key, ...window } });
    counts.push(answer.code === 0 ? recordsOf(answer.body).length : 0);
  }
  return counts;
}

/** Waits until the broker has dispatched its whole log: no queue end moves any more and the newest key is found. */
export async function dispatched(address: string, newestKey: string): Promise<void> {
  await expect
    .poll(() => countByKey(address, [newestKey]), { timeout: 30_000, interval: 100 })
    .toEqual([1]);
}

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

/** @returns consume queue files, `topic/queue/name` → bytes */
export function queueFiles(store: string): ReadonlyMap<string, Buffer> {
  const root = join(store, "consumequeue");
  return new Map(filesBelow(root).map((path) => [path.slice(root.length + 1), readFileSync(path)]));
}

/** @returns index files in order of their names; the names are the time of their making and differ by nature */
export function indexFiles(store: string): readonly Buffer[] {
  return filesBelow(join(store, "index")).map((path) => readFileSync(path));
}
