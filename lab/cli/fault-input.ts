/** What the user typed for a fault, as a spec. */
import { EngineError } from "../../engine/base/engine-error.ts";
import type { FaultSpec } from "../faults/fault.ts";
import { suggestion } from "../base/did-you-mean.ts";
import { selectNodes, type OpenLab } from "./open-lab.ts";

/** Values of `lab fault`'s own options. */
export interface FaultValues {
  readonly oneWay: boolean;
  readonly port: number | undefined;
  readonly percent: string | undefined;
  readonly by: number | undefined;
  readonly rate: string | undefined;
  readonly memory: number | undefined;
  readonly cpus: string | undefined;
  readonly iops: number | undefined;
  readonly offset: string | undefined;
  readonly leave: number;
}

/** Kinds with two ends, and kinds that act on nodes alone. */
const LINK_KINDS = ["partition", "reject", "loss", "delay"] as const;
const NODE_KINDS = [
  "bandwidth",
  "memory",
  "cpu",
  "disk-slow",
  "disk-lost",
  "disk-full",
  "disk-readonly",
  "clock",
] as const;
const MIB = 1_048_576;
const DISK_IOPS = 20;

type LinkKind = (typeof LINK_KINDS)[number];
type NodeKind = (typeof NODE_KINDS)[number];

function usage(message: string, hint: string): EngineError {
  return new EngineError("CLI_USAGE", { message, hint });
}

/**
 * @param lab whose nodes are meant
 * @param words names, groups, hosts; several with commas between them
 * @returns node names, each once
 */
export function nodeNames(lab: OpenLab, words: readonly string[]): string[] {
  const { hosts } = lab.state.topology;
  const single = words.flatMap((word) => word.split(",")).filter((word) => word !== "");
  const selectors = single.map((word) => (hosts.includes(word) ? `@${word}` : word));
  return selectNodes(lab, selectors).map((node) => node.name);
}

/** Of a group only what has a disk; a node named by itself is told that it has none. */
function nodesWithDisk(lab: OpenLab, words: readonly string[]): string[] {
  const nodes = nodeNames(lab, words);
  const { topology } = lab.state;
  const isBare = (name: string): boolean =>
    topology.nodes.some((node) => node.name === name && node.role === "dashboard");
  const withDisk = nodes.filter((name) => !isBare(name));
  return withDisk.length === 0 ? nodes : withDisk;
}

function needed<Value>(value: Value | undefined, option: string, example: string): Value {
  if (value !== undefined) return value;
  throw usage(`this fault needs ${option}`, `for example \`${example}\``);
}

function decimal(
  text: string,
  range: { readonly min: number; readonly max: number },
  option: string,
): number {
  const value = /^\d+(\.\d+)?%?$/.test(text) ? Number(text.replace("%", "")) : Number.NaN;
  if (value > range.min && value <= range.max) return value;
  throw usage(
    `${option}: "${text}" is no number above ${range.min} and up to ${range.max}`,
    "for example 2 or 0.5",
  );
}

const RATE_UNITS: Readonly<Record<string, number>> = { kbit: 1e3, mbit: 1e6, gbit: 1e9 };
const RATE_MIN = 1e5;

function bits(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(kbit|mbit|gbit)$/.exec(text) ?? [];
  const value = Number(digits) * (RATE_UNITS[unit ?? ""] ?? Number.NaN);
  if (value >= RATE_MIN && value <= 1e11) return value;
  throw usage(
    `--rate: "${text}" cannot be read or is below 100kbit`,
    "for example 20mbit or 500kbit",
  );
}

const OFFSET_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const OFFSET_MAX_MS = 3_660 * 86_400_000;

