/** Which port a node has where: inside as its property file says, on 127.0.0.1 of the machine by lab index. */
import type { NodeEntry } from "./schema.ts";
import type { LabNode, NodePort, Topology } from "./topology.ts";

/** What the second, third, … lab adds to every published port. */
export const PORTS_PER_LAB = 1_000;
const PORT_MAX = 65_535;

type PortName = NodePort["name"];

/** Distance from a broker's listenPort (admin-protocol D.1). */
const BROKER_PORTS: readonly (readonly [PortName, number])[] = [
  ["broker", 0],
  ["fast", -2],
  ["ha", 1],
];

function portNames(role: LabNode["role"]): readonly (readonly [PortName, number])[] {
  if (role === "namesrv") return [["namesrv", 0]];
  if (role === "dashboard") return [["dashboard", 0]];
  return BROKER_PORTS;
}

/** @returns all ports of a node of topology.yaml, published as for the first lab */
export function portsOfEntry(
  entry: Pick<NodeEntry, "role" | "port" | "publish">,
): readonly NodePort[] {
  return portNames(entry.role).map(([name, distance]) => ({
    name,
    inner: entry.port + distance,
    published: entry.publish + distance,
  }));
}

/** @returns the port clients of the node use: name server, broker or dashboard port */
export function mainPort(node: LabNode): NodePort {
  const port = node.ports[0];
  if (port === undefined) throw new RangeError(`node ${node.name} has no port`);
  return port;
}

/**
 * Allots the machine's ports.
 * @param topology as loaded, with the ports of lab 0
 * @param index of the lab, from 0
 * @param runtime in Docker replication stays inside the lab's networks and is not published
 * @returns the topology with its final ports
 * @throws RangeError when a port would pass 65535
 */
export function publishPorts(
  topology: Topology,
  index: number,
  runtime: "docker" | "process",
): Topology {
  // A server has an address of its own: there every port is what the property file says.
  if (topology.servers !== undefined) return topology;
  const publish = (port: NodePort): NodePort => {
    if (port.published === null || (runtime === "docker" && port.name === "ha"))
      return { ...port, published: null };
    const published = port.published + PORTS_PER_LAB * index;
    if (published > PORT_MAX) throw new RangeError(`lab ${index} would need port ${published}`);
    return { ...port, published };
  };
  const nodes = topology.nodes.map((node) => ({ ...node, ports: node.ports.map(publish) }));
  return { ...topology, nodes };
}
