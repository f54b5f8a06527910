import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { defineCommand, type CommandContext, type CommandResult } from "../define-command.ts";
import { EXIT } from "../exit-codes.ts";
import { renderRoutes, renderView, viewLab, type LabView } from "../lab-view.ts";
import { openLab, type OpenLab } from "../open-lab.ts";
import { switchOption } from "../options.ts";

const WATCH_MS = 2_000;
/** Back to the first line, and away with what stands below. */
const CLEAR = "\u001b[H\u001b[2J";

function render(context: CommandContext, view: LabView, withRoutes: boolean): string {
  const { color, io } = context;
  const title = `lab ${color.bold(view.lab)}: ${view.preset}, cluster ${view.cluster}, runtime ${view.runtime}`;
  const routes = withRoutes ? `\n\n${renderRoutes(view, color, io.columns())}` : "";
  return `${title}\n\n${renderView(view, color, io.columns())}${routes}`;
}

/** Shows the lab until the command is interrupted. */
async function watch(
  context: CommandContext,
  lab: OpenLab,
  withRoutes: boolean,
): Promise<CommandResult> {
  if (context.json) {
    throw new EngineError("CLI_USAGE", {
      message: "--watch never ends and --json is one document",
      hint: "leave one of the two out",
    });
  }
  const { io, signal } = context;
  while (!signal.aborted) {
    const text = render(context, await viewLab(lab.state, lab.runtime), withRoutes);
    const at = new Date().toISOString();
    io.stdout.write(`${io.isTTY.stdout ? CLEAR : ""}${at}  ${text}\n\n`);
    await sleep(WATCH_MS, undefined, { signal }).catch(() => undefined);
  }
  return { schema: "lab.status/1", data: {}, text: "" };
}

export const statusCommand = defineCommand({
  name: "status",
  summary: "what runs where, and how it is",
  description:
    "Asks the operating system or the engine for every process and every node over its protocol; changes nothing. Exit code 0 whenever the state could be told; with --check 5 when a node is not ok.",
  examples: [
    { command: "lab status", what: "the table of nodes" },
    { command: "lab status --json", what: "the same for programs" },
    { command: "lab status --watch", what: "again every two seconds" },
    { command: "lab status --routes", what: "what each name server tells of each broker" },
    { command: "lab status --check && ./my-test", what: "go on only when all is well" },
  ],
  args: [],
  options: {
    check: switchOption("--check", "exit code 5 unless every node is ok"),
    routes: switchOption("--routes", "also the address each name server tells for each broker"),
    watch: switchOption("-w, --watch", "again every two seconds until Ctrl-C"),
  },
  async run(context, { options }) {
    const lab = await openLab(context);
    if (options.watch) return watch(context, lab, options.routes);
    const view = await viewLab(lab.state, lab.runtime);
    return {
      schema: "lab.status/1",
      data: { ...view },
      text: render(context, view, options.routes),
      exitCode: options.check && !view.healthy ? EXIT.notReady : EXIT.done,
    };
  },
});
