/**
 * What a lab remembers between commands: `.lab/NAME/state.json`. Ports, subnets and runtime are allotted once and stay. Whether a
 * node runs is never read from here: the operating system or the engine is asked.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { EngineError } from "../../engine/base/engine-error.ts";
import { LAB_SIZES, type LabSize } from "../topology/size.ts";
import type { Topology } from "../topology/topology.ts";
import { writeAtomically } from "./atomic-file.ts";
import type { Masters } from "../settings/roles.ts";
import type { Fence } from "./fence.ts";
import type { LabAllocation } from "./runtime.ts";

const portSchema = z.object({
  name: z.enum(["namesrv", "broker", "fast", "ha", "dashboard"]),
  inner: z.int(),
  published: z.int().nullable(),
});

const brokerSchema = z.object({
  propertiesFile: z.string(),
  clusterName: z.string(),
  brokerName: z.string(),
  brokerId: z.int(),
  brokerRole: z.enum(["ASYNC_MASTER", "SYNC_MASTER", "SLAVE"]),
  flushDiskType: z.enum(["ASYNC_FLUSH", "SYNC_FLUSH"]),
});

const settingSchema = z.object({ key: z.string(), value: z.string(), from: z.string() });

const engineSchema = z.object({ kind: z.enum(["apache-dist", "apache"]), from: z.string() });

const nodeSchema = z
  .object({
    name: z.string(),
    role: z.enum(["namesrv", "broker-master", "broker-slave", "dashboard"]),
    host: z.string(),
    alias: z.string(),
    ports: z.array(portSchema),
    resources: z.object({ memoryMiB: z.number(), cpus: z.number(), heapMiB: z.number() }),
    settings: z.array(settingSchema).optional(),
    engine: engineSchema.optional(),
    broker: brokerSchema.optional(),
  })
  // An absent member and one that is undefined are the same on disk, but not to the contract's type.
  .transform(({ broker, engine, settings, ...node }) => ({
    ...node,
    ...(settings === undefined ? {} : { settings }),
    ...(engine === undefined ? {} : { engine }),
    ...(broker === undefined ? {} : { broker }),
  }));

const fenceSchema = z.object({ node: z.string(), logEnd: z.number(), at: z.string() });

const serverSchema = z.object({ engine: z.string(), address: z.string(), bind: z.string() });

const topologySchema = z
  .object({
    name: z.string(),
    description: z.string(),
    dir: z.string(),
    hosts: z.array(z.string()),
    servers: z.record(z.string(), serverSchema).optional(),
    nodes: z.array(nodeSchema),
    clusterName: z.string(),
    promises: z.array(z.string()),
  })
  .transform(({ servers, ...topology }) => ({
    ...topology,
    ...(servers === undefined ? {} : { servers }),
  }));

const stateSchema = z.object({
  schema: z.literal("lab.state/1"),
  name: z.string(),
  /** Which block of ports and subnets is this lab's: `1000 * index` is added to every port. */
  index: z.int().nonnegative(),
  runtime: z.enum(["docker", "process"]),
  createdAt: z.string(),
  /** `starting` until the first `up` (or any later one) has seen the lab ready. */
  phase: z.enum(["starting", "up", "down"]),
  subnets: z.record(z.string(), z.string()),
  // Labs made before there were sizes, engines, promotions and disks have none of them.
  size: z.enum(LAB_SIZES).default("small"),
  settings: z.array(z.string()).default([]),
  engines: z.array(z.string()).default([]),
  masters: z.record(z.string(), z.string()).default({}),
  fences: z.array(fenceSchema).default([]),
  diskMiB: z.int().positive().nullable().default(null),
  topology: topologySchema,
});

/** The checked content of a state file. */
export interface LabState {
  readonly schema: "lab.state/1";
  readonly name: string;
  readonly index: number;
  readonly runtime: "docker" | "process";
  readonly createdAt: string;
  readonly phase: "starting" | "up" | "down";
  readonly subnets: Readonly<Record<string, string>>;
  readonly size: LabSize;
  /** `node.key=value`, oldest first. */
  readonly settings: readonly string[];
  /** `selector=apache-dist:DIR`, oldest first. */
  readonly engines: readonly string[];
  /** Promoted nodes by brokerName. */
  readonly masters: Masters;
  /** Nodes of their sets whose log may have gone another way. */
  readonly fences: readonly Fence[];
  /** Size of each node's own disk; null: none has one. */
  readonly diskMiB: number | null;
  readonly topology: Topology;
}

