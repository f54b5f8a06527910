import { defineCommand } from "../define-command.ts";
import { actOnNodes, startNode } from "./act-on-nodes.ts";
import { NODES_ARGUMENT, timeoutOption } from "./common-options.ts";

export const startCommand = defineCommand({
  name: "start",
  summary: "start nodes and wait until they serve",
  description:
    "Starts nodes that were killed or stopped, with the data they had. Ready means: routed by every running name server, a slave has caught up, a probe message went round through a master.",
  examples: [
    { command: "lab start broker-a-master", what: "bring a killed broker back" },
    { command: "lab start @host-1", what: "everything of one host" },
  ],
  args: [NODES_ARGUMENT],
  options: { timeout: timeoutOption(60_000) },
  run: (context, { args, options }) =>
    actOnNodes(context, args, {
      name: "start",
      act: (lab, node) => startNode(context, lab, node),
      readyWithinMs: options.timeout,
      next: () => ["lab status"],
    }),
});
