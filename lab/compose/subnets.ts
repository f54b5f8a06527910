/**
 * The address plan of a lab in Docker. All labs live in 198.51.100.0/24, a range reserved for documentation, so no real machine is ever
 * hidden by a lab (docker-lab 2). Lab `index` has one /26 block of it:
 *
 *   +0  /28 host-1      .1 gateway   .2–.7 nodes            .8–.14 visitors
 *   +16 /28 host-2      .1 gateway   .2–.7 nodes            .8–.14 visitors
 *   +32 /27 internet    .1 gateway   .2–.7 nodes of host-1  .16–.21 nodes of host-2   .24–.30 visitors
 *
 * Every node has a fixed address. Docker hands out addresses by itself (to a client's container, say) only from the visitors' range, so a
 * visitor never takes the address of a node that is stopped. The nodes of one host lie in one /28 of the internet network: a cut between
 * hosts is one rule a direction.
 *
 * Hosts that are servers have no internet network between them but the real one: their nodes stand in their host's network, on their own engine,
 * and are seen from elsewhere at the server's address and the ports of their property files.
 */
import { EngineError } from "../../engine/base/engine-error.ts";
import type { LabNode, Topology } from "../topology/topology.ts";

/** Networks of a lab by name: each host's own, and `internet` between them. */
export const INTERNET = "internet";
/** How many labs fit beside one another; the last /26 is the engine's own pool. */
export const LABS_MAX = 3;

const BASE = "198.51.100";
const BLOCK = 64;
/** Offsets of the networks in a block, and their prefix lengths. */
const NETWORKS: Readonly<Record<string, { readonly offset: number; readonly prefix: number }>> = {
  "host-1": { offset: 0, prefix: 28 },
  "host-2": { offset: 16, prefix: 28 },
  [INTERNET]: { offset: 32, prefix: 27 },
};
const FIRST_NODE = 2;
/** Where the nodes of each host begin in the internet network. */
const INTERNET_OFFSET: Readonly<Record<string, number>> = { "host-1": 2, "host-2": 16 };
const HOST_VISITORS = 8;
const INTERNET_VISITORS = 24;

/** Addresses of one node, without ports. */
export interface NodeAddresses {
  /** In its host's own network. */
  readonly host: string;
  /** In the internet network; a server's own address where the hosts are servers. */
  readonly internet: string;
}

function plus(cidr: string, distance: number): string {
  const octets = cidr.split("/")[0]?.split(".").map(Number) ?? [];
  return [...octets.slice(0, 3), (octets[3] ?? 0) + distance].join(".");
}

/**
 * @param index of the lab, from 0
 * @param topology whose networks are wanted
 * @returns CIDR by network
 * @throws EngineError LAB_SUBNET_TAKEN when no block is left for that index
 */
export function subnetsFor(index: number, topology: Topology): Readonly<Record<string, string>> {
  const planned = planSubnets(index);
  return Object.fromEntries(
    networksOf(topology).map((network) => [network, subnetOf(planned, network)]),
  );
}

/**
 * @param index of the lab, from 0
 * @returns CIDR of host-1, host-2 and internet
 * @throws EngineError LAB_SUBNET_TAKEN when no block is left for that index
 */
export function planSubnets(index: number): Readonly<Record<string, string>> {
  if (index >= LABS_MAX) {
    throw new EngineError("LAB_SUBNET_TAKEN", {
      message: `${LABS_MAX} labs fit beside one another in Docker; this would be number ${index + 1}`,
      hint: "remove one with `lab destroy`, or use `--runtime process`",
    });
  }
  return Object.fromEntries(
    Object.entries(NETWORKS).map(([name, { offset, prefix }]) => [
      name,
      `${BASE}.${index * BLOCK + offset}/${prefix}`,
    ]),
  );
}

/**
 * @param subnets of the lab
 * @param network `host-1`, `host-2` or `internet`
 * @throws RangeError when the lab has no such network
 */
export function subnetOf(subnets: Readonly<Record<string, string>>, network: string): string {
  const cidr = subnets[network];
  if (cidr === undefined) throw new RangeError(`the lab has no subnet for ${network}`);
  return cidr;
}

/** @returns names of the networks a topology needs: its hosts, and the internet unless they are servers */
export function networksOf(topology: Topology): readonly string[] {
  return topology.servers === undefined ? [...topology.hosts, INTERNET] : topology.hosts;
}

/** @returns networks a node of a host stands in */
export function networksOfHost(topology: Topology, host: string): readonly string[] {
  return topology.servers === undefined ? [host, INTERNET] : [host];
}

/** @returns the address Docker's bridge has: from there come connections of the machine */
export function gatewayOf(cidr: string): string {
  return plus(cidr, 1);
}

/** @returns the part of a network from which Docker may pick addresses */
export function visitorsOf(network: string, cidr: string): string {
  return `${plus(cidr, network === INTERNET ? INTERNET_VISITORS : HOST_VISITORS)}/29`;
}

/**
 * @param topology of the lab; at most six nodes a host (the topology's own check)
 * @param subnets of the lab
 * @returns addresses by node name
 */
export function nodeAddresses(
  topology: Topology,
  subnets: Readonly<Record<string, string>>,
): ReadonlyMap<string, NodeAddresses> {
  const addresses = new Map<string, NodeAddresses>();
  for (const host of topology.hosts) {
    const nodes = topology.nodes.filter((node) => node.host === host);
    const server = topology.servers?.[host]?.address;
    for (const [slot, node] of nodes.entries()) {
      addresses.set(node.name, {
        host: plus(subnetOf(subnets, host), FIRST_NODE + slot),
        internet: server ?? plus(subnetOf(subnets, INTERNET), (INTERNET_OFFSET[host] ?? 0) + slot),
      });
    }
  }
  return addresses;
}

/**
 * @param addresses of the lab
 * @param node whose addresses are wanted
 * @throws RangeError when the node is none of the lab's
 */
export function addressesOf(
  addresses: ReadonlyMap<string, NodeAddresses>,
  node: LabNode,
): NodeAddresses {
  const found = addresses.get(node.name);
  if (found === undefined) throw new RangeError(`${node.name} has no address`);
  return found;
}
