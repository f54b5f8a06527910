import { existsSync, rmdirSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { removeLab } from "../../runtime/remove-lab.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { nameFlag, openLab } from "../open-lab.ts";

/** Says that there is no such lab; a damaged state file is no reason to keep one. */
async function lookForLab(context: CommandContext): Promise<void> {
  try {
    await openLab(context);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== "LAB_STATE_CORRUPT") throw error;
    context.progress.note(error.message);
  }
}

async function confirm(context: CommandContext): Promise<void> {
  if (context.yes) return;
  const { labName, io } = context;
  const command = `lab destroy --yes${nameFlag(labName)}`;
  if (!io.isTTY.stdin || !io.isTTY.stderr || context.json) {
    throw new EngineError("CLI_USAGE", {
      message: `destroy removes all data of lab "${labName}" and wants a confirmation`,
      hint: `without a terminal say \`${command}\``,
    });
  }
  io.stderr.write(`This removes lab "${labName}" with all its messages, logs and results.\n`);
  const prompt = createInterface({ input: io.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`Type its name to go on: `, { signal: context.signal });
    if (answer.trim() === labName) return;
  } finally {
    prompt.close();
  }
  throw new EngineError("CLI_USAGE", {
    message: "not confirmed: nothing was removed",
    hint: `run again and type ${labName}, or say \`${command}\``,
  });
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
    "Ends the nodes and removes the lab's data, logs, results, networks and volumes: exactly what carries the lab's name, nothing else. Asks on a terminal; elsewhere it needs --yes.",
  examples: [
    { command: "lab destroy", what: "asks for the lab's name first" },
    { command: "lab destroy --yes", what: "in a script" },
  ],
  args: [],
  options: {},
  async run(context) {
    await lookForLab(context);
    await confirm(context);
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
