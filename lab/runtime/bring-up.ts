/**
 * `lab up` without its talk: lock, state, checks, start, wait. Whatever happens in between, the next call finds a state it can go on
 * from; an end by signal leaves nothing behind that this call started.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";
import { configure } from "../settings/configure.ts";
import { engineName, mergeEngines } from "../settings/engine-text.ts";
import { mergeSettings } from "../settings/setting-text.ts";
import { loadTopology } from "../topology/presets.ts";
import { describeProblem } from "../topology/problem.ts";
import { FILE_KEYS, type LabSize } from "../topology/size.ts";
import type { LabNode, Topology } from "../topology/topology.ts";
import { allot, refresh } from "./allot.ts";
import { acquireLock } from "./lock.ts";
import { checkEngines } from "./check-engines.ts";
import { checkMachine } from "./check-machine.ts";
import type { LabAllocation, LabRuntime, NodeObservation, RuntimeKind } from "./runtime.ts";
import { chooseRuntime, createRuntime } from "./select-runtime.ts";
import {
  allocationOf,
  checkLabName,
  lockFile,
  readState,
  writeState,
  type LabState,
} from "./state.ts";
import { waitUntilReady, type ReadyReport } from "./wait/ready.ts";

/** How the work is told; see lab/cli/progress.ts. */
export interface BringUpProgress {
  step<Result>(
    title: string,
    work: (say: (message: string) => void) => Promise<Result>,
  ): Promise<Result>;
  note(text: string): void;
}

export interface BringUpOptions {
  readonly home: string;
  readonly name: string;
  readonly cwd: string;
  /** Preset or folder; undefined: what the lab is, else `2m-2s-sync`. */
  readonly preset: string | undefined;
  /** Undefined: what the lab has, else the best the machine offers. */
  readonly runtime: RuntimeKind | undefined;
  /** Block of ports; a lab that has another one is a conflict. */
  readonly index: number | undefined;
  /** Block for a new lab when `index` says nothing; undefined: the first free one. */
  readonly newLabIndex: number | undefined;
  /** Size of a new lab; an existing one keeps its own. */
  readonly size: LabSize | undefined;
  /** Size of each node's own disk in a new lab in Docker; an existing one keeps what it has. Absent: none. */
  readonly diskMiB?: number | undefined;
  /** `node.key=value` to add, `node.key` to take away. */
  readonly set: readonly string[];
  readonly unset: readonly string[];
  /** `ts`, `NODE=apache-dist:DIR`, `apache:IMAGE`: to add; absent: none. */
  readonly engines?: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly progress: BringUpProgress;
}

/** A lab that is ready. */
export interface BroughtUp {
  readonly state: LabState;
  readonly runtime: LabRuntime;
  /** Why this runtime. */
  readonly reason: string;
  /** Nodes this call started. */
  readonly started: readonly string[];
  readonly report: ReadyReport;
  readonly elapsedMs: number;
}

const DEFAULT_PRESET = "2m-2s-sync";
/** Allotting is a matter of milliseconds; two `up` of different labs wait for each other. */
const ALLOT_WAIT_MS = 30_000;

function loadWith(options: BringUpOptions, name: string): Topology {
  const { topology, warnings } = loadTopology(name, options.cwd);
  for (const warning of warnings) options.progress.note(`note: ${describeProblem(warning)}`);
  return topology;
}

function conflict(state: LabState, what: string): EngineError {
  return new EngineError("LAB_CONFLICT", {
    message: `lab "${state.name}" exists already and ${what}`,
    hint: `go on with it: \`lab up --name ${state.name}\`; beside it: \`lab up --name NAME\`; instead of it: \`lab destroy --name ${state.name}\` first`,
  });
}

/** What a lab was made with once. */
function checkMadeWith(options: BringUpOptions, state: LabState): void {
  const { runtime, index } = options;
  if (runtime !== undefined && runtime !== state.runtime) {
    throw conflict(state, `runs with ${state.runtime}`);
  }
  if (index !== undefined && index !== state.index) {
    throw conflict(state, `holds block ${state.index} of the ports`);
  }
  if (options.size !== undefined && options.size !== state.size)
    throw conflict(state, `was made with --size ${state.size}`);
  if (options.diskMiB !== undefined && options.diskMiB !== state.diskMiB) {
    const made = state.diskMiB === null ? "out --disk" : ` --disk ${state.diskMiB}m`;
    throw conflict(state, `was made with${made}`);
  }
}

