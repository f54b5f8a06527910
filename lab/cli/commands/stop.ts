import { defineCommand } from "../define-command.ts";
import { FAULT_OPTIONS } from "../fault-run.ts";
import { breakNodes } from "./break-nodes.ts";
import { NODES_ARGUMENT } from "./common-options.ts";

export const stopCommand = defineCommand({
  name: "stop",
  summary: "end nodes gracefully (SIGTERM), keep their data",
  description:
    "The node flushes, signs off and ends. One that does not end within 10 s (Apache's: 30 s) is killed; a container has 60 s. `lab kill` is the crash.",
  examples: [
    { command: "lab stop broker-a-slave", what: "maintenance on one slave" },
    { command: "lab stop @host-2", what: "everything of one host" },
  ],
  args: [NODES_ARGUMENT],
  options: FAULT_OPTIONS,
  run: (context, { args, options }) =>
    breakNodes(context, args, {
      name: "stop",
      spec: (nodes) => ({ kind: "stop", nodes }),
      did: "stopped",
      next: (nodes) => [`lab start ${nodes}`],
      ...options,
    }),
});
