/** A lab as it was when it was new: no data, the roles its files name, the same ports and settings. */
import type { BringUpProgress } from "./bring-up.ts";
import { withNewMasters } from "./promote.ts";
import type { LabRuntime } from "./runtime.ts";
import { createRuntime } from "./select-runtime.ts";
import { allocationOf, writeState, type LabState } from "./state.ts";
import { waitUntilReady } from "./wait/ready.ts";

/** Which lab. */
export interface ResetOptions {
  readonly home: string;
  readonly state: LabState;
  readonly runtime: LabRuntime;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly progress: BringUpProgress;
  /** Called when every node is down: faults end with the nodes. */
  readonly onDown: () => Promise<void>;
}

/** What is left. */
export interface WasReset {
  readonly state: LabState;
  readonly runtime: LabRuntime;
  /** Nodes that were stopped and run again. */
  readonly restarted: readonly string[];
}

const NEVER = new AbortController().signal;

/** Wiping is not interrupted: half of it would leave a slave with what its master no longer has. */
async function wipe({ runtime, progress }: ResetOptions): Promise<void> {
  const stores = runtime.stores();
  const nodes = runtime.allocation.topology.nodes.filter(({ role }) => role !== "dashboard");
  const keep = [...stores.keep];
  await progress.step("Removing all messages, topics and offsets", (say) =>
    stores.run(
      nodes.map(({ name }) => ({ do: "wipe", folder: stores.data(name), keep })),
      { signal: NEVER, say },
    ),
  );
}

/** Brings the lab back up when it was up. The caller holds the lab's lock. */
export async function resetLab(options: ResetOptions): Promise<WasReset> {
  const { home, runtime, signal, progress } = options;
  const before = (await runtime.observe()).filter(
    ({ state }) => state === "running" || state === "paused",
  );
  await progress.step("Stopping every node", (say) =>
    runtime.down(({ node, message }) => say(`${node ?? ""} ${message}`.trim())),
  );
  await options.onDown();
  signal.throwIfAborted();
  await wipe(options);
  const phase = before.length === 0 ? "down" : "starting";
  const state: LabState = { ...withNewMasters(options.state, {}, []), phase };
  writeState(home, state);
  const next = await createRuntime(allocationOf(home, state));
  if (before.length === 0) return { state, runtime: next, restarted: [] };
  await progress.step("Starting every node", (say) =>
    next.up(({ node, message }) => say(`${node ?? ""} ${message}`.trim()), signal),
  );
  const nodes = new Set(state.topology.nodes.map(({ name }) => name));
  const deadline = performance.now() + options.timeoutMs;
  await progress.step("Waiting until ready", (say) =>
    waitUntilReady({ runtime: next, nodes, deadline, signal, say }),
  );
  writeState(home, { ...state, phase: "up" });
  return { state: { ...state, phase: "up" }, runtime: next, restarted: [...nodes] };
}
