import { choiceOption } from "../options.ts";
import { defineCommand } from "../define-command.ts";
import { actOnNodes } from "./act-on-nodes.ts";
import { NODES_ARGUMENT } from "./common-options.ts";

const SIGNALS = ["SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"] as const;

export const killCommand = defineCommand({
  name: "kill",
  summary: "crash nodes (SIGKILL)",
  description:
    "The process is gone at once: nothing is flushed, nobody is told. What the machine's page cache holds survives; for a power cut see the drills.",
  examples: [
    { command: "lab kill broker-a-master", what: "crash a master" },
    { command: "lab kill @host-1", what: "crash everything of one host" },
    { command: "lab kill broker-a-master --signal SIGTERM", what: "send another signal" },
  ],
  args: [NODES_ARGUMENT],
  options: {
    signal: choiceOption("--signal <signal>", "which signal; default SIGKILL", {
      allowed: SIGNALS,
      initial: "SIGKILL",
    }),
  },
  run: (context, { args, options }) =>
    actOnNodes(context, args, {
      name: "kill",
      act: async (lab, node) => {
        const seen = (await lab.runtime.observe()).find((entry) => entry.node === node);
        if (seen?.state !== "running" && seen?.state !== "paused") return "was not running";
        await lab.runtime.kill(node, options.signal);
        return options.signal === "SIGKILL" ? "killed (SIGKILL)" : `got ${options.signal}`;
      },
      next: (nodes) => ["lab status", `lab start ${nodes}`],
    }),
});
