/** Consumer groups' settings and their file, `config/subscriptionGroup.json` (store-and-ha 1.5, remoting-protocol 4.0). */
import { join } from "node:path";
import {
  asBoolean,
  asNumber,
  asObject,
  asText,
  parseFastjson,
  writeFastjson,
  type JsonValue,
} from "../base/fastjson.ts";
import { readStateFile, writeStateFile } from "../base/state-file.ts";
import type { Vfs } from "../base/vfs.ts";
import { decodeDataVersion } from "../remoting/bodies/topic-config.ts";
import type { BrokerConfig } from "./broker-config.ts";
import type {
  DataVersion,
  SubscriptionGroupConfig,
  SubscriptionGroupTable,
} from "./broker-context.ts";
import { groupNameProblem } from "./names.ts";

/** Groups every broker has (store-and-ha 6.6). */
const BUILT_IN = [
  "TOOLS_CONSUMER",
  "FILTERSRV_CONSUMER",
  "SELF_TEST_C_GROUP",
  "CID_ONS-HTTP-PROXY",
  "CID_ONSAPI_PULL",
  "CID_ONSAPI_PERMISSION",
  "CID_ONSAPI_OWNER",
];
const SYSTEM_PREFIXES = ["CID_RMQ_SYS_", "CID_ONSAPI_"];
/** L-08. */
const GROUPS_MAX = 10_000;

/** @returns 4.9's defaults for a group */
export function defaultGroup(groupName: string): SubscriptionGroupConfig {
  return {
    groupName,
    consumeEnable: true,
    consumeFromMinEnable: true,
    consumeBroadcastEnable: true,
    retryQueueNums: 1,
    retryMaxTimes: 16,
    brokerId: 0,
    whichBrokerWhenConsumeSlowly: 1,
    notifyConsumerIdsChangedEnable: true,
  };
}

/** @returns a group's settings from JSON; missing members mean their defaults */
export function readGroup(
  value: JsonValue | undefined,
  fallbackName = "",
): SubscriptionGroupConfig {
  const group = asObject(value);
  const base = defaultGroup(asText(group.get("groupName"), fallbackName));
  return {
    groupName: base.groupName,
    consumeEnable: asBoolean(group.get("consumeEnable"), base.consumeEnable),
    consumeFromMinEnable: asBoolean(group.get("consumeFromMinEnable"), base.consumeFromMinEnable),
    consumeBroadcastEnable: asBoolean(
      group.get("consumeBroadcastEnable"),
      base.consumeBroadcastEnable,
    ),
    retryQueueNums: asNumber(group.get("retryQueueNums"), base.retryQueueNums),
    retryMaxTimes: asNumber(group.get("retryMaxTimes"), base.retryMaxTimes),
    brokerId: asNumber(group.get("brokerId"), base.brokerId),
    whichBrokerWhenConsumeSlowly: asNumber(
      group.get("whichBrokerWhenConsumeSlowly"),
      base.whichBrokerWhenConsumeSlowly,
    ),
    notifyConsumerIdsChangedEnable: asBoolean(
      group.get("notifyConsumerIdsChangedEnable"),
      base.notifyConsumerIdsChangedEnable,
    ),
  };
}

/** @returns version and groups of a table's JSON @throws EngineError JSON_INVALID */
export function readGroupTable(text: string): {
  readonly version: DataVersion;
  readonly groups: readonly SubscriptionGroupConfig[];
} {
  const root = asObject(parseFastjson(text));
  const groups = [...asObject(root.get("subscriptionGroupTable"))].map(([name, value]) =>
    readGroup(value, name),
  );
  return { version: decodeDataVersion(root.get("dataVersion")), groups };
}

/** What the table needs of the broker. */
export interface SubscriptionGroupWiring {
  readonly config: BrokerConfig;
  readonly vfs: Vfs;
  readonly now: () => number;
}

/** The one owner of consumer group settings. */
export class BrokerGroups implements SubscriptionGroupTable {
  version: DataVersion;
  private readonly wiring: SubscriptionGroupWiring;
  private readonly path: string;
  private readonly groups = new Map<string, SubscriptionGroupConfig>();

  /** Reads the file. @throws EngineError STORE_LAYOUT_INVALID when it and its copies are damaged (S-06) */
  constructor(wiring: SubscriptionGroupWiring) {
    this.wiring = wiring;
    this.path = join(wiring.config.storePathRootDir, "config", "subscriptionGroup.json");
    this.version = { counter: 0, timestamp: wiring.now() };
    for (const name of BUILT_IN) this.groups.set(name, defaultGroup(name));
    const text = readStateFile(wiring.vfs, this.path);
    if (text === null) return;
    const stored = readGroupTable(text);
    this.version = stored.version;
    for (const group of stored.groups) this.groups.set(group.groupName, group);
  }

  get(group: string): SubscriptionGroupConfig | undefined {
    return this.groups.get(group);
  }

  getOrCreate(group: string): SubscriptionGroupConfig | undefined {
    const known = this.groups.get(group);
    if (known !== undefined) return known;
    const isSystem =
      SYSTEM_PREFIXES.some((prefix) => group.startsWith(prefix)) || group === "__MONITOR_CONSUMER";
    const mayCreate =
      (this.wiring.config.autoCreateSubscriptionGroup || isSystem) && this.groups.size < GROUPS_MAX;
    if (!mayCreate || groupNameProblem(group) !== null) return undefined;
    const created = defaultGroup(group);
    this.put(created);
    return created;
  }

  put(config: SubscriptionGroupConfig): void {
    this.groups.set(config.groupName, config);
    this.changed();
  }

  delete(group: string): boolean {
    if (!this.groups.delete(group)) return false;
    this.changed();
    return true;
  }

  all(): readonly SubscriptionGroupConfig[] {
    return [...this.groups.values()];
  }

  replaceAll(configs: readonly SubscriptionGroupConfig[], version: DataVersion): void {
    this.groups.clear();
    for (const config of configs) this.groups.set(config.groupName, config);
    this.version = version;
    this.persist();
  }

  toJson(): string {
    const table = new Map([...this.groups].map(([name, group]) => [name, { ...group }] as const));
    return writeFastjson({ dataVersion: { ...this.version }, subscriptionGroupTable: table });
  }

  private changed(): void {
    this.version = { counter: this.version.counter + 1, timestamp: this.wiring.now() };
    this.persist();
  }

  private persist(): void {
    writeStateFile(this.wiring.vfs, this.path, this.toJson());
  }
}