/** An existing lab keeps what it is; only the content of its folder may have changed. */
function continueLab(options: BringUpOptions, state: LabState): LabState {
  checkMadeWith(options, state);
  const { preset } = options;
  const loaded = loadWith(options, preset ?? state.topology.dir);
  if (loaded.dir !== state.topology.dir) throw conflict(state, `is a ${state.topology.name}`);
  if (enginesText(loaded) !== enginesText(state.topology))
    throw conflict(state, `has its data on ${enginesText(state.topology)}`);
  checkStoreStays(state, options);
  const settings = mergeSettings(state.settings, options);
  const engines = mergeEngines(state.engines, options.engines ?? [], options.cwd);
  const wanted = { size: state.size, settings, engines, masters: state.masters };
  return refresh(state, configure(loaded, wanted), wanted);
}

/** Where a lab's containers and volumes are; addresses may change. */
function enginesText({ servers }: Topology): string {
  const engines = Object.entries(servers ?? {}).map(([host, { engine }]) => `${engine} (${host})`);
  return engines.length === 0 ? "this machine" : engines.join(" and ");
}

/** Files of a store keep the size they were made with. */
function checkStoreStays(state: LabState, options: BringUpOptions): void {
  const change = [...options.set, ...options.unset].find((text) =>
    FILE_KEYS.has(/^[^.=]+\.(\w+)/.exec(text)?.[1] ?? ""),
  );
  if (change === undefined) return;
  throw conflict(state, `has files already: ${change} can be chosen only for a new lab`);
}

/** Settings and limits are given to a node when it starts. */
function noteRestarts(
  options: BringUpOptions,
  before: LabState,
  after: LabState,
  live: ReadonlySet<string>,
): void {
  const given = ({ settings, resources, engine }: LabNode): string => {
    const { memoryMiB, heapMiB, cpus } = resources;
    const pairs = (settings ?? []).map(({ key, value }) => `${key}=${value}`).toSorted();
    return [engineName(engine), memoryMiB, heapMiB, cpus, ...pairs].join("\n");
  };
  const old = new Map(before.topology.nodes.map((node) => [node.name, given(node)]));
  const changed = after.topology.nodes
    .filter((node) => live.has(node.name) && old.get(node.name) !== given(node))
    .map((node) => node.name);
  if (changed.length === 0) return;
  options.progress.note(
    `note: new settings hold from the next start of these nodes: \`lab restart ${changed.join(" ")}\``,
  );
}

function isLive(seen: NodeObservation): boolean {
  return seen.state === "running" || seen.state === "paused";
}

/** @returns names of the nodes that run or are paused */
export async function liveNodes(runtime: LabRuntime): Promise<ReadonlySet<string>> {
  return new Set((await runtime.observe()).filter(isLive).map((seen) => seen.node));
}

interface Prepared {
  readonly state: LabState;
  readonly runtime: LabRuntime;
  readonly isNew: boolean;
  readonly reason: string;
  readonly liveBefore: ReadonlySet<string>;
}

/** Allots, checks the machine and writes the state. */
async function prepare(options: BringUpOptions, known: LabState | null): Promise<Prepared> {
  const { home } = options;
  const state = await stateFor(options, known);
  const runtime = await createRuntime(allocationOf(home, state.state));
  for (const text of checkEngines(runtime.allocation)) options.progress.note(text);
  for (const text of openToOthers(runtime.allocation)) options.progress.note(text);
  const liveBefore = await liveNodes(runtime);
  // The docker runtime asks the engine by itself: containers know more of who holds what.
  if (runtime.kind === "process") await checkMachine(runtime.allocation, liveBefore);
  if (known !== null) noteRestarts(options, known, state.state, liveBefore);
  writeState(home, { ...state.state, phase: "starting" });
  return { ...state, runtime, isNew: known === null, liveBefore };
}

async function stateFor(
  options: BringUpOptions,
  known: LabState | null,
): Promise<Pick<Prepared, "state" | "reason">> {
  const { home, name } = options;
  if (known !== null) {
    const reason = `lab ${known.name} was made with it`;
    options.progress.note(`runtime ${known.runtime}: ${reason}`);
    return { state: continueLab(options, known), reason };
  }
  const configured = {
    size: options.size ?? "small",
    settings: mergeSettings([], options),
    engines: mergeEngines([], options.engines ?? [], options.cwd),
  };
  const topology = configure(loadWith(options, options.preset ?? DEFAULT_PRESET), configured);
  const choice = await chooseRuntime(options.runtime, { stateDir: join(home, name), topology });
  options.progress.note(`runtime ${choice.kind}: ${choice.reason}`);
  const { diskMiB } = options;
  if (diskMiB !== undefined) checkDisks(topology, choice.kind);
  const index = options.index ?? options.newLabIndex;
  const state = allot({ home, name, topology, configured, diskMiB, runtime: choice.kind, index });
  return { state, reason: choice.reason };
}

