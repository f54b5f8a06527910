/**
 * The data of all nodes of a lab, kept under a name. What a snapshot is stands in `snapshots/NAME.json`, written last: without that file there
 * is none, whatever a cut left behind.
 */
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { join as joinPosix } from "node:path/posix";
import { z } from "zod";
import { EngineError } from "../../engine/base/engine-error.ts";
import { suggestion } from "../base/did-you-mean.ts";
import type { LabNode } from "../topology/topology.ts";
import { writeAtomically } from "./atomic-file.ts";
import type { BringUpProgress } from "./bring-up.ts";
import { withNewMasters } from "./promote.ts";
import { whileStopped } from "./quiesce.ts";
import type { LabRuntime } from "./runtime.ts";
import { createRuntime } from "./select-runtime.ts";
import { allocationOf, writeState, type LabState } from "./state.ts";
import { INCOMING, LEFT_OUT, type StoreWork } from "./stores.ts";

const manifestSchema = z.object({
  schema: z.literal("lab.snapshot/1"),
  name: z.string(),
  createdAt: z.string(),
  preset: z.string(),
  size: z.string(),
  masters: z.record(z.string(), z.string()),
  fences: z.array(z.object({ node: z.string(), logEnd: z.number(), at: z.string() })),
  nodes: z.array(z.object({ node: z.string(), bytes: z.number(), logEnd: z.number().nullable() })),
});

/** A snapshot that is there. */
export type Snapshot = z.infer<typeof manifestSchema>;

/** What the work is done with. */
export interface SnapshotOptions {
  readonly home: string;
  readonly state: LabState;
  readonly runtime: LabRuntime;
  readonly name: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly progress: BringUpProgress;
}

/** A snapshot and the nodes that were stopped for it and run again. */
export interface SnapshotDone {
  readonly snapshot: Snapshot;
  readonly restarted: readonly string[];
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,40}$/;
const FOLDER = "snapshots";
const NEVER = new AbortController().signal;

function manifestFile(runtime: LabRuntime, name: string): string {
  return join(runtime.allocation.stateDir, FOLDER, `${name}.json`);
}

function conflict(message: string, hint: string): EngineError {
  return new EngineError("LAB_CONFLICT", { message, hint });
}

/** @throws EngineError CLI_USAGE when the name cannot be a folder and a volume */
function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new EngineError("CLI_USAGE", {
    message: `"${name}" is no name for a snapshot: small letters, digits, dots and dashes, a letter or digit first`,
    hint: "for example `lab snapshot save before-upgrade`",
  });
}

/** @returns all snapshots of a lab, oldest first; one whose description is damaged is left out */
export function listSnapshots(runtime: LabRuntime): readonly Snapshot[] {
  const folder = join(runtime.allocation.stateDir, FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .flatMap((file): readonly Snapshot[] => {
      try {
        return [manifestSchema.parse(JSON.parse(readFileSync(join(folder, file), "utf8")))];
      } catch {
        return [];
      }
    })
    .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt));
}

function find(runtime: LabRuntime, name: string): Snapshot {
  const all = listSnapshots(runtime);
  const found = all.find((snapshot) => snapshot.name === name);
  if (found !== undefined) return found;
  const names = all.map((snapshot) => snapshot.name);
  const none = names.length === 0 ? "this lab has none yet" : `there are ${names.join(", ")}`;
  throw new EngineError("LAB_SNAPSHOT_UNKNOWN", {
    message: `there is no snapshot "${name}"`,
    hint: suggestion(name, names, none),
  });
}

function dataNodes(runtime: LabRuntime): readonly LabNode[] {
  return runtime.allocation.topology.nodes.filter(({ role }) => role !== "dashboard");
}

async function copyAll(options: SnapshotOptions, work: StoreWork): Promise<Snapshot> {
  const { runtime, state, name } = options;
  const stores = runtime.stores();
  const without = [...stores.keep, ...LEFT_OUT];
  const nodes: Snapshot["nodes"] = [];
  for (const { name: node } of dataNodes(runtime)) {
    work.say(node);
    const [from, to] = [stores.data(node), stores.saved(name, node)];
    const [, size, log] = await stores.run(
      [
        { do: "copy", from, to, without },
        { do: "size", folder: to },
        { do: "log", data: to },
      ],
      work,
    );
    const logEnd = log?.found === true ? log.value : null;
    nodes.push({ node, bytes: size?.value ?? 0, logEnd });
  }
  const { masters, fences, size, topology } = state;
  return {
    schema: "lab.snapshot/1",
    name,
    createdAt: new Date().toISOString(),
    preset: topology.name,
    size,
    masters: { ...masters },
    fences: [...fences],
    nodes,
  };
}

/**
 * Brokers are stopped for the copy; name servers go on, theirs is a file that is replaced as a whole.
 * @throws EngineError LAB_CONFLICT when there is one of that name
 */
