/** The question before data goes: the lab's name is typed on a terminal, `--yes` says it elsewhere (lab-and-drills 5.1). */
import { createInterface } from "node:readline/promises";
import { EngineError } from "../../engine/base/engine-error.ts";
import type { CommandContext } from "./define-command.ts";
import { nameFlag } from "./open-lab.ts";

/** What is about to be done. */
export interface Danger {
  /** `destroy`. */
  readonly verb: string;
  /** `removes all data`: what it does to the lab, after the verb. */
  readonly does: string;
  /** The sentence on the terminal. */
  readonly warning: string;
}

/** @throws EngineError CLI_USAGE when it is not confirmed, or there is no terminal to ask on */
export async function confirmByName(context: CommandContext, danger: Danger): Promise<void> {
  if (context.yes) return;
  const { labName, io } = context;
  const command = `lab ${danger.verb} --yes${nameFlag(labName)}`;
  if (!io.isTTY.stdin || !io.isTTY.stderr || context.json) {
    throw new EngineError("CLI_USAGE", {
      message: `${danger.verb} ${danger.does} of lab "${labName}" and wants a confirmation`,
      hint: `without a terminal say \`${command}\``,
    });
  }
  io.stderr.write(`${danger.warning}\n`);
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
