/** From a lab's name to its state and runtime, and from what the user typed to nodes. */
import { EngineError } from "../../engine/base/engine-error.ts";
import { FaultControl } from "../faults/control.ts";
import { describeFault } from "../faults/fault.ts";
import { acquireLock } from "../runtime/lock.ts";
import type { LabRuntime } from "../runtime/runtime.ts";
import { createRuntime } from "../runtime/select-runtime.ts";
import { finishRestore, isRestoreOpen } from "../runtime/snapshots.ts";
import {
  allocationOf,
  checkLabName,
  labNames,
  lockFile,
  readState,
  type LabState,
} from "../runtime/state.ts";
import type { LabNode } from "../topology/topology.ts";
import { chooseNodes } from "../topology/selectors.ts";
import type { CommandContext } from "./define-command.ts";

/** A lab that exists. */
export interface OpenLab {
  readonly state: LabState;
  readonly runtime: LabRuntime;
}

/** @returns what a person types to say which lab, as the end of a command; empty for the default one */
export function nameFlag(labName: string): string {
  return labName === "lab" ? "" : ` --name ${labName}`;
}

function notFound(context: CommandContext): EngineError {
  const others = labNames(context.home);
  const where = `there is no lab "${context.labName}" in ${context.home}`;
  const hint =
    others.length === 0
      ? "make one with `lab up 2m-2s-sync`"
      : `labs here: ${others.join(", ")} (choose with \`--name\`); or make it: \`lab up 2m-2s-sync${nameFlag(context.labName)}\``;
  return new EngineError("LAB_NOT_FOUND", { message: where, hint });
}

/** Heals what a command that was killed left behind. What cannot be healed now is told and tried again by the next command. */
async function settleFaults(context: CommandContext, runtime: LabRuntime): Promise<void> {
  const control = new FaultControl({
    runtime,
    lockFile: lockFile(context.home, context.labName),
    command: "lab (healing)",
  });
  try {
    const { healed, failed } = await control.settle();
    for (const { id, spec } of healed) {
      context.progress.note(
        `healed ${id}, which an ended command had left: ${describeFault(spec)}`,
      );
    }
    for (const error of failed) context.progress.note(`note: ${error.message}`);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    context.progress.note(`note: ${error.message}`);
  }
}

/**
 * @param context whose lab name is looked up
 * @throws EngineError LAB_NOT_FOUND | LAB_STATE_CORRUPT
 */
export async function openLab(context: CommandContext): Promise<OpenLab> {
  checkLabName(context.labName);
  const state = readState(context.home, context.labName);
  if (state === null) throw notFound(context);
  const runtime = await createRuntime(allocationOf(context.home, state));
  const lab = isRestoreOpen(runtime)
    ? await settleRestore(context, { state, runtime })
    : { state, runtime };
  await settleFaults(context, lab.runtime);
  return lab;
}

/** Goes on with a restore whose command was killed; one that is at work now is left alone. */
async function settleRestore(context: CommandContext, lab: OpenLab): Promise<OpenLab> {
  try {
    return await withLabLock(context, "snapshot restore (going on)", async () => {
      const { snapshot, state } = await finishRestore({ home: context.home, ...lab });
      context.progress.note(
        `ended the restore of snapshot ${snapshot.name}, which an ended command had left`,
      );
      return { state, runtime: await createRuntime(allocationOf(context.home, state)) };
    });
  } catch (error) {
    if (error instanceof EngineError && error.code === "LAB_BUSY") return lab;
    throw error;
  }
}

/**
 * Works while no other command brings the lab up or down, breaks or heals it.
 * @param verb told to whoever finds the lock held
 * @throws EngineError LAB_BUSY
 */
export async function withLabLock<Result>(
  context: CommandContext,
  verb: string,
  work: () => Promise<Result>,
): Promise<Result> {
  using _lock = await acquireLock(lockFile(context.home, context.labName), {
    command: `lab ${verb}`,
    waitMs: 0,
  });
  return work();
}

/**
 * @param lab whose nodes are meant
 * @param words node names and selectors such as `@masters`
 * @returns the nodes, each once, in the topology's order
 * @throws EngineError LAB_NODE_UNKNOWN with the nearest names
 */
export function selectNodes(lab: OpenLab, words: readonly string[]): readonly LabNode[] {
  return chooseNodes(lab.state.topology, words);
}
