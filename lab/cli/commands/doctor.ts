import { EngineError } from "../../../engine/base/engine-error.ts";
import { suggestion } from "../../base/did-you-mean.ts";
import { LABS_MAX, planSubnets } from "../../compose/subnets.ts";
import { allot } from "../../runtime/allot.ts";
import { addressMatrix, type MatrixEntry } from "../../runtime/doctor/address-matrix.ts";
import { examineMachine, type Finding } from "../../runtime/doctor/machine.ts";
import { createRuntime } from "../../runtime/select-runtime.ts";
import { allocationOf, readState, type LabState } from "../../runtime/state.ts";
import { vantagesOf } from "../../runtime/vantage.ts";
import { loadTopology } from "../../topology/presets.ts";
import { defineCommand, type CommandContext, type CommandResult } from "../define-command.ts";
import { EXIT } from "../exit-codes.ts";
import { nameFlag, openLab } from "../open-lab.ts";
import { choiceOption } from "../options.ts";
import { table } from "../output.ts";

const TOPICS = ["machine", "addresses"] as const;
const DEFAULT_PRESET = "2m-2s-sync";

/** The lab that is here, else the one `lab up` would make. */
function subject(context: CommandContext, wanted: "docker" | "process" | undefined): LabState {
  const { home, labName: name } = context;
  const known = readState(home, name);
  if (known !== null) return known;
  const { topology } = loadTopology(DEFAULT_PRESET, context.io.cwd);
  return allot({ home, name, topology, runtime: wanted ?? "process", index: undefined });
}

async function nodesToStart(context: CommandContext, state: LabState) {
  if (readState(context.home, context.labName) === null) return state.topology.nodes;
  try {
    const runtime = await createRuntime(allocationOf(context.home, state));
    const live = (await runtime.observe()).filter((seen) => seen.state !== "missing");
    const names = new Set(live.filter((seen) => seen.state !== "stopped").map((seen) => seen.node));
    return state.topology.nodes.filter((node) => !names.has(node.name));
  } catch (error) {
    // Its engine is away: the checks below say so.
    if (error instanceof EngineError) return state.topology.nodes;
    throw error;
  }
}

function findingText(context: CommandContext, finding: Finding): readonly string[] {
  const paint = { ok: "green", warn: "yellow", fail: "red" } as const;
  return [
    context.color[paint[finding.status]](finding.status),
    finding.check,
    finding.found.replaceAll("\n", "; "),
    finding.fix,
  ];
}

async function examine(
  context: CommandContext,
  wanted: "docker" | "process" | undefined,
): Promise<CommandResult> {
  const state = subject(context, wanted);
  const nodes = await nodesToStart(context, state);
  const machine = await examineMachine({ home: context.home, nodes });
  const isDocker = wanted === "docker" || (wanted === undefined && state.runtime === "docker");
  const { examineEngine } = await import("../../runtime/doctor/engine.ts");
  const subnets = planSubnets(Math.min(state.index, LABS_MAX - 1));
  const { stateDir } = allocationOf(context.home, state);
  const claim = { labName: context.labName, stateDir, subnets };
  const engine = wanted === "process" ? [] : await examineEngine(claim, isDocker ? "fail" : "warn");
  const findings = [...machine, ...engine];
  const isWell = findings.every((finding) => finding.status !== "fail");
  const verdict = isWell ? "a lab can run here" : "a lab cannot run here yet";
  return {
    schema: "lab.doctor/1",
    data: { lab: context.labName, ok: isWell, findings },
    text: [
      table(
        ["", "CHECK", "FOUND", "FIX"],
        findings.map((finding) => findingText(context, finding)),
      ),
      "",
      verdict,
    ].join("\n"),
    exitCode: isWell ? EXIT.done : EXIT.prerequisite,
  };
}

function cell(context: CommandContext, entries: readonly MatrixEntry[]): string {
  return entries
    .map((entry) =>
      entry.roundTripMs === null
        ? context.color.red(`${entry.address} ${entry.error}`.trim())
        : `${entry.address} ${entry.roundTripMs.toFixed(1)} ms`,
    )
    .join(", ");
}

async function addresses(context: CommandContext): Promise<CommandResult> {
  const { state, runtime } = await openLab(context);
  const entries = await context.progress.step("Trying every address from everywhere", () =>
    addressMatrix(runtime, context.signal),
  );
  const vantages = vantagesOf(runtime.allocation);
  const nodes = state.topology.nodes.filter((node) => node.role !== "dashboard");
  const rows = nodes.map((node) => [
    context.color.bold(node.name),
    ...vantages.map((vantage) =>
      cell(
        context,
        entries.filter((entry) => entry.node === node.name && entry.vantage === vantage),
      ),
    ),
  ]);
  const isWell = entries.every((entry) => entry.roundTripMs !== null);
  const titles = vantages.map((vantage) => `FROM ${vantage.toUpperCase()}`);
  return {
    schema: "lab.doctor.addresses/1",
    data: { lab: context.labName, runtime: runtime.kind, ok: isWell, vantages, entries },
    text: [
      table(["NODE", ...titles], rows),
      "",
      isWell
        ? "everybody reaches every address the name servers tell"
        : `some addresses cannot be reached: \`lab status${nameFlag(context.labName)}\` shows which nodes are down`,
    ].join("\n"),
    exitCode: isWell ? EXIT.done : EXIT.notReady,
  };
}

export const doctorCommand = defineCommand({
  name: "doctor",
  summary: "is this machine fit for a lab, and does everybody reach everybody",
  description:
    "Without a topic: Node, programs, folder, disk, memory, ports, Docker Engine, compose, image, subnets, guard route; one line a check with what to do. Exit code 3 when a lab cannot run. addresses: asks the name servers from the machine and from a container on each host, connects to every address they tell there and does a round trip of the protocol; exit code 5 when one fails. With local processes everybody stands on the machine. Changes nothing.",
  examples: [
    { command: "lab doctor", what: "before the first lab" },
    { command: "lab doctor --runtime docker", what: "insist on Docker" },
    { command: "lab doctor addresses", what: "who reaches whom, in a running lab" },
  ],
  args: [
    { name: "TOPIC", help: "machine (default) or addresses", required: false, values: TOPICS },
  ],
  options: {
    runtime: choiceOption("--runtime <kind>", "which one must work", {
      allowed: ["docker", "process"],
      initial: undefined,
    }),
  },
  run(context, { args, options }) {
    const topic = args[0] ?? "machine";
    if (topic === "machine") return examine(context, options.runtime);
    if (topic === "addresses") return addresses(context);
    throw new EngineError("CLI_USAGE", {
      message: `doctor knows no topic "${topic}"`,
      hint: suggestion(topic, TOPICS, `topics are ${TOPICS.join(", ")}`),
    });
  },
});
