import type { LabRuntime, NodeProcessState } from "../runtime/runtime.ts";

/** @returns what the operating system or the engine says of the node */
export async function stateOf(runtime: LabRuntime, node: string): Promise<NodeProcessState> {
  return (await runtime.observe()).find((seen) => seen.node === node)?.state ?? "missing";
}
