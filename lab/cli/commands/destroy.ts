import { existsSync, rmdirSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { acquireLock } from "../../runtime/lock.ts";
import type { LabRuntime } from "../../runtime/runtime.ts";
import { createRuntime } from "../../runtime/select-runtime.ts";
import { lockFile, salvageAllocations } from "../../runtime/state.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { nameFlag, openLab } from "../open-lab.ts";

/** A lab whose state file is damaged is removed by what its folder and the engine still tell. */
async function runtimesOf(context: CommandContext): Promise<readonly LabRuntime[]> {
  try {
    return [(await openLab(context)).runtime];
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== "LAB_STATE_CORRUPT") throw error;
    context.progress.note(error.message);
    return Promise.all(salvageAllocations(context.home, context.labName).map(createRuntime));
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

async function remove(context: CommandContext, runtimes: readonly LabRuntime[]): Promise<void> {
  using _lock = await acquireLock(lockFile(context.home, context.labName), {
    command: "lab destroy",
    waitMs: 0,
  });
  await context.progress.step(`Removing lab ${context.labName}`, async (say) => {
    for (const runtime of runtimes) {
      await runtime.destroy(({ node, message }) =>
        say(node === null ? message : `${node} ${message}`),
      );
    }
  });
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
    const runtimes = await runtimesOf(context);
    await confirm(context);
    await remove(context, runtimes);
    if (existsSync(context.home)) removeWhenEmpty(context.home);
    return {
      schema: "lab.destroy/1",
      data: { lab: context.labName, destroyed: true },
      text: `lab ${context.labName} is gone`,
    };
  },
});