/** Letters and digits first, so that a name is never an option, a hidden file or a way out of the folder. */
const LAB_NAME = /^[a-z0-9][a-z0-9-]{0,30}$/;

/**
 * @param environment of the command
 * @param cwd current directory
 * @returns the folder that holds all labs: `$LAB_HOME`, else `.lab` below the current directory
 */
export function labHome(environment: NodeJS.ProcessEnv, cwd: string): string {
  const home = environment["LAB_HOME"];
  return home === undefined || home === "" ? join(cwd, ".lab") : resolve(cwd, home);
}

/**
 * @param name as the user gave it
 * @throws EngineError CLI_USAGE when it cannot be a folder, a compose project and a container prefix at once
 */
export function checkLabName(name: string): void {
  if (LAB_NAME.test(name)) return;
  throw new EngineError("CLI_USAGE", {
    message: `"${name}" is no lab name: small letters, digits and dashes, at most 31, a letter or digit first`,
    hint: "for example `--name lab-2`",
  });
}

function stateFile(home: string, name: string): string {
  return join(home, name, "state.json");
}

function corrupt(path: string, reason: string): EngineError {
  return new EngineError("LAB_STATE_CORRUPT", {
    message: `${path} is damaged: ${reason}`,
    hint: "restore the file, or remove the lab with `lab destroy --yes` and bring it up anew",
  });
}

/**
 * @param home folder of all labs
 * @param name of the lab
 * @returns its state, or null when there is no such lab
 * @throws EngineError LAB_STATE_CORRUPT naming file and field
 */
export function readState(home: string, name: string): LabState | null {
  const path = stateFile(home, name);
  if (!existsSync(path)) return null;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw corrupt(path, cause instanceof Error ? cause.message : String(cause));
  }
  const result = stateSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw corrupt(path, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not valid"}`);
}

/**
 * @param home folder of all labs
 * @param name of a lab, or of anything else only one command may work on
 * @returns path of its lock, beside the lab's folder so that removing the folder leaves the lock held
 */
export function lockFile(home: string, name: string): string {
  return join(home, `.${name}.lock`);
}

/** Replaces a lab's state file as a whole. */
export function writeState(home: string, state: LabState): void {
  writeAtomically(stateFile(home, state.name), `${JSON.stringify(state, null, 2)}\n`);
}

/**
 * @param home folder of all labs
 * @returns names of the folders that hold a state file, sorted
 */
export function labNames(home: string): readonly string[] {
  if (!existsSync(home)) return [];
  return readdirSync(home, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(stateFile(home, entry.name)))
    .map((entry) => entry.name)
    .toSorted();
}

/**
 * @param home folder of all labs
 * @param name the lab that asks; its own index does not count
 * @returns indexes other labs of this folder hold; a lab whose state cannot be read holds none
 */
export function takenIndexes(home: string, name: string): ReadonlyMap<number, string> {
  const taken = new Map<number, string>();
  for (const other of labNames(home).filter((lab) => lab !== name)) {
    try {
      const state = readState(home, other);
      if (state !== null) taken.set(state.index, other);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
    }
  }
  return taken;
}

/**
 * What can be removed of a lab whose state file is damaged: processes by the records in its folder, containers by the lab's label.
 * @returns one allocation a runtime, without nodes
 */
export function salvageAllocations(home: string, name: string): readonly LabAllocation[] {
  const stateDir = join(home, name);
  const topology: Topology = {
    name: "unknown",
    description: "",
    dir: stateDir,
    hosts: [],
    nodes: [],
    clusterName: "",
    promises: [],
  };
  const hasContainers = readdirSync(stateDir).some((file) => /^compose.*\.ya?ml$/.test(file));
  const kinds = hasContainers ? (["docker", "process"] as const) : (["process"] as const);
  return kinds.map((runtime) => ({ name, runtime, topology, subnets: {}, stateDir }));
}

/** @returns the allocation the runtimes work with */
export function allocationOf(home: string, state: LabState): LabAllocation {
  return {
    name: state.name,
    runtime: state.runtime,
    topology: state.topology,
    subnets: state.subnets,
    stateDir: join(home, state.name),
    fences: state.fences,
    diskMiB: state.diskMiB,
  };
}
