import { choiceOption } from "../options.ts";
import { defineCommand } from "../define-command.ts";
import { FAULT_OPTIONS } from "../fault-run.ts";
import { breakNodes } from "./break-nodes.ts";
import { NODES_ARGUMENT } from "./common-options.ts";

const SIGNALS = ["SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGSTOP"] as const;

export const killCommand = defineCommand({
  name: "kill",
  summary: "crash nodes (SIGKILL)",
  description:
    "The process is gone at once: nothing is flushed, nobody is told. What the machine's page cache holds survives; for a power cut see the drills.",
  examples: [
    { command: "lab kill broker-a-master", what: "crash a master" },
    {
      command: "lab kill broker-a-master --for 30s",
      what: "and start it again after 30 s, or at Ctrl-C",
    },
    { command: "lab kill @host-1", what: "crash everything of one host" },
    { command: "lab kill broker-a-master --signal SIGTERM", what: "send another signal" },
  ],
  args: [NODES_ARGUMENT],
  options: {
    ...FAULT_OPTIONS,
    signal: choiceOption("--signal <signal>", "which signal; default SIGKILL", {
      allowed: SIGNALS,
      initial: "SIGKILL",
    }),
  },
  run: (context, { args, options }) =>
    breakNodes(context, args, {
      name: "kill",
      spec: (nodes) => ({ kind: "kill", nodes, signal: options.signal ?? "SIGKILL" }),
      did: options.signal === "SIGKILL" ? "killed (SIGKILL)" : `got ${options.signal}`,
      next: (nodes) => ["lab status", `lab start ${nodes}`],
      ...options,
    }),
});
