import { availableMemoryMiB, checkMemory } from "./preflight/memory.ts";
import { checkPorts, portClaims } from "./preflight/ports.ts";
import type { LabAllocation } from "./runtime.ts";

/**
 * Can the nodes that do not run yet be started here as local processes?
 * @param allocation of the lab
 * @param live nodes that run: what they hold is theirs
 * @throws EngineError LAB_MEMORY_SMALL | LAB_PORT_TAKEN naming who holds what
 */
export async function checkMachine(
  allocation: LabAllocation,
  live: ReadonlySet<string>,
): Promise<void> {
  const toStart = allocation.topology.nodes.filter((node) => !live.has(node.name));
  checkMemory(toStart, availableMemoryMiB());
  await checkPorts(portClaims(toStart));
}
