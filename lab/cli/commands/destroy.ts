import { existsSync, rmdirSync } from "node:fs";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { removeLab } from "../../runtime/remove-lab.ts";
import { confirmByName } from "../confirm.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { openLab } from "../open-lab.ts";

/** Says that there is no such lab; a damaged state file is no reason to keep one. */
async function lookForLab(context: CommandContext): Promise<void> {
  try {
    await openLab(context);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== "LAB_STATE_CORRUPT") throw error;
    context.progress.note(error.message);
  }
}

function removeWhenEmpty(home: string): void {
  try {
    rmdirSync(home);
  } catch {
    // Other labs live there, or it is gone already.
  }
}

export const destroyCommand = defineCommand({
  name: "destroy",
  summary: "stop the lab and remove everything it made",
  description:
    "Ends the nodes and removes the lab's data, snapshots, logs, results, networks and volumes: exactly what carries the lab's name, nothing else. Asks on a terminal; elsewhere it needs --yes.",
  examples: [
    { command: "lab destroy", what: "asks for the lab's name first" },
    { command: "lab destroy --yes", what: "in a script" },
  ],
  args: [],
  options: {},
  async run(context) {
    await lookForLab(context);
    await confirmByName(context, {
      verb: "destroy",
      does: "removes all data",
      warning: `This removes lab "${context.labName}" with all its messages, logs, snapshots and results.`,
    });
    const { home, labName: name } = context;
    await context.progress.step(`Removing lab ${name}`, (say) =>
      removeLab({ home, name, command: "lab destroy", say }),
    );
    if (existsSync(context.home)) removeWhenEmpty(context.home);
    return {
      schema: "lab.destroy/1",
      data: { lab: context.labName, destroyed: true },
      text: `lab ${context.labName} is gone`,
    };
  },
});
