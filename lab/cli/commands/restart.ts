import { defineCommand, type CommandContext, type CommandResult } from "../define-command.ts";
import { openLab, selectNodes } from "../open-lab.ts";
import { switchOption } from "../options.ts";
import { actOnNodes, startNode } from "./act-on-nodes.ts";
import { NODES_ARGUMENT, timeoutOption } from "./common-options.ts";

const ROLL_ORDER = ["namesrv", "broker-slave", "broker-master", "dashboard"];

/** A clean restart of the chosen nodes, all at once. */
function restart(
  context: CommandContext,
  words: readonly string[],
  readyWithinMs: number,
): Promise<CommandResult> {
  return actOnNodes(context, words, {
    name: "restart",
    act: async (lab, node) => {
      await lab.runtime.stop(node);
      await startNode(context, lab, node);
      return "restarted";
    },
    readyWithinMs,
    next: () => ["lab status"],
  });
}

/** One node after the other, each ready before the next goes: slaves before masters, so that a master never lacks a slave that is in sync. */
async function roll(
  context: CommandContext,
  words: readonly string[],
  readyWithinMs: number,
): Promise<CommandResult> {
  const chosen = selectNodes(await openLab(context), words).toSorted(
    (a, b) => ROLL_ORDER.indexOf(a.role) - ROLL_ORDER.indexOf(b.role),
  );
  const nodes: string[] = [];
  for (const { name } of chosen) {
    context.signal.throwIfAborted();
    await restart(context, [name], readyWithinMs);
    nodes.push(name);
  }
  return {
    schema: "lab.restart/1",
    data: {
      lab: context.labName,
      nodes: nodes.map((node) => ({ node, did: "restarted" })),
      ready: true,
    },
    text: `restarted one after the other: ${nodes.join(", ")}`,
  };
}

export const restartCommand = defineCommand({
  name: "restart",
  summary: "stop nodes gracefully, start them again, wait until they serve",
  description:
    "The same as `lab stop` and `lab start`: a clean restart with all data. With --rolling one node after the other, slaves before masters, each ready before the next goes: the service stays.",
  examples: [
    { command: "lab restart broker-a-master", what: "a clean restart of one broker" },
    { command: "lab restart @all --rolling", what: "every node, one after the other" },
  ],
  args: [NODES_ARGUMENT],
  options: {
    timeout: timeoutOption(60_000),
    rolling: switchOption("--rolling", "one node after the other, each ready before the next"),
  },
  run: (context, { args, options }) =>
    options.rolling
      ? roll(context, args, options.timeout)
      : restart(context, args, options.timeout),
});
