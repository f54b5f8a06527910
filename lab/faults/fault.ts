/** What a fault is, as data: what was asked for, the steps that make it, the proofs that it bites, and its entry in the ledger. */
import { z } from "zod";
import { shiftText } from "./clock/shift-text.ts";

const nodes = z.array(z.string()).min(1);

/** From nodes to nodes; both ways unless `oneWay`. */
const link = {
  from: nodes,
  to: nodes,
  oneWay: z.boolean(),
};
const port = z.int().min(1).max(65_535).nullable();

export const specSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("kill"), nodes, signal: z.string() }),
  z.object({ kind: z.literal("stop"), nodes }),
  z.object({ kind: z.literal("pause"), nodes }),
  z.object({ kind: z.literal("host-down"), nodes, host: z.string() }),
  z.object({ kind: z.literal("partition"), ...link, port }),
  z.object({ kind: z.literal("reject"), ...link, port }),
  z.object({ kind: z.literal("loss"), ...link, percent: z.number().gt(0).lte(100) }),
  z.object({ kind: z.literal("delay"), ...link, delayMs: z.number().positive() }),
  z.object({ kind: z.literal("bandwidth"), nodes, bitsPerSecond: z.number().positive() }),
  z.object({ kind: z.literal("firewall"), host: z.string(), nodes, port: z.int() }),
  z.object({ kind: z.literal("memory"), nodes, mib: z.number().positive() }),
  z.object({ kind: z.literal("cpu"), nodes, cpus: z.number().positive() }),
  z.object({ kind: z.literal("disk-slow"), nodes, iops: z.int().positive() }),
  z.object({ kind: z.literal("disk-lost"), nodes }),
  z.object({ kind: z.literal("disk-full"), nodes, leaveBytes: z.int().nonnegative() }),
  z.object({ kind: z.literal("disk-readonly"), nodes }),
  z.object({ kind: z.literal("clock"), nodes, offsetMs: z.int() }),
]);

/** What was asked for, with groups resolved to node names. */
export type FaultSpec = z.infer<typeof specSchema>;
export type FaultKind = FaultSpec["kind"];

const argv = z.array(z.array(z.string()));

const stepSchema = z.discriminatedUnion("kind", [
  /** Commands inside a node's network namespace. Gone with the namespace, so applied again when the node starts. */
  z.object({
    kind: z.literal("rules"),
    node: z.string(),
    apply: argv,
    heal: argv,
    /** Output of this command must not contain `mark` once healed. */
    look: z.array(z.string()),
    mark: z.string(),
  }),
  /** A process beside the node, in its namespace, that holds bytes back. */
  z.object({
    kind: z.literal("relay"),
    node: z.string(),
    delayMs: z.number(),
    routes: z.array(z.object({ listen: z.int(), host: z.string(), port: z.int() })),
  }),
  /** Limits of the node's container; `back` are those of the topology. */
  z.object({
    kind: z.literal("limits"),
    node: z.string(),
    memoryMiB: z.object({ to: z.number(), back: z.number() }).nullable(),
    cpus: z.object({ to: z.number(), back: z.number() }).nullable(),
  }),
  /** Writes a second to the disk below the node's volume. */
  z.object({ kind: z.literal("io"), node: z.string(), iops: z.int() }),
  /** A file that takes the room on the node's own disk, up to some bytes; outlives its process. */
  z.object({ kind: z.literal("ballast"), node: z.string(), leaveBytes: z.int() }),
  /** An error of the node's own disk, which becomes read-only by it; healing repairs it while the node is down. */
  z.object({ kind: z.literal("readonly"), node: z.string() }),
  /** How far the node's wall clock is ahead; the offset lies in its data and outlives its process. */
  z.object({ kind: z.literal("clock"), node: z.string(), offsetMs: z.int() }),
  /** The node's process, or its data. */
  z.object({
    kind: z.literal("process"),
    node: z.string(),
    act: z.enum(["kill", "stop", "pause", "signal", "wipe"]),
    signal: z.string(),
  }),
]);

export type FaultStep = z.infer<typeof stepSchema>;
export type StepOf<Kind extends FaultStep["kind"]> = Extract<FaultStep, { kind: Kind }>;

const proofSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("connect"),
    from: z.string(),
    to: z.string(),
    host: z.string(),
    port: z.int(),
    expect: z.enum(["blocked", "refused"]),
  }),
  z.object({
    kind: z.literal("loss"),
    from: z.string(),
    to: z.string(),
    host: z.string(),
    /** Address the packets come from. */
    source: z.string(),
    chain: z.string(),
    percent: z.number(),
  }),
  z.object({
    kind: z.literal("delay"),
    from: z.string(),
    to: z.string(),
    host: z.string(),
    port: z.int(),
    role: z.enum(["namesrv", "broker"]),
    addedMs: z.number(),
  }),
  z.object({
    kind: z.literal("rate"),
    from: z.string(),
    host: z.string(),
    device: z.string(),
    bitsPerSecond: z.number(),
  }),
]);

export type FaultProof = z.infer<typeof proofSchema>;

