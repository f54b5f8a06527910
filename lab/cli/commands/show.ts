import { loadTopology } from "../../topology/presets.ts";
import { describeProblem } from "../../topology/problem.ts";
import { readState } from "../../runtime/state.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { openLab } from "../open-lab.ts";
import { renderTopology } from "../topology-view.ts";
import type { Topology } from "../../topology/topology.ts";

async function wanted(
  context: CommandContext,
  name: string | undefined,
): Promise<{ readonly topology: Topology; readonly notes: readonly string[] }> {
  if (name === undefined && readState(context.home, context.labName) !== null)
    return { topology: (await openLab(context)).state.topology, notes: [] };
  const { topology, warnings } = loadTopology(name ?? "2m-2s-sync", context.io.cwd);
  return { topology, notes: warnings.map(describeProblem) };
}

export const showCommand = defineCommand({
  name: "show",
  summary: "a topology: hosts, nodes, ports, who copies whom, promises",
  description:
    "Of a preset or of a folder with a topology.yaml; without either of this lab as it was made (with its ports, --size and --set), else of 2m-2s-sync. Starts nothing, asks nobody; a folder with mistakes is refused with every one of them, by file and line.",
  examples: [
    { command: "lab show 2m-2s-sync", what: "a preset" },
    { command: "lab show ./my-cluster", what: "check a folder of your own" },
    { command: "lab show", what: "this lab" },
  ],
  args: [{ name: "PRESET", help: "preset, or folder with a topology.yaml", required: false }],
  options: {},
  async run(context, { args }) {
    const { topology, notes } = await wanted(context, args[0]);
    return {
      schema: "lab.show/1",
      data: { topology, notes },
      text: renderTopology(topology, notes, context.color),
    };
  },
});
