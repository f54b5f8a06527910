/** Every node's addresses from every place a client can stand: on the machine, in a container of host-1, in one of host-2. */
import { addressesOf, nodeAddresses } from "../compose/subnets.ts";
import { publishedHost } from "../topology/servers.ts";
import type { LabNode, NodePort } from "../topology/topology.ts";
import { localPort } from "./node-launch.ts";
import type { LabAllocation } from "./runtime.ts";

/** `machine`, or a host's name. */
export type Vantage = string;

export const MACHINE: Vantage = "machine";

/** One port of one node. */
export interface EndpointRow {
  readonly node: string;
  readonly port: NodePort["name"];
  readonly host: string;
  /** `host:port` by vantage; null where it cannot be reached. */
  readonly addresses: Readonly<Record<Vantage, string | null>>;
}

/** @returns `machine` and the lab's hosts */
export function vantagesOf(allocation: LabAllocation): readonly Vantage[] {
  return [MACHINE, ...allocation.topology.hosts];
}

function addressFrom(
  allocation: LabAllocation,
  node: LabNode,
  place: { readonly port: NodePort; readonly vantage: Vantage },
): string | null {
  const { port, vantage } = place;
  if (allocation.runtime === "process")
    return `127.0.0.1:${localPort(node, port.name) ?? port.inner}`;
  if (vantage === MACHINE) {
    const host = publishedHost(allocation.topology, node);
    return port.published === null ? null : `${host}:${port.published}`;
  }
  const { host, internet } = addressesOf(
    nodeAddresses(allocation.topology, allocation.subnets),
    node,
  );
  return `${vantage === node.host ? host : internet}:${port.inner}`;
}

/** @returns every port of every node, in the topology's order */
export function endpointRows(allocation: LabAllocation): readonly EndpointRow[] {
  return allocation.topology.nodes.flatMap((node) =>
    node.ports.map((port) => ({
      node: node.name,
      port: port.name,
      host: node.host,
      addresses: Object.fromEntries(
        vantagesOf(allocation).map((vantage) => [
          vantage,
          addressFrom(allocation, node, { port, vantage }),
        ]),
      ),
    })),
  );
}

/** A container that stands in no host's network sees everything over the internet. */
const NOWHERE: Vantage = "";

/**
 * @param allocation of the lab
 * @param host whose network the asker stands in; undefined: only the internet's
 * @returns value of NAMESRV_ADDR for a client there
 */
export function namesrvAddrSeenFrom(allocation: LabAllocation, host: string | undefined): string {
  return allocation.topology.nodes
    .filter((node) => node.role === "namesrv")
    .flatMap((node) =>
      node.ports.map((port) => addressFrom(allocation, node, { port, vantage: host ?? NOWHERE })),
    )
    .join(";");
}
