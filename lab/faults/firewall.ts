/** The ports of each emulated host as a cloud's security group sees them, and what breaks when one is closed. Pure. */
import type { Topology, NodePort } from "../topology/topology.ts";
import type { FaultRecord } from "./fault.ts";

/** One port of one host. */
export interface FirewallRow {
  readonly host: string;
  readonly port: number;
  readonly node: string;
  readonly what: NodePort["name"];
  readonly state: "open" | "closed";
  /** Fault that closed it. */
  readonly fault: string | null;
  readonly whenClosed: string;
}

const WHEN_CLOSED: Readonly<Record<NodePort["name"], string>> = {
  namesrv:
    "clients and brokers elsewhere get no routes from this name server; brokers elsewhere drop out of its table after 120 s",
  broker:
    "clients elsewhere neither send to nor pull from this broker; a slave elsewhere no longer learns topics and offsets",
  fast: "only clients that use the fast (VIP) channel; newer clients do not",
  ha: "replication to a slave elsewhere stops: SYNC_MASTER answers SLAVE_NOT_AVAILABLE or a time-out, ASYNC_MASTER falls behind",
  dashboard: "nobody outside this host sees the dashboard; messaging goes on",
};

const SLAVE_HA =
  "nothing while it is a slave, which listens there only once it was promoted; from then on replication from it stops";

/**
 * @param topology of the lab
 * @param open faults in effect
 * @returns every port a node listens on, by host
 */
export function firewallTable(
  topology: Topology,
  open: readonly FaultRecord[],
): readonly FirewallRow[] {
  return topology.nodes
    .toSorted((a, b) => (a.host === b.host ? 0 : a.host < b.host ? -1 : 1))
    .flatMap((node) =>
      node.ports.map(({ name, inner }): FirewallRow => {
        const closing = open.find(
          ({ spec }) => spec.kind === "firewall" && spec.host === node.host && spec.port === inner,
        );
        return {
          host: node.host,
          port: inner,
          node: node.name,
          what: name,
          state: closing === undefined ? "open" : "closed",
          fault: closing?.id ?? null,
          whenClosed: name === "ha" && node.role === "broker-slave" ? SLAVE_HA : WHEN_CLOSED[name],
        };
      }),
    );
}
