/**
 * What each node of a lab answers right now. Asked over the protocol, not by a port check: an open port is not a broker that serves
 * (lab-and-drills 2.0, 17 and 22). `lab status` shows it, readiness waits for it.
 */
import type { AdminClient, ClusterInfo } from "../../../engine/admin/index.ts";
import { httpStatus } from "../../base/http-status.ts";
import type { LabNode } from "../../topology/topology.ts";
import type { LabRuntime, NodeObservation } from "../runtime.ts";

/** One node's health: `ok`, or what is wrong in `reason`. */
export interface NodeHealth {
  readonly node: string;
  readonly health: "ok" | "degraded" | "down";
  /** Empty when ok. */
  readonly reason: string;
}

/** A node's health, and what the cluster says of it. */
export interface NodeFacts extends NodeHealth {
  /** Brokers: the address each running name server routes it at; null where it is not routed. */
  readonly routes: Readonly<Record<string, string | null>>;
  /** Slaves: bytes of the master's log it does not have; null when nobody can tell. */
  readonly lagBytes: number | null;
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
const HTTP_OK = 200;
const HTTP_REDIRECT = 300;

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
  if (observation.state === "unreachable")
    return "cannot be looked at: its server's Docker Engine does not answer";
  // The engine also notes it of a program beside the node's, which goes on.
  if (observation.state === "stopped" && observation.oomKilled)
    return `was ended by the system: out of memory (exit code ${observation.exitCode ?? "unknown"})`;
  const code = observation.exitCode === null ? "" : ` (exit code ${observation.exitCode})`;
  if (observation.state === "stopped") return `does not run${code}`;
  return observation.state === "paused" ? "is paused" : null;
}

/** A node that was taken off one of its networks by hand. */
function cableProblem(node: LabNode, round: Round): string | null {
  const cutOff = round.observations.get(node.name)?.cutOff ?? [];
  return cutOff.length === 0 ? null : `is not in network ${cutOff.join(", ")}`;
}

/** Where each name server that answers routes a broker. */
function routesOf(node: LabNode, round: Round): Readonly<Record<string, string | null>> {
  const { broker } = node;
  if (broker === undefined) return {};
  const routed = [...round.clusterInfos].map(([namesrv, info]): [string, string | null] => {
    const entry = info.brokers.find(({ brokerName }) => brokerName === broker.brokerName);
    return [namesrv, entry?.brokerAddrs.get(broker.brokerId) ?? null];
  });
  return Object.fromEntries(routed);
}

/**
 * Apache's brokers register one address and Apache's name servers tell one to everybody: in Docker that in the internet network, which every
 * container reaches, and a Linux machine too. Null where the address depends on who asks.
 */
function oneForAll(node: LabNode, namesrv: string, round: Round): string | null {
  const { topology } = round.runtime.allocation;
  const isApache = topology.nodes.some(
    ({ name, engine }) => engine !== undefined && (name === node.name || name === namesrv),
  );
  if (!isApache) return null;
  const main = round.runtime
    .endpoints()
    .find((endpoint) => endpoint.node === node.name && MAIN_PORTS.includes(endpoint.port));
  return main?.innerAddress ?? null;
}

/** Which running name servers do not route a broker to its address; null when all do. */
function routeProblem(node: LabNode, round: Round): string | null {
  const broker = node.broker;
  if (broker === undefined) return null;
  const expected = machineAddress(round.runtime, node.name);
  for (const [namesrv, listed] of Object.entries(routesOf(node, round))) {
    if (listed === null) return `${namesrv} does not route it`;
    if (listed !== expected && listed !== oneForAll(node, namesrv, round))
      return `${namesrv} routes it as ${listed}, not ${expected}`;
  }
  return round.clusterInfos.size === 0 ? "no name server answers" : null;
}

function masterOf(node: LabNode, round: Round): LabNode | undefined {
  return round.runtime.allocation.topology.nodes.find(
    (other) =>
      other.role === "broker-master" && other.broker?.brokerName === node.broker?.brokerName,
  );
}

/** How far a slave is behind its master, bytes; null for others, or when nobody can tell. */
function lagOf(node: LabNode, round: Round): number | null {
  if (node.role !== "broker-slave") return null;
  const own = round.logEnds.get(node.name);
  const end = round.logEnds.get(masterOf(node, round)?.name ?? "");
  return typeof own === "number" && typeof end === "number" ? Math.max(0, end - own) : null;
}

function lagProblem(node: LabNode, round: Round): string | null {
  const lag = lagOf(node, round);
  if (lag === null || lag === 0) return null;
  return `${lag} bytes behind ${masterOf(node, round)?.name ?? "its master"}`;
}

async function dashboardProblem(node: LabNode, round: Round): Promise<string | null> {
  const url = `http://${machineAddress(round.runtime, node.name)}/api/health`;
  try {
    const status = await httpStatus(url, HTTP_TIMEOUT_MS);
    return status >= HTTP_OK && status < HTTP_REDIRECT ? null : `answers HTTP ${status}`;
  } catch (error) {
    return `does not answer HTTP (${message(error)})`;
  }
}

function brokerHealth(node: LabNode, round: Round): NodeHealth {
  const end = round.logEnds.get(node.name);
  if (end instanceof Error) {
    return { node: node.name, health: "down", reason: `does not answer (${end.message})` };
  }
  const reason = cableProblem(node, round) ?? routeProblem(node, round) ?? lagProblem(node, round);
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
  if (reason !== null) return { node: node.name, health: "down", reason };
  const cable = cableProblem(node, round);
  return { node: node.name, health: cable === null ? "ok" : "degraded", reason: cable ?? "" };
}

/**
 * @param runtime of the lab
 * @param admin client of its name servers
 * @returns one entry a node, in the topology's order
 */
export async function inspectNodes(
  runtime: LabRuntime,
  admin: AdminClient,
): Promise<readonly NodeFacts[]> {
  const round = await readRound(runtime, admin);
  return Promise.all(
    runtime.allocation.topology.nodes.map(async (node) => ({
      ...(await judge(node, round)),
      routes: routesOf(node, round),
      lagBytes: lagOf(node, round),
    })),
  );
}
