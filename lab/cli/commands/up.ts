import { EngineError } from "../../../engine/base/engine-error.ts";
import { describeFault } from "../../faults/fault.ts";
import { LAB_INDEX_MAX } from "../../runtime/allot.ts";
import { bringUp, type BroughtUp } from "../../runtime/bring-up.ts";
import { readState } from "../../runtime/state.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { faultControl } from "../fault-run.ts";
import { renderView, viewLab, type LabView } from "../lab-view.ts";
import { nameFlag, openLab, type OpenLab } from "../open-lab.ts";
import { LAB_SIZES } from "../../topology/size.ts";
import { choiceOption, listOption, numberOption, sizeOption, textOption } from "../options.ts";
import { timeoutOption } from "./common-options.ts";

const MIB = 1_048_576;
const DISK_MIN_MIB = 64;
/** 1 TiB */
const DISK_MAX_MIB = 1_048_576;

const indexOption = numberOption(
  "--index <n>",
  "which block of ports: adds 1000 * n to each; default: $LAB_INDEX, else the first no lab here holds",
  { min: 0, max: LAB_INDEX_MAX, initial: undefined },
);

function nextCommands(view: LabView): readonly (readonly [string, string])[] {
  const flag = nameFlag(view.lab);
  const master = view.nodes.find((row) => row.role.startsWith("master"))?.node ?? "@masters";
  return [
    [`lab status${flag}`, "how it is"],
    [`lab bench --producers 8${flag}`, "what this mode costs"],
    [`lab kill ${master}${flag}`, "break it, then lab start"],
    [`lab logs -f${flag}`, "what the nodes say"],
    [`lab down${flag}`, "stop it, keep the data"],
  ];
}

function renderUp(context: CommandContext, up: BroughtUp, view: LabView): string {
  const { color } = context;
  const next = nextCommands(view);
  const width = Math.max(...next.map(([command]) => command.length));
  const did = up.started.length === 0 ? "ran already" : "is ready";
  return [
    `lab ${color.bold(view.lab)} (${view.preset}) ${did} after ${(up.elapsedMs / 1_000).toFixed(1)} s; runtime ${view.runtime}: ${up.reason}`,
    "",
    renderView(view, color, context.io.columns()),
    "",
    "next",
    ...next.map(([command, what]) => `  ${color.cyan(command.padEnd(width))}  ${what}`),
  ].join("\n");
}

/** `lab up PRESET` and `lab up --topology DIR` are two ways to say one thing. */
function topologyWanted(
  preset: string | undefined,
  folder: string | undefined,
): string | undefined {
  if (preset === undefined || folder === undefined) return folder ?? preset;
  throw new EngineError("CLI_USAGE", {
    message: "a preset and --topology exclude each other",
    hint: "leave one of the two out; `lab presets` lists the presets",
  });
}

/** Faults that somebody holds on purpose stay, and may keep the lab from getting ready. */
function noteFaults(context: CommandContext, lab: OpenLab): void {
  for (const { id, spec } of faultControl(context, lab, "up").ledger.open()) {
    context.progress.note(
      `note: ${id} is in effect (${describeFault(spec)}); \`lab heal ${id}${nameFlag(context.labName)}\` takes it back`,
    );
  }
}

export const upCommand = defineCommand({
  name: "up",
  summary: "bring a cluster up and wait until it is ready",
  description:
    "Uses Docker when an engine answers, local processes otherwise, and says which. Ready means: every broker is routed by every name server, slaves are in sync, one probe message went round through every master. Settings of --set hold for nodes and groups (@masters, @slaves, @brokers, @namesrvs, @host-1, @broker-a), later ones win, and the lab remembers them; see them with `lab config`. memoryMiB, heapMiB and cpus are settings too. Running it again starts what is missing and changes nothing else. Ctrl-C takes back what this call started.",
  examples: [
    { command: "lab up 2m-2s-sync", what: "two masters, two slaves, synchronous double write" },
    { command: "lab up", what: "go on with the lab that is there" },
    { command: "lab up 1m --name second", what: "a second lab beside the first" },
    { command: "lab up 2m-2s-async --runtime process", what: "local processes, no containers" },
    { command: "lab up ./my-cluster", what: "your own topology (`lab init` makes one)" },
    { command: "lab up 1m --size tiny", what: "less memory, small files: for CI" },
    {
      command: "lab up --set @masters.flushDiskType=ASYNC_FLUSH",
      what: "change a setting, leave the files alone",
    },
    {
      command: "lab up 1m --runtime docker --disk 512m",
      what: "disks that can be full or read-only; as root on Linux",
    },
    {
      command: "lab up --engine broker-b=apache-dist:/opt/rocketmq-4.9.7",
      what: "Apache's Java broker for broker-b, ours for the rest",
    },
  ],
  args: [
    {
      name: "PRESET",
      help: "see `lab presets`; default 2m-2s-sync for a new lab",
      required: false,
    },
  ],
  options: {
    runtime: choiceOption("--runtime <kind>", "default: Docker if there, else processes", {
      allowed: ["docker", "process"],
      initial: undefined,
    }),
    topology: textOption("--topology <dir>", "folder with a topology.yaml instead of a preset"),
    size: choiceOption("--size <size>", "memory and file sizes of a new lab; default small", {
      allowed: LAB_SIZES,
      initial: undefined,
    }),
    disk: sizeOption("--disk <size>", "Docker: a disk of this size for each node of a new lab", {
      min: DISK_MIN_MIB * MIB,
      max: DISK_MAX_MIB * MIB,
      initial: undefined,
    }),
    set: listOption("--set <node.key=value>", "a setting over the property files, remembered"),
    engine: listOption(
      "--engine <[node=]engine>",
      "ts, apache-dist:DIR (with this machine's java) or apache:IMAGE (Docker), remembered",
    ),
    unset: listOption("--unset <node.key>", "take a remembered setting back"),
    index: indexOption,
    timeout: timeoutOption(120_000),
  },
  async run(context, { args, options }) {
    // A fault that a killed command left would keep the lab from getting ready.
    if (readState(context.home, context.labName) !== null) {
      noteFaults(context, await openLab(context));
    }
    const up = await bringUp({
      home: context.home,
      name: context.labName,
      cwd: context.io.cwd,
      preset: topologyWanted(args[0], options.topology),
      runtime: options.runtime,
      index: options.index,
      size: options.size,
      diskMiB: options.disk === undefined ? undefined : Math.floor(options.disk / MIB),
      set: options.set,
      unset: options.unset,
      engines: options.engine,
      newLabIndex: indexOption.parse(context.io.env["LAB_INDEX"]),
      timeoutMs: options.timeout,
      signal: context.signal,
      progress: context.progress,
    });
    const control = faultControl(context, up, "up");
    for (const node of up.started) await control.cameBack(node);
    const view = await viewLab(up.state, up.runtime);
    return {
      schema: "lab.up/1",
      data: {
        ...view,
        runtimeReason: up.reason,
        started: up.started,
        readyMs: Math.round(up.elapsedMs),
        waited: up.report,
      },
      text: renderUp(context, up, view),
    };
  },
});
