/**
 * A topology as its files say, made into the one that runs: the lab's size, then every `--set` in the order typed. Nothing is written into
 * the property files; nodes are given the differences when they start. Everything is checked before anything is touched.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";
import { parseProperties, type PropertyEntry } from "../../engine/base/properties-file.ts";
import { CONFIG_KEYS, loadBrokerConfig } from "../../engine/broker/broker-config.ts";
import { loadNamesrvConfig } from "../../engine/namesrv/namesrv-config.ts";
import { promisesOf } from "../topology/promises.ts";
import { sizeOf, type LabSize } from "../topology/size.ts";
import {
  NAMESRV_PROPERTIES,
  type LabNode,
  type NodeResources,
  type NodeSetting,
  type Topology,
} from "../topology/topology.ts";
import { unspokenReason } from "../topology/unspoken.ts";
import { withEngines } from "./engine-text.ts";
import { nodeEnvironment } from "./node-environment.ts";
import { roleFirst, withMasters, type Masters } from "./roles.ts";
import { nodesOfSetting, parseSetting, type SettingText } from "./setting-text.ts";

/** What a lab is made with besides its files. */
export interface LabSettings {
  readonly size: LabSize;
  /** `node.key=value`, oldest first. */
  readonly settings: readonly string[];
  /** `selector=apache-dist:DIR`, oldest first; absent: our own engine everywhere. */
  readonly engines?: readonly string[];
  /** Promoted nodes by brokerName; absent: the masters the files name. */
  readonly masters?: Masters;
}

/** Keys whose value follows from the place of a node in the lab, and where a person changes it instead. */
const PLACE = "follows from topology.yaml and the runtime";
const IDENTITY = "is who the node is: change the property file and topology.yaml";
const LABS_OWN: Readonly<Record<string, string>> = {
  listenPort: PLACE,
  haListenPort: PLACE,
  bindAddress: PLACE,
  namesrvAddr: PLACE,
  brokerIP1: PLACE,
  brokerIP2: PLACE,
  advertisedAddresses: PLACE,
  haAllowedAddresses: PLACE,
  storePathRootDir: PLACE,
  storePathCommitLog: PLACE,
  kvConfigPath: PLACE,
  configStorePath: PLACE,
  brokerName: IDENTITY,
  brokerClusterName: IDENTITY,
  brokerId: IDENTITY,
};

const RESOURCES: Readonly<Record<string, { readonly min: number; readonly max: number }>> = {
  memoryMiB: { min: 64, max: 65_536 },
  heapMiB: { min: 32, max: 65_536 },
  cpus: { min: 0.1, max: 64 },
};

function refused(setting: SettingText, reason: string, hint: string): EngineError {
  return new EngineError("CLI_USAGE", { message: `--set ${setting.text}: ${reason}`, hint });
}

function withResource(node: LabNode, setting: SettingText): LabNode {
  const { min, max } = RESOURCES[setting.key] ?? { min: 0, max: 0 };
  const value = Number(setting.value);
  const isWhole = setting.key === "cpus" || Number.isInteger(value);
  if (setting.value === "" || !isWhole || !(value >= min && value <= max)) {
    throw refused(
      setting,
      `${setting.key} must be ${min} to ${max}`,
      "for example `--set @brokers.heapMiB=256`",
    );
  }
  return { ...node, resources: { ...node.resources, [setting.key]: value } };
}

function withSetting(node: LabNode, setting: SettingText): LabNode {
  if (Object.hasOwn(RESOURCES, setting.key)) return withResource(node, setting);
  if (node.role === "dashboard") {
    throw refused(
      setting,
      `${node.name} has no property file`,
      "a dashboard takes memoryMiB, heapMiB and cpus",
    );
  }
  const owner = Object.hasOwn(LABS_OWN, setting.key) ? LABS_OWN[setting.key] : undefined;
  if (owner !== undefined) {
    throw refused(setting, `${setting.key} ${owner}`, "`lab init DIR` makes a topology to edit");
  }
  const unspoken = unspokenReason(setting.key, setting.value);
  if (unspoken !== null) throw refused(setting, unspoken, "leave it out; README, Known limits");
  const others = (node.settings ?? []).filter((entry) => entry.key !== setting.key);
  const entry = { key: setting.key, value: setting.value, from: `--set ${setting.text}` };
  return { ...node, settings: [...others, entry] };
}

