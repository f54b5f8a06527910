/**
 * The SQL92 filters of consumer groups (RocketMQ's ConsumerFilterManager): compiled when a heartbeat brings them, kept for a day after their group is
 * gone, in ROOT/config/consumerFilter.json (store-and-ha 1.5).
 */
import { join } from "node:path";
import type { Logger } from "../base/logger.ts";
import { readStateFile, writeStateFile } from "../base/state-file.ts";
import type { Vfs } from "../base/vfs.ts";
import { BloomFilter } from "../filter/bloom-filter.ts";
import type { SubscriptionBody } from "../remoting/bodies/heartbeat.ts";
import type { MessageFilter } from "../store/store-api.ts";
import type { BrokerConfig } from "./broker-config.ts";
import type { ConsumerFilterTable, RegisteredFilter } from "./broker-context.ts";
import {
  filterText,
  readFilterFile,
  writeFilterFile,
  type FilterData,
} from "./consumer-filter-file.ts";
import { compileFilter, SQL92 } from "./property-filter.ts";
import { isTagType } from "./tag-filter.ts";

/** A broker that restarts takes its consumers for dead since this long, ms. */
const DEAD_BEFORE_START_MS = 30_000;
/** Filters of all groups together: heartbeats may name any number of topics. */
const FILTERS_MAX = 10_000;

type Registered = FilterData & { readonly filter: MessageFilter };

/** What the table needs of the broker. */
export interface ConsumerFiltersWiring {
  readonly config: BrokerConfig;
  readonly vfs: Vfs;
  readonly logger: Logger;
  /** Wall clock, ms. */
  readonly now: () => number;
}

/** The one owner of registered filters. */
export class BrokerFilters implements ConsumerFilterTable {
  private readonly wiring: ConsumerFiltersWiring;
  private readonly path: string;
  private readonly bloom: BloomFilter;
  /** By topic, then group. */
  private readonly table = new Map<string, Map<string, Registered>>();
  private count = 0;
  private isDirty = false;
  private hasToldFull = false;

  /** Reads the file. @throws EngineError STORE_LAYOUT_INVALID when it and its copies are damaged (S-06) */
  constructor(wiring: ConsumerFiltersWiring) {
    this.wiring = wiring;
    const { storePathRootDir, maxErrorRateOfBloomFilter, expectConsumerNumUseFilter } =
      wiring.config;
    this.path = join(storePathRootDir, "config", "consumerFilter.json");
    this.bloom = new BloomFilter(maxErrorRateOfBloomFilter, expectConsumerNumUseFilter);
    const text = readStateFile(wiring.vfs, this.path);
    if (text !== null) this.load(text);
  }

  find(topic: string, group: string): RegisteredFilter | undefined {
    return this.table.get(topic)?.get(group);
  }

  describe(topic: string, group: string): string {
    const data = this.table.get(topic)?.get(group);
    return data === undefined ? "null" : filterText(data);
  }

  /** A heartbeat's subscriptions of one group: its filters are registered, those for topics it does not name any more die. */
  register(group: string, subscriptions: readonly SubscriptionBody[]): void {
    for (const subscription of subscriptions) this.registerOne(group, subscription);
    const topics = new Set(subscriptions.map((subscription) => subscription.topic));
    this.markDead(group, (topic) => !topics.has(topic));
  }

  /** The group's last member left. */
  unregister(group: string): void {
    this.markDead(group, () => true);
  }

  /** Forgets what is dead for longer than filterDataCleanTimeSpan, and writes the file when something changed. */
  persist(): void {
    this.clean();
    if (!this.isDirty) return;
    this.isDirty = false;
    writeStateFile(this.wiring.vfs, this.path, writeFilterFile(this.table));
  }

  private registerOne(group: string, subscription: SubscriptionBody): void {
    const { topic, subString, subVersion, expressionType } = subscription;
    if (isTagType(expressionType) || subString === "") return;
    const old = this.table.get(topic)?.get(group);
    if (old === undefined || subVersion > old.clientVersion) {
      const isSame = old?.expression === subString && old.expressionType === expressionType;
      if (old === undefined || !isSame) this.replace(group, subscription);
      else this.put({ ...old, clientVersion: subVersion, deadTime: 0 });
    } else if (subVersion === old.clientVersion && isDead(old)) this.put({ ...old, deadTime: 0 });
  }

