import { DATA_DIR, containerOverrides } from "../compose/node-environment.ts";
import { nodeAddresses } from "../compose/subnets.ts";
import type { NodeSources } from "../settings/explain.ts";
import type { LabNode } from "../topology/topology.ts";
import { localOverrides } from "./node-launch.ts";
import type { LabAllocation } from "./runtime.ts";

/**
 * @param allocation of the lab
 * @param node a broker or name server of it
 * @returns what its settings are made from at its next start
 */
export function nodeSources(allocation: LabAllocation, node: LabNode): Omit<NodeSources, "live"> {
  const { name: labName, topology, subnets } = allocation;
  if (allocation.runtime === "process") {
    const overrides = localOverrides(node, allocation);
    return { node, dir: topology.dir, overrides, home: process.env["HOME"] ?? "" };
  }
  const addresses = nodeAddresses(topology, subnets);
  const overrides = containerOverrides({ labName, topology, subnets, addresses }, node);
  return { node, dir: topology.dir, overrides, home: DATA_DIR };
}
