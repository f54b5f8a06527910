/** What each node is told through its environment; the property files stay as they are. */
import { JAVA_OPTIONS, JAVA_OPT_EXT, heapFlags, openFlags } from "../apache/program.ts";
import { mainPort } from "../topology/ports.ts";
import { publishedHost } from "../topology/servers.ts";
import type { LabNode, Topology } from "../topology/topology.ts";
import { advertisedAddresses } from "./split-horizon.ts";
import { addressesOf, type NodeAddresses } from "./subnets.ts";

/** What an environment is made from. */
export interface NodePlan {
  readonly labName: string;
  /** With its final published ports. */
  readonly topology: Topology;
  readonly subnets: Readonly<Record<string, string>>;
  readonly addresses: ReadonlyMap<string, NodeAddresses>;
}

/** Start flags of every node (B-02), and for brokers a young generation that load does not fill at once (engine-performance 8). */
const SAFETY_FLAGS = "--disable-proto=delete --disallow-code-generation-from-strings";
const BROKER_FLAGS = "--max-semi-space-size=16";
const SMALL_FLAGS = "--max-semi-space-size=2";

const DASHBOARD_ROLES = {
  namesrv: "namesrv",
  "broker-master": "master",
  "broker-slave": "slave",
  dashboard: "dashboard",
} as const;

/** Folder of the container that the data volume is mounted on. */
export const DATA_DIR = "/data";
/** Folder of the container with the property files. */
export const CONF_DIR = "/conf";

/**
 * @param from node that looks
 * @param to node that is looked for
 * @returns the address to use: processes of one host meet in their host's own network, all others over the internet
 */
export function addressSeenFrom(plan: NodePlan, from: LabNode, to: LabNode): string {
  const addresses = addressesOf(plan.addresses, to);
  return from.host === to.host ? addresses.host : addresses.internet;
}

function overrides(entries: Readonly<Record<string, string>>): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}`)
    .join("\n");
}

/** Both addresses of every other member of the broker set: who may replicate with this broker. */
function replicationPeers(plan: NodePlan, node: LabNode): readonly string[] {
  return plan.topology.nodes
    .filter((other) => other.name !== node.name && other.broker !== undefined)
    .filter((other) => other.broker?.brokerName === node.broker?.brokerName)
    .flatMap((other) => {
      const { host, internet } = addressesOf(plan.addresses, other);
      return [internet, host];
    });
}

/**
 * @param node a broker or name server
 * @returns `key=value` lines that win over its property file: its settings, then what follows from its place in the lab
 */
export function containerOverrides(plan: NodePlan, node: LabNode): string {
  const settings = Object.fromEntries((node.settings ?? []).map(({ key, value }) => [key, value]));
  if (node.broker === undefined) {
    return overrides({ ...settings, kvConfigPath: `${DATA_DIR}/namesrv/kvConfig.json` });
  }
  const addresses = addressesOf(plan.addresses, node);
  const peers = replicationPeers(plan, node);
  return overrides({
    ...settings,
    brokerIP1: addresses.internet,
    brokerIP2: addresses.internet,
    advertisedAddresses: advertisedAddresses(node, addresses, plan),
    // Without a partner nobody may replicate, and 127.0.0.1 is nobody: the container's own loopback.
    haAllowedAddresses: peers.length === 0 ? "127.0.0.1" : peers.join(","),
    storePathRootDir: `${DATA_DIR}/store`,
    storePathCommitLog: `${DATA_DIR}/store/commitlog`,
  });
}

function dashboardSettings(plan: NodePlan, dashboard: LabNode): string {
  const nodes = plan.topology.nodes.map((node) => ({
    node: node.name,
    role: DASHBOARD_ROLES[node.role],
    host: node.host,
    address: `${addressSeenFrom(plan, dashboard, node)}:${mainPort(node).inner}`,
    ...(node.broker === undefined
      ? {}
      : {
          brokerName: node.broker.brokerName,
          brokerId: node.broker.brokerId,
          brokerRole: node.broker.brokerRole,
        }),
  }));
  return JSON.stringify({
    lab: plan.labName,
    preset: plan.topology.name,
    port: mainPort(dashboard).inner,
    bindAddress: "0.0.0.0",
    ...(plan.topology.servers === undefined
      ? {}
      : { names: [publishedHost(plan.topology, dashboard)] }),
    hosts: plan.topology.hosts,
    nodes,
  });
}

function roleEnvironment(plan: NodePlan, node: LabNode): Readonly<Record<string, string>> {
  switch (node.role) {
    case "dashboard":
      return { LAB_DASHBOARD: dashboardSettings(plan, node) };
    case "namesrv":
    case "broker-master":
    case "broker-slave":
      return { ROCKETMQ_OVERRIDES: containerOverrides(plan, node) };
  }
}

/** Apache's programs read a property file only (see lab/apache/program.ts); these are for the Java around them. */
function apacheEnvironment(node: LabNode): Readonly<Record<string, string>> {
  const flags = [...heapFlags(node), `-Duser.home=${DATA_DIR}`].join(" ");
  return {
    LAB_NODE: node.name,
    HOME: DATA_DIR,
    [JAVA_OPTIONS]: `${openFlags()} ${flags}`,
    [JAVA_OPT_EXT]: flags,
  };
}

/** @returns the variables of a node's container */
export function nodeEnvironment(plan: NodePlan, node: LabNode): Readonly<Record<string, string>> {
  if (node.engine !== undefined) return apacheEnvironment(node);
  const youngGeneration = node.broker === undefined ? SMALL_FLAGS : BROKER_FLAGS;
  const heap = `--max-old-space-size=${node.resources.heapMiB}`;
  return {
    LAB_NODE: node.name,
    NODE_OPTIONS: [SAFETY_FLAGS, youngGeneration, heap].join(" "),
    ...roleEnvironment(plan, node),
  };
}
