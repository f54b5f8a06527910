/** The nodes of a link, and how packets between two of them are told from all others, seen from inside the network namespace of either. */
import {
  INTERNET,
  addressesOf,
  gatewayOf,
  networksOf,
  nodeAddresses,
  subnetOf,
  type NodeAddresses,
} from "../compose/subnets.ts";
import type { LabAllocation } from "../runtime/runtime.ts";
import type { LabNode } from "../topology/topology.ts";

/** What else must be true of a packet. */
export interface PacketMatch {
  /** Words of a rule. */
  readonly words: readonly string[];
  /** The TCP port they are about; null: any. */
  readonly port: number | null;
}

/** Of a lab whose hosts are networks of one machine: every node has addresses of its own. */
export class Links {
  protected readonly allocation: LabAllocation;
  private readonly addresses: ReadonlyMap<string, NodeAddresses>;

  constructor(allocation: LabAllocation) {
    this.allocation = allocation;
    this.addresses = nodeAddresses(allocation.topology, allocation.subnets);
  }

  node(name: string): LabNode {
    const found = this.allocation.topology.nodes.find((node) => node.name === name);
    if (found === undefined) throw new RangeError(`no node ${name}`);
    return found;
  }

  protected of(name: string): NodeAddresses {
    return addressesOf(this.addresses, this.node(name));
  }

  internet(name: string): string {
    return this.of(name).internet;
  }

  /** Every address under which `from` can reach `to`. */
  seen(from: string, to: string): readonly string[] {
    const { host, internet } = this.of(to);
    return this.node(from).host === this.node(to).host ? [internet, host] : [internet];
  }

  /** Ordered pairs: both ways unless one way. */
  pairs(spec: { from: string[]; to: string[]; oneWay: boolean }): readonly [string, string][] {
    const forth = spec.from.flatMap((a) =>
      spec.to.filter((b) => a !== b).map((b): [string, string] => [a, b]),
    );
    return spec.oneWay ? forth : [...forth, ...forth.map(([a, b]): [string, string] => [b, a])];
  }

  /** Beginnings of rules that catch what `from` sends to `to`, in the namespace of `from`. */
  leaving(from: string, to: string, { words }: PacketMatch): readonly string[][] {
    return this.seen(from, to).map((address) => ["-d", address, ...words]);
  }

  /** The same in the namespace of `to`. */
  arriving(from: string, to: string, { words }: PacketMatch): readonly string[][] {
    return this.seen(to, from).map((address) => ["-s", address, ...words]);
  }

  /** The interface by which a node reaches other hosts, by its address, and what answers at the far end of its cable. */
  cable(name: string): { readonly device: string; readonly gateway: string } {
    const gateway = gatewayOf(subnetOf(this.allocation.subnets, INTERNET));
    return { device: `@${this.internet(name)}`, gateway };
  }

  /** Sources that stand on the host, as rules of its nodes say them, and those that only seem to. */
  local(host: string): { readonly inside: readonly string[]; readonly outside: readonly string[] } {
    const hostNetwork = subnetOf(this.allocation.subnets, host);
    const own = this.allocation.topology.nodes.filter((node) => node.host === host);
    return {
      inside: [hostNetwork, ...own.map(({ name }) => this.internet(name))],
      // What comes in by a published port comes from the bridge, which is not on the host.
      outside: [gatewayOf(hostNetwork)],
    };
  }
}

/**
 * Of a lab whose hosts are servers. All nodes of a server come and go under its one address, so a packet between two nodes is known by the port of the
 * one that listens: what `from` asks has a port of `to` as its target, what it answers has one of its own as its source. The first is caught where it
 * leaves, the second where it arrives: in the other namespaces it could be another node's.
 */
export class ServerLinks extends Links {
  private ports(name: string, port: number | null): readonly string[] {
    return this.node(name)
      .ports.map(({ inner }) => inner)
      .filter((inner) => port === null || inner === port)
      .map(String);
  }

  private tcp(side: "--dports" | "--sports", ports: readonly string[]): readonly string[] {
    return ["-p", "tcp", "-m", "multiport", side, ports.join(",")];
  }

  private isNear(from: string, to: string): boolean {
    return this.node(from).host === this.node(to).host;
  }

  override leaving(from: string, to: string, { words, port }: PacketMatch): readonly string[][] {
    const ports = this.ports(to, port);
    const near = this.isNear(from, to) ? [["-d", this.of(to).host, ...words]] : [];
    if (ports.length === 0) return near;
    return [...near, ["-d", this.internet(to), ...this.tcp("--dports", ports)]];
  }

  override arriving(from: string, to: string, { words, port }: PacketMatch): readonly string[][] {
    const ports = this.ports(from, port);
    const near = this.isNear(from, to) ? [["-s", this.of(from).host, ...words]] : [];
    if (ports.length === 0) return near;
    return [...near, ["-s", this.internet(from), ...this.tcp("--sports", ports)]];
  }

  override cable(name: string): { readonly device: string; readonly gateway: string } {
    const network = subnetOf(this.allocation.subnets, this.node(name).host);
    return { device: `@${this.of(name).host}`, gateway: gatewayOf(network) };
  }

  override local(host: string) {
    // The bridge answers for the server itself, which is on the host.
    return { inside: [subnetOf(this.allocation.subnets, host)], outside: [] };
  }
}

/** @returns links of a lab */
export function linksOf(allocation: LabAllocation): Links {
  return networksOf(allocation.topology).includes(INTERNET)
    ? new Links(allocation)
    : new ServerLinks(allocation);
}
