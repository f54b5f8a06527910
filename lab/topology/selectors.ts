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

/** @returns every selector that means something in this topology, for completion and help */
export function selectorsOf(topology: Topology): readonly string[] {
  return [...topology.nodes.map((node) => node.name), ...groupsOf(topology).keys()];
}

function unknown(selector: string, topology: Topology): EngineError {
  const names = topology.nodes.map((node) => node.name).join(", ");
  const groups = [...groupsOf(topology).keys()].join(", ");
  return new EngineError("LAB_NODE_UNKNOWN", {
    message: `there is no node or group "${selector}" in ${topology.name}`,
    hint: suggestion(selector, selectorsOf(topology), `nodes are ${names}; groups are ${groups}`),
  });
}

function empty(selector: string, topology: Topology): EngineError {
  return new EngineError("LAB_NODE_UNKNOWN", {
    message: `${topology.name} has no node in ${selector}`,
    hint: `its nodes are ${topology.nodes.map((node) => node.name).join(", ")}`,
  });
}

/**
 * @param topology of the lab
 * @param selectors names and groups; a node several of them name comes once
 * @returns the nodes in the topology's order
 * @throws EngineError LAB_NODE_UNKNOWN naming what comes nearest
 */
export function selectNodes(topology: Topology, selectors: readonly string[]): readonly LabNode[] {
  const groups = groupsOf(topology);
  const chosen = new Set<LabNode>();
  for (const selector of selectors) {
    const accepts = groups.get(selector) ?? ((node: LabNode) => node.name === selector);
    const matches = topology.nodes.filter(accepts);
    if (matches.length === 0) {
      throw groups.has(selector) ? empty(selector, topology) : unknown(selector, topology);
    }
    for (const node of matches) chosen.add(node);
  }
  return topology.nodes.filter((node) => chosen.has(node));
}
