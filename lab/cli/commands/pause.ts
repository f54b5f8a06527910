import { wake } from "../../faults/come-back.ts";
import { defineCommand } from "../define-command.ts";
import { FAULT_OPTIONS, faultControl } from "../fault-run.ts";
import { actOnNodes } from "./act-on-nodes.ts";
import { breakNodes } from "./break-nodes.ts";
import { NODES_ARGUMENT, timeoutOption } from "./common-options.ts";

export const pauseCommand = defineCommand({
  name: "pause",
  summary: "freeze nodes: connections stay open, nothing answers",
  description:
    "The node keeps its connections and answers nothing, as a machine that hangs. Name servers notice after 120 s.",
  examples: [
    { command: "lab pause broker-a-master", what: "a broker that hangs" },
    { command: "lab pause broker-a-master --for 10s", what: "for ten seconds" },
  ],
  args: [NODES_ARGUMENT],
  options: FAULT_OPTIONS,
  run: (context, { args, options }) =>
    breakNodes(context, args, {
      name: "pause",
      spec: (nodes) => ({ kind: "pause", nodes }),
      did: "paused",
      next: (nodes) => [`lab unpause ${nodes}`],
      ...options,
    }),
});

export const unpauseCommand = defineCommand({
  name: "unpause",
  summary: "let paused nodes go on, wait until they serve",
  description: "The opposite of `lab pause`. A node that was not paused is left alone.",
  examples: [{ command: "lab unpause broker-a-master", what: "the hanging broker goes on" }],
  args: [NODES_ARGUMENT],
  options: { timeout: timeoutOption(60_000) },
  run: (context, { args, options }) =>
    actOnNodes(context, args, {
      name: "unpause",
      act: (lab, node) =>
        wake({ runtime: lab.runtime, control: faultControl(context, lab, "unpause") }, node),
      readyWithinMs: options.timeout,
      next: () => ["lab status"],
    }),
});
