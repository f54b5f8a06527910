/** A node that was broken by hand comes back by hand: it is started or woken, and the ledger learns that the fault of its process is over. */
import { acquireLock } from "../runtime/lock.ts";
import type { LabRuntime } from "../runtime/runtime.ts";
import type { FaultControl } from "./control.ts";

/** The lab of the node. */
export interface ComeBackAt {
  readonly runtime: LabRuntime;
  readonly control: FaultControl;
  /** Path of the node's lock: two starts of one node exclude each other. */
  readonly lock: string;
}

/**
 * Starts a node that does not run, wakes one that is paused, leaves one that runs alone.
 * @returns what was done, in words
 * @throws EngineError LAB_BUSY | LAB_PORT_TAKEN | LAB_NODE_FAILED
 */
export async function comeBack(at: ComeBackAt, node: string): Promise<string> {
  using _lock = await acquireLock(at.lock, { command: `lab start ${node}`, waitMs: 0 });
  const before = (await at.runtime.observe()).find((seen) => seen.node === node);
  if (before?.state === "running") return "runs already";
  await at.runtime.start(node);
  await at.control.cameBack(node);
  return before?.state === "paused" ? "goes on" : "started";
}

/** Wakes a paused node, and nothing else. @returns what was done, in words @throws EngineError LAB_NODE_NOT_RUNNING */
export async function wake(at: Omit<ComeBackAt, "lock">, node: string): Promise<string> {
  const seen = (await at.runtime.observe()).find((entry) => entry.node === node);
  if (seen?.state === "running") return "was not paused";
  await at.runtime.unpause(node);
  await at.control.cameBack(node);
  return "goes on";
}
