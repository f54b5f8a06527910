import type {
  Belief,
  BrokerView,
  ClusterEvent,
  ClusterSnapshot,
  Measured,
  NodeState,
  NodeView,
  PairView,
} from "../api.ts";
import type { BrokerFigures, LagClock } from "./broker-figures.ts";
import type { Round } from "./readings.ts";
import type { DashboardSettings, NodeSettings } from "./settings.ts";

/** Bytes a pair may be apart and still count as in sync: about one second at a few MiB/s. */
const IN_SYNC_BYTES = 1_048_576;

/** What the pure part needs besides the round itself. */
export interface SnapshotInput {
  readonly settings: DashboardSettings;
  readonly round: Round;
  readonly figures: ReadonlyMap<string, BrokerFigures>;
  readonly lagClocks: ReadonlyMap<string, LagClock>;
  readonly events: readonly ClusterEvent[];
  readonly seq: number;
}

const unknown = (why: string): { readonly unknown: true; readonly why: string } => ({
  unknown: true,
  why,
});

function isKnown<Value>(
  figure: Measured<Value>,
): figure is { readonly value: Value; readonly at: number } {
  return "value" in figure;
}

function beliefsAbout(input: SnapshotInput, node: NodeSettings): Belief[] {
  return input.settings.nodes
    .filter((other) => other.role === "namesrv")
    .map((namesrv) => {
      const reading = input.round.namesrvs.get(namesrv.node);
      const registered = reading?.registered ?? null;
      const lists: Measured<boolean> =
        registered === null
          ? unknown(reading?.error ?? "not asked yet")
          : {
              value: registered.has(`${node.brokerName}:${node.brokerId}`),
              at: reading?.at ?? input.round.at,
            };
      return { namesrv: namesrv.node, lists };
    });
}

function brokerView(input: SnapshotInput, node: NodeSettings): BrokerView {
  const figures = input.figures.get(node.node);
  const reading = input.round.brokers.get(node.node);
  const get = (name: string): Measured<number> => figures?.get(name) ?? unknown("not asked yet");
  const version = reading?.table?.get("brokerVersionDesc");
  return {
    brokerName: node.brokerName ?? "",
    brokerId: node.brokerId ?? 0,
    version:
      version === undefined
        ? unknown(reading?.error ?? "not asked yet")
        : { value: version, at: reading?.at ?? 0 },
    inRate: get("inRate"),
    outRate: get("outRate"),
    logEnd: get("logEnd"),
    unflushed: get("unflushed"),
    diskRatio: get("diskRatio"),
    rssBytes: get("rssBytes"),
    beliefs: beliefsAbout(input, node),
  };
}

function brokerState(
  input: SnapshotInput,
  node: NodeSettings,
  view: BrokerView,
): { state: NodeState; reason: string } {
  const reading = input.round.brokers.get(node.node);
  if (reading === undefined) return { state: "unknown", reason: "not asked yet" };
  if (reading.table === null) return { state: "down", reason: `does not answer: ${reading.error}` };
  const missing = view.beliefs.filter((belief) => isKnown(belief.lists) && !belief.lists.value);
  if (missing.length > 0)
    return {
      state: "degraded",
      reason: `not registered at ${missing.map((belief) => belief.namesrv).join(", ")}`,
    };
  return { state: "ok", reason: "" };
}

function namesrvView(input: SnapshotInput, node: NodeSettings): NodeView {
  const reading = input.round.namesrvs.get(node.node);
  const expected = input.settings.nodes.filter(
    (other) => other.role === "master" || other.role === "slave",
  ).length;
  const base = { node: node.node, role: node.role, host: node.host, address: node.address };
  if (reading === undefined)
    return {
      ...base,
      state: "unknown",
      reason: "not asked yet",
      registered: { listed: unknown("not asked yet"), expected },
    };
  if (reading.registered === null) {
    return {
      ...base,
      state: "down",
      reason: `does not answer: ${reading.error}`,
      registered: { listed: unknown(reading.error), expected },
    };
  }
  const listed = reading.registered.size;
  const state = listed >= expected ? "ok" : "degraded";
  const reason = listed >= expected ? "" : `lists ${listed} of ${expected} brokers`;
  return {
    ...base,
    state,
    reason,
    registered: { listed: { value: listed, at: reading.at }, expected },
  };
}

