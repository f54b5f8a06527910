/**
 * Manual promotion as operators do it (H-13): fence the old master, see who is ahead, exchange ids and roles, start, see that every name server
 * routes it. What was decided is in the state before anything starts under its new role, so a second call goes on where a first one was cut.
 */
import { EngineError } from "../../engine/base/engine-error.ts";
import { configure } from "../settings/configure.ts";
import type { Masters } from "../settings/roles.ts";
import { loadTopologyFolder } from "../topology/load.ts";
import type { LabNode } from "../topology/topology.ts";
import { refresh } from "./allot.ts";
import type { BringUpProgress } from "./bring-up.ts";
import { masterOf, type Fence } from "./fence.ts";
import type { LabRuntime } from "./runtime.ts";
import { createRuntime } from "./select-runtime.ts";
import { allocationOf, writeState, type LabState } from "./state.ts";
import { inspectNodes, type NodeFacts } from "./wait/health.ts";
import { labAdmin, waitUntilReady } from "./wait/ready.ts";

/** A promotion that is wanted. */
export interface PromoteOptions {
  readonly home: string;
  readonly state: LabState;
  readonly runtime: LabRuntime;
  /** A broker. */
  readonly node: LabNode;
  /** Stop a master that runs and serves. */
  readonly force: boolean;
  /** Go on although another of the set has more. */
  readonly acceptLoss: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly progress: BringUpProgress;
}

/** How far the log of one of the set reaches. */
export interface MemberLog {
  readonly node: string;
  /** Null when there is none. */
  readonly logEnd: number | null;
  /** What it has and the promoted node has not: bytes, and records in them. */
  readonly aheadBytes: number;
  readonly aheadRecords: number;
}

/** What a promotion did. */
export interface Promoted {
  readonly state: LabState;
  readonly runtime: LabRuntime;
  /** Master before; the node itself when it was master already. */
  readonly before: string;
  readonly logs: readonly MemberLog[];
  /** Nodes this call stopped and did not start again. */
  readonly stopped: readonly string[];
  readonly facts: NodeFacts | undefined;
}

function isLive(state: string | undefined): boolean {
  return state === "running" || state === "paused";
}

async function liveOf(runtime: LabRuntime, nodes: readonly LabNode[]): Promise<readonly string[]> {
  const seen = await runtime.observe();
  return nodes
    .map(({ name }) => name)
    .filter((name) => isLive(seen.find((entry) => entry.node === name)?.state));
}

async function healthOf(runtime: LabRuntime, name: string): Promise<NodeFacts | undefined> {
  const admin = labAdmin(runtime);
  try {
    return (await inspectNodes(runtime, admin)).find((facts) => facts.node === name);
  } finally {
    admin.close();
  }
}

/** Two masters of one name are the worst that can happen, so a living one is ended first; one that serves only when told so. */
async function fenceMaster(options: PromoteOptions, old: LabNode): Promise<boolean> {
  const { runtime, node, progress } = options;
  if ((await liveOf(runtime, [old])).length === 0) return false;
  const facts = await healthOf(runtime, old.name);
  if (facts?.health !== "down" && !options.force) {
    throw new EngineError("LAB_CONFLICT", {
      message: `${old.name} runs and is the master: promoting ${node.name} now would make two`,
      hint: `\`lab promote ${node.name} --force\` stops it first (a planned switch, nothing is lost); \`lab kill ${old.name}\` is the accident`,
    });
  }
  const how = facts?.health === "down" ? ` (${facts.reason})` : "";
  await progress.step(`Stopping ${old.name}${how}`, () => runtime.stop(old.name));
  return true;
}

async function readLogs(
  options: PromoteOptions,
  set: readonly LabNode[],
): Promise<{ readonly end: number; readonly logs: readonly MemberLog[] }> {
  const { runtime, node, signal, progress } = options;
  const stores = runtime.stores();
  return progress.step("Comparing the logs", async (say) => {
    const work = { signal, say };
    const own = { do: "log", data: stores.data(node.name) } as const;
    const end = (await stores.run([own], work))[0]?.value ?? 0;
    const others = set.filter(({ name }) => name !== node.name);
    const asked = others.map(({ name }) => ({ ...own, data: stores.data(name), since: end }));
    const results = await stores.run(asked, work);
    const logs = others.map(({ name }, index): MemberLog => {
      const { value = 0, other = 0, found = false } = results[index] ?? {};
      const aheadBytes = Math.max(0, value - end);
      return {
        node: name,
        logEnd: found ? value : null,
        aheadBytes,
        aheadRecords: aheadBytes === 0 ? 0 : other,
      };
    });
    return {
      end,
      logs: [{ node: node.name, logEnd: end, aheadBytes: 0, aheadRecords: 0 }, ...logs],
    };
  });
}

