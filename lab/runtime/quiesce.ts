/** Standing still for a copy: nodes are stopped in the order of a clean stop, and what ran runs again, whatever happens in between. */
import type { NodeRole } from "../topology/topology.ts";
import type { BringUpProgress } from "./bring-up.ts";
import type { LabRuntime } from "./runtime.ts";
import { STOP_ORDER } from "./stop-order.ts";
import { waitUntilReady } from "./wait/ready.ts";

/** Who is stopped, and how it is told. */
export interface QuiesceOptions {
  readonly runtime: LabRuntime;
  readonly roles: readonly NodeRole[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly progress: BringUpProgress;
}

/** What ran when the work began. */
export interface Quiesced {
  /** In the order they were stopped. */
  readonly stopped: readonly string[];
}

async function stopAll({ runtime, roles, progress }: QuiesceOptions): Promise<readonly string[]> {
  const seen = await runtime.observe();
  const isLive = (name: string): boolean =>
    seen.some(({ node, state }) => node === name && (state === "running" || state === "paused"));
  const stopped: string[] = [];
  for (const role of STOP_ORDER.filter((candidate) => roles.includes(candidate))) {
    const { nodes } = runtime.allocation.topology;
    const names = nodes.filter((node) => node.role === role && isLive(node.name));
    if (names.length === 0) continue;
    const list = names.map(({ name }) => name);
    await progress.step(`Stopping ${list.join(", ")}`, () =>
      Promise.all(list.map((name) => runtime.stop(name))),
    );
    stopped.push(...list);
  }
  return stopped;
}

async function startAll(options: QuiesceOptions, stopped: readonly string[]): Promise<void> {
  const { runtime, progress, signal } = options;
  if (stopped.length === 0) return;
  await progress.step(`Starting ${stopped.toReversed().join(", ")}`, async () => {
    for (const role of STOP_ORDER.toReversed()) {
      const { nodes } = runtime.allocation.topology;
      const names = nodes.filter((node) => node.role === role && stopped.includes(node.name));
      await Promise.all(names.map(({ name }) => runtime.start(name)));
    }
  });
  if (signal.aborted) return;
  await progress.step("Waiting until ready", (say) =>
    waitUntilReady({
      runtime,
      nodes: new Set(stopped),
      deadline: performance.now() + options.timeoutMs,
      signal,
      say,
    }),
  );
}

/**
 * Stops the nodes of the given roles, works, starts again what ran.
 * @param work on data nobody writes; returns the runtime to start with, when roles have changed
 * @throws whatever the work throws, after the nodes run again
 */
export async function whileStopped(
  options: QuiesceOptions,
  work: () => Promise<LabRuntime>,
): Promise<Quiesced> {
  const stopped = await stopAll(options);
  let next = options.runtime;
  try {
    options.signal.throwIfAborted();
    next = await work();
  } finally {
    await startAll({ ...options, runtime: next }, stopped);
  }
  return { stopped };
}
