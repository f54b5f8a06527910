/**
 * The broker's topics: built-in ones, created ones, and the file they live in (`config/topics.json`, store-and-ha 1.5). Every change is on
 * disk before it is used, and asks for a registration (remoting-protocol 4.0, 4.1.5, 3.2).
 */
import { join } from "node:path";
import type { Logger } from "../base/logger.ts";
import { readStateFile, writeStateFile } from "../base/state-file.ts";
import type { Vfs } from "../base/vfs.ts";
import { writeFastjson } from "../base/fastjson.ts";
import { internTopic, type TopicName } from "../message/topic-name.ts";
import {
  decodeTopicConfigTable,
  topicConfigTableValue,
  type TopicConfigBody,
  type TopicConfigTableBody,
} from "../remoting/bodies/topic-config.ts";
import type { BrokerConfig } from "./broker-config.ts";
import type { DataVersion, TopicConfig, TopicConfigTable } from "./broker-context.ts";
import {
  AUTO_CREATE_TOPIC,
  OFFSET_MOVED_EVENT_TOPIC,
  PERM,
  SCHEDULE_TOPIC,
  SYSTEM_TOPICS,
  topicNameProblem,
} from "./names.ts";

const READ_WRITE = PERM.READ | PERM.WRITE;
const TEMPLATE = READ_WRITE | PERM.INHERIT;
/** L-08. */
const TOPICS_MAX = 10_000;
/** L-08, R-29. */
export const QUEUES_MAX = 1_024;

/** @returns where the table is kept */
function topicsFile(config: BrokerConfig): string {
  return join(config.storePathRootDir, "config", "topics.json");
}

function plainTopic(topic: string, queueNums: number, perm: number): TopicConfig {
  return {
    name: internTopic(topic),
    readQueueNums: queueNums,
    writeQueueNums: queueNums,
    perm,
    topicSysFlag: 0,
    order: false,
    topicFilterType: "SINGLE_TAG",
  };
}

/** The topics every broker has (4.0, store-and-ha 6.6). */
function builtInTopics(config: BrokerConfig): TopicConfig[] {
  const own = (isOpen: boolean): number => (isOpen ? TEMPLATE : PERM.INHERIT);
  return [
    plainTopic("SELF_TEST_TOPIC", 1, READ_WRITE),
    ...(config.autoCreateTopicEnable
      ? [plainTopic(AUTO_CREATE_TOPIC, config.defaultTopicQueueNums, TEMPLATE)]
      : []),
    plainTopic("BenchmarkTest", 1_024, READ_WRITE),
    plainTopic(config.brokerClusterName, 16, own(config.clusterTopicEnable)),
    plainTopic(config.brokerName, 1, own(config.brokerTopicEnable)),
    plainTopic(OFFSET_MOVED_EVENT_TOPIC, 1, READ_WRITE),
    plainTopic(SCHEDULE_TOPIC, 18, READ_WRITE),
    ...(config.traceTopicEnable ? [plainTopic(config.msgTraceTopicName, 1, READ_WRITE)] : []),
    plainTopic(`${config.brokerClusterName}_REPLY_TOPIC`, 1, READ_WRITE),
  ];
}

function bodyOf(topic: TopicConfig): TopicConfigBody {
  const { name, ...rest } = topic;
  return { topicName: name.text, ...rest };
}

/** @returns a table's topic with its name interned */
export function topicOf(body: TopicConfigBody): TopicConfig {
  const { topicName, ...rest } = body;
  return { name: internTopic(topicName), ...rest };
}

/** What the table needs of the broker. */
export interface TopicConfigWiring {
  readonly config: BrokerConfig;
  readonly vfs: Vfs;
  readonly logger: Logger;
  readonly now: () => number;
  /** Asks for a registration with every name server. */
  readonly registerSoon: () => void;
}

/** The one owner of topic settings. */
export class BrokerTopics implements TopicConfigTable {
  version: DataVersion;
  private readonly wiring: TopicConfigWiring;
  private readonly systemTopics: ReadonlySet<string>;
  /** By TopicName id: what the message path indexes with. */
  private byId: (TopicConfig | undefined)[] = [];
  private readonly byText = new Map<string, TopicConfig>();

  /**
   * Builds the built-in topics and reads the file over them.
   * @throws EngineError STORE_LAYOUT_INVALID when the file and its copies are damaged (S-06)
   */
  constructor(wiring: TopicConfigWiring) {
    this.wiring = wiring;
    this.version = { counter: 0, timestamp: wiring.now() };
    const builtIn = builtInTopics(wiring.config);
    this.systemTopics = new Set([...SYSTEM_TOPICS, ...builtIn.map((topic) => topic.name.text)]);
    for (const topic of builtIn) this.set(topic);
    this.load();
  }

  get(topic: TopicName): TopicConfig | undefined {
    return this.byId[topic.id];
  }

  find(topic: string): TopicConfig | undefined {
    return this.byText.get(topic);
  }

