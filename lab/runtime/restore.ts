/** A broker's store made anew from another one of its set: after a lost disk, or when its log went another way than its master's. */
import { join } from "node:path/posix";
import { EngineError } from "../../engine/base/engine-error.ts";
import { STORE_FOLDER, type StoreResult } from "../stores/operations.ts";
import type { LabNode } from "../topology/topology.ts";
import type { BringUpProgress } from "./bring-up.ts";
import type { LabRuntime } from "./runtime.ts";
import { ASIDE, INCOMING, type NodeStores, type StoreWork } from "./stores.ts";

/** A copy that is wanted. */
export interface RestoreOptions {
  readonly runtime: LabRuntime;
  readonly node: LabNode;
  readonly from: LabNode;
  readonly signal: AbortSignal;
  readonly progress: BringUpProgress;
}

/** What was copied. */
export interface Restored {
  /** How the source stood still: `stopped`, or `paused` for the time of the copy. */
  readonly source: "stopped" | "paused";
  /** End of both logs. */
  readonly logEnd: number;
  readonly bytes: number;
  /** Name of the store that was set aside because it held what the source does not have; null when there was none such. */
  readonly aside: string | null;
}

function conflict(message: string, hint: string): EngineError {
  return new EngineError("LAB_CONFLICT", { message, hint });
}

/** @throws EngineError unless there was a store, and the copy's log reaches as far */
function checkCopy(
  from: LabNode,
  copied: StoreResult | undefined,
  wanted: StoreResult | undefined,
): void {
  if (wanted?.found !== true) {
    throw conflict(
      `${from.name} has no store to copy`,
      "name a broker of the set that has its data; `lab status` shows them",
    );
  }
  if (copied?.value === wanted.value) return;
  throw new EngineError("LAB_NODE_FAILED", {
    message: `the copy's log ends at ${copied?.value ?? 0}, that of ${from.name} at ${wanted.value}; nothing was replaced`,
    hint: "run the command again",
  });
}

/** Copies while the source stands still, and compares before anything takes the place of anything. */
async function copyAndCompare(
  options: RestoreOptions,
  stores: NodeStores,
  work: StoreWork,
): Promise<{ readonly logEnd: number; readonly bytes: number; readonly differs: boolean }> {
  const [target, source] = [stores.data(options.node.name), stores.data(options.from.name)];
  const incoming = join(target, INCOMING);
  const [before, own, , copied, wanted, size] = await stores.run(
    [
      { do: "compare", data: target, with: source },
      { do: "log", data: target },
      { do: "copy", from: source, to: incoming, only: [STORE_FOLDER], without: [] },
      { do: "log", data: incoming },
      { do: "log", data: source },
      { do: "size", folder: incoming },
    ],
    work,
  );
  checkCopy(options.from, copied, wanted);
  const ahead = before === undefined || before.value > before.other;
  const differs = own?.found === true && (before?.found === false || ahead);
  return { logEnd: wanted?.value ?? 0, bytes: size?.value ?? 0, differs };
}

/** The source writes nothing while it is copied. */
async function withSourceStill<Result>(
  options: RestoreOptions,
  work: () => Promise<Result>,
): Promise<{ readonly source: Restored["source"]; readonly result: Result }> {
  const { runtime, from, progress } = options;
  const state = (await runtime.observe()).find(({ node }) => node === from.name)?.state;
  if (state === "stopped" || state === "missing" || state === undefined) {
    progress.note(`${from.name} does not run: its store is copied as it lies`);
    return { source: "stopped", result: await work() };
  }
  progress.note(`${from.name} is paused for the time of the copy`);
  if (state === "running") await runtime.pause(from.name);
  try {
    return { source: "paused", result: await work() };
  } finally {
    if (state === "running") await runtime.unpause(from.name);
  }
}

/**
 * @returns what was copied; the caller holds the lab's lock
 * @throws EngineError LAB_CONFLICT when the node runs, or the two are not of one set
 */
export async function restoreNode(options: RestoreOptions): Promise<Restored> {
  const { runtime, node, from, signal, progress } = options;
  const isSet = node.broker !== undefined && node.broker.brokerName === from.broker?.brokerName;
  if (!isSet || node.name === from.name) {
    throw conflict(
      `${from.name} is no other broker of the set of ${node.name}: only those hold the same messages`,
      "name two brokers of one brokerName, for example `lab restore broker-a-slave --from broker-a-master`",
    );
  }
  const state = (await runtime.observe()).find((seen) => seen.node === node.name)?.state;
  if (state === "running" || state === "paused") {
    throw conflict(
      `${node.name} runs: its store cannot be replaced under it`,
      `\`lab stop ${node.name}\`, then this command again`,
    );
  }
  const stores = runtime.stores();
  const { source, result } = await withSourceStill(options, () =>
    progress.step(`Copying the store of ${from.name} to ${node.name}`, (say) =>
      copyAndCompare(options, stores, { signal, say }),
    ),
  );
  const target = stores.data(node.name);
  const store = join(target, STORE_FOLDER);
  const aside = join(target, ASIDE);
  // From here on it is renames only, and they are not interrupted.
  await stores.run(
    [
      ...(result.differs
        ? ([
            { do: "remove", folder: aside },
            { do: "move", from: store, to: aside },
          ] as const)
        : ([{ do: "remove", folder: store }] as const)),
      { do: "move", from: join(target, INCOMING, STORE_FOLDER), to: store },
      { do: "remove", folder: join(target, INCOMING) },
    ],
    { signal: new AbortController().signal, say: () => undefined },
  );
  const { logEnd, bytes, differs } = result;
  return { source, logEnd, bytes, aside: differs ? ASIDE : null };
}
