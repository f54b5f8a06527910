import { EngineError } from "../../../engine/base/engine-error.ts";
import { promote, type Promoted } from "../../runtime/promote.ts";
import type { LabNode } from "../../topology/topology.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { faultControl } from "../fault-run.ts";
import { nameFlag, openLab, selectNodes, withLabLock, type OpenLab } from "../open-lab.ts";
import { switchOption } from "../options.ts";
import { timeoutOption } from "./common-options.ts";

function oneBroker(lab: OpenLab, word: string): LabNode {
  const [node, ...others] = selectNodes(lab, [word]);
  if (node?.broker !== undefined && others.length === 0) return node;
  const slave = lab.state.topology.nodes.find(({ role }) => role === "broker-slave");
  throw new EngineError("CLI_USAGE", {
    message:
      others.length > 0
        ? `${word} is ${others.length + 1} nodes; one is promoted at a time`
        : `${word} is no broker`,
    hint:
      slave === undefined
        ? "this lab has no slave to promote"
        : `for example \`lab promote ${slave.name}\``,
  });
}

function textOf(context: CommandContext, node: LabNode, done: Promoted): string {
  const { color, labName } = context;
  const flag = nameFlag(labName);
  const routes = Object.entries(done.facts?.routes ?? {});
  const routed = routes.map(([namesrv, address]) => `${namesrv}: ${address ?? "not routed"}`);
  if (done.before === node.name) {
    return `${color.bold(node.name)} is the master already (${routed.join(", ")})`;
  }
  const ends = done.logs.map((log) => `${log.node} ${log.logEnd ?? "none"}`).join(", ");
  const lost = done.logs.filter(({ aheadBytes }) => aheadBytes > 0);
  return [
    `${color.bold(node.name)} is the master of ${node.broker?.brokerName ?? ""} now; ${done.before} will be its slave`,
    `log ends at the switch: ${ends}`,
    ...lost.map((log) =>
      color.yellow(
        `given up: ${log.aheadBytes} bytes (${log.aheadRecords} records) that only ${log.node} has`,
      ),
    ),
    `routed as master: ${routed.join(", ")}`,
    lost.length === 0
      ? `${color.cyan("next")}  lab start ${done.before}${flag}: it comes back as slave`
      : `${color.cyan("next")}  lab restore ${done.before} --from ${node.name}${flag}, then lab start ${done.before}${flag}`,
  ].join("\n");
}

export const promoteCommand = defineCommand({
  name: "promote",
  summary: "make a slave the master of its broker set, as operators do it",
  description:
    "Fences the old master, stops the slave, compares where the logs end, exchanges brokerId, brokerRole and flushDiskType of the two (the lab remembers it; property files stay as they are), starts it and waits until every name server routes it. Refuses while the old master serves (--force stops it first: a planned switch) and when the slave lacks something the old one has (--accept-loss gives that up). A master that does not answer is stopped in any case. The old master comes back as slave with `lab start`; if its log holds what the new master never had, it is not started but told, and `lab restore` makes it a copy. Promoting a master again changes nothing.",
  examples: [
    { command: "lab promote broker-a-slave", what: "after the master was lost" },
    { command: "lab promote broker-a-slave --force", what: "planned: the master is stopped first" },
    {
      command: "lab promote broker-a-slave --accept-loss",
      what: "although the master's disk has more",
    },
    { command: "lab promote broker-a-master --force", what: "and back" },
  ],
  args: [{ name: "NODE", help: "a slave", required: true }],
  options: {
    force: switchOption("--force", "stop the master although it serves"),
    acceptLoss: switchOption("--accept-loss", "go on although another of the set has more"),
    timeout: timeoutOption(60_000),
  },
  async run(context, { args, options }) {
    const lab = await openLab(context);
    const node = oneBroker(lab, args[0] ?? "");
    const done = await withLabLock(context, "promote", () =>
      promote({
        home: context.home,
        state: lab.state,
        runtime: lab.runtime,
        node,
        force: options.force,
        acceptLoss: options.acceptLoss,
        timeoutMs: options.timeout,
        signal: context.signal,
        progress: context.progress,
      }),
    );
    await faultControl(context, done, "promote").cameBack(node.name);
    return {
      schema: "lab.promote/1",
      data: {
        lab: context.labName,
        brokerName: node.broker?.brokerName ?? "",
        master: node.name,
        before: done.before,
        logs: done.logs,
        stopped: done.stopped,
        routes: done.facts?.routes ?? {},
      },
      text: textOf(context, node, done),
    };
  },
});
