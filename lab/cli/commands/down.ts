import { acquireLock } from "../../runtime/lock.ts";
import { lockFile, writeState } from "../../runtime/state.ts";
import { defineCommand } from "../define-command.ts";
import { faultControl } from "../fault-run.ts";
import { nameFlag, openLab } from "../open-lab.ts";

export const downCommand = defineCommand({
  name: "down",
  summary: "stop the lab, keep its data",
  description:
    "Ends every node gracefully. Data, ports and subnets stay: the next `lab up` goes on where this one stopped.",
  examples: [{ command: "lab down", what: "stop the lab" }],
  args: [],
  options: {},
  async run(context) {
    const lab = await openLab(context);
    using _lock = await acquireLock(lockFile(context.home, context.labName), {
      command: "lab down",
      waitMs: 0,
    });
    const ended: string[] = [];
    await context.progress.step(`Stopping lab ${context.labName}`, (say) =>
      lab.runtime.down(({ node, message }) => {
        if (node !== null) ended.push(node);
        say(node === null ? message : `${node} ${message}`);
      }),
    );
    await faultControl(context, lab, "down").ended();
    writeState(context.home, { ...lab.state, phase: "down" });
    const flag = nameFlag(context.labName);
    const what = ended.length === 0 ? "was down already" : "is down; its data is kept";
    return {
      schema: "lab.down/1",
      data: { lab: context.labName, stopped: ended },
      text: `lab ${context.labName} ${what}\n${context.color.cyan("next")}  lab up${flag} to go on, lab destroy${flag} to remove it`,
    };
  },
});