/** Servers publish on an address that others than this machine reach, too. */
function openToOthers({ topology }: LabAllocation): readonly string[] {
  const bound = Object.values(topology.servers ?? {}).map(({ bind }) => bind);
  if (bound.length === 0) return [];
  return [
    `note: the nodes listen on ${bound.join(" and ")} without access control: let only your own machines reach their ports there`,
  ];
}

/** @throws EngineError LAB_DISK_UNSUPPORTED */
function checkDisks({ servers }: Topology, kind: RuntimeKind): void {
  if (kind === "docker" && servers === undefined) return;
  const isProcess = kind === "process";
  throw new EngineError("LAB_DISK_UNSUPPORTED", {
    message: isProcess
      ? "local processes have no disks of their own: they write to the machine's"
      : "disks of fixed size are made on this machine, and the hosts of this topology are servers",
    hint: isProcess
      ? "add `--runtime docker` (as root, on Linux), or leave --disk out"
      : "leave --disk out",
  });
}

/** Two `up` of different labs must not be given the same ports, so they are prepared one after the other. */
async function prepareAlone(options: BringUpOptions): Promise<Prepared> {
  const { home, name } = options;
  using _allotment = await acquireLock(lockFile(home, "allotment"), {
    command: "lab up",
    waitMs: ALLOT_WAIT_MS,
  });
  const known = readState(home, name);
  try {
    return await prepare(options, known);
  } catch (error) {
    // A lab that never came to be leaves nothing.
    if (known === null) rmSync(join(home, name), { recursive: true, force: true });
    throw error;
  }
}

/** Takes back what this call did: a new lab goes, an old one keeps its data and what ran before. */
async function takeBack(options: BringUpOptions, prepared: Prepared): Promise<void> {
  const { runtime, isNew, liveBefore, state } = prepared;
  await options.progress.step("Taking back what was started", async (say) => {
    if (isNew) {
      await runtime.destroy(({ node, message }) => say(`${node ?? ""} ${message}`.trim()));
      rmSync(join(options.home, state.name), { recursive: true, force: true });
      return;
    }
    const now = await liveNodes(runtime);
    const ours = [...now].filter((node) => !liveBefore.has(node));
    await Promise.all(ours.map((node) => runtime.stop(node)));
    if (liveBefore.size === 0) await runtime.down(() => undefined);
    writeState(options.home, { ...state, phase: liveBefore.size === 0 ? "down" : "starting" });
  });
}

function interrupted(options: BringUpOptions, cause: unknown): EngineError {
  return new EngineError("LAB_INTERRUPTED", {
    message: "interrupted: what this call had started is taken back, data that was there is kept",
    hint: `\`lab up --name ${options.name}\` starts anew`,
    cause,
  });
}

/** A new lab none of whose nodes lives (a port was taken, an image could not be made) is no lab. */
async function isStillborn(prepared: Prepared): Promise<boolean> {
  return prepared.isNew && (await liveNodes(prepared.runtime)).size === 0;
}

async function startAndWait(
  options: BringUpOptions,
  prepared: Prepared,
): Promise<{ readonly started: readonly string[]; readonly report: ReadyReport }> {
  const { runtime, state } = prepared;
  const { signal, progress } = options;
  const deadline = performance.now() + options.timeoutMs;
  const started: string[] = [];
  await progress.step(`Starting ${state.topology.nodes.length} nodes`, (say) =>
    runtime.up(({ node, message }) => {
      if (node !== null) started.push(node);
      say(`${node ?? ""} ${message}`.trim());
    }, signal),
  );
  const nodes = new Set(state.topology.nodes.map((node) => node.name));
  const report = await progress.step("Waiting until ready", (say) =>
    waitUntilReady({ runtime, nodes, deadline, signal, say }),
  );
  return { started: [...new Set(started)], report };
}

/**
 * Brings a lab up, or finishes what an earlier call left half done. Does nothing to nodes that run.
 * @throws EngineError LAB_BUSY | LAB_CONFLICT | TOPOLOGY_* | LAB_PORT_TAKEN | … of the checks | LAB_NOT_READY | LAB_NODE_FAILED
 */
export async function bringUp(options: BringUpOptions): Promise<BroughtUp> {
  const begun = performance.now();
  checkLabName(options.name);
  using _lock = await acquireLock(lockFile(options.home, options.name), {
    command: "lab up",
    waitMs: 0,
  });
  const prepared = await prepareAlone(options);
  try {
    options.signal.throwIfAborted();
    const { started, report } = await startAndWait(options, prepared);
    const state: LabState = { ...prepared.state, phase: "up" };
    writeState(options.home, state);
    const { runtime, reason } = prepared;
    return { state, runtime, reason, started, report, elapsedMs: performance.now() - begun };
  } catch (error) {
    if (options.signal.aborted || (await isStillborn(prepared))) await takeBack(options, prepared);
    throw options.signal.aborted ? interrupted(options, error) : error;
  }
}
