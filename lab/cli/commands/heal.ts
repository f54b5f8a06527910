import { defineCommand } from "../define-command.ts";
import { faultControl, healExit, renderFault, waitForHealed } from "../fault-run.ts";
import { openLab } from "../open-lab.ts";
import { switchOption } from "../options.ts";

export const healCommand = defineCommand({
  name: "heal",
  summary: "take faults back, and check that they are gone",
  description:
    "Works from the lab's ledger, so any terminal can heal what another one broke. Without an id: everything, newest first. Nodes that were killed or stopped are started, paused ones go on. Healing twice changes nothing.",
  examples: [
    { command: "lab heal", what: "everything" },
    { command: "lab heal f3", what: "one fault; ids are in `lab fault list`" },
  ],
  args: [{ name: "ID", help: "ids of faults; default: all", required: false, variadic: true }],
  options: { all: switchOption("--all", "everything; the same as no id") },
  async run(context, { args, options }) {
    const lab = await openLab(context);
    const control = faultControl(context, lab, "heal");
    const ids = args.length === 0 || options.all ? undefined : args;
    const healed = await context.progress.step("Healing", () => control.heal(ids));
    await waitForHealed(context, lab, healed);
    const texts = healed.map((record) => renderFault(context, record));
    return {
      schema: "lab.heal/1",
      data: { lab: context.labName, faults: healed },
      text: texts.length === 0 ? "nothing to heal" : texts.join("\n"),
      exitCode: healExit(healed) ?? 0,
    };
  },
});
