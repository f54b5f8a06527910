import { EngineError } from "../../../engine/base/engine-error.ts";
import { suggestion } from "../../base/did-you-mean.ts";
import { firewallTable, type FirewallRow } from "../../faults/firewall.ts";
import { FaultLedger } from "../../faults/ledger.ts";
import { LABS_MAX, planSubnets } from "../../compose/subnets.ts";
import { allot } from "../../runtime/allot.ts";
import { addressMatrix, type MatrixEntry } from "../../runtime/doctor/address-matrix.ts";
import { examineMachine, type Finding } from "../../runtime/doctor/machine.ts";
import { portMatrix, type PortEntry } from "../../runtime/doctor/port-matrix.ts";
import { createRuntime } from "../../runtime/select-runtime.ts";
import { allocationOf, readState, type LabState } from "../../runtime/state.ts";
import { vantagesOf } from "../../runtime/vantage.ts";
import { loadTopology } from "../../topology/presets.ts";
import { defineCommand, type CommandContext, type CommandResult } from "../define-command.ts";
import { EXIT } from "../exit-codes.ts";
import { nameFlag, openLab } from "../open-lab.ts";
import { choiceOption } from "../options.ts";
import { table } from "../output.ts";

const TOPICS = ["machine", "addresses", "ports"] as const;
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

async function examineDocker(
  context: CommandContext,
  state: LabState,
  wanted: "docker" | undefined,
): Promise<readonly Finding[]> {
  const { examineEngine, examineServers } = await import("../../runtime/doctor/engine.ts");
  const subnets = planSubnets(Math.min(state.index, LABS_MAX - 1));
  const { stateDir } = allocationOf(context.home, state);
  const claim = { labName: context.labName, stateDir, subnets };
  const { servers } = state.topology;
  if (servers !== undefined) return examineServers(claim, servers);
  const isDocker = wanted === "docker" || state.runtime === "docker";
  return examineEngine(claim, isDocker ? "fail" : "warn");
}

async function examine(
  context: CommandContext,
  wanted: "docker" | "process" | undefined,
): Promise<CommandResult> {
  const state = subject(context, wanted);
  const { servers } = state.topology;
  // What is to run on servers takes nothing of this machine.
  const nodes = servers === undefined ? await nodesToStart(context, state) : [];
  const machine = await examineMachine({ home: context.home, nodes });
  const engine = wanted === "process" ? [] : await examineDocker(context, state, wanted);
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
        { columns: context.io.columns() },
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

/** `open`, or from where it is not, and why. */
function portText(context: CommandContext, row: FirewallRow, tries: readonly PortEntry[]): string {
  const failed = tries.filter((entry) => entry.ms === null);
  if (failed.length === 0) return context.color.green("open");
  const by = row.fault === null ? "" : ` by ${row.fault}`;
  const from = failed.map((entry) => `from ${entry.vantage} (${entry.error})`).join(", ");
  return context.color.red(`closed${by} ${from}`);
}

async function ports(context: CommandContext): Promise<CommandResult> {
  const { state, runtime } = await openLab(context);
  const entries = await context.progress.step("Trying every port from outside its host", () =>
    portMatrix(runtime, context.signal),
  );
  const open = new FaultLedger(runtime.allocation.stateDir).open();
  const rows = firewallTable(state.topology, open).map((row) => ({
    ...row,
    tries: entries.filter((entry) => entry.node === row.node && entry.what === row.what),
  }));
  const lines = rows.map((row) => {
    const isOpen = row.tries.every((entry) => entry.ms !== null);
    const broken = isOpen ? "" : `; ${row.whenClosed}`;
    return [
      row.host,
      String(row.port),
      context.color.bold(row.node),
      row.what,
      `${portText(context, row, row.tries)}${broken}`,
    ];
  });
  const isWell = entries.every((entry) => entry.ms !== null);
  return {
    schema: "lab.doctor.ports/1",
    data: {
      lab: context.labName,
      runtime: runtime.kind,
      ok: isWell,
      ports: rows.map(({ tries, state: _state, ...row }) => ({
        ...row,
        tries: tries.map(({ vantage, address, ms, error }) => ({ vantage, address, ms, error })),
      })),
    },
    text: [
      table(["HOST", "PORT", "NODE", "WHAT", "FROM OUTSIDE THE HOST"], lines, {
        columns: context.io.columns(),
      }),
      "",
      isWell
        ? "every port answers outside its host"
        : `some ports do not answer: \`lab status${nameFlag(context.labName)}\` shows which nodes are down, \`lab firewall show${nameFlag(context.labName)}\` what is closed on purpose`,
    ].join("\n"),
    exitCode: isWell ? EXIT.done : EXIT.notReady,
  };
}

export const doctorCommand = defineCommand({
  name: "doctor",
  summary: "is this machine fit for a lab, and does everybody reach everybody",
  description:
    "Without a topic: Node, programs, folder, disk, memory, ports, Docker Engine (of each server, where the lab's hosts are servers), compose, image, subnets, guard route; one line a check with what to do. Exit code 3 when a lab cannot run. addresses: asks the name servers from the machine and from a container on each host, connects to every address they tell there and does a round trip of the protocol; exit code 5 when one fails. ports: tries every port of every host from the machine and from the other hosts, and tells what breaks where one does not answer; exit code 5 then. With local processes everybody stands on the machine. Changes nothing.",
  examples: [
    { command: "lab doctor", what: "before the first lab" },
    { command: "lab doctor --runtime docker", what: "insist on Docker" },
    { command: "lab doctor addresses", what: "who reaches whom, in a running lab" },
    { command: "lab doctor ports", what: "which ports answer, and what breaks without them" },
  ],
  args: [
    {
      name: "TOPIC",
      help: "machine (default), addresses or ports",
      required: false,
      values: TOPICS,
    },
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
    if (topic === "ports") return ports(context);
    throw new EngineError("CLI_USAGE", {
      message: `doctor knows no topic "${topic}"`,
      hint: suggestion(topic, TOPICS, `topics are ${TOPICS.join(", ")}`),
    });
  },
});
