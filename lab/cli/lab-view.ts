/** What `lab up` and `lab status` show of a lab: the same facts as a table and as JSON. */
import type { ChalkInstance } from "chalk";
import { describeFault, nodesHit } from "../faults/fault.ts";
import { FaultLedger } from "../faults/ledger.ts";
import { engineTitle } from "../settings/engine-text.ts";
import type { LabNode } from "../topology/topology.ts";
import type { LabRuntime, NodeObservation } from "../runtime/runtime.ts";
import type { LabState } from "../runtime/state.ts";
import { inspectNodes, machineAddress, type NodeFacts } from "../runtime/wait/health.ts";
import { labAdmin, namesrvEndpoints } from "../runtime/wait/ready.ts";
import { table } from "./output.ts";

const MIB = 1_024 * 1_024;

/** One node, as `--json` prints it. */
export interface NodeRow {
  readonly node: string;
  readonly role: string;
  /** `ts`, or which Apache. */
  readonly engine: string;
  readonly host: string;
  readonly alias: string;
  readonly address: string;
  readonly state: NodeObservation["state"];
  readonly health: NodeFacts["health"];
  readonly reason: string;
  /** Brokers: the address each running name server routes it at; null where it is not routed. */
  readonly routes: NodeFacts["routes"];
  /** Slaves: bytes behind the master. */
  readonly lagBytes: number | null;
  /** Faults in effect on the node: `f1 partition`. */
  readonly faults: readonly string[];
  readonly pid: number | null;
  readonly exitCode: number | null;
  readonly oomKilled: boolean;
  /** Docker: networks of the lab the node runs without. */
  readonly cutOff: readonly string[];
  readonly startedAtMs: number | null;
  readonly rssBytes: number | null;
  readonly ports: Readonly<Record<string, string>>;
}

/** One fault in effect. */
interface FaultRow {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly since: string;
  /** With `--for`. */
  readonly until: string | null;
  readonly what: string;
}

/** A lab at one instant. */
export interface LabView {
  readonly lab: string;
  readonly preset: string;
  readonly cluster: string;
  readonly runtime: string;
  readonly healthy: boolean;
  /** What a client on this machine is given as its name server address. */
  readonly namesrvAddr: string;
  /** The same for a client inside the lab's networks. */
  readonly namesrvAddrInside: string;
  readonly dashboardUrl: string | null;
  /** Docker only: network and image for a container of the user's own. */
  readonly network: string | null;
  readonly image: string | null;
  readonly stateDir: string;
  readonly nodes: readonly NodeRow[];
  /** Faults in effect, oldest first. */
  readonly faults: readonly FaultRow[];
}

const ROLE_TEXT: Readonly<Record<LabNode["role"], string>> = {
  namesrv: "name server",
  "broker-master": "master",
  "broker-slave": "slave",
  dashboard: "dashboard",
};

function roleText(node: LabNode): string {
  const broker = node.broker;
  return broker === undefined
    ? ROLE_TEXT[node.role]
    : `${ROLE_TEXT[node.role]} of ${broker.brokerName}`;
}

function portsOf(runtime: LabRuntime, node: string): Record<string, string> {
  return Object.fromEntries(
    runtime
      .endpoints()
      .filter((endpoint) => endpoint.node === node)
      .map((endpoint) => [endpoint.port, endpoint.address]),
  );
}

function rowOf(
  runtime: LabRuntime,
  node: LabNode,
  seen: {
    readonly observation: NodeObservation;
    readonly health: NodeFacts;
    readonly faults: readonly string[];
  },
): NodeRow {
  const { observation, health } = seen;
  return {
    node: node.name,
    role: roleText(node),
    engine: engineTitle(node.engine),
    host: node.host,
    alias: node.alias,
    address: machineAddress(runtime, node.name),
    state: observation.state,
    health: health.health,
    reason: health.reason,
    routes: health.routes,
    lagBytes: health.lagBytes,
    faults: seen.faults,
    pid: observation.pid,
    exitCode: observation.exitCode,
    oomKilled: observation.oomKilled,
    cutOff: observation.cutOff,
    startedAtMs: observation.startedAtMs,
    rssBytes: observation.rssBytes,
    ports: portsOf(runtime, node.name),
  };
}

function missing(node: string): NodeObservation {
  return {
    node,
    state: "missing",
    pid: null,
    exitCode: null,
    oomKilled: false,
    cutOff: [],
    startedAtMs: null,
    rssBytes: null,
  };
}

function unknownHealth(node: string): NodeFacts {
  return { node, health: "down", reason: "unknown", routes: {}, lagBytes: null };
}

/**
 * Asks every node of a lab.
 * @param state of the lab
 * @param runtime of the lab
 */
