/** A topology as a person wants to see it: hosts, nodes, who copies whom, what that promises. */
import type { ChalkInstance } from "chalk";
import { mainPort } from "../topology/ports.ts";
import { publishedHost } from "../topology/servers.ts";
import type { LabNode, Topology } from "../topology/topology.ts";
import { table } from "./output.ts";

const ROLE: Readonly<Record<LabNode["role"], string>> = {
  namesrv: "name server",
  "broker-master": "master",
  "broker-slave": "slave",
  dashboard: "dashboard",
};

function modeOf(node: LabNode): string {
  if (node.broker === undefined) return "-";
  return `${node.broker.brokerRole}, ${node.broker.flushDiskType}`;
}

function nodesTable(topology: Topology, color: ChalkInstance): string {
  const rows = topology.hosts.flatMap((host) =>
    topology.nodes
      .filter((node) => node.host === host)
      .map((node, index) => [
        index === 0 ? color.bold(host) : "",
        node.name,
        node.broker === undefined
          ? ROLE[node.role]
          : `${ROLE[node.role]} of ${node.broker.brokerName}`,
        modeOf(node),
        `${node.alias}:${mainPort(node).inner}`,
        `${publishedHost(topology, node)}:${mainPort(node).published ?? mainPort(node).inner}`,
        `${node.resources.heapMiB} of ${node.resources.memoryMiB} MiB`,
      ]),
  );
  const header = ["HOST", "NODE", "ROLE", "MODE", "INSIDE", "FROM THE MACHINE", "HEAP"];
  return table(header, rows);
}

/** `broker-a: broker-a-master (host-1) -> broker-a-slave (host-2)`, one line a broker set. */
function copies(topology: Topology): readonly string[] {
  const place = (node: LabNode): string => `${node.name} (${node.host})`;
  return topology.nodes
    .filter((node) => node.role === "broker-master")
    .map((master) => {
      const slaves = topology.nodes.filter(
        (node) =>
          node.role === "broker-slave" && node.broker?.brokerName === master.broker?.brokerName,
      );
      const name = master.broker?.brokerName ?? master.name;
      if (slaves.length === 0) return `${name}: ${place(master)}, no copy`;
      return `${name}: ${place(master)} -> ${slaves.map(place).join(", ")}`;
    });
}

function servers(topology: Topology): readonly string[] {
  return Object.entries(topology.servers ?? {}).map(
    ([host, { engine, address }]) => `${host}: Docker Engine ${engine}, reached at ${address}`,
  );
}

/**
 * @param topology of a preset, a folder or a lab
 * @param notes what is allowed but worth a word
 */
export function renderTopology(
  topology: Topology,
  notes: readonly string[],
  color: ChalkInstance,
): string {
  const section = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
  return [
    `${color.bold(topology.name)}: ${topology.description}`,
    `cluster ${topology.clusterName}, files in ${topology.dir}`,
    "",
    nodesTable(topology, color),
    ...section("servers", servers(topology)),
    ...section("copies", copies(topology)),
    ...section("promises", topology.promises),
    ...section("notes", notes),
  ].join("\n");
}
