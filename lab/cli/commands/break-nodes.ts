/** `kill`, `stop` and `pause`: faults of processes, in the ledger like all others, told as what was done to each node. */
import { notRunning } from "../../faults/come-back.ts";
import type { FaultSpec } from "../../faults/fault.ts";
import type { CommandContext, CommandResult } from "../define-command.ts";
import { runFault } from "../fault-run.ts";
import { nameFlag, openLab, selectNodes } from "../open-lab.ts";

/** One verb. */
export interface BreakVerb {
  readonly name: "kill" | "stop" | "pause";
  readonly spec: (nodes: string[]) => FaultSpec;
  /** What a node that ran is told to have suffered. */
  readonly did: string;
  readonly next: (nodes: string) => readonly string[];
  readonly for: number | undefined;
  readonly plan: boolean;
}

/** A node that does not run cannot be frozen, and saying so beats doing nothing. */
function refuseStopped(chosen: readonly string[], live: readonly string[]): void {
  const stopped = chosen.find((node) => !live.includes(node));
  if (stopped !== undefined) throw notRunning(stopped);
}

/**
 * Breaks the chosen nodes that run; the others are left alone and told.
 * @throws EngineError LAB_NOT_FOUND | LAB_NODE_UNKNOWN | LAB_NODE_NOT_RUNNING (pause) | LAB_BUSY
 */
export async function breakNodes(
  context: CommandContext,
  words: readonly string[],
  verb: BreakVerb,
): Promise<CommandResult> {
  const lab = await openLab(context);
  const chosen = selectNodes(lab, words).map((node) => node.name);
  const states = new Map((await lab.runtime.observe()).map((seen) => [seen.node, seen.state]));
  // What cannot be looked at may run: trying tells why it cannot be broken either.
  const breakable = ["running", "paused", "unreachable"];
  const live = chosen.filter((node) => breakable.includes(states.get(node) ?? ""));
  if (verb.name === "pause") refuseStopped(chosen, live);
  const nodes = chosen.map((node) => ({
    node,
    did: live.includes(node) ? verb.did : "was not running",
  }));
  const lines = nodes.map(({ node, did }) => `${context.color.bold(node)} ${did}`).join("\n");
  const next = verb.next(words.join(" "));
  const data = { nodes, ready: false };
  if (live.length === 0) {
    const commands = next.map((command) => `${command}${nameFlag(context.labName)}`);
    return {
      schema: `lab.${verb.name}/1`,
      data: { lab: context.labName, ...data, fault: null, plan: null },
      text: `${lines}\n${context.color.cyan("next")}  ${commands.join(", then ")}`,
    };
  }
  const result = await runFault(context, lab, {
    name: verb.name,
    spec: verb.spec(live),
    forMs: verb.for,
    planOnly: verb.plan,
    data,
    next,
  });
  return verb.plan ? result : { ...result, text: `${lines}\n${result.text}` };
}