export async function viewLab(state: LabState, runtime: LabRuntime): Promise<LabView> {
  const admin = labAdmin(runtime);
  const open = new FaultLedger(runtime.allocation.stateDir).open();
  try {
    const [observed, health] = await Promise.all([runtime.observe(), inspectNodes(runtime, admin)]);
    const observations = new Map(observed.map((entry) => [entry.node, entry]));
    const healths = new Map(health.map((entry) => [entry.node, entry]));
    const nodes = state.topology.nodes.map((node) =>
      rowOf(runtime, node, {
        observation: observations.get(node.name) ?? missing(node.name),
        health: healths.get(node.name) ?? unknownHealth(node.name),
        faults: open
          .filter((record) => nodesHit(record).includes(node.name))
          .map(({ id, spec }) => `${id} ${spec.kind}`),
      }),
    );
    const dashboard = state.topology.nodes.find((node) => node.role === "dashboard");
    const access = runtime.containerAccess?.();
    return {
      lab: state.name,
      preset: state.topology.name,
      cluster: state.topology.clusterName,
      runtime: state.runtime,
      healthy: nodes.every((node) => node.health === "ok"),
      namesrvAddr: namesrvEndpoints(runtime).join(";"),
      namesrvAddrInside: runtime
        .endpoints()
        .filter((endpoint) => endpoint.port === "namesrv")
        .map((endpoint) => endpoint.innerAddress)
        .join(";"),
      dashboardUrl:
        dashboard === undefined ? null : `http://${machineAddress(runtime, dashboard.name)}`,
      network: access?.network ?? null,
      image: access?.image ?? null,
      stateDir: runtime.allocation.stateDir,
      nodes,
      faults: open.map((record) => ({
        id: record.id,
        kind: record.spec.kind,
        state: record.state,
        since: record.injectedAt,
        until: record.expiresAt,
        what: describeFault(record.spec),
      })),
    };
  } finally {
    admin.close();
  }
}

function healthText(row: NodeRow, color: ChalkInstance): string {
  if (row.health === "ok") return color.green("ok");
  const paint = row.health === "degraded" ? color.yellow : color.red;
  return paint(`${row.health}: ${row.reason}`);
}

/** `2/2`: name servers that route the node, of those that answer. */
function routesText(row: NodeRow): string {
  const routed = Object.values(row.routes);
  if (routed.length === 0) return "-";
  return `${routed.filter((address) => address !== null).length}/${routed.length}`;
}

function memoryText(row: NodeRow): string {
  return row.rssBytes === null ? "-" : `${Math.round(row.rssBytes / MIB)} MiB`;
}

/** How far a slave is behind. */
function lagText(row: NodeRow): string {
  if (row.lagBytes === null) return "-";
  return row.lagBytes < MIB ? `${row.lagBytes} B` : `${(row.lagBytes / MIB).toFixed(1)} MiB`;
}

/** `f1, f4`: what they are stands below the table. */
function faultIds(row: NodeRow): string {
  return row.faults.map((fault) => fault.split(" ")[0]).join(", ");
}

/** What a narrow terminal can do without; `lab status --json` has it all. */
const DROP = ["MEMORY", "ROLE", "HOST", "LAG", "ROUTED"];

function nodesTable(view: LabView, color: ChalkInstance, columns: number | null): string {
  const hasFaults = view.faults.length > 0;
  const rows = view.nodes.map((row) => [
    color.bold(row.node),
    row.engine === "ts" ? row.role : `${row.role}, ${row.engine}`,
    row.host,
    row.address,
    row.state,
    memoryText(row),
    routesText(row),
    lagText(row),
    ...(hasFaults ? [row.faults.length === 0 ? "-" : color.yellow(faultIds(row))] : []),
    healthText(row, color),
  ]);
  const header = ["NODE", "ROLE", "HOST", "ADDRESS", "STATE", "MEMORY", "ROUTED", "LAG"];
  const titles = [...header, ...(hasFaults ? ["FAULTS"] : []), "HEALTH"];
  return table(titles, rows, { columns, drop: DROP });
}

/**
 * @param view of a lab
 * @param columns of the terminal; null: a pipe
 * @returns which address each name server tells for each broker, for people
 */
export function renderRoutes(view: LabView, color: ChalkInstance, columns: number | null): string {
  const namesrvs = view.nodes.filter((row) => row.role === ROLE_TEXT.namesrv);
  const brokers = view.nodes.filter(
    (row) => row.role.startsWith("master") || row.role.startsWith("slave"),
  );
  const cell = (broker: NodeRow, namesrv: NodeRow): string => {
    const told = broker.routes[namesrv.node];
    if (told === undefined) return color.red("does not answer");
    return told ?? color.red("not routed");
  };
  const rows = brokers.map((broker) => [
    color.bold(broker.node),
    ...namesrvs.map((namesrv) => cell(broker, namesrv)),
  ]);
  return table(["ROUTED BY", ...namesrvs.map((row) => row.node)], rows, { columns });
}

/** @returns the table of nodes and the addresses to use, for people */
export function renderView(view: LabView, color: ChalkInstance, columns: number | null): string {
  const pairs: [string, string][] = [["name servers for clients", view.namesrvAddr]];
  if (view.network !== null) {
    pairs.push([`in network ${view.network}`, view.namesrvAddrInside]);
  }
  if (view.dashboardUrl !== null) pairs.push(["dashboard", view.dashboardUrl]);
  const width = Math.max(...pairs.map(([what]) => what.length));
  const lines = pairs.map(([what, value]) => `${what.padEnd(width)}  ${color.bold(value)}`);
  const faults = view.faults.map((fault) => [
    color.yellow(fault.id),
    fault.state,
    fault.until ?? "lab heal",
    fault.what,
  ]);
  const broken =
    faults.length === 0
      ? []
      : ["", table(["FAULT", "STATE", "UNTIL", "WHAT"], faults, { columns })];
  return [nodesTable(view, color, columns), "", ...lines, ...broken].join("\n");
}
