/** From what was asked for to steps and proofs. Pure: `--plan` prints exactly this. */
import { EngineError } from "../../engine/base/engine-error.ts";
import type { LabAllocation } from "../runtime/runtime.ts";
import type { LabNode } from "../topology/topology.ts";
import type { FaultKind, FaultPlan, FaultSpec, FaultStep } from "./fault.ts";
import { isNetworkFault, planNetwork } from "./plan-network.ts";

/** What the machine offers, asked once before planning. */
export interface Capabilities {
  /** The kernel can delay packets by itself. */
  readonly netem: boolean;
  /** CPUs of the engine's machine; a container's limit is never above. */
  readonly cpusMax: number;
}

const PROCESS_KINDS: ReadonlySet<FaultKind> = new Set([
  "kill",
  "stop",
  "pause",
  "host-down",
  "disk-lost",
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
};

function unsupported(message: string, hint: string): EngineError {
  return new EngineError("LAB_FAULT_UNSUPPORTED", { message, hint });
}

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

/** Faults that neither runtime can make honestly: the reason, and the nearest that is real. */
const REFUSED: Readonly<Record<string, readonly [string, string]>> = {
  "disk-full": [
    "a node's volume has no size of its own, so only the machine's whole disk could be filled",
    "nearest: `lab fault disk-slow NODE --iops 1`, or start your own container on a volume of fixed size",
  ],
  "disk-readonly": [
    "a volume with files open for writing cannot be remounted read-only while the broker runs",
    "nearest: `lab fault disk-slow NODE --iops 1` or `lab fault disk-lost NODE`",
  ],
  clock: [
    "a container shares the machine's clock, and the nodes' image carries no library that bends it",
    "nearest: `lab pause NODE --for 30s` makes every timer of the node late",
  ],
};

/**
 * @param kind as the user typed it
 * @throws EngineError LAB_FAULT_UNSUPPORTED for a kind that is known and refused everywhere
 */
export function checkRefused(kind: string): void {
  const refused = REFUSED[kind];
  if (refused === undefined) return;
  throw unsupported(`${kind} is not possible: ${refused[0]}`, refused[1]);
}

/** @returns names of kinds that are refused everywhere */
export function refusedKinds(): readonly string[] {
  return Object.keys(REFUSED);
}

function nodeNamed(allocation: LabAllocation, name: string): LabNode {
  const found = allocation.topology.nodes.find((node) => node.name === name);
  if (found !== undefined) return found;
  throw new EngineError("LAB_NODE_UNKNOWN", {
    message: `this lab has no node "${name}"`,
    hint: `its nodes: ${allocation.topology.nodes.map((node) => node.name).join(", ")}`,
  });
}

type ProcessAct = Extract<FaultStep, { kind: "process" }>["act"];

/** What happens to each node; a host loses all its nodes at once. */
const ACT_OF = { "host-down": "kill", stop: "stop", pause: "pause", "disk-lost": "wipe" } as const;

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
  const without = names.find((name) => nodeNamed(allocation, name).role === "dashboard");
  if (without === undefined) return;
  throw new EngineError("CLI_USAGE", {
    message: `${without} keeps nothing on a disk`,
    hint: "name brokers or name servers, for example broker-a-master or @masters",
  });
}

function memorySteps(
  spec: Extract<FaultSpec, { kind: "memory" }>,
  allocation: LabAllocation,
): FaultPlan {
  const steps = spec.nodes.map((name): FaultStep => {
    const back = nodeNamed(allocation, name).resources.memoryMiB;
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
    const back = Math.min(nodeNamed(allocation, name).resources.cpus, cpusMax);
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
export function planFault(
  id: string,
  spec: FaultSpec,
  around: { readonly allocation: LabAllocation; readonly capabilities: Capabilities },
): FaultPlan {
  const { allocation, capabilities } = around;
  checkSupported(spec, allocation);
  if (isNetworkFault(spec)) return planNetwork(id, spec, around);
  if (spec.kind === "disk-slow" || spec.kind === "disk-lost") checkDisks(spec.nodes, allocation);
  switch (spec.kind) {
    case "kill":
      return killSteps(spec.nodes, spec.signal);
    case "host-down":
    case "stop":
    case "pause":
    case "disk-lost":
      return processSteps(spec.nodes, ACT_OF[spec.kind]);
    case "memory":
      return memorySteps(spec, allocation);
    case "cpu":
      return cpuSteps(spec, allocation, capabilities.cpusMax);
    case "disk-slow": {
      const steps = spec.nodes.map((node): FaultStep => ({ kind: "io", node, iops: spec.iops }));
      return { steps, proofs: [] };
    }
  }
}

const ACTS: Readonly<Record<ProcessAct, readonly [string, string]>> = {
  kill: ["SIGKILL", "start it"],
  stop: ["SIGTERM, wait for its end", "start it"],
  pause: ["freeze it", "let it go on"],
  signal: ["send the signal", "start it if it ended"],
  wipe: ["SIGKILL, then remove all its data", "start it with an empty disk"],
};

/** @returns what a step does and how it is undone, in lines for people */
export function describeStep(step: FaultStep): readonly string[] {
  switch (step.kind) {
    case "process": {
      const [does, undoes] = ACTS[step.act];
      const what = step.act === "signal" ? `send ${step.signal}` : does;
      return [`${step.node}: ${what}; heal: ${undoes}`];
    }
    case "limits": {
      const { memoryMiB: memory, cpus } = step;
      const text =
        memory === null
          ? `cpus ${cpus?.to ?? 0}; heal: ${cpus?.back ?? 0}`
          : `memory ${memory.to} MiB; heal: ${memory.back} MiB`;
      return [`${step.node}: container limit ${text}`];
    }
    case "io":
      return [`${step.node}: ${step.iops} writes a second to its disk; heal: no limit`];
    case "relay":
      return [
        `${step.node}: a relay in its network namespace holds every byte back ${step.delayMs} ms for ${step.routes.map((route) => `${route.host}:${route.port}`).join(", ")}; heal: remove it`,
      ];
    case "rules":
      return [
        ...step.apply.map((line) => `${step.node}: ${line.join(" ")}`),
        ...step.heal.map((line) => `${step.node}: heal: ${line.join(" ")}`),
      ];
  }
}
