import { endpointRows, vantagesOf, type EndpointRow } from "../../runtime/vantage.ts";
import { defineCommand } from "../define-command.ts";
import { openLab, selectNodes } from "../open-lab.ts";
import { switchOption } from "../options.ts";
import { table } from "../output.ts";

const MAIN: ReadonlySet<EndpointRow["port"]> = new Set(["namesrv", "broker", "dashboard"]);

export const endpointsCommand = defineCommand({
  name: "endpoints",
  summary: "every node's address, from wherever a client stands",
  description:
    "A client on the machine, one in a container of host-1 and one of host-2 reach a node at different addresses; the name server tells each the right one. `lab doctor addresses` tries them all. Ports and addresses are allotted once a lab and never change.",
  examples: [
    { command: "lab endpoints", what: "the ports clients use" },
    { command: "lab endpoints @brokers --all", what: "also fast channel and replication" },
    { command: "lab endpoints --json", what: "every port, for programs" },
  ],
  args: [
    { name: "NODE", help: "node names or groups; default: all", required: false, variadic: true },
  ],
  options: { all: switchOption("--all", "every port, not only the main one") },
  async run(context, { args, options }) {
    const lab = await openLab(context);
    const nodes = args.length === 0 ? lab.state.topology.nodes : selectNodes(lab, args);
    const names = new Set(nodes.map((node) => node.name));
    const vantages = vantagesOf(lab.runtime.allocation);
    const rows = endpointRows(lab.runtime.allocation).filter((row) => names.has(row.node));
    const shown = rows.filter((row) => options.all || MAIN.has(row.port));
    const cells = shown.map((row) => [
      context.color.bold(row.node),
      row.port,
      ...vantages.map((vantage) => row.addresses[vantage] ?? "-"),
    ]);
    const titles = vantages.map((vantage) => `FROM ${vantage.toUpperCase()}`);
    return {
      schema: "lab.endpoints/1",
      data: { lab: context.labName, vantages, endpoints: rows },
      text: table(["NODE", "PORT", ...titles], cells),
    };
  },
});
