/** Every setting of a node with its effective value and where that came from (lab-and-drills 2.0, 4). */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseProperties } from "../../engine/base/properties-file.ts";
import { CONFIG_KEYS, loadBrokerConfig } from "../../engine/broker/broker-config.ts";
import { loadNamesrvConfig } from "../../engine/namesrv/namesrv-config.ts";
import { NAMESRV_PROPERTIES, type LabNode } from "../topology/topology.ts";
import { nodeEnvironment } from "./node-environment.ts";

/** Where a value comes from, weakest first. */
export type SettingSource = "default" | "file" | "size" | "set" | "promote" | "lab" | "runtime";

/** One key. */
export interface ExplainedSetting {
  readonly key: string;
  /** What holds now: the running node's value, else what the next start gives. */
  readonly value: string;
  readonly source: SettingSource;
  /** `conf/…/broker-a.properties:12`, `--set @masters.flushDiskType=SYNC_FLUSH`, `--size tiny`, `lab promote NODE`; empty for a default. */
  readonly where: string;
  /** Only when the running node has another value: what it gets at its next start. */
  readonly nextStart: string | null;
}

/** What is known of a node. */
export interface NodeSources {
  readonly node: LabNode;
  /** Folder of the topology. */
  readonly dir: string;
  /** What the lab hands the node at its start, `key=value` lines: settings first, then the lab's own. */
  readonly overrides: string;
  /** `$HOME` of the node. */
  readonly home: string;
  /** What the running node says of itself; null when it does not run or does not tell. */
  readonly live: ReadonlyMap<string, string> | null;
}

interface Origin {
  readonly source: SettingSource;
  readonly where: string;
}

const DEFAULT: Origin = { source: "default", where: "" };

function sourcesOf(input: NodeSources) {
  const name = input.node.broker?.propertiesFile ?? NAMESRV_PROPERTIES;
  const path = join(input.dir, name);
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return {
    file: { name: path, entries: parseProperties(text, path) },
    overrides: { name: "lab", entries: parseProperties(input.overrides, "lab") },
  };
}

function sourceOf(from: string): SettingSource {
  if (from.startsWith("--size")) return "size";
  return from.startsWith("lab promote") ? "promote" : "set";
}

function originsOf(input: NodeSources): ReadonlyMap<string, Origin> {
  const { file, overrides } = sourcesOf(input);
  const origins = new Map<string, Origin>();
  for (const { key, line } of file.entries) {
    origins.set(key, { source: "file", where: `${file.name}:${line}` });
  }
  const settings = new Map((input.node.settings ?? []).map((entry) => [entry.key, entry]));
  for (const { key } of overrides.entries) {
    const from = settings.get(key)?.from;
    if (from === undefined)
      origins.set(key, { source: "lab", where: "the node's place in the lab" });
    else origins.set(key, { source: sourceOf(from), where: from });
  }
  return origins;
}

function effective(input: NodeSources): readonly (readonly [string, string])[] {
  const { file, overrides } = sourcesOf(input);
  const environment = nodeEnvironment(input.node, input.home);
  if (input.node.broker === undefined) {
    const { config } = loadNamesrvConfig([file, overrides], environment);
    return Object.entries(config).map(([key, value]) => [key, String(value)]);
  }
  const { config } = loadBrokerConfig([file, overrides], environment);
  return (Object.keys(CONFIG_KEYS) as (keyof typeof config)[]).map((key) => [
    key,
    String(config[key]),
  ]);
}

/**
 * @param input of a broker or name server
 * @returns every key, in the engine's order
 * @throws EngineError BROKER_CONFIG_INVALID | NAMESRV_CONFIG_INVALID when file and settings do not hold together
 */
export function explainSettings(input: NodeSources): readonly ExplainedSetting[] {
  const origins = originsOf(input);
  return effective(input).map(([key, value]) => {
    const origin = origins.get(key) ?? DEFAULT;
    const live = input.live?.get(key);
    // Apache's defaults are not all ours, and it is the one that runs.
    if (live !== undefined && input.node.engine !== undefined && origin === DEFAULT)
      return { key, value: live, ...origin, nextStart: null };
    if (live === undefined || live === value) return { key, value, ...origin, nextStart: null };
    return { key, value: live, source: "runtime", where: "changed while it ran", nextStart: value };
  });
}
