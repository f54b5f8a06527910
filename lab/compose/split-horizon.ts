/** Which address of a broker is right for whom (DESIGN 3): the name server answers each asker from this list. */
import { mainPort } from "../topology/ports.ts";
import { publishedHost } from "../topology/servers.ts";
import type { LabNode, Topology } from "../topology/topology.ts";
import { gatewayOf, type NodeAddresses } from "./subnets.ts";

/** Everything outside the lab's networks. Docker Desktop shows the machine under an address of its virtual machine. */
const ANYWHERE = "0.0.0.0/0";

/**
 * @param broker with its published ports
 * @param addresses of the broker
 * @param plan topology and subnets of the lab
 * @returns value of `advertisedAddresses`: a process of the same host is told the address in that host's network, every other one in the
 * lab (also one that asks a name server of its own host, over its host's network) that of the internet; the machine, seen as a network's
 * gateway or from elsewhere, is told 127.0.0.1 and the published port; of servers, everybody outside the broker's own is told the server's address
 */
export function advertisedAddresses(
  broker: LabNode,
  addresses: NodeAddresses,
  plan: { readonly topology: Topology; readonly subnets: Readonly<Record<string, string>> },
): string {
  const { topology, subnets } = plan;
  const { inner, published } = mainPort(broker);
  const machine = `${publishedHost(topology, broker)}:${published ?? inner}`;
  const gateways = Object.values(subnets).map((cidr) => `${gatewayOf(cidr)}/32=${machine}`);
  const networks = Object.entries(subnets).map(([network, cidr]) => {
    const address = network === broker.host ? addresses.host : addresses.internet;
    return `${cidr}=${address}:${inner}`;
  });
  return [...gateways, ...networks, `${ANYWHERE}=${machine}`].join(",");
}
