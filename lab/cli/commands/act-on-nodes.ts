/** The commands that do one thing to some nodes differ in their verb only; this is what they share. */
import { comeBack } from "../../faults/come-back.ts";
import { lockFile } from "../../runtime/state.ts";
import { waitUntilReady } from "../../runtime/wait/ready.ts";
import type { CommandContext, CommandResult } from "../define-command.ts";
import { faultControl } from "../fault-run.ts";
import { nameFlag, openLab, selectNodes, type OpenLab } from "../open-lab.ts";

/** What a verb did to one node. */
export interface NodeAct {
  readonly node: string;
  /** `killed with SIGKILL`, `was not running`. */
  readonly did: string;
}

/** One verb. */
export interface NodeVerb {
  /** `kill`: for the schema id and the lock. */
  readonly name: string;
  readonly act: (lab: OpenLab, node: string) => Promise<string>;
  /** Wait until the nodes serve again, this long, milliseconds. */
  readonly readyWithinMs?: number;
  /** Commands to try next, for the nodes as the user named them. */
  readonly next: (nodes: string) => readonly string[];
}

async function waitForNodes(
  context: CommandContext,
  lab: OpenLab,
  wait: { readonly nodes: ReadonlySet<string>; readonly timeoutMs: number },
): Promise<void> {
  await context.progress.step("Waiting until ready", (say) =>
    waitUntilReady({
      runtime: lab.runtime,
      nodes: wait.nodes,
      deadline: performance.now() + wait.timeoutMs,
      signal: context.signal,
      say,
    }),
  );
}

/**
 * Does a verb to every chosen node at once.
 * @param context of the command
 * @param words what the user typed for nodes
 * @param verb what to do
 * @throws EngineError LAB_NOT_FOUND | LAB_NODE_UNKNOWN | LAB_BUSY | whatever the verb meets
 */
export async function actOnNodes(
  context: CommandContext,
  words: readonly string[],
  verb: NodeVerb,
): Promise<CommandResult> {
  const lab = await openLab(context);
  const nodes = selectNodes(lab, words);
  const acts = await Promise.all(
    nodes.map(async ({ name }): Promise<NodeAct> => ({
      node: name,
      did: await verb.act(lab, name),
    })),
  );
  if (verb.readyWithinMs !== undefined) {
    for (const { node, did } of acts) context.progress.note(`${node} ${did}`);
    const names = new Set(nodes.map(({ name }) => name));
    await waitForNodes(context, lab, { nodes: names, timeoutMs: verb.readyWithinMs });
  }
  const lines = acts.map(({ node, did }) => `${context.color.bold(node)} ${did}`);
  const flag = nameFlag(context.labName);
  const next = verb.next(words.join(" ")).map((command) => `${command}${flag}`);
  return {
    schema: `lab.${verb.name}/1`,
    data: { lab: context.labName, nodes: acts, ready: verb.readyWithinMs !== undefined },
    text: `${lines.join("\n")}\n${context.color.cyan("next")}  ${next.join(", then ")}`,
  };
}

/** Starts one node while nobody brings the lab up or down. @returns what was done */
export function startNode(context: CommandContext, lab: OpenLab, node: string): Promise<string> {
  const control = faultControl(context, lab, "start");
  const lock = lockFile(context.home, `${context.labName}.${node}`);
  return comeBack({ runtime: lab.runtime, control, lock }, node);
}
