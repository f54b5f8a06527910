/** Faults that lie in a node's data and so outlive its process and its container: who brings a lab down must take them back. Pure. */
import type { LabAllocation } from "../runtime/runtime.ts";
import type { FaultStep } from "./fault.ts";

/** @returns whether the step is still in effect when the node is started anew */
export function outlivesNode(step: FaultStep): boolean {
  return step.kind === "clock";
}

/** @returns every such step that could be in effect in a lab of whose faults nothing is known */
export function allLasting(allocation: LabAllocation): readonly FaultStep[] {
  return allocation.topology.nodes
    .filter(({ role, engine }) => role !== "dashboard" && engine === undefined)
    .map(({ name }): FaultStep => ({ kind: "clock", node: name, offsetMs: 0 }));
}
