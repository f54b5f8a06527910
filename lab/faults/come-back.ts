/** A node that was broken by hand comes back by hand: it is started or woken, and the ledger learns that the fault of its process is over. */
import { EngineError } from "../../engine/base/engine-error.ts";
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
  if (before?.state === "running") {
    // Whoever started it, no fault holds it down any more.
    await at.control.cameBack(node, false);
    return "runs already";
  }
  const isPaused = before?.state === "paused";
  if (isPaused) await at.runtime.unpause(node);
  else await at.runtime.start(node);
  await at.control.cameBack(node, !isPaused);
  return isPaused ? "goes on" : "started";
}

/** @returns the error of a verb that needs a process */
export function notRunning(node: string): EngineError {
  return new EngineError("LAB_NODE_NOT_RUNNING", {
    message: `${node} does not run`,
    hint: `start it with \`lab start ${node}\``,
  });
}

/** Wakes a paused node, and nothing else. @returns what was done, in words @throws EngineError LAB_NODE_NOT_RUNNING */
export async function wake(at: Omit<ComeBackAt, "lock">, node: string): Promise<string> {
  const seen = (await at.runtime.observe()).find((entry) => entry.node === node);
  if (seen?.state === "running") return "was not paused";
  if (seen?.state !== "paused") throw notRunning(node);
  await at.runtime.unpause(node);
  await at.control.cameBack(node, false);
  return "goes on";
}
