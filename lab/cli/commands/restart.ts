import { defineCommand } from "../define-command.ts";
import { actOnNodes, startNode } from "./act-on-nodes.ts";
import { NODES_ARGUMENT, timeoutOption } from "./common-options.ts";

export const restartCommand = defineCommand({
  name: "restart",
  summary: "stop nodes gracefully, start them again, wait until they serve",
  description: "The same as `lab stop` and `lab start`: a clean restart with all data.",
  examples: [{ command: "lab restart broker-a-master", what: "a clean restart of one broker" }],
  args: [NODES_ARGUMENT],
  options: { timeout: timeoutOption(60_000) },
  run: (context, { args, options }) =>
    actOnNodes(context, args, {
      name: "restart",
      act: async (lab, node) => {
        await lab.runtime.stop(node);
        await startNode(context, lab, node);
        return "restarted";
      },
      readyWithinMs: options.timeout,
      next: () => ["lab status"],
    }),
});