/** What a fault is made of. */
export interface FaultPlan {
  readonly steps: readonly FaultStep[];
  readonly proofs: readonly FaultProof[];
}

const evidenceSchema = z.object({
  when: z.enum(["before", "during", "after"]),
  at: z.string(),
  what: z.string(),
  /** null: could not be measured, and `what` says why. */
  holds: z.boolean().nullable(),
});

/** One observation that shows whether the fault is there, or gone. */
export type Evidence = z.infer<typeof evidenceSchema>;

export const recordSchema = z.object({
  id: z.string(),
  spec: specSchema,
  steps: z.array(stepSchema),
  proofs: z.array(proofSchema),
  /** intended: written before the act, so what follows may be half done. */
  state: z.enum(["intended", "active", "healing", "healed"]),
  /** The command that is at work on it or holds it for a time; when it is dead, the next command heals. */
  owner: z.object({ pid: z.int(), started: z.string() }).nullable(),
  injectedAt: z.string(),
  /** With `--for`. */
  expiresAt: z.string().nullable(),
  healedAt: z.string().nullable(),
  evidence: z.array(evidenceSchema),
});

/** One entry of the ledger. */
export type FaultRecord = z.infer<typeof recordSchema>;

/** @returns names of the nodes a fault acts on, each once */
function nodesOf(spec: FaultSpec): readonly string[] {
  return "nodes" in spec ? spec.nodes : [...new Set([...spec.from, ...spec.to])];
}

/**
 * @param records faults that were healed
 * @param open faults still in effect: a node that one of them holds stays down
 * @returns nodes whose process the healed ones ended or froze, a memory limit by way of the system: healing brings them back
 */
export function nodesBack(
  records: readonly FaultRecord[],
  open: readonly FaultRecord[],
): ReadonlySet<string> {
  const mayEnd = (step: FaultStep): boolean =>
    step.kind === "process" ||
    step.kind === "readonly" ||
    (step.kind === "limits" && step.memoryMiB !== null);
  const held = new Set(open.flatMap(heldBy));
  const steps = records.flatMap((record) => record.steps).filter(mayEnd);
  return new Set(steps.map((step) => step.node).filter((node) => !held.has(node)));
}

/** Nodes whose process a fault keeps down or frozen. */
function heldBy(record: FaultRecord): readonly string[] {
  return record.steps.filter((step) => step.kind === "process").map((step) => step.node);
}

/** @returns names of the nodes a fault still acts on: one that was started by hand is out of a fault of processes */
export function nodesHit(record: FaultRecord): readonly string[] {
  const held = heldBy(record);
  return held.length === 0 ? nodesOf(record.spec) : held;
}

function names(list: readonly string[]): string {
  return list.join(", ");
}

function linkText(spec: { from: string[]; to: string[]; oneWay: boolean }): string {
  return `${names(spec.from)} ${spec.oneWay ? "→" : "↔"} ${names(spec.to)}`;
}

function portText(value: number | null): string {
  return value === null ? "" : `, TCP port ${value} only`;
}

const TEXTS: { readonly [K in FaultKind]: (spec: Extract<FaultSpec, { kind: K }>) => string } = {
  kill: (spec) => `${names(spec.nodes)} got ${spec.signal}`,
  stop: (spec) => `${names(spec.nodes)} stopped`,
  pause: (spec) => `${names(spec.nodes)} frozen`,
  "host-down": (spec) => `${spec.host} down: ${names(spec.nodes)}`,
  partition: (spec) => `packets dropped ${linkText(spec)}${portText(spec.port)}`,
  reject: (spec) => `connections refused ${linkText(spec)}${portText(spec.port)}`,
  loss: (spec) => `${spec.percent} % of packets lost ${linkText(spec)}`,
  delay: (spec) => `${spec.delayMs} ms more a direction ${linkText(spec)}`,
  bandwidth: (spec) => `${names(spec.nodes)} send at most ${spec.bitsPerSecond / 1e6} Mbit/s`,
  firewall: (spec) => `${spec.host} closed from outside on TCP port ${spec.port}`,
  memory: (spec) => `${names(spec.nodes)} limited to ${spec.mib} MiB`,
  cpu: (spec) => `${names(spec.nodes)} limited to ${spec.cpus} CPUs`,
  "disk-slow": (spec) => `${names(spec.nodes)} limited to ${spec.iops} disk writes a second`,
  "disk-lost": (spec) => `${names(spec.nodes)} killed, data wiped`,
  "disk-full": ({ nodes: full, leaveBytes }) =>
    `disk of ${names(full)} full${leaveBytes === 0 ? "" : ` but for ${leaveBytes} bytes`}`,
  "disk-readonly": (spec) => `disk of ${names(spec.nodes)} read-only`,
  clock: (spec) => `clock of ${names(spec.nodes)} shifted by ${shiftText(spec.offsetMs)}`,
};

/** @returns one line for people */
export function describeFault(spec: FaultSpec): string {
  const text = TEXTS[spec.kind] as (given: FaultSpec) => string;
  return text(spec);
}
