import { listPresets } from "../../topology/presets.ts";
import { defineCommand } from "../define-command.ts";
import { table } from "../output.ts";

export const presetsCommand = defineCommand({
  name: "presets",
  summary: "the modes `lab up` knows, and what each promises",
  description:
    "A preset is a folder of conf/: topology.yaml and property files that Apache's broker reads as well. `lab up --topology DIR` takes a folder of your own.",
  examples: [
    { command: "lab presets", what: "the list" },
    { command: "lab presets --json", what: "with every node, for programs" },
  ],
  args: [],
  options: {},
  run: (context) => {
    const presets = listPresets();
    const rows = presets.map((preset) => [
      context.color.bold(preset.name),
      String(preset.nodes.length),
      preset.description,
    ]);
    const promises = presets.flatMap((preset) => [
      "",
      context.color.bold(preset.name),
      ...preset.promises.map((promise) => `  - ${promise}`),
    ]);
    return Promise.resolve({
      schema: "lab.presets/1",
      data: { presets },
      text: [table(["PRESET", "NODES", "WHAT IT IS"], rows), ...promises].join("\n"),
    });
  },
});
