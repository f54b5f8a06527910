import { EngineError } from "../../../engine/base/engine-error.ts";
import type { CommandContext } from "../define-command.ts";
import { defineCommand } from "../define-command.ts";
import { openLab, selectNodes, type OpenLab } from "../open-lab.ts";
import { numberOption, switchOption } from "../options.ts";

interface Reading {
  readonly nodes: readonly string[];
  readonly tail: number;
  readonly follow: boolean;
}

/** Writes lines as they come; several nodes are told apart by their names. */
async function print(context: CommandContext, lab: OpenLab, reading: Reading): Promise<void> {
  const width = Math.max(...reading.nodes.map((node) => node.length));
  const printNode = async (node: string): Promise<void> => {
    const prefix = reading.nodes.length === 1 ? "" : `${context.color.cyan(node.padEnd(width))} | `;
    const options = { tail: reading.tail, follow: reading.follow, signal: context.signal };
    for await (const line of lab.runtime.logs(node, options)) {
      context.io.stdout.write(`${prefix}${line}\n`);
    }
  };
  if (reading.follow) await Promise.all(reading.nodes.map(printNode));
  else for (const node of reading.nodes) await printNode(node);
}

async function gather(
  context: CommandContext,
  lab: OpenLab,
  reading: Reading,
): Promise<Record<string, string[]>> {
  const options = { tail: reading.tail, follow: false, signal: context.signal };
  const entries = reading.nodes.map(async (node): Promise<[string, string[]]> => {
    const lines: string[] = [];
    for await (const line of lab.runtime.logs(node, options)) lines.push(line);
    return [node, lines];
  });
  return Object.fromEntries(await Promise.all(entries));
}

export const logsCommand = defineCommand({
  name: "logs",
  summary: "log lines of nodes",
  description: "Without NODE: of every node, each line with its node's name.",
  examples: [
    { command: "lab logs broker-a-master", what: "the last 100 lines of one node" },
    { command: "lab logs -f", what: "follow all nodes" },
    { command: "lab logs @masters --tail 20", what: "the last 20 lines of each master" },
  ],
  args: [
    { name: "NODE", help: "node names or groups; default: all", required: false, variadic: true },
  ],
  options: {
    follow: switchOption("-f, --follow", "go on until Ctrl-C"),
    tail: numberOption("--tail <lines>", "how many of the last lines; default 100", {
      min: 0,
      max: 100_000,
      initial: 100,
    }),
  },
  async run(context, { args, options }) {
    if (context.json && options.follow) {
      throw new EngineError("CLI_USAGE", {
        message: "--follow never ends and --json is one document: they do not go together",
        hint: "leave one of the two out",
      });
    }
    const lab = await openLab(context);
    const chosen = args.length === 0 ? lab.state.topology.nodes : selectNodes(lab, args);
    const reading = { ...options, nodes: chosen.map((node) => node.name) };
    const data = context.json
      ? { lab: context.labName, nodes: await gather(context, lab, reading) }
      : {};
    if (!context.json) await print(context, lab, reading);
    return { schema: "lab.logs/1", data, text: "" };
  },
});