  createBySend(
    topic: string,
    defaultTopic: string,
    queueNums: number,
    topicSysFlag = 0,
  ): TopicConfig | undefined {
    const template = this.templateFor(defaultTopic);
    if (template === undefined || topicNameProblem(topic) !== null) return undefined;
    if (this.byText.size >= TOPICS_MAX) {
      this.wiring.logger.warn("no more topics are created", { topics: this.byText.size });
      return undefined;
    }
    const queues = Math.max(1, Math.min(queueNums, template.writeQueueNums));
    const made = {
      ...plainTopic(topic, queues, template.perm & ~PERM.INHERIT),
      topicFilterType: template.topicFilterType,
      topicSysFlag,
    };
    this.setAndChange(made);
    this.tellCreated(made);
    return made;
  }

  /** Whoever needs such a topic asks for it again after a crash, so it may be there before it is written down. */
  ensure(topic: string, queueNums: number, perm: number, topicSysFlag = 0): TopicConfig {
    const known = this.byText.get(topic);
    if (known !== undefined) return known;
    const made = { ...plainTopic(topic, queueNums, perm), topicSysFlag };
    this.set(made);
    this.changed();
    this.tellCreated(made);
    return made;
  }

  put(config: TopicConfig): void {
    this.setAndChange(config);
  }

  delete(topic: string): void {
    const known = this.byText.get(topic);
    if (known === undefined) return;
    this.remove(known);
    this.changed();
  }

  touch(): void {
    this.changed();
  }

  all(): readonly TopicConfig[] {
    return [...this.byText.values()];
  }

  get systemTopicNames(): readonly string[] {
    return [...this.systemTopics];
  }

  isSystemTopic(topic: string): boolean {
    return this.systemTopics.has(topic) || topic.startsWith("rmq_sys_");
  }

  /** Which topics the name servers say are ordered; others are not (3.2). One change for the whole list. */
  setOrdered(topics: ReadonlySet<string>): void {
    const wrong = this.all().filter((topic) => topic.order !== topics.has(topic.name.text));
    for (const topic of wrong) this.set({ ...topic, order: !topic.order });
    if (wrong.length > 0) this.changed();
  }

  replaceAll(configs: readonly TopicConfig[], version: DataVersion): void {
    this.byText.clear();
    this.byId = [];
    for (const config of configs) this.set(config);
    this.version = version;
    this.persist();
  }

  toJson(): string {
    return writeFastjson(topicConfigTableValue(this.toBody()));
  }

  /** @returns the whole table, as registrations carry it */
  toBody(): TopicConfigTableBody {
    return { dataVersion: this.version, topics: this.all().map(bodyOf) };
  }

  /** 4.1.5: any topic with INHERIT can be a template; TBW102 only while automatic creation is on. */
  private templateFor(defaultTopic: string): TopicConfig | undefined {
    if (defaultTopic === AUTO_CREATE_TOPIC && !this.wiring.config.autoCreateTopicEnable) {
      return undefined;
    }
    const template = this.byText.get(defaultTopic);
    return template !== undefined && (template.perm & PERM.INHERIT) !== 0 ? template : undefined;
  }

  private tellCreated(topic: TopicConfig): void {
    this.wiring.logger.info("topic created", {
      topic: topic.name.text,
      queues: topic.writeQueueNums,
      perm: topic.perm,
    });
  }

  private set(topic: TopicConfig): void {
    this.byText.set(topic.name.text, topic);
    this.byId[topic.name.id] = topic;
  }

  /** A topic that cannot be written down (a full disk) does not come to be: after a crash its messages would have none. */
  private setAndChange(topic: TopicConfig): void {
    const before = { topic: this.byText.get(topic.name.text), version: this.version };
    this.set(topic);
    try {
      this.changed();
    } catch (error) {
      this.version = before.version;
      if (before.topic !== undefined) this.set(before.topic);
      else this.remove(topic);
      throw error;
    }
  }

  private remove({ name }: TopicConfig): void {
    this.byText.delete(name.text);
    this.byId[name.id] = undefined;
  }

  private changed(): void {
    this.version = this.nextVersion();
    this.persist();
    this.wiring.registerSoon();
  }

  private nextVersion(): DataVersion {
    return { counter: this.version.counter + 1, timestamp: this.wiring.now() };
  }

  private persist(): void {
    writeStateFile(this.wiring.vfs, topicsFile(this.wiring.config), this.toJson());
  }

  private load(): void {
    const { vfs, config, logger } = this.wiring;
    const text = readStateFile(vfs, topicsFile(config), (message) => logger.warn(message));
    if (text === null) return;
    const table = decodeTopicConfigTable(text);
    const builtIn = [...this.byText.keys()];
    for (const body of table.topics) this.loadTopic(topicNameProblem(body.topicName), body);
    this.version = table.dataVersion;
    // A built-in topic the file does not have is a change of the table: name servers go by the version alone (3.2).
    const stored = new Set(table.topics.map((body) => body.topicName));
    if (builtIn.some((name) => !stored.has(name))) this.version = this.nextVersion();
  }

  private loadTopic(problem: string | null, body: TopicConfigBody): void {
    if (problem === null) this.set(topicOf(body));
    else
      this.wiring.logger.warn("a topic of topics.json is ignored", {
        topic: body.topicName,
        problem,
      });
  }
}
