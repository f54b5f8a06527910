/** From what was asked for to steps and proofs. Pure: `--plan` prints exactly this. */
import { EngineError } from "../../engine/base/engine-error.ts";
import type { LabAllocation } from "../runtime/runtime.ts";
import { nodeNamed } from "../topology/selectors.ts";
import type { FaultKind, FaultPlan, FaultSpec, FaultStep } from "./fault.ts";
import { isNetworkFault, planNetwork } from "./plan-network.ts";

/** What the machine offers, asked once before planning. */
export interface Capabilities {
  /** The kernel can delay packets by itself. */
  readonly netem: boolean;
  /** CPUs of the engine's machine; a container's limit is never above. */
  readonly cpusMax: number;
  /** The kernel can be told that a disk has an error; absent: not asked. */
  readonly diskErrors?: boolean;
}

/** The lab, and what the machine offers. */
interface PlanAround {
  readonly allocation: LabAllocation;
  readonly capabilities: Capabilities;
}

/** Possible in both runtimes. */
const PROCESS_KINDS: ReadonlySet<FaultKind> = new Set([
  "kill",
  "stop",
  "pause",
  "host-down",
  "disk-lost",
  "clock",
]);

/** Why local processes cannot do it, and what can. */
const ALTERNATIVES: Readonly<Partial<Record<FaultKind, readonly [string, string]>>> = {
  partition: ["share the machine's loopback network, which cannot be cut for one of them", "pause"],
  reject: ["share the machine's loopback network, which has no rules of the lab's own", "stop"],
  loss: ["share the machine's loopback network, on which the lab drops nothing", "pause"],
  delay: ["share the machine's loopback network, which the lab does not slow down", "pause"],
  bandwidth: ["share the machine's loopback network, which the lab does not slow down", "pause"],
  firewall: ["share the machine's loopback network: there is no host to close", "stop"],
  memory: ["have no memory limit but that of the machine", "kill"],
  cpu: ["share all CPUs of the machine; the lab owns no CPU group there", "pause"],
  "disk-slow": ["share the machine's disk, which the lab does not slow down", "pause"],
  "disk-full": ["share the machine's disk, which the lab does not fill", "pause"],
  "disk-readonly": ["share the machine's disk, which the lab does not break", "pause"],
};

function unsupported(message: string, hint: string): EngineError {
  return new EngineError("LAB_FAULT_UNSUPPORTED", { message, hint });
}

const NO_DISKS = "disks of fixed size are made on this machine only";

/** What cannot be done on hosts that are servers, and what can. */
const NOT_ON_SERVERS: Readonly<Partial<Record<FaultKind, readonly [string, string]>>> = {
  loss: [
    "packets of all nodes of a server carry its one address, so those of one node cannot be picked out and counted",
    "nearest: `lab fault delay` or `lab fault partition` with the same nodes",
  ],
  "disk-slow": [
    "the limit is set in files of the server's own kernel, which the engine's API does not reach",
    "nearest: `lab pause NODE --for 5s`",
  ],
  "disk-full": [NO_DISKS, "nearest: `lab fault disk-lost NODE` or `lab pause NODE --for 30s`"],
  "disk-readonly": [NO_DISKS, "nearest: `lab fault disk-lost NODE` or `lab pause NODE --for 30s`"],
};

function checkServers(spec: FaultSpec, allocation: LabAllocation): void {
  const refused = NOT_ON_SERVERS[spec.kind];
  if (allocation.topology.servers === undefined || refused === undefined) return;
  throw unsupported(
    `${spec.kind} is not possible on hosts that are servers: ${refused[0]}`,
    refused[1],
  );
}

/**
 * @param spec what is asked for
 * @param allocation of the lab
 * @throws EngineError LAB_FAULT_UNSUPPORTED when the runtime cannot do it: with the reason and what comes nearest
 */
export function checkSupported(spec: FaultSpec, allocation: LabAllocation): void {
  checkServers(spec, allocation);
  if (allocation.runtime === "docker" || PROCESS_KINDS.has(spec.kind)) return;
  const [reason, nearest] = ALTERNATIVES[spec.kind] ?? ["cannot do it", "kill"];
  throw unsupported(
    `${spec.kind} is not possible in the process runtime: local processes ${reason}`,
    `use a lab in Docker (\`lab up --runtime docker --name NAME\`); nearest here: \`lab ${nearest} NODE\``,
  );
}

type ProcessAct = Extract<FaultStep, { kind: "process" }>["act"];

/** What happens to each node; a host loses all its nodes at once. */
const ACT_OF = { "host-down": "kill", stop: "stop", pause: "pause" } as const;

function processSteps(names: readonly string[], act: ProcessAct, signal = ""): FaultPlan {
  const steps = names.map((node): FaultStep => ({ kind: "process", node, act, signal }));
  return { steps, proofs: [] };
}

/** A signal that neither ends nor freezes a process leaves nothing to heal. */
function killSteps(names: readonly string[], signal: string): FaultPlan {
  if (signal === "SIGKILL") return processSteps(names, "kill", signal);
  return processSteps(names, signal === "SIGSTOP" ? "pause" : "signal", signal);
}

/** A dashboard keeps nothing on a disk. @throws EngineError CLI_USAGE */
function checkDisks(names: readonly string[], allocation: LabAllocation): void {
  const without = names.find((name) => nodeNamed(allocation.topology, name).role === "dashboard");
  if (without === undefined) return;
  throw new EngineError("CLI_USAGE", {
    message: `${without} keeps nothing on a disk`,
    hint: "name brokers or name servers, for example broker-a-master or @masters",
  });
}

