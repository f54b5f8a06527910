import { defineCommand } from "../define-command.ts";
import { actOnNodes } from "./act-on-nodes.ts";
import { NODES_ARGUMENT } from "./common-options.ts";

export const stopCommand = defineCommand({
  name: "stop",
  summary: "end nodes gracefully (SIGTERM), keep their data",
  description:
    "The node flushes, signs off and ends. One that does not end within 10 s is killed. `lab kill` is the crash.",
  examples: [
    { command: "lab stop broker-a-slave", what: "maintenance on one slave" },
    { command: "lab stop @host-2", what: "everything of one host" },
  ],
  args: [NODES_ARGUMENT],
  options: {},
  run: (context, { args }) =>
    actOnNodes(context, args, {
      name: "stop",
      act: async (lab, node) => {
        const seen = (await lab.runtime.observe()).find((entry) => entry.node === node);
        if (seen?.state !== "running" && seen?.state !== "paused") return "was not running";
        await lab.runtime.stop(node);
        return "stopped";
      },
      next: (nodes) => [`lab start ${nodes}`],
    }),
});