function nodeView(input: SnapshotInput, node: NodeSettings): NodeView {
  if (node.role === "namesrv") return namesrvView(input, node);
  const base = { node: node.node, role: node.role, host: node.host, address: node.address };
  if (node.role === "dashboard") return { ...base, state: "ok", reason: "" };
  const broker = brokerView(input, node);
  return { ...base, ...brokerState(input, node, broker), broker };
}

function combine(
  figure: Measured<number>,
  other: Measured<number>,
  compute: (a: number, b: number) => number,
): Measured<number> {
  if (!isKnown(figure)) return figure;
  if (!isKnown(other)) return other;
  return { value: compute(figure.value, other.value), at: Math.max(figure.at, other.at) };
}

function pairState(master: NodeView, slave: NodeView, lagBytes: Measured<number>): NodeState {
  if (master.state === "down" || slave.state === "down") return "down";
  if (!isKnown(lagBytes)) return "unknown";
  return lagBytes.value <= IN_SYNC_BYTES ? "ok" : "degraded";
}

/** How long the slave is behind, or why that is not known. */
function lagSeconds(
  input: SnapshotInput,
  masterNode: string,
  slaveEnd: Measured<number>,
): Measured<number> {
  if (!isKnown(slaveEnd)) return slaveEnd;
  const seconds =
    input.lagClocks.get(masterNode)?.secondsBehind(slaveEnd.at, slaveEnd.value) ?? null;
  return seconds === null
    ? unknown("the master has not answered yet")
    : { value: seconds, at: input.round.at };
}

function figureOf(input: SnapshotInput, node: string, name: string): Measured<number> {
  return input.figures.get(node)?.get(name) ?? unknown("not asked yet");
}

function pairView(input: SnapshotInput, master: NodeView, slave: NodeView): PairView {
  const slaveEnd = figureOf(input, slave.node, "logEnd");
  const masterEnd = figureOf(input, master.node, "logEnd");
  const gap = (end: number, received: number): number => Math.max(0, end - received);
  const lagBytes = combine(masterEnd, slaveEnd, gap);
  const role = input.settings.nodes.find((node) => node.node === master.node)?.brokerRole;
  return {
    brokerName: master.broker?.brokerName ?? "",
    masterHost: master.host,
    slaveHost: slave.host,
    mode: role === "SYNC_MASTER" ? "SYNC" : "ASYNC",
    lagBytes,
    lagSeconds: lagSeconds(input, master.node, slaveEnd),
    state: pairState(master, slave, lagBytes),
    okAtRisk: combine(figureOf(input, master.node, "ackedOk"), slaveEnd, gap),
  };
}

function verdictOf(
  nodes: readonly NodeView[],
  pairs: readonly PairView[],
): ClusterSnapshot["verdict"] {
  const worst = (state: NodeState): NodeView | undefined =>
    nodes.find((node) => node.state === state);
  const down = worst("down");
  if (down !== undefined) return { state: "down", text: `${down.node} ${down.reason}` };
  const behind = pairs.find((pair) => pair.state === "degraded");
  if (behind !== undefined)
    return { state: "degraded", text: `the slave of ${behind.brokerName} is behind` };
  const degraded = worst("degraded");
  if (degraded !== undefined)
    return { state: "degraded", text: `${degraded.node} ${degraded.reason}` };
  if (worst("unknown") !== undefined)
    return { state: "unknown", text: "not every node has answered yet" };
  return {
    state: "ok",
    text: `all ${nodes.length} nodes answer, every broker is registered everywhere`,
  };
}

/** @returns everything the cluster page shows, from one round's readings and what is remembered of earlier ones */
export function buildSnapshot(input: SnapshotInput): ClusterSnapshot {
  const nodes = input.settings.nodes.map((node) => nodeView(input, node));
  const pairs = nodes
    .filter((node) => node.role === "master")
    .flatMap((master) =>
      nodes
        .filter(
          (node) => node.role === "slave" && node.broker?.brokerName === master.broker?.brokerName,
        )
        .map((slave) => pairView(input, master, slave)),
    );
  return {
    schema: "lab.dashboard.cluster/1",
    seq: input.seq,
    at: input.round.at,
    lab: input.settings.lab,
    preset: input.settings.preset,
    verdict: verdictOf(nodes, pairs),
    hosts: input.settings.hosts,
    nodes,
    pairs,
    events: input.events,
  };
}