function refuseLoss(options: PromoteOptions, logs: readonly MemberLog[]): void {
  const { node } = options;
  const ahead = logs.filter(({ aheadBytes }) => aheadBytes > 0);
  if (ahead.length === 0 || options.acceptLoss) return;
  const list = ahead.map(
    (log) => `${log.node} has ${log.aheadBytes} bytes (${log.aheadRecords} records) more`,
  );
  const back = ahead[0]?.node ?? "the other one";
  throw new EngineError("LAB_CONFLICT", {
    message: `${node.name} is behind: ${list.join(", ")}; nothing was changed`,
    hint: `\`lab start ${back}\` brings those back; \`lab promote ${node.name} --accept-loss\` goes on without them`,
  });
}

/** The files' own master is no promotion. */
function mastersWith(state: LabState, node: LabNode): Masters {
  const brokerName = node.broker?.brokerName ?? "";
  const { [brokerName]: _before, ...others } = state.masters;
  const files = loadTopologyFolder(state.topology.dir).topology;
  const isFiles = files.nodes.some(
    ({ name, role }) => name === node.name && role === "broker-master",
  );
  return isFiles ? others : { ...others, [brokerName]: node.name };
}

/** @returns the state with other masters, its topology as it follows from them */
export function withNewMasters(
  state: LabState,
  masters: Masters,
  fences: readonly Fence[],
): LabState {
  const { size, settings, engines } = state;
  const wanted = { size, settings, engines, masters };
  const topology = configure(loadTopologyFolder(state.topology.dir).topology, wanted);
  return { ...refresh(state, topology, wanted), fences };
}

/** Starts the new master, and the dashboard anew: it is told roles when it starts. */
async function startMaster(options: PromoteOptions, runtime: LabRuntime): Promise<void> {
  const { node, signal, progress } = options;
  await progress.step(`Starting ${node.name} as master`, async () => {
    await runtime.start(node.name);
    const pages = runtime.allocation.topology.nodes.filter(({ role }) => role === "dashboard");
    for (const page of await liveOf(runtime, pages)) {
      await runtime.stop(page);
      await runtime.start(page);
    }
  });
  await progress.step("Waiting until every name server routes it", (say) =>
    waitUntilReady({
      runtime,
      nodes: new Set([node.name]),
      deadline: performance.now() + options.timeoutMs,
      signal,
      say,
    }),
  );
}

/** The set as it was, when the promotion is refused after it stopped some of it. */
async function putBack(options: PromoteOptions, names: readonly string[]): Promise<void> {
  for (const name of names) await options.runtime.start(name);
}

interface Decision {
  readonly state: LabState;
  readonly logs: readonly MemberLog[];
  readonly stopped: readonly string[];
}

/** Everything up to the moment the new roles are in the state. */
async function decide(
  options: PromoteOptions,
  set: readonly LabNode[],
  old: LabNode,
): Promise<Decision> {
  const { home, state, runtime, node, progress, signal } = options;
  const stopped: string[] = [];
  try {
    if (await fenceMaster(options, old)) stopped.push(old.name);
    if ((await liveOf(runtime, [node])).length > 0) {
      stopped.push(node.name);
      await progress.step(`Stopping ${node.name}`, () => runtime.stop(node.name));
    }
    const { end, logs } = await readLogs(options, set);
    refuseLoss(options, logs);
    for (const { node: name } of logs.filter(({ aheadBytes }) => aheadBytes > 0)) {
      await runtime.stop(name).catch(() => undefined);
    }
    signal.throwIfAborted();
    const at = new Date().toISOString();
    const others = set.filter(({ name }) => name !== node.name);
    const fences = [
      ...state.fences.filter((fence) => !set.some(({ name }) => name === fence.node)),
      ...others.map(({ name }) => ({ node: name, logEnd: end, at })),
    ];
    const next = withNewMasters(state, mastersWith(state, node), fences);
    writeState(home, next);
    return { state: next, logs, stopped };
  } catch (error) {
    await putBack(options, stopped.toReversed());
    throw error;
  }
}

/**
 * @returns what was done; the caller holds the lab's lock
 * @throws EngineError LAB_CONFLICT when the master runs or the node is behind | LAB_NOT_READY | LAB_NODE_FAILED
 */
export async function promote(options: PromoteOptions): Promise<Promoted> {
  const { home, state, runtime, node } = options;
  const { nodes } = state.topology;
  const old = masterOf(nodes, node);
  const set = nodes.filter(({ broker }) => broker?.brokerName === node.broker?.brokerName);
  const isMaster = old === undefined || old.name === node.name;
  const decision = isMaster ? { state, logs: [], stopped: [] } : await decide(options, set, old);
  const next = isMaster ? runtime : await createRuntime(allocationOf(home, decision.state));
  if (!isMaster || (await liveOf(runtime, [node])).length === 0) await startMaster(options, next);
  return {
    state: decision.state,
    runtime: next,
    before: isMaster ? node.name : old.name,
    logs: decision.logs,
    stopped: decision.stopped.filter((name) => name !== node.name),
    facts: await healthOf(next, node.name),
  };
}
