import { EngineError } from "../../../engine/base/engine-error.ts";
import {
  deleteSnapshot,
  listSnapshots,
  restoreSnapshot,
  saveSnapshot,
  type Snapshot,
  type SnapshotOptions,
} from "../../runtime/snapshots.ts";
import { suggestion } from "../../base/did-you-mean.ts";
import { defineCommand, type CommandContext, type CommandResult } from "../define-command.ts";
import { faultControl } from "../fault-run.ts";
import { nameFlag, openLab, withLabLock, type OpenLab } from "../open-lab.ts";
import { bytesText, table } from "../output.ts";
import { timeoutOption } from "./common-options.ts";

const ACTIONS = ["save", "restore", "list", "delete"] as const;
type Action = (typeof ACTIONS)[number];

/** A snapshot as documents show it. */
function rowOf(snapshot: Snapshot) {
  const { schema: _schema, ...members } = snapshot;
  return { ...members, bytes: snapshot.nodes.reduce((sum, node) => sum + node.bytes, 0) };
}

function actionOf(word: string | undefined): Action {
  const found = ACTIONS.find((action) => action === word);
  if (found !== undefined) return found;
  throw new EngineError("CLI_USAGE", {
    message: `\`lab snapshot\` knows ${ACTIONS.join(", ")}, not "${word ?? ""}"`,
    hint: suggestion(word ?? "", ACTIONS, "for example `lab snapshot save before-upgrade`"),
  });
}

function list(context: CommandContext, lab: OpenLab): CommandResult {
  const rows = listSnapshots(lab.runtime).map(rowOf);
  const cells = rows.map((row) => [
    context.color.bold(row.name),
    row.createdAt,
    row.preset,
    bytesText(row.bytes),
    String(row.nodes.length),
  ]);
  const total = rows.reduce((sum, row) => sum + row.bytes, 0);
  const none = `no snapshots yet\n${context.color.cyan("next")}  lab snapshot save NAME${nameFlag(context.labName)}`;
  return {
    schema: "lab.snapshot.list/1",
    data: { lab: context.labName, snapshots: rows, bytes: total },
    text:
      rows.length === 0
        ? none
        : `${table(["NAME", "MADE", "OF", "DISK", "NODES"], cells)}\n${bytesText(total)} in all`,
  };
}

function restartedText(names: readonly string[]): string {
  return names.length === 0 ? "no node ran" : `stopped and started again: ${names.join(", ")}`;
}

async function save(
  context: CommandContext,
  lab: OpenLab,
  options: SnapshotOptions,
): Promise<CommandResult> {
  const { snapshot, restarted } = await withLabLock(context, "snapshot save", () =>
    saveSnapshot(options),
  );
  for (const node of restarted) await faultControl(context, lab, "snapshot").cameBack(node);
  const row = rowOf(snapshot);
  return {
    schema: "lab.snapshot.save/1",
    data: { lab: context.labName, snapshot: row, restarted },
    text: [
      `snapshot ${context.color.bold(row.name)}: ${row.nodes.length} nodes, ${bytesText(row.bytes)} on the disk`,
      restartedText(restarted),
      `${context.color.cyan("next")}  lab snapshot restore ${row.name}${nameFlag(context.labName)}`,
    ].join("\n"),
  };
}

async function restore(context: CommandContext, options: SnapshotOptions): Promise<CommandResult> {
  const done = await withLabLock(context, "snapshot restore", () => restoreSnapshot(options));
  for (const node of done.restarted) await faultControl(context, done, "snapshot").cameBack(node);
  const row = rowOf(done.snapshot);
  const up = done.restarted.length > 0;
  return {
    schema: "lab.snapshot.restore/1",
    data: { lab: context.labName, snapshot: row, restarted: done.restarted },
    text: [
      `the data of snapshot ${context.color.bold(row.name)} (${row.createdAt}) is back`,
      restartedText(done.restarted),
      `${context.color.cyan("next")}  lab ${up ? "status" : "up"}${nameFlag(context.labName)}`,
    ].join("\n"),
  };
}

async function remove(context: CommandContext, options: SnapshotOptions): Promise<CommandResult> {
  const snapshot = await withLabLock(context, "snapshot delete", () =>
    deleteSnapshot(options.runtime, options.name),
  );
  const row = rowOf(snapshot);
  return {
    schema: "lab.snapshot.delete/1",
    data: { lab: context.labName, snapshot: row },
    text: `snapshot ${context.color.bold(row.name)} is gone: ${bytesText(row.bytes)} freed`,
  };
}

export const snapshotCommand = defineCommand({
  name: "snapshot",
  summary: "keep the data of all nodes under a name, and put it back",
  description:
    "save: stops the brokers that run (masters first, so that slaves have everything), copies the data of all nodes, starts them again. restore: stops brokers and name servers that run, puts the data back, roles of that time included, starts what ran; what the lab held is replaced. list: with disk use; empty room in a store's files takes none. delete: frees it. Copies are made beside their place and count only when whole: after Ctrl-C or a crash there is the old state or the new one. Snapshots go with `lab destroy`, not with `lab reset`.",
  examples: [
    { command: "lab snapshot save before-upgrade", what: "keep what is there" },
    { command: "lab snapshot restore before-upgrade", what: "and have it back" },
    { command: "lab snapshot list", what: "what there is, and what it takes" },
    { command: "lab snapshot delete before-upgrade", what: "free it" },
  ],
  args: [
    { name: "ACTION", help: "save, restore, list or delete", required: true, values: ACTIONS },
    { name: "SNAPSHOT", help: "name of the snapshot; not for list", required: false },
  ],
  options: { timeout: timeoutOption(120_000) },
  async run(context, { args, options }) {
    const action = actionOf(args[0]);
    const lab = await openLab(context);
    if (action === "list") return list(context, lab);
    const name = args[1];
    if (name === undefined) {
      throw new EngineError("CLI_USAGE", {
        message: `\`lab snapshot ${action}\` needs the name of a snapshot`,
        hint: `for example \`lab snapshot ${action} before-upgrade\``,
      });
    }
    const work: SnapshotOptions = {
      home: context.home,
      state: lab.state,
      runtime: lab.runtime,
      name,
      timeoutMs: options.timeout,
      signal: context.signal,
      progress: context.progress,
    };
    if (action === "save") return save(context, lab, work);
    return action === "restore" ? restore(context, work) : remove(context, work);
  },
});
