import { defineCommand } from "../define-command.ts";
import { EXIT } from "../exit-codes.ts";
import { renderView, viewLab } from "../lab-view.ts";
import { openLab } from "../open-lab.ts";
import { switchOption } from "../options.ts";

export const statusCommand = defineCommand({
  name: "status",
  summary: "what runs where, and how it is",
  description:
    "Asks the operating system or the engine for every process and every node over its protocol; changes nothing. Exit code 0 whenever the state could be told; with --check 5 when a node is not ok.",
  examples: [
    { command: "lab status", what: "the table of nodes" },
    { command: "lab status --json", what: "the same for programs" },
    { command: "lab status --check && ./my-test", what: "go on only when all is well" },
  ],
  args: [],
  options: { check: switchOption("--check", "exit code 5 unless every node is ok") },
  async run(context, { options }) {
    const lab = await openLab(context);
    const view = await viewLab(lab.state, lab.runtime);
    const title = `lab ${context.color.bold(view.lab)}: ${view.preset}, cluster ${view.cluster}, runtime ${view.runtime}`;
    return {
      schema: "lab.status/1",
      data: { ...view },
      text: `${title}\n\n${renderView(view, context.color)}`,
      exitCode: options.check && !view.healthy ? EXIT.notReady : EXIT.done,
    };
  },
});
