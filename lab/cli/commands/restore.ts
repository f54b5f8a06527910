import { EngineError } from "../../../engine/base/engine-error.ts";
import { restoreNode, type Restored } from "../../runtime/restore.ts";
import type { LabNode } from "../../topology/topology.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { nameFlag, openLab, selectNodes, withLabLock, type OpenLab } from "../open-lab.ts";
import { bytesText } from "../output.ts";
import { textOption } from "../options.ts";

function oneNode(lab: OpenLab, word: string): LabNode {
  const [node, ...others] = selectNodes(lab, [word]);
  if (node !== undefined && others.length === 0) return node;
  throw new EngineError("CLI_USAGE", {
    message: `${word} is ${others.length + 1} nodes; one store is copied at a time`,
    hint: "name single brokers, for example `lab restore broker-a-slave --from broker-a-master`",
  });
}

function textOf(
  context: CommandContext,
  names: { readonly node: string; readonly from: string },
  done: Restored,
): string {
  const { color, labName } = context;
  const { node, from } = names;
  return [
    `${color.bold(node)} has the store of ${from} now: ${bytesText(done.bytes)}, both logs end at ${done.logEnd}`,
    done.source === "paused"
      ? `${from} was paused for the copy and goes on`
      : `${from} does not run`,
    ...(done.aside === null
      ? []
      : [`what ${node} had and ${from} has not is kept beside it as ${done.aside}`]),
    `${color.cyan("next")}  lab start ${node}${nameFlag(labName)}`,
  ].join("\n");
}

export const restoreCommand = defineCommand({
  name: "restore",
  summary: "copy a broker's store from another broker of its set",
  description:
    "For a node whose disk was lost, or whose log went another way than its master's. A new, empty slave of 4.9 copies only from its master's last file on; this copies everything. The node must be stopped; a source that runs is paused for the time of the copy (what it holds then is what a crash would leave), one that is stopped is copied as it lies. The copy is made beside the old store, both log ends are compared, then the old one is replaced; a store that held what the source does not have is kept beside it as store.aside.",
  examples: [
    { command: "lab restore broker-a-slave --from broker-a-master", what: "after a lost disk" },
    {
      command: "lab restore broker-a-master --from broker-a-slave",
      what: "an old master that cannot follow",
    },
  ],
  args: [{ name: "NODE", help: "a stopped broker", required: true }],
  options: { from: textOption("--from <node>", "another broker of the same set") },
  async run(context, { args, options }) {
    const lab = await openLab(context);
    if (options.from === undefined) {
      throw new EngineError("CLI_USAGE", {
        message: "`lab restore` needs --from: the broker whose store is copied",
        hint: "for example `lab restore broker-a-slave --from broker-a-master`",
      });
    }
    const node = oneNode(lab, args[0] ?? "");
    const from = oneNode(lab, options.from);
    const { signal, progress } = context;
    const done = await withLabLock(context, "restore", () =>
      restoreNode({ runtime: lab.runtime, node, from, signal, progress }),
    );
    const names = { node: node.name, from: from.name };
    return {
      schema: "lab.restore/1",
      data: { lab: context.labName, ...names, ...done },
      text: textOf(context, names, done),
    };
  },
});
