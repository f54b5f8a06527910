import { resetLab } from "../../runtime/reset.ts";
import { confirmByName } from "../confirm.ts";
import { defineCommand } from "../define-command.ts";
import { faultControl } from "../fault-run.ts";
import { nameFlag, openLab, withLabLock } from "../open-lab.ts";
import { timeoutOption } from "./common-options.ts";

export const resetCommand = defineCommand({
  name: "reset",
  summary: "remove all data of the lab, keep the lab",
  description:
    "Stops every node, removes messages, topics, groups and offsets of all of them, and brings the lab up again if it was up: same ports, addresses, size, settings and engines. Promotions are over: masters are those the files name. Faults end, snapshots stay. Asks on a terminal; elsewhere it needs --yes. Once confirmed the removal itself is not interrupted by Ctrl-C.",
  examples: [
    { command: "lab reset", what: "asks for the lab's name first" },
    { command: "lab reset --yes", what: "between two tests" },
  ],
  args: [],
  options: { timeout: timeoutOption(120_000) },
  async run(context, { options }) {
    const lab = await openLab(context);
    const { labName } = context;
    await confirmByName(context, {
      verb: "reset",
      does: "removes all data",
      warning: `This removes all messages, topics and offsets of lab "${labName}"; the lab and its snapshots stay.`,
    });
    const done = await withLabLock(context, "reset", () =>
      resetLab({
        home: context.home,
        state: lab.state,
        runtime: lab.runtime,
        timeoutMs: options.timeout,
        signal: context.signal,
        progress: context.progress,
        onDown: () => faultControl(context, lab, "reset").ended(),
      }),
    );
    const up = done.restarted.length > 0;
    const flag = nameFlag(labName);
    return {
      schema: "lab.reset/1",
      data: { lab: labName, restarted: done.restarted },
      text: `lab ${labName} is empty${up ? " and ready" : "; it is down as before"}\n${context.color.cyan("next")}  ${up ? `lab status${flag}` : `lab up${flag}`}`,
    };
  },
});