/** A group has nodes of several kinds: a setting is for those that know its key, or for all when none does, so that each says why not. */
function takers(topology: Topology, setting: SettingText): ReadonlySet<string> {
  const chosen = nodesOfSetting(topology, setting);
  const knowing = chosen.filter((node) => {
    if (Object.hasOwn(RESOURCES, setting.key)) return true;
    if (node.role === "dashboard") return false;
    if (node.broker !== undefined) return Object.hasOwn(CONFIG_KEYS, setting.key);
    return Object.hasOwn(loadNamesrvConfig([], nodeEnvironment(node)).config, setting.key);
  });
  return new Set((knowing.length > 0 ? knowing : chosen).map((node) => node.name));
}

function entriesOf(settings: readonly NodeSetting[]): readonly PropertyEntry[] {
  return settings.map(({ key, value }, index) => ({ key, value, line: index + 1 }));
}

function checkResources(node: LabNode): void {
  const { heapMiB, memoryMiB }: NodeResources = node.resources;
  if (heapMiB * 1.25 <= memoryMiB) return;
  throw new EngineError("CLI_USAGE", {
    message: `${node.name}: heapMiB ${heapMiB} leaves too little of memoryMiB ${memoryMiB}`,
    hint: `set heapMiB to at most ${Math.floor(memoryMiB / 1.25)}, or memoryMiB to at least ${Math.ceil(heapMiB * 1.25)}`,
  });
}

/** Name under which the engine's own check reports a setting; exchanged for what the person typed. */
const SOURCE = "(settings)";

function inTheUsersWords(node: LabNode, message: string): string {
  const settings = node.settings ?? [];
  return message
    .split("\n")
    .map((line) => {
      const [, index, rest] = /^\(settings\):(\d+): (.*)$/.exec(line) ?? [];
      const setting = settings[Number(index) - 1];
      return setting === undefined
        ? `${node.name}: ${line}`
        : `${node.name}: ${setting.from}: ${rest ?? ""}`;
    })
    .join("\n");
}

function invalid(node: LabNode, message: string): EngineError {
  return new EngineError("CLI_USAGE", {
    message: inTheUsersWords(node, message),
    hint: `\`lab config ${node.name} --all\` lists every key with its value`,
  });
}

/** Has the engine itself read file and settings together, as the node will. @returns the node with what they say */
function checkSettings(topology: Topology, node: LabNode): LabNode {
  const settings = node.settings ?? [];
  if (settings.length === 0) return node;
  const name = node.broker?.propertiesFile ?? NAMESRV_PROPERTIES;
  const path = join(topology.dir, name);
  const sources = [
    { name: path, entries: parseProperties(readFileSync(path, "utf8"), path) },
    { name: SOURCE, entries: entriesOf(settings) },
  ];
  const environment = nodeEnvironment(node);
  try {
    if (node.broker === undefined) {
      const { notices } = loadNamesrvConfig(sources, environment);
      const unknown = notices.find((line) => line.startsWith(SOURCE) && /no key/.test(line));
      if (unknown !== undefined) throw invalid(node, unknown.replace(", it is ignored", ""));
      return node;
    }
    const { config } = loadBrokerConfig(sources, environment);
    if ((config.brokerRole === "SLAVE") !== (node.role === "broker-slave")) {
      throw invalid(node, `brokerRole ${config.brokerRole} does not fit its role ${node.role}`);
    }
    const { brokerRole, flushDiskType } = config;
    return { ...node, broker: { ...node.broker, brokerRole, flushDiskType } };
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === "CLI_USAGE") throw error;
    throw invalid(node, error.message);
  }
}

/**
 * @param loaded topology as its folder says
 * @param wanted size and settings
 * @returns the topology with limits, settings, roles and promises as they will be
 * @throws EngineError CLI_USAGE naming the setting and what is wrong | LAB_NODE_UNKNOWN
 */
export function configure(loaded: Topology, wanted: LabSettings): Topology {
  const sized = loaded.nodes.map((node): LabNode => {
    const { resources, settings } = sizeOf(node, wanted.size);
    return settings.length === 0 ? { ...node, resources } : { ...node, resources, settings };
  });
  const topology = withMasters({ ...loaded, nodes: sized }, wanted.masters ?? {});
  let { nodes } = topology;
  for (const setting of wanted.settings.map(parseSetting)) {
    const chosen = takers(topology, setting);
    nodes = nodes.map((node) => (chosen.has(node.name) ? withSetting(node, setting) : node));
  }
  nodes = nodes.map(roleFirst);
  for (const node of nodes) checkResources(node);
  nodes = nodes.map((node) => checkSettings(topology, node));
  return withEngines({ ...topology, nodes, promises: promisesOf(nodes) }, wanted.engines ?? []);
}