/** Milliseconds of `+2m` or `-30s`; plain numbers are seconds. */
function clockOffset(text: string): number {
  const [, sign, digits, unit = "s"] = /^([+-]?)(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  const size = Math.round(Number(digits) * (OFFSET_UNITS[unit] ?? Number.NaN));
  if (size >= 1 && size <= OFFSET_MAX_MS) return sign === "-" ? -size : size;
  throw usage(
    `--offset: "${text}" is no time from 1ms to 3660d, ahead (+) or behind (-)`,
    "for example +2m, -30s or +1d",
  );
}

function linkSpec(
  lab: OpenLab,
  kind: LinkKind,
  targets: readonly string[],
  values: FaultValues,
): FaultSpec {
  const [first, second] = targets;
  if (first === undefined || targets.length > 2) {
    throw usage(
      `\`lab fault ${kind}\` takes one or two ends, each a node, group or host, or several with commas`,
      `for example \`lab fault ${kind} host-1 host-2\` or \`lab fault ${kind} broker-a-master\` (from all others)`,
    );
  }
  const from = nodeNames(lab, [first]);
  const others = lab.state.topology.nodes
    .map((node) => node.name)
    .filter((name) => !from.includes(name));
  const to = second === undefined ? others : nodeNames(lab, [second]);
  if (to.every((name) => from.includes(name))) {
    throw usage("both ends are the same nodes", "see `lab status` for the nodes of each host");
  }
  const link = { from, to, oneWay: values.oneWay };
  if (kind === "loss") {
    const text = needed(values.percent, "--percent", "lab fault loss host-1 host-2 --percent 2");
    return { kind, ...link, percent: decimal(text, { min: 0, max: 100 }, "--percent") };
  }
  if (kind === "delay") {
    const delayMs = needed(values.by, "--by", "lab fault delay host-1 host-2 --by 20ms");
    return { kind, ...link, delayMs };
  }
  return { kind, ...link, port: values.port ?? null };
}

function nodeSpec(
  lab: OpenLab,
  kind: NodeKind,
  targets: readonly string[],
  values: FaultValues,
): FaultSpec {
  if (targets.length === 0)
    throw usage(
      `\`lab fault ${kind}\` needs NODE`,
      `for example \`lab fault ${kind} broker-a-master\``,
    );
  const nodes = nodeNames(lab, targets);
  const first = targets[0] ?? "";
  switch (kind) {
    case "bandwidth":
      return {
        kind,
        nodes,
        bitsPerSecond: bits(
          needed(values.rate, "--rate", `lab fault bandwidth ${first} --rate 20mbit`),
        ),
      };
    case "memory":
      return {
        kind,
        nodes,
        mib: Math.floor(
          needed(values.memory, "--memory", `lab fault memory ${first} --memory 128m`) / MIB,
        ),
      };
    case "cpu":
      return {
        kind,
        nodes,
        cpus: decimal(
          needed(values.cpus, "--cpus", `lab fault cpu ${first} --cpus 0.1`),
          { min: 0, max: 64 },
          "--cpus",
        ),
      };
    case "disk-slow":
      return { kind, nodes: nodesWithDisk(lab, targets), iops: values.iops ?? DISK_IOPS };
    case "disk-lost":
    case "disk-readonly":
      return { kind, nodes: nodesWithDisk(lab, targets) };
    case "disk-full":
      return { kind, nodes: nodesWithDisk(lab, targets), leaveBytes: values.leave };
    case "clock": {
      const text = needed(values.offset, "--offset", `lab fault clock ${first} --offset +2m`);
      return { kind, nodes: nodesWithDisk(lab, targets), offsetMs: clockOffset(text) };
    }
  }
}

/**
 * @param lab whose nodes are meant
 * @param words kind, then its targets
 * @param values of the options
 * @throws EngineError CLI_USAGE | LAB_NODE_UNKNOWN | LAB_FAULT_UNSUPPORTED
 */
export function faultSpec(lab: OpenLab, words: readonly string[], values: FaultValues): FaultSpec {
  const [kind = "", ...targets] = words;
  const link = LINK_KINDS.find((known) => known === kind);
  if (link !== undefined) return linkSpec(lab, link, targets, values);
  const node = NODE_KINDS.find((known) => known === kind);
  if (node !== undefined) return nodeSpec(lab, node, targets, values);
  const kinds = ["list", ...LINK_KINDS, ...NODE_KINDS];
  throw usage(`there is no fault "${kind}"`, suggestion(kind, kinds, `kinds: ${kinds.join(", ")}`));
}