  /** A new text takes the old one's place, also when it does not compile: pulls are then answered 27. */
  private replace(group: string, subscription: SubscriptionBody): void {
    const { topic, subString: expression, expressionType, subVersion } = subscription;
    const filter = this.compile({ topic, consumerGroup: group, expression, expressionType });
    if (filter === null) {
      this.drop(topic, group);
      return;
    }
    this.put({
      topic,
      consumerGroup: group,
      expression,
      expressionType,
      clientVersion: subVersion,
      bornTime: this.wiring.now(),
      deadTime: 0,
      bloomFilterData: this.bloom.positionsOf(group, topic),
      filter,
    });
  }

  private compile(
    data: Pick<FilterData, "topic" | "consumerGroup" | "expression" | "expressionType">,
  ): MessageFilter | null {
    const { logger } = this.wiring;
    const { topic, consumerGroup: group, expression, expressionType: type } = data;
    const where = { topic, group, expression: expression.slice(0, 200) };
    if (type !== SQL92) {
      logger.warn("a consumer filters by a language nobody speaks", { topic, group, type });
      return null;
    }
    const compiled = compileFilter(expression, () =>
      logger.warn("a filter cannot be evaluated for some message, which is not delivered", where),
    );
    if (typeof compiled === "string") {
      logger.warn("a consumer's filter was refused", { topic, group, problem: compiled });
      return null;
    }
    const { ignored } = compiled.sql;
    if (ignored !== "")
      logger.warn("the end of a filter does not count, as in 4.9", { topic, group, ignored });
    return compiled.filter;
  }

  private put(data: Registered): void {
    const ofTopic = this.table.get(data.topic) ?? new Map<string, Registered>();
    if (!ofTopic.has(data.consumerGroup)) {
      if (this.count >= FILTERS_MAX) {
        this.tellFull(data);
        return;
      }
      this.count += 1;
    }
    ofTopic.set(data.consumerGroup, data);
    this.table.set(data.topic, ofTopic);
    this.isDirty = true;
  }

  /** Once: a heartbeat can name thousands. */
  private tellFull({ topic, consumerGroup: group }: Registered): void {
    if (this.hasToldFull) return;
    this.hasToldFull = true;
    const most = FILTERS_MAX;
    this.wiring.logger.error("there are too many filters, no more are registered", {
      topic,
      group,
      most,
    });
  }

  private drop(topic: string, group: string): void {
    const ofTopic = this.table.get(topic);
    if (ofTopic === undefined || !ofTopic.delete(group)) return;
    if (ofTopic.size === 0) this.table.delete(topic);
    this.count -= 1;
    this.isDirty = true;
  }

  private markDead(group: string, concerns: (topic: string) => boolean): void {
    for (const [topic, groups] of this.table) {
      const data = groups.get(group);
      if (data === undefined || isDead(data) || !concerns(topic)) continue;
      this.put({ ...data, deadTime: this.wiring.now() });
    }
  }

  private clean(): void {
    const oldest = this.wiring.now() - this.wiring.config.filterDataCleanTimeSpan;
    for (const groups of this.table.values()) {
      for (const data of groups.values()) {
        if (isDead(data) && data.deadTime <= oldest) this.drop(data.topic, data.consumerGroup);
      }
    }
  }

  private load(text: string): void {
    const { logger, now } = this.wiring;
    const all = readFilterFile(text);
    const foreign = all.find((data) => !this.bloom.fits(data.bloomFilterData));
    if (foreign !== undefined) {
      logger.warn("the bloom filter's settings changed: registered filters start anew", {
        file: this.path,
      });
      return;
    }
    for (const data of all) {
      const filter = this.compile(data);
      if (filter === null) continue;
      const deadTime = isDead(data)
        ? data.deadTime
        : Math.max(data.bornTime, now() - DEAD_BEFORE_START_MS);
      this.put({ ...data, deadTime, filter });
    }
  }
}

function isDead({ deadTime, bornTime }: FilterData): boolean {
  return deadTime >= bornTime;
}
