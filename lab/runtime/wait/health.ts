/**
 * What each node of a lab answers right now. Asked over the protocol, not by a port check: an open port is not a broker that serves
 * (lab-and-drills 2.0, 17 and 22). `lab status` shows it, readiness waits for it.
 */
import type { AdminClient, ClusterInfo } from "../../../engine/admin/index.ts";
import type { LabNode } from "../../topology/topology.ts";
import type { LabRuntime, NodeObservation } from "../runtime.ts";

/** One node's health: `ok`, or what is wrong in `reason`. */
export interface NodeHealth {
  readonly node: string;
  readonly health: "ok" | "degraded" | "down";
  /** Empty when ok. */
  readonly reason: string;
}

/** Everything the judgement of one node needs, of one round. */
interface Round {
  readonly runtime: LabRuntime;
  readonly admin: AdminClient;
  readonly observations: ReadonlyMap<string, NodeObservation>;
  /** Answer of every name server that answered, by node name. */
  readonly clusterInfos: ReadonlyMap<string, ClusterInfo>;
  /** Bytes of each broker's commit log, or why it did not answer. */
  readonly logEnds: ReadonlyMap<string, number | Error>;
}

const HTTP_TIMEOUT_MS = 1_000;

const MAIN_PORTS = ["namesrv", "broker", "dashboard"];

/** @returns `host:port` where the machine reaches the node */
export function machineAddress(runtime: LabRuntime, node: string): string {
  const found = runtime
    .endpoints()
    .find((endpoint) => endpoint.node === node && MAIN_PORTS.includes(endpoint.port));
  return found?.address ?? "";
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function readLogEnd(admin: AdminClient, address: string): Promise<number> {
  const info = await admin.runtimeInfo(address);
  const end = info.get("lab.log.end") ?? info.get("commitLogMaxOffset");
  if (end === undefined) throw new Error("its runtime information has no commitLogMaxOffset");
  return Number(end);
}

function isUp(observation: NodeObservation | undefined): boolean {
  return observation?.state === "running";
}

async function collect<Value>(
  nodes: readonly LabNode[],
  ask: (node: LabNode) => Promise<Value>,
): Promise<Map<string, Value | Error>> {
  const answers = await Promise.all(
    nodes.map(async (node): Promise<[string, Value | Error]> => {
      try {
        return [node.name, await ask(node)];
      } catch (error) {
        return [node.name, error instanceof Error ? error : new Error(String(error))];
      }
    }),
  );
  return new Map(answers);
}

async function readRound(runtime: LabRuntime, admin: AdminClient): Promise<Round> {
  const observations = new Map((await runtime.observe()).map((seen) => [seen.node, seen]));
  const up = runtime.allocation.topology.nodes.filter((node) => isUp(observations.get(node.name)));
  const infos = collect(
    up.filter((node) => node.role === "namesrv"),
    (node) => admin.clusterInfo(machineAddress(runtime, node.name)),
  );
  // Slaves are read before masters: what a slave has is then never more than what its master had.
  const askEnd = (node: LabNode): Promise<number> =>
    readLogEnd(admin, machineAddress(runtime, node.name));
  const slaves = await collect(
    up.filter((node) => node.role === "broker-slave"),
    askEnd,
  );
  const masters = await collect(
    up.filter((node) => node.role === "broker-master"),
    askEnd,
  );
  const clusterInfos = new Map<string, ClusterInfo>();
  for (const [name, info] of await infos) {
    if (!(info instanceof Error)) clusterInfos.set(name, info);
  }
  return {
    runtime,
    admin,
    observations,
    clusterInfos,
    logEnds: new Map([...slaves, ...masters]),
  };
}

function processProblem(observation: NodeObservation | undefined): string | null {
  if (observation === undefined || observation.state === "missing") return "was never started";
  if (observation.oomKilled) return "was ended by the system: out of memory";
  const code = observation.exitCode === null ? "" : ` (exit code ${observation.exitCode})`;
  if (observation.state === "stopped") return `does not run${code}`;
  return observation.state === "paused" ? "is paused" : null;
}

/** Which running name servers do not route a broker to its address; null when all do. */
function routeProblem(node: LabNode, round: Round): string | null {
  const broker = node.broker;
  if (broker === undefined) return null;
  const expected = machineAddress(round.runtime, node.name);
  for (const [namesrv, info] of round.clusterInfos) {
    const listed = info.brokers
      .find((entry) => entry.brokerName === broker.brokerName)
      ?.brokerAddrs.get(broker.brokerId);
    if (listed === undefined) return `${namesrv} does not route it`;
    if (listed !== expected) return `${namesrv} routes it as ${listed}, not ${expected}`;
  }
  return round.clusterInfos.size === 0 ? "no name server answers" : null;
}

/** How far a slave is behind its master; null when it is not, or nobody can tell. */
function lagProblem(node: LabNode, round: Round): string | null {
  if (node.role !== "broker-slave") return null;
  const master = round.runtime.allocation.topology.nodes.find(
    (other) =>
      other.role === "broker-master" && other.broker?.brokerName === node.broker?.brokerName,
  );
  const own = round.logEnds.get(node.name);
  const end = master === undefined ? undefined : round.logEnds.get(master.name);
  if (typeof own !== "number" || typeof end !== "number" || own >= end) return null;
  return `${end - own} bytes behind ${master?.name ?? "its master"}`;
}

async function dashboardProblem(node: LabNode, round: Round): Promise<string | null> {
  const url = `http://${machineAddress(round.runtime, node.name)}/api/health`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok ? null : `answers HTTP ${response.status}`;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return `does not answer HTTP (${message(cause)})`;
  }
}

function brokerHealth(node: LabNode, round: Round): NodeHealth {
  const end = round.logEnds.get(node.name);
  if (end instanceof Error) {
    return { node: node.name, health: "down", reason: `does not answer (${end.message})` };
  }
  const reason = routeProblem(node, round) ?? lagProblem(node, round);
  return { node: node.name, health: reason === null ? "ok" : "degraded", reason: reason ?? "" };
}

async function judge(node: LabNode, round: Round): Promise<NodeHealth> {
  const ended = processProblem(round.observations.get(node.name));
  if (ended !== null) return { node: node.name, health: "down", reason: ended };
  if (node.broker !== undefined) return brokerHealth(node, round);
  const reason =
    node.role === "dashboard"
      ? await dashboardProblem(node, round)
      : round.clusterInfos.has(node.name)
        ? null
        : "does not answer";
  return { node: node.name, health: reason === null ? "ok" : "down", reason: reason ?? "" };
}

/**
 * @param runtime of the lab
 * @param admin client of its name servers
 * @returns one entry a node, in the topology's order
 */
export async function inspectNodes(
  runtime: LabRuntime,
  admin: AdminClient,
): Promise<readonly NodeHealth[]> {
  const round = await readRound(runtime, admin);
  return Promise.all(runtime.allocation.topology.nodes.map((node) => judge(node, round)));
}
