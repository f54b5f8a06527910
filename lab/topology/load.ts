/** A topology folder (topology.yaml and its property files) as one checked value. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";
import { parseProperties, type PropertyEntry } from "../../engine/base/properties-file.ts";
import { readBrokerFile, type BrokerFile } from "./broker-file.ts";
import { parseTopology, type ParsedTopology } from "./parse.ts";
import { portsOfEntry } from "./ports.ts";
import { topologyInvalid, type TopologyProblem } from "./problem.ts";
import { promisesOf } from "./promises.ts";
import { hostName, serversOf } from "./servers.ts";
import type { NodeEntry } from "./schema.ts";
import { NAMESRV_PROPERTIES, type LabNode, type Topology } from "./topology.ts";
import { unspokenSettings } from "./unspoken.ts";
import { validate } from "./validate.ts";

export const TOPOLOGY_FILE = "topology.yaml";

/** A checked topology, and what is allowed but worth a word. */
export interface LoadedTopology {
  readonly topology: Topology;
  readonly warnings: readonly TopologyProblem[];
}

interface BrokerFiles {
  readonly brokers: ReadonlyMap<string, BrokerFile>;
  readonly problems: readonly TopologyProblem[];
}

function readProperties(path: string): readonly PropertyEntry[] | TopologyProblem {
  if (!existsSync(path)) return { file: path, line: null, message: "there is no such file" };
  try {
    return parseProperties(readFileSync(path, "utf8"), path);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { file: path, line: null, message: error.message };
  }
}

function readBroker(
  path: string,
  name: string,
): ReturnType<typeof readBrokerFile> | TopologyProblem {
  const entries = readProperties(path);
  if ("message" in entries) return entries;
  const { broker, problems } = readBrokerFile(name, path, entries);
  return { broker, problems: [...problems, ...unspokenSettings(path, entries)] };
}

function readBrokers(parsed: ParsedTopology, dir: string): BrokerFiles {
  const brokers = new Map<string, BrokerFile>();
  const problems: TopologyProblem[] = [];
  for (const [index, node] of parsed.file.nodes.entries()) {
    if (node.properties === undefined) continue;
    const read = readBroker(join(dir, node.properties), node.properties);
    if ("message" in read) {
      const line = parsed.source.lineOf(["nodes", index, "properties"]);
      const file = parsed.source.file;
      problems.push({ file, line, message: `${node.name}: ${read.file}: ${read.message}` });
      continue;
    }
    problems.push(...read.problems);
    if (read.problems.length === 0) brokers.set(node.name, read.broker);
  }
  return { brokers, problems };
}

function namesrvProblems(dir: string, parsed: ParsedTopology): readonly TopologyProblem[] {
  const path = join(dir, NAMESRV_PROPERTIES);
  const entries = readProperties(path);
  if (!("message" in entries)) return unspokenSettings(path, entries);
  const line = parsed.source.lineOf(["nodes"]);
  const message = `the name servers' property file ${path}: ${entries.message}`;
  return [{ file: parsed.source.file, line, message }];
}

/** @param isServed the host is a server, which publishes every port under its own number */
function toNode(
  entry: NodeEntry,
  brokers: ReadonlyMap<string, BrokerFile>,
  isServed: boolean,
): LabNode {
  const { name, role, host, alias, resources } = entry;
  const broker = brokers.get(name)?.settings;
  const ports = portsOfEntry(isServed ? { ...entry, publish: entry.port } : entry);
  const node = { name, role, host, alias, resources, ports };
  return broker === undefined ? node : { ...node, broker };
}

/**
 * @param dir folder with a topology.yaml
 * @returns the topology with the ports of the first lab
 * @throws EngineError TOPOLOGY_NOT_FOUND | TOPOLOGY_INVALID naming every problem with file and line
 */
export function loadTopologyFolder(dir: string): LoadedTopology {
  const path = join(dir, TOPOLOGY_FILE);
  if (!existsSync(path)) {
    throw new EngineError("TOPOLOGY_NOT_FOUND", {
      message: `there is no ${path}`,
      hint: "copy one of the folders in conf/ and change it",
    });
  }
  const parsed = parseTopology(readFileSync(path, "utf8"), path);
  if ("problems" in parsed) throw topologyInvalid(parsed.problems);
  const { brokers, problems } = readBrokers(parsed, dir);
  const { errors, warnings } = validate({ ...parsed, dir, brokers });
  const all = [...problems, ...namesrvProblems(dir, parsed), ...errors];
  if (all.length > 0) throw topologyInvalid(all);
  const servers = serversOf(parsed.file.hosts);
  const isServed = servers !== undefined;
  const nodes = parsed.file.nodes.map((entry) => toNode(entry, brokers, isServed));
  const topology: Topology = {
    name: parsed.file.name,
    description: parsed.file.description,
    dir: realpathSync(dir),
    hosts: parsed.file.hosts.map(hostName),
    ...(servers === undefined ? {} : { servers }),
    nodes,
    clusterName: [...brokers.values()][0]?.settings.clusterName ?? "DefaultCluster",
    promises: promisesOf(nodes),
  };
  return { topology, warnings };
}
