/**
 * Statistics by name and key over a minute, an hour and a day (admin-protocol C.3): what VIEW_BROKER_STATS_DATA (315) and the rates of
 * consume stats read. The message path only adds to counters found by a topic's id; windows are made of snapshots, on a clock.
 */
import type { TopicName } from "../message/topic-name.ts";

/** Names of 4.9's statistics that are kept here. */
export const STATS_NAME = {
  TOPIC_PUT_NUMS: "TOPIC_PUT_NUMS",
  TOPIC_PUT_SIZE: "TOPIC_PUT_SIZE",
  GROUP_GET_NUMS: "GROUP_GET_NUMS",
  GROUP_GET_SIZE: "GROUP_GET_SIZE",
  GROUP_GET_LATENCY: "GROUP_GET_LATENCY",
  SNDBCK_PUT_NUMS: "SNDBCK_PUT_NUMS",
  BROKER_PUT_NUMS: "BROKER_PUT_NUMS",
  BROKER_GET_NUMS: "BROKER_GET_NUMS",
} as const;
type StatsName = (typeof STATS_NAME)[keyof typeof STATS_NAME];

/** How often `sample` is to be called. */
export const STATS_SAMPLE_MS = 10_000;
const HOUR_EVERY_SAMPLES = 60;
const DAY_EVERY_SAMPLES = 360;

interface Snapshot {
  readonly atMs: number;
  readonly sum: number;
  readonly times: number;
}

/** What a window shows (admin-protocol B.0.4 BrokerStatsItem). */
export interface StatsWindow {
  readonly sum: number;
  /** A second. */
  readonly tps: number;
  /** Sum by number of additions. */
  readonly avgpt: number;
}

const EMPTY: StatsWindow = { sum: 0, tps: 0, avgpt: 0 };

/** Cumulative snapshots at a fixed distance; the oldest fall out. */
class Window {
  private readonly periodMs: number;
  private readonly snapshotsMax: number;
  private readonly snapshots: Snapshot[] = [];

  constructor(periodMs: number, snapshotsMax: number) {
    this.periodMs = periodMs;
    this.snapshotsMax = snapshotsMax;
  }

  /** The first snapshot is preceded by a zero one period earlier, as 4.9 does. */
  add(snapshot: Snapshot): void {
    if (this.snapshots.length === 0) {
      this.snapshots.push({ atMs: snapshot.atMs - this.periodMs, sum: 0, times: 0 });
    }
    this.snapshots.push(snapshot);
    if (this.snapshots.length > this.snapshotsMax) this.snapshots.shift();
  }

  read(): StatsWindow {
    const first = this.snapshots[0];
    const last = this.snapshots.at(-1);
    if (first === undefined || last === undefined) return EMPTY;
    const sum = last.sum - first.sum;
    const times = last.times - first.times;
    const elapsedMs = last.atMs - first.atMs;
    const tps = elapsedMs > 0 ? (sum * 1_000) / elapsedMs : 0;
    return { sum, tps, avgpt: times > 0 ? sum / times : 0 };
  }
}

/** One counter with its three windows. */
export class StatsItem {
  private sum = 0;
  private times = 0;
  private readonly minute = new Window(STATS_SAMPLE_MS, 7);
  private readonly hour = new Window(STATS_SAMPLE_MS * HOUR_EVERY_SAMPLES, 7);
  private readonly day = new Window(STATS_SAMPLE_MS * DAY_EVERY_SAMPLES, 25);

  /** @param times additions this counts as; 0 leaves `avgpt` at 0 */
  add(value: number, times = 1): void {
    this.sum += value;
    this.times += times;
  }

  /** @param count how many samples the broker has taken before this one */
  sample(atMs: number, count: number): void {
    const snapshot = { atMs, sum: this.sum, times: this.times };
    this.minute.add(snapshot);
    if (count % HOUR_EVERY_SAMPLES === 0) this.hour.add(snapshot);
    if (count % DAY_EVERY_SAMPLES === 0) this.day.add(snapshot);
  }

  get statsMinute(): StatsWindow {
    return this.minute.read();
  }

  get statsHour(): StatsWindow {
    return this.hour.read();
  }

  get statsDay(): StatsWindow {
    return this.day.read();
  }
}

interface Flow {
  readonly messages: StatsItem;
  readonly bytes: StatsItem;
}

interface GroupFlow extends Flow {
  /** By queue id. */
  readonly latency: (StatsItem | undefined)[];
}

