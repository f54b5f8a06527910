/** How one node of a lab is started as a local process: program, flags, environment. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  NAMESRV_PROPERTIES,
  type LabNode,
  type NodePort,
  type Topology,
} from "../topology/topology.ts";
import { apacheLaunch } from "./apache-launch.ts";
import { programFile } from "./program-file.ts";
import type { LabAllocation } from "./runtime.ts";

/** Everything `spawn` needs. */
export interface NodeLaunch {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Written before the start; their folders are made. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/** What `node` is started with: our own programs. */
type ScriptLaunch = Pick<NodeLaunch, "args" | "env">;

const LOOPBACK = "127.0.0.1";

/**
 * @param node of a topology with its ports allotted
 * @param name of the port
 * @returns the port a local process listens on: the published one, or the inner one where none is published
 */
export function localPort(node: LabNode, name: NodePort["name"]): number | undefined {
  const port = node.ports.find((candidate) => candidate.name === name);
  return port === undefined ? undefined : (port.published ?? port.inner);
}

/** @returns `host:port` of every name server, as a client on the machine uses them */
function namesrvAddresses(topology: Topology): readonly string[] {
  return topology.nodes
    .filter((node) => node.role === "namesrv")
    .map((node) => `${LOOPBACK}:${localPort(node, "namesrv") ?? 0}`);
}

function overrides(settings: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${value}`)
    .join("\n");
}

/** @returns folder of a node's data, log and pid record */
export function nodeDirectory(allocation: LabAllocation, node: string): string {
  return join(allocation.stateDir, "nodes", node);
}

/**
 * @param node a broker or name server
 * @param allocation of its lab
 * @returns `key=value` lines that win over its property file: its settings, then what follows from its place in the lab
 */
export function localOverrides(node: LabNode, allocation: LabAllocation): string {
  const directory = nodeDirectory(allocation, node.name);
  const settings = Object.fromEntries((node.settings ?? []).map(({ key, value }) => [key, value]));
  if (node.broker === undefined) {
    return overrides({
      ...settings,
      listenPort: localPort(node, "namesrv"),
      bindAddress: LOOPBACK,
      kvConfigPath: join(directory, "kvConfig.json"),
    });
  }
  const store = join(directory, "store");
  return overrides({
    ...settings,
    listenPort: localPort(node, "broker"),
    haListenPort: localPort(node, "ha"),
    bindAddress: LOOPBACK,
    brokerIP1: LOOPBACK,
    brokerIP2: LOOPBACK,
    namesrvAddr: namesrvAddresses(allocation.topology).join(";"),
    storePathRootDir: store,
    storePathCommitLog: join(store, "commitlog"),
  });
}

function namesrvLaunch(node: LabNode, allocation: LabAllocation): ScriptLaunch {
  return {
    args: [programFile("mqnamesrv"), "-c", join(allocation.topology.dir, NAMESRV_PROPERTIES)],
    env: { ROCKETMQ_OVERRIDES: localOverrides(node, allocation) },
  };
}

function brokerLaunch(node: LabNode, allocation: LabAllocation): ScriptLaunch {
  const file = join(allocation.topology.dir, node.broker?.propertiesFile ?? "");
  return {
    args: [programFile("mqbroker"), "-c", file],
    env: { ROCKETMQ_OVERRIDES: localOverrides(node, allocation) },
  };
}

const DASHBOARD_ROLES = {
  namesrv: "namesrv",
  "broker-master": "master",
  "broker-slave": "slave",
  dashboard: "dashboard",
} as const;

const MAIN_PORT = {
  namesrv: "namesrv",
  "broker-master": "broker",
  "broker-slave": "broker",
  dashboard: "dashboard",
} as const;

/** @returns `127.0.0.1:port` where a node answers its clients */
function nodeAddress(node: LabNode): string {
  return `${LOOPBACK}:${localPort(node, MAIN_PORT[node.role]) ?? 0}`;
}

function dashboardNode(node: LabNode): Readonly<Record<string, string | number>> {
  return {
    node: node.name,
    role: DASHBOARD_ROLES[node.role],
    host: node.host,
    address: nodeAddress(node),
    ...(node.broker === undefined
      ? {}
      : {
          brokerName: node.broker.brokerName,
          brokerId: node.broker.brokerId,
          brokerRole: node.broker.brokerRole,
        }),
  };
}

function dashboardLaunch(node: LabNode, allocation: LabAllocation): ScriptLaunch {
  return {
    args: [programFile("dashboard")],
    env: {
      LAB_DASHBOARD: JSON.stringify({
        lab: allocation.name,
        preset: allocation.topology.name,
        port: localPort(node, "dashboard"),
        bindAddress: LOOPBACK,
        hosts: allocation.topology.hosts,
        nodes: allocation.topology.nodes.map(dashboardNode),
      }),
    },
  };
}

/** Lets the lab shift the clock of a node while it runs, in worker threads too; see lab/faults/clock/preload.ts. */
function clockFlags(): readonly string[] {
  return ["--import", pathToFileURL(programFile("clock")).href];
}

/** B-02: no peer's text reaches `__proto__`. */
const SAFETY_FLAG = "--disable-proto=delete";
/** Young generation of a broker: fewer scavenges under load (engine-performance 8). */
const BROKER_FLAGS = ["--max-semi-space-size=16", "--min-semi-space-size=16"];
/** A node that only talks needs little; V8 then collects early instead of growing. */
const SMALL_FLAGS = ["--max-semi-space-size=2"];

/**
 * @param node to start
 * @param allocation of its lab
 * @returns program, arguments, and the variables to add to the environment
 * @throws EngineError LAB_NOT_BUILT | LAB_JAVA_MISSING | CLI_USAGE when a distribution's jars are gone
 */
export function nodeLaunch(node: LabNode, allocation: LabAllocation): NodeLaunch {
  if (node.engine !== undefined) {
    return apacheLaunch({
      node,
      engine: node.engine,
      directory: nodeDirectory(allocation, node.name),
      topologyDir: allocation.topology.dir,
      overrides: localOverrides(node, allocation),
    });
  }
  const isBroker = node.broker !== undefined;
  const flags = [
    SAFETY_FLAG,
    ...(isBroker ? BROKER_FLAGS : SMALL_FLAGS),
    `--max-old-space-size=${node.resources.heapMiB}`,
  ];
  // A dashboard has nothing on a disk, and thus no place for an offset.
  const clock = node.role === "dashboard" ? [] : clockFlags();
  const launch = {
    namesrv: () => namesrvLaunch(node, allocation),
    "broker-master": () => brokerLaunch(node, allocation),
    "broker-slave": () => brokerLaunch(node, allocation),
    dashboard: () => dashboardLaunch(node, allocation),
  }[node.role]();
  return {
    program: process.execPath,
    args: [...flags, ...clock, ...launch.args],
    env: { ...launch.env, LAB_NODE: node.name },
    files: [],
  };
}
