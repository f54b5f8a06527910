/** Hosts that are servers of their own: what their entries say, and where their ports are reached. */
import type { HostEntry, ServerEntry } from "./schema.ts";
import type { LabNode, Server, Topology } from "./topology.ts";

const LOOPBACK = "127.0.0.1";

/** @returns the host's name, whichever way it is written */
export function hostName(entry: HostEntry): string {
  return typeof entry === "string" ? entry : entry.name;
}

/** @returns the hosts that name an engine */
export function serverEntries(entries: readonly HostEntry[]): readonly ServerEntry[] {
  return entries.filter((entry) => typeof entry !== "string");
}

/** @returns servers by host; undefined when no host names an engine */
export function serversOf(
  entries: readonly HostEntry[],
): Readonly<Record<string, Server>> | undefined {
  const servers = serverEntries(entries).map(
    ({ name, engine, address, bind }): [string, Server] => [
      name,
      { engine, address, bind: bind ?? address },
    ],
  );
  return servers.length === 0 ? undefined : Object.fromEntries(servers);
}

/**
 * @param topology of the lab
 * @param node one of its nodes
 * @returns the address, without port, at which this machine reaches the node's published ports
 */
export function publishedHost(topology: Topology, node: Pick<LabNode, "host">): string {
  return topology.servers?.[node.host]?.address ?? LOOPBACK;
}

/** @returns the address, without port, at which the node's engine publishes its ports */
export function bindHost(topology: Topology, node: Pick<LabNode, "host">): string {
  return topology.servers?.[node.host]?.bind ?? LOOPBACK;
}
