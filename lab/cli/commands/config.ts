import { EngineError } from "../../../engine/base/engine-error.ts";
import { suggestion } from "../../base/did-you-mean.ts";
import { nodeSources } from "../../runtime/node-sources.ts";
import { machineAddress } from "../../runtime/wait/health.ts";
import { labAdmin } from "../../runtime/wait/ready.ts";
import { explainSettings, type ExplainedSetting } from "../../settings/explain.ts";
import type { LabNode } from "../../topology/topology.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { nameFlag, openLab, selectNodes, type OpenLab } from "../open-lab.ts";
import { switchOption } from "../options.ts";
import { table } from "../output.ts";

function oneNode(lab: OpenLab, word: string): LabNode {
  const [node, ...others] = selectNodes(lab, [word]);
  if (node !== undefined && others.length === 0 && node.role !== "dashboard") return node;
  throw new EngineError("CLI_USAGE", {
    message:
      others.length > 0
        ? `${word} is ${others.length + 1} nodes; settings are shown of one`
        : `${word} has no property file`,
    hint: `for example \`lab config ${lab.state.topology.nodes.find((other) => other.broker !== undefined)?.name ?? "NODE"}\``,
  });
}

/** @returns settings the node itself tells, or null with a word why it does not */
async function liveSettings(
  context: CommandContext,
  lab: OpenLab,
  node: LabNode,
): Promise<ReadonlyMap<string, string> | null> {
  const seen = (await lab.runtime.observe()).find((entry) => entry.node === node.name);
  if (node.broker === undefined || seen?.state !== "running") return null;
  const admin = labAdmin(lab.runtime);
  try {
    return await admin.brokerConfig(machineAddress(lab.runtime, node.name));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.progress.note(`${node.name} does not tell its settings: ${reason}`);
    return null;
  } finally {
    admin.close();
  }
}

function chosen(
  settings: readonly ExplainedSetting[],
  key: string | undefined,
  all: boolean,
): readonly ExplainedSetting[] {
  if (key === undefined) return all ? settings : settings.filter((row) => row.source !== "default");
  const found = settings.filter((row) => row.key === key);
  if (found.length > 0) return found;
  const keys = settings.map((row) => row.key);
  throw new EngineError("CLI_USAGE", {
    message: `there is no setting "${key}"`,
    hint: suggestion(key, keys, "`lab config NODE --all` lists every key"),
  });
}

function rowText(row: ExplainedSetting): readonly string[] {
  const from = row.source === "default" ? "default" : row.where;
  const next = row.nextStart === null ? "" : `; at the next start ${row.nextStart}`;
  return [row.key, row.value === "" ? "(empty)" : row.value, `${from}${next}`];
}

export const configCommand = defineCommand({
  name: "config",
  summary: "effective settings of a node, and where each came from",
  description:
    "From the weakest to the strongest: RocketMQ's default, the property file (with its line), --size, --set, what follows from the node's place in the lab (addresses, ports, folders), and what was changed while it ran. A running broker is asked itself. Without --all only what differs from the default's source is shown; --json always has every key.",
  examples: [
    { command: "lab config broker-a-master", what: "everything that is not a default" },
    { command: "lab config broker-a-master flushDiskType", what: "one setting" },
    { command: "lab config namesrv-1 --all", what: "with the defaults" },
  ],
  args: [
    { name: "NODE", help: "a broker or name server", required: true },
    { name: "KEY", help: "one setting", required: false },
  ],
  options: { all: switchOption("--all", "also the defaults") },
  async run(context, { args, options }) {
    const lab = await openLab(context);
    const node = oneNode(lab, args[0] ?? "");
    const live = await liveSettings(context, lab, node);
    const settings = explainSettings({ ...nodeSources(lab.runtime.allocation, node), live });
    const rows = chosen(settings, args[1], options.all || context.json);
    const asked = live === null ? "as its next start will have them" : "as the running node says";
    const set = `lab up --set ${node.name}.KEY=VALUE${nameFlag(context.labName)}`;
    return {
      schema: "lab.config/1",
      data: { lab: context.labName, node: node.name, running: live !== null, settings: rows },
      text: [
        `${context.color.bold(node.name)}, ${asked}`,
        "",
        table(["KEY", "VALUE", "FROM"], rows.map(rowText), { columns: context.io.columns() }),
        "",
        `${context.color.cyan("next")}  ${set} changes one`,
      ].join("\n"),
    };
  },
});
