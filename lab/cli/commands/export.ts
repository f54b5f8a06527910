import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { LABS_MAX } from "../../compose/subnets.ts";
import { readState } from "../../runtime/state.ts";
import { configure } from "../../settings/configure.ts";
import { loadTopology } from "../../topology/presets.ts";
import type { Topology } from "../../topology/topology.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { numberOption, textOption } from "../options.ts";

/** This lab with its size and settings, else a preset. */
function wanted(context: CommandContext, from: string | undefined): Topology {
  const state = from === undefined ? readState(context.home, context.labName) : null;
  if (state === null) return loadTopology(from ?? "2m-2s-sync", context.io.cwd).topology;
  // The folder brings the sources of our own image only.
  const wishes = { size: state.size, settings: state.settings };
  return configure(loadTopology(state.topology.dir, context.io.cwd).topology, wishes);
}

export const exportCommand = defineCommand({
  name: "export",
  summary: "the lab as a folder that works without the lab",
  description:
    "compose: compose.yaml, the property files and the sources of the image, for docker compose v2 and docker-compose 1.29. Of this lab with its --size and --set (always with our own engine), or of --from; without either of 2m-2s-sync. No data is copied. The folder has container names of its own project (--name), so it cannot run beside a lab of that name.",
  examples: [
    { command: "lab export compose ./out --from 2m-2s-async", what: "of a preset" },
    { command: "lab export compose ./out", what: "of this lab" },
  ],
  args: [
    { name: "FORMAT", help: "compose", required: true, values: ["compose"] },
    { name: "DIR", help: "folder to make", required: true },
  ],
  options: {
    from: textOption("--from <preset>", "preset or folder with a topology.yaml"),
    index: numberOption("--index <n>", "block of ports and subnets; default 0", {
      min: 0,
      max: LABS_MAX - 1,
      initial: 0,
    }),
  },
  async run(context, { args, options }) {
    const [format = "", folder = ""] = args;
    if (format !== "compose") {
      throw new EngineError("CLI_USAGE", {
        message: `there is no export to "${format}"`,
        hint: "`lab export compose DIR` is the one there is",
      });
    }
    // Loaded only here: it brings the packer of images with it.
    const { composeSteps, exportCompose } = await import("../../runtime/docker/export-compose.ts");
    const dir = resolve(context.io.cwd, folder);
    const project = context.labName;
    const topology = wanted(context, options.from);
    const namesrvAddr = exportCompose({ project, topology, index: options.index, dir });
    const files = readdirSync(dir, { recursive: true, encoding: "utf8" }).toSorted();
    return {
      schema: "lab.export/1",
      data: { format, dir, project, namesrvAddr, files },
      text: [
        `${dir} holds ${topology.name}; clients on the machine will use ${namesrvAddr}`,
        "",
        "next, in that folder",
        ...composeSteps(project).map((step) => `  ${step}`),
      ].join("\n"),
    };
  },
});