/** The machine's own disk is never filled. @throws EngineError LAB_FAULT_UNSUPPORTED */
function checkOwnDisks(allocation: LabAllocation): void {
  if (typeof allocation.diskMiB === "number") return;
  throw unsupported(
    "the nodes of this lab share the machine's disk: they were made without disks of their own",
    "make a lab with them: `lab up --runtime docker --disk 512m --name NAME` (as root, on Linux); nearest here: `lab fault disk-slow NODE --iops 1` or `lab fault disk-lost NODE`",
  );
}

function noDiskErrors(): EngineError {
  return unsupported(
    "this machine's kernel offers no trigger for errors of ext4 (/sys/fs/ext4/*/trigger_fs_error), and a disk with open files cannot be made read-only otherwise",
    "nearest: `lab fault disk-full NODE`, which refuses writes too, or `lab fault disk-lost NODE`",
  );
}

/** Only a program of ours carries what shifts its clock. @throws EngineError LAB_FAULT_UNSUPPORTED */
function clockSteps(
  spec: Extract<FaultSpec, { kind: "clock" }>,
  allocation: LabAllocation,
): FaultPlan {
  const { nodes, offsetMs } = spec;
  const apache = nodes.find((name) => nodeNamed(allocation.topology, name).engine !== undefined);
  if (apache !== undefined) {
    throw unsupported(
      `${apache} runs Apache's Java, which takes the machine's clock and nothing of the lab's`,
      `name nodes of our own engine, or \`lab up --engine ${apache}=ts\` first; nearest: \`lab pause ${apache} --for 30s\` makes every timer of it late`,
    );
  }
  return { steps: nodes.map((node): FaultStep => ({ kind: "clock", node, offsetMs })), proofs: [] };
}

const DATA_KINDS = ["disk-slow", "disk-lost", "disk-full", "disk-readonly", "clock"] as const;

type DataSpec = Extract<FaultSpec, { kind: (typeof DATA_KINDS)[number] }>;

function isDataFault(spec: FaultSpec): spec is DataSpec {
  return DATA_KINDS.some((kind) => kind === spec.kind);
}

/** Faults of a node's data, or of what lies beside it. */
function dataSteps(spec: DataSpec, { allocation, capabilities }: PlanAround): FaultPlan {
  const { nodes } = spec;
  checkDisks(nodes, allocation);
  switch (spec.kind) {
    case "disk-lost":
      return processSteps(nodes, "wipe");
    case "disk-slow": {
      const { iops } = spec;
      return { steps: nodes.map((node): FaultStep => ({ kind: "io", node, iops })), proofs: [] };
    }
    case "disk-full": {
      checkOwnDisks(allocation);
      const { leaveBytes } = spec;
      const steps = nodes.map((node): FaultStep => ({ kind: "ballast", node, leaveBytes }));
      return { steps, proofs: [] };
    }
    case "disk-readonly":
      checkOwnDisks(allocation);
      if (capabilities.diskErrors === false) throw noDiskErrors();
      return { steps: nodes.map((node): FaultStep => ({ kind: "readonly", node })), proofs: [] };
    case "clock":
      return clockSteps(spec, allocation);
  }
}

function memorySteps(
  spec: Extract<FaultSpec, { kind: "memory" }>,
  allocation: LabAllocation,
): FaultPlan {
  const steps = spec.nodes.map((name): FaultStep => {
    const back = nodeNamed(allocation.topology, name).resources.memoryMiB;
    if (spec.mib < back) {
      return { kind: "limits", node: name, memoryMiB: { to: spec.mib, back }, cpus: null };
    }
    throw new EngineError("CLI_USAGE", {
      message: `${name} has ${back} MiB: a limit of ${spec.mib} MiB takes nothing from it`,
      hint: `for example \`lab fault memory ${name} --memory ${Math.round(back / 2)}m\``,
    });
  });
  return { steps, proofs: [] };
}

function cpuSteps(
  spec: Extract<FaultSpec, { kind: "cpu" }>,
  allocation: LabAllocation,
  cpusMax: number,
): FaultPlan {
  const steps = spec.nodes.map((name): FaultStep => {
    const back = Math.min(nodeNamed(allocation.topology, name).resources.cpus, cpusMax);
    if (spec.cpus < back) {
      return { kind: "limits", node: name, memoryMiB: null, cpus: { to: spec.cpus, back } };
    }
    throw new EngineError("CLI_USAGE", {
      message: `${name} has ${back} CPUs: a limit of ${spec.cpus} takes nothing from it`,
      hint: `for example \`lab fault cpu ${name} --cpus 0.1\``,
    });
  });
  return { steps, proofs: [] };
}

/**
 * @param id of the fault: names its rules
 * @param spec what is asked for
 * @param around the lab, and what the machine offers
 * @returns steps in the order they are applied (healed in reverse) and how to prove them
 * @throws EngineError LAB_FAULT_UNSUPPORTED | LAB_NODE_UNKNOWN | CLI_USAGE
 */
export function planFault(id: string, spec: FaultSpec, around: PlanAround): FaultPlan {
  const { allocation, capabilities } = around;
  checkSupported(spec, allocation);
  if (isNetworkFault(spec)) return planNetwork(id, spec, around);
  if (isDataFault(spec)) return dataSteps(spec, around);
  switch (spec.kind) {
    case "kill":
      return killSteps(spec.nodes, spec.signal);
    case "host-down":
    case "stop":
    case "pause":
      return processSteps(spec.nodes, ACT_OF[spec.kind]);
    case "memory":
      return memorySteps(spec, allocation);
    case "cpu":
      return cpuSteps(spec, allocation, capabilities.cpusMax);
  }
}
