/** Which address of a broker is right for whom (DESIGN 3): the name server answers each asker from this list. */
import { mainPort } from "../topology/ports.ts";
import type { LabNode } from "../topology/topology.ts";
import { INTERNET, gatewayOf, subnetOf, type NodeAddresses } from "./subnets.ts";

/** Everything outside the lab's networks. Docker Desktop shows the machine under an address of its virtual machine. */
const ANYWHERE = "0.0.0.0/0";

/**
 * @param broker with its published ports
 * @param addresses of the broker
 * @param subnets of the lab
 * @returns value of `advertisedAddresses`: a container is told the address in the network it asks from; the machine, seen as a network's
 * gateway or from elsewhere, is told 127.0.0.1 and the published port
 */
export function advertisedAddresses(
  broker: LabNode,
  addresses: NodeAddresses,
  subnets: Readonly<Record<string, string>>,
): string {
  const { inner, published } = mainPort(broker);
  const inLab: readonly (readonly [string, string])[] = [
    [subnetOf(subnets, broker.host), `${addresses.host}:${inner}`],
    [subnetOf(subnets, INTERNET), `${addresses.internet}:${inner}`],
  ];
  const machine = `127.0.0.1:${published ?? inner}`;
  const gateways = Object.values(subnets).map(
    (cidr) => [`${gatewayOf(cidr)}/32`, machine] as const,
  );
  return [...gateways, ...inLab, [ANYWHERE, machine] as const]
    .map(([cidr, address]) => `${cidr}=${address}`)
    .join(",");
}