export async function saveSnapshot(options: SnapshotOptions): Promise<SnapshotDone> {
  const { runtime, name, signal, progress } = options;
  checkName(name);
  if (listSnapshots(runtime).some((snapshot) => snapshot.name === name)) {
    throw conflict(
      `there is a snapshot "${name}" already`,
      `choose another name, or \`lab snapshot delete ${name}\` first`,
    );
  }
  // What a save that was killed left.
  await runtime.stores().removeSnapshot(name);
  const saved: Snapshot[] = [];
  try {
    const { stopped } = await whileStopped(
      { ...options, roles: ["broker-master", "broker-slave"] },
      async () => {
        const copy = (say: StoreWork["say"]): Promise<Snapshot> =>
          copyAll(options, { snapshot: name, signal, say });
        const snapshot = await progress.step("Copying the nodes' data", copy);
        writeAtomically(manifestFile(runtime, name), `${JSON.stringify(snapshot, null, 2)}\n`);
        saved.push(snapshot);
        return runtime;
      },
    );
    return { snapshot: find(runtime, name), restarted: stopped };
  } catch (error) {
    if (saved.length === 0) await runtime.stores().removeSnapshot(name);
    throw error;
  }
}

function checkFits(options: SnapshotOptions, snapshot: Snapshot): void {
  const { state, runtime } = options;
  const now = dataNodes(runtime).map(({ name }) => name);
  const then = snapshot.nodes.map(({ node }) => node);
  const isSame = now.length === then.length && now.every((name) => then.includes(name));
  if (isSame && snapshot.size === state.size) return;
  throw conflict(
    `snapshot "${snapshot.name}" is of ${snapshot.preset} (--size ${snapshot.size}) with ${then.join(", ")}; this lab has ${now.join(", ")} (--size ${state.size})`,
    "restore it into the lab it was made of",
  );
}

interface NodePlace {
  readonly node: string;
  readonly data: string;
  readonly incoming: string;
}

function placesOf(runtime: LabRuntime): readonly NodePlace[] {
  const stores = runtime.stores();
  return dataNodes(runtime).map(({ name: node }) => {
    const data = stores.data(node);
    return { node, data, incoming: joinPosix(data, INCOMING) };
  });
}

/** Beside the places first; nothing is exchanged before all of it is there. */
async function copyBack({ runtime, name }: SnapshotOptions, work: StoreWork): Promise<void> {
  const stores = runtime.stores();
  const places = placesOf(runtime);
  try {
    for (const { node, incoming } of places) {
      work.say(node);
      const from = stores.saved(name, node);
      await stores.run([{ do: "copy", from, to: incoming, without: [] }], work);
    }
  } catch (error) {
    const remove = places.map(({ incoming }) => ({ do: "remove", folder: incoming }) as const);
    await stores.run(remove, { ...work, signal: NEVER });
    throw error;
  }
}

function journalFile({ allocation }: LabRuntime): string {
  return join(allocation.stateDir, "restoring.json");
}

/** Exchanges the data of all nodes and takes the roles of the snapshot. Not interrupted; whoever finds the journal goes on with it. */
async function exchange(
  lab: Pick<SnapshotOptions, "home" | "state" | "runtime">,
  snapshot: Snapshot,
): Promise<LabState> {
  const { home, runtime } = lab;
  const stores = runtime.stores();
  writeAtomically(journalFile(runtime), `${JSON.stringify(snapshot)}\n`);
  const keep = [...stores.keep];
  await stores.run(
    placesOf(runtime).map(
      ({ data, incoming }) => ({ do: "replace", from: incoming, to: data, keep }) as const,
    ),
    { signal: NEVER, say: () => undefined },
  );
  const state = withNewMasters(lab.state, snapshot.masters, snapshot.fences);
  writeState(home, state);
  rmSync(journalFile(runtime));
  return state;
}

/** @returns true when a command that was killed left a restore half done */
export function isRestoreOpen(runtime: LabRuntime): boolean {
  return existsSync(journalFile(runtime));
}

/**
 * Ends a restore that was cut short: all data was there, only not all in its place. The caller holds the lab's lock.
 * @returns the snapshot, and the lab's state from now on
 */
export async function finishRestore(
  lab: Pick<SnapshotOptions, "home" | "state" | "runtime">,
): Promise<{ readonly snapshot: Snapshot; readonly state: LabState }> {
  const text = readFileSync(journalFile(lab.runtime), "utf8");
  const snapshot = manifestSchema.parse(JSON.parse(text));
  return { snapshot, state: await exchange(lab, snapshot) };
}

/**
 * All nodes with data are stopped; what ran runs again, with the roles of the snapshot.
 * @throws EngineError LAB_SNAPSHOT_UNKNOWN | LAB_CONFLICT when the lab has other nodes or file sizes by now
 */
export async function restoreSnapshot(
  options: SnapshotOptions,
): Promise<SnapshotDone & { readonly state: LabState; readonly runtime: LabRuntime }> {
  const { home, runtime, name, signal, progress } = options;
  const snapshot = find(runtime, name);
  checkFits(options, snapshot);
  const next: { state: LabState; runtime: LabRuntime } = { state: options.state, runtime };
  const { stopped } = await whileStopped(
    { ...options, roles: ["namesrv", "broker-master", "broker-slave"] },
    async () => {
      await progress.step("Copying the nodes' data back", (say) =>
        copyBack(options, { snapshot: name, signal, say }),
      );
      next.state = await exchange(options, snapshot);
      next.runtime = await createRuntime(allocationOf(home, next.state));
      return next.runtime;
    },
  );
  return { snapshot, restarted: stopped, ...next };
}

/** @throws EngineError LAB_SNAPSHOT_UNKNOWN */
export async function deleteSnapshot(runtime: LabRuntime, name: string): Promise<Snapshot> {
  const snapshot = find(runtime, name);
  rmSync(manifestFile(runtime, name));
  await runtime.stores().removeSnapshot(name);
  return snapshot;
}
