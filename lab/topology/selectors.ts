/**
 * How commands name nodes: `broker-a-master` is one node, `@masters`, `@slaves`, `@brokers`, `@namesrvs`, `@host-1`, `@broker-a` and
 * `@all` are groups.
 */
import { EngineError } from "../../engine/base/engine-error.ts";
import { suggestion } from "../base/did-you-mean.ts";
import type { LabNode, Topology } from "./topology.ts";
import { isBroker } from "./validate.ts";

type Accepts = (node: LabNode) => boolean;

const ROLE_GROUPS: Readonly<Record<string, Accepts>> = {
  "@all": () => true,
  "@brokers": isBroker,
  "@masters": (node) => node.role === "broker-master",
  "@slaves": (node) => node.role === "broker-slave",
  "@namesrvs": (node) => node.role === "namesrv",
};

function groupsOf(topology: Topology): ReadonlyMap<string, Accepts> {
  const groups = new Map<string, Accepts>(Object.entries(ROLE_GROUPS));
  for (const host of topology.hosts) groups.set(`@${host}`, (node) => node.host === host);
  for (const { broker } of topology.nodes) {
    if (broker === undefined) continue;
    groups.set(`@${broker.brokerName}`, (node) => node.broker?.brokerName === broker.brokerName);
  }
  return groups;
}

/**
 * @param topology of the lab
 * @param selector a node's name or a group
 * @returns its nodes in the topology's order; empty when there is no such node or group, or the group is empty here
 */
export function resolveSelector(topology: Topology, selector: string): readonly LabNode[] {
  const accepts = groupsOf(topology).get(selector) ?? ((node: LabNode) => node.name === selector);
  return topology.nodes.filter(accepts);
}

/** @returns every group that has a node in this topology, for completion, help and suggestions */
export function selectorNames(topology: Topology): readonly string[] {
  return [...groupsOf(topology)]
    .filter(([, accepts]) => topology.nodes.some(accepts))
    .map(([name]) => name);
}

/**
 * @param topology of the lab
 * @param name of a node, exactly
 * @throws EngineError LAB_NODE_UNKNOWN
 */
export function nodeNamed(topology: Topology, name: string): LabNode {
  const found = topology.nodes.find((node) => node.name === name);
  if (found !== undefined) return found;
  throw new EngineError("LAB_NODE_UNKNOWN", {
    message: `this lab has no node "${name}"`,
    hint: `its nodes: ${topology.nodes.map((node) => node.name).join(", ")}`,
  });
}

function unknownNode(topology: Topology, word: string): EngineError {
  const names = topology.nodes.map((node) => node.name);
  const selectors = selectorNames(topology);
  const all = `nodes: ${names.join(", ")}; groups: ${selectors.join(", ")}`;
  return new EngineError("LAB_NODE_UNKNOWN", {
    message: `this lab has no node or group "${word}"`,
    hint: suggestion(word, [...names, ...selectors], all),
  });
}

/**
 * @param topology of the lab
 * @param words node names and groups such as `@masters`
 * @returns the nodes, each once, in the topology's order
 * @throws EngineError LAB_NODE_UNKNOWN with the nearest names
 */
export function chooseNodes(topology: Topology, words: readonly string[]): readonly LabNode[] {
  const chosen = new Set<string>();
  for (const word of words) {
    const nodes = resolveSelector(topology, word);
    if (nodes.length === 0) throw unknownNode(topology, word);
    for (const node of nodes) chosen.add(node.name);
  }
  return topology.nodes.filter((node) => chosen.has(node.name));
}
