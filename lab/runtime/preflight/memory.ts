/** Does the cluster fit into the machine's memory? */
import { totalmem } from "node:os";
import { EngineError } from "../../../engine/base/engine-error.ts";
import type { LabNode } from "../../topology/topology.ts";

const MIB = 1_048_576;
/** What a Node process takes besides its heap. */
const OUTSIDE_HEAP_MIB = 48;
/** The same of a Java one: classes, compiled code, threads, buffers. */
const OUTSIDE_JAVA_HEAP_MIB = 128;

/** @returns what the nodes may need at their worst, MiB: full heaps and the runtime around them; page cache gives way by itself */
export function memoryNeedMiB(nodes: readonly LabNode[]): number {
  const outside = ({ engine }: LabNode): number =>
    engine === undefined ? OUTSIDE_HEAP_MIB : OUTSIDE_JAVA_HEAP_MIB;
  return nodes.reduce((sum, node) => sum + node.resources.heapMiB + outside(node), 0);
}

/** @returns memory programs can still have, MiB; outside Linux, where "free" says little, all the machine has */
export function availableMemoryMiB(): number {
  const bytes = process.platform === "linux" ? process.availableMemory() : totalmem();
  return Math.floor(bytes / MIB);
}

/**
 * @param nodes that are to be started
 * @param availableMiB what there is
 * @throws EngineError LAB_MEMORY_SMALL
 */
export function checkMemory(nodes: readonly LabNode[], availableMiB: number): void {
  const need = memoryNeedMiB(nodes);
  if (need <= availableMiB) return;
  throw new EngineError("LAB_MEMORY_SMALL", {
    message: `${nodes.length} nodes need up to ${need} MiB of memory, ${availableMiB} MiB are available`,
    hint: "stop other programs or labs, give Docker more memory, or take a smaller preset (`lab presets`)",
  });
}