/** The one owner of statistics by key. */
export class StatsItems {
  private readonly cluster: string;
  private readonly items = new Map<StatsName, Map<string, StatsItem>>();
  /** By topic id. */
  private readonly puts: (Flow | undefined)[] = [];
  /** By group, then topic id. */
  private readonly gets = new Map<string, (GroupFlow | undefined)[]>();
  private brokerPut: StatsItem | null = null;
  private brokerGet: StatsItem | null = null;
  private samples = 0;

  /** @param cluster key of the statistics of the whole broker */
  constructor(cluster: string) {
    this.cluster = cluster;
  }

  /** Messages stored in a topic. @param messages how many at once */
  put(topic: TopicName, messages: number, bytes: number): void {
    const flow = (this.puts[topic.id] ??= {
      messages: this.item(STATS_NAME.TOPIC_PUT_NUMS, topic.text),
      bytes: this.item(STATS_NAME.TOPIC_PUT_SIZE, topic.text),
    });
    flow.messages.add(messages);
    flow.bytes.add(bytes);
    this.brokerPut ??= this.item(STATS_NAME.BROKER_PUT_NUMS, this.cluster);
    this.brokerPut.add(messages, 0);
  }

  /** Messages handed to a group by one answer. @param pull how many, their bytes, and how long the answer took */
  get(
    group: string,
    topic: TopicName,
    pull: {
      readonly queueId: number;
      readonly messages: number;
      readonly bytes: number;
      readonly ms: number;
    },
  ): void {
    const flow = this.groupFlow(group, topic);
    flow.messages.add(pull.messages);
    flow.bytes.add(pull.bytes);
    const latency = (flow.latency[pull.queueId] ??= this.item(
      STATS_NAME.GROUP_GET_LATENCY,
      `${pull.queueId}@${topic.text}@${group}`,
    ));
    latency.add(pull.ms);
    this.brokerGet ??= this.item(STATS_NAME.BROKER_GET_NUMS, this.cluster);
    this.brokerGet.add(pull.messages, 0);
  }

  /** One message that came back for a retry. @param topic it was first sent to */
  sentBack(group: string, topic: string): void {
    this.item(STATS_NAME.SNDBCK_PUT_NUMS, `${topic}@${group}`).add(1);
  }

  /** Called every STATS_SAMPLE_MS. @param nowMs wall clock */
  sample(nowMs: number): void {
    for (const byKey of this.items.values()) {
      for (const item of byKey.values()) item.sample(nowMs, this.samples);
    }
    this.samples += 1;
  }

  /** @returns undefined when nothing was ever counted under that name and key */
  find(name: string, key: string): StatsItem | undefined {
    return this.items.get(name as StatsName)?.get(key);
  }

  /** @returns messages a second handed to the group over the last minute */
  groupGetTps(group: string, topic: string): number {
    return this.find(STATS_NAME.GROUP_GET_NUMS, `${topic}@${group}`)?.statsMinute.tps ?? 0;
  }

  /** autoDeleteUnusedStats: forgets what was counted for a topic. */
  dropTopic(topic: TopicName): void {
    this.puts[topic.id] = undefined;
    for (const flows of this.gets.values()) flows[topic.id] = undefined;
    this.dropKeys((parts) => parts.includes(topic.text));
  }

  /** autoDeleteUnusedStats: forgets what was counted for a group. */
  dropGroup(group: string): void {
    this.gets.delete(group);
    this.dropKeys((parts) => parts.length > 1 && parts.at(-1) === group);
  }

  private dropKeys(isDropped: (parts: readonly string[]) => boolean): void {
    for (const [name, byKey] of this.items) {
      if (name === STATS_NAME.BROKER_PUT_NUMS || name === STATS_NAME.BROKER_GET_NUMS) continue;
      for (const key of byKey.keys()) if (isDropped(key.split("@"))) byKey.delete(key);
    }
  }

  private groupFlow(group: string, topic: TopicName): GroupFlow {
    let flows = this.gets.get(group);
    if (flows === undefined) {
      flows = [];
      this.gets.set(group, flows);
    }
    return (flows[topic.id] ??= {
      messages: this.item(STATS_NAME.GROUP_GET_NUMS, `${topic.text}@${group}`),
      bytes: this.item(STATS_NAME.GROUP_GET_SIZE, `${topic.text}@${group}`),
      latency: [],
    });
  }

  private item(name: StatsName, key: string): StatsItem {
    const byKey = this.items.get(name) ?? new Map<string, StatsItem>();
    this.items.set(name, byKey);
    const item = byKey.get(key) ?? new StatsItem();
    byKey.set(key, item);
    return item;
  }
}
