/** Faults that lie in a node's data and so outlive its process and its container: who brings a lab down must take them back. Pure. */
import type { LabAllocation } from "../runtime/runtime.ts";
import type { FaultStep } from "./fault.ts";

const LASTING: readonly FaultStep["kind"][] = ["clock", "ballast", "readonly"];

/** @returns whether the step is still in effect when the node is started anew */
export function outlivesNode(step: FaultStep): boolean {
  return LASTING.includes(step.kind);
}

/** @returns every such step that could be in effect in a lab of whose faults nothing is known */
export function allLasting(allocation: LabAllocation): readonly FaultStep[] {
  const { topology, diskMiB } = allocation;
  const nodes = topology.nodes.filter(({ role }) => role !== "dashboard");
  const own = nodes.filter(({ engine }) => engine === undefined);
  const withDisk = typeof diskMiB === "number" ? nodes : [];
  return [
    ...own.map(({ name: node }): FaultStep => ({ kind: "clock", node, offsetMs: 0 })),
    // Undone in reverse: a disk takes no change before it is repaired.
    ...withDisk.map(({ name: node }): FaultStep => ({ kind: "ballast", node, leaveBytes: 0 })),
    ...withDisk.map(({ name: node }): FaultStep => ({ kind: "readonly", node })),
  ];
}
