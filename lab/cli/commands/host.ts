import { EngineError } from "../../../engine/base/engine-error.ts";
import { suggestion } from "../../base/did-you-mean.ts";
import { waitUntilReady } from "../../runtime/wait/ready.ts";
import { defineCommand, type CommandContext, type CommandResult } from "../define-command.ts";
import { FAULT_OPTIONS, faultControl, runFault } from "../fault-run.ts";
import { openLab, selectNodes, type OpenLab } from "../open-lab.ts";
import { startNode } from "./act-on-nodes.ts";
import { timeoutOption } from "./common-options.ts";

interface HostCall {
  readonly context: CommandContext;
  readonly lab: OpenLab;
  readonly host: string;
}

function checkHost(lab: OpenLab, host: string): void {
  const { hosts } = lab.state.topology;
  if (hosts.includes(host)) return;
  throw new EngineError("LAB_NODE_UNKNOWN", {
    message: `this lab has no host "${host}"`,
    hint: suggestion(host, hosts, `hosts: ${hosts.join(", ")}`),
  });
}

async function up(call: HostCall, timeoutMs: number): Promise<CommandResult> {
  const { context, lab, host } = call;
  const down = faultControl(context, lab, "host up");
  const open = down.ledger
    .open()
    .filter(({ spec }) => spec.kind === "host-down" && spec.host === host);
  if (open.length > 0) await down.heal(open.map((record) => record.id));
  const nodes = selectNodes(lab, [`@${host}`]).map((node) => node.name);
  const acts = await Promise.all(
    nodes.map(async (node) => ({ node, did: await startNode(context, lab, node) })),
  );
  await context.progress.step("Waiting until ready", (say) =>
    waitUntilReady({
      runtime: lab.runtime,
      nodes: new Set(nodes),
      deadline: performance.now() + timeoutMs,
      signal: context.signal,
      say,
    }),
  );
  return {
    schema: "lab.host.up/1",
    data: { lab: context.labName, host, nodes: acts, healed: open.map((record) => record.id) },
    text: `${context.color.bold(host)} is up: ${nodes.join(", ")}`,
  };
}

export const hostCommand = defineCommand({
  name: "host",
  summary: "lose a whole emulated host, or bring it back",
  description:
    "down: every node of the host is killed at once, as by a power cut of the machine (what its page cache held survives). up: starts them and waits until they serve.",
  examples: [
    { command: "lab host down host-1", what: "one server is gone" },
    { command: "lab host down host-1 --for 60s", what: "for a minute" },
    { command: "lab host up host-1", what: "and back" },
  ],
  args: [
    { name: "ACTION", help: "down or up", required: true },
    { name: "HOST", help: "host-1 or host-2", required: true },
  ],
  options: { ...FAULT_OPTIONS, timeout: timeoutOption(60_000) },
  async run(context, { args, options }) {
    const [action, host = ""] = args;
    if (action !== "down" && action !== "up") {
      throw new EngineError("CLI_USAGE", {
        message: `\`lab host\` knows down and up, not "${action ?? ""}"`,
        hint: "for example `lab host down host-1`",
      });
    }
    const lab = await openLab(context);
    checkHost(lab, host);
    if (action === "up") return up({ context, lab, host }, options.timeout);
    const nodes = selectNodes(lab, [`@${host}`]).map((node) => node.name);
    return runFault(context, lab, {
      name: "host down",
      spec: { kind: "host-down", host, nodes },
      forMs: options.for,
      planOnly: options.plan,
      data: { host },
      next: ["lab status", `lab host up ${host}`],
    });
  },
});
