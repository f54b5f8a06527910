/**
 * What `import { RocketMQLab } from "rocketmq-lab"` gives: a cluster for a test, with everything it made gone at the end. The published
 * declaration is made from this file alone, so its public types name nothing of other files.
 */
import { EngineError } from "../../engine/base/engine-error.ts";
import { FaultControl } from "../faults/control.ts";
import { comeBack, wake } from "../faults/come-back.ts";
import { nodesBack, type FaultSpec } from "../faults/fault.ts";
import { liveNodes, type BroughtUp } from "../runtime/bring-up.ts";
import type { Endpoint } from "../runtime/runtime.ts";
import { lockFile } from "../runtime/state.ts";
import { inspectNodes, machineAddress } from "../runtime/wait/health.ts";
import { labAdmin, namesrvEndpoints, waitUntilReady } from "../runtime/wait/ready.ts";
import { chooseNodes } from "../topology/selectors.ts";
import type { LabNode } from "../topology/topology.ts";
import { begin, end } from "./begin.ts";
import { defaultHome } from "./leftovers.ts";

/** How a lab is made. */
export interface RocketMQLabOptions {
  /** Default `process`: local processes on 127.0.0.1. `docker` needs an engine with compose. */
  readonly runtime?: "process" | "docker";
  /** Memory and file sizes. Default `tiny`. */
  readonly size?: "tiny" | "small" | "large";
  /** Docker only, as root on Linux: a disk of so many MiB for each node, so that `lab fault disk-full` and `disk-readonly` work. Default: none. */
  readonly diskMiB?: number;
  /** Settings over the property files: `@masters.flushDiskType=ASYNC_FLUSH`. */
  readonly set?: readonly string[];
  /** Milliseconds until everything must be ready. Default 60,000. */
  readonly timeoutMs?: number;
  /** Takes back what was started when it aborts. */
  readonly signal?: AbortSignal;
  /** Told what happens, line by line. Default: nobody. */
  readonly log?: (line: string) => void;
  /** Folder for the state of all labs. Default: one in the system's temporary directory, for this user only. */
  readonly home?: string;
}

/** One node of a lab. */
export interface RocketMQLabNode {
  /** `broker-a-master` */
  readonly name: string;
  readonly role: "namesrv" | "broker-master" | "broker-slave" | "dashboard";
  /** `host-1` or `host-2` */
  readonly host: string;
  /** Brokers only. */
  readonly brokerName: string | null;
  /** Brokers only; 0 is the master. */
  readonly brokerId: number | null;
  /** Where this machine reaches it: port name (`namesrv`, `broker`, `fast`, `ha`, `dashboard`) to `host:port`. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Where containers in the lab's network reach it; the same as `addresses` for local processes. */
  readonly innerAddresses: Readonly<Record<string, string>>;
}

/** A node at one instant. */
export interface RocketMQLabNodeStatus {
  readonly name: string;
  readonly state: "running" | "paused" | "stopped" | "missing" | "unreachable";
  readonly health: "ok" | "degraded" | "down";
  /** What is wrong; empty when nothing is. */
  readonly reason: string;
}

/** What a container of yours needs to stand beside a lab in Docker. */
export interface RocketMQLabNetwork {
  readonly network: string;
  readonly namesrvAddr: string;
}

/** One node, or a group: `@masters`, `@slaves`, `@brokers`, `@namesrvs`, `@host-1`, `@broker-a`, `@all`. Or several of both. */
export type RocketMQLabNodes = string | readonly string[];

const TIMEOUT_MS = 60_000;
const LOG_LINES = 100;

function describe(node: LabNode, endpoints: readonly Endpoint[]): RocketMQLabNode {
  const own = endpoints.filter((endpoint) => endpoint.node === node.name);
  const byPort = (address: (endpoint: Endpoint) => string): Readonly<Record<string, string>> =>
    Object.fromEntries(own.map((endpoint) => [endpoint.port, address(endpoint)]));
  return {
    name: node.name,
    role: node.role,
    host: node.host,
    brokerName: node.broker?.brokerName ?? null,
    brokerId: node.broker?.brokerId ?? null,
    addresses: byPort((endpoint) => endpoint.address),
    innerAddresses: byPort((endpoint) => endpoint.innerAddress),
  };
}

/**
 * A running cluster. Every instance has a name, ports and data of its own; several stand side by side, in one process or many.
 * Errors have a stable `code` (`LAB_NODE_UNKNOWN`, `LAB_PORT_TAKEN`, …), a message and a `hint`.
 */
export class RocketMQLab implements AsyncDisposable {
  readonly name: string;
  readonly runtime: "process" | "docker";
  readonly preset: string;
  /** Cluster name of the brokers. */
  readonly cluster: string;
  /** What a client on this machine is given as its name server address. */
  readonly namesrvAddr: string;
  /** Null when the topology has no dashboard. */
  readonly dashboardUrl: string | null;
  readonly nodes: readonly RocketMQLabNode[];
  /** Null for local processes. */
  readonly container: RocketMQLabNetwork | null;
  /** `NAMESRV_ADDR` for clients; `LAB_HOME` and `LAB_NAME` make `lab status` and all other commands mean this lab. */
  readonly env: Readonly<Record<string, string>>;
  private readonly lab: BroughtUp;
  private readonly home: string;
  private readonly timeoutMs: number;
  private ending: Promise<void> | undefined;

  private constructor(lab: BroughtUp, home: string, timeoutMs: number) {
    const { state, runtime } = lab;
    this.lab = lab;
    this.home = home;
    this.timeoutMs = timeoutMs;
    this.name = state.name;
    this.runtime = state.runtime;
    this.preset = state.topology.name;
    this.cluster = state.topology.clusterName;
    this.namesrvAddr = namesrvEndpoints(runtime).join(";");
    this.nodes = state.topology.nodes.map((node) => describe(node, runtime.endpoints()));
    const dashboard = state.topology.nodes.find((node) => node.role === "dashboard");
    this.dashboardUrl =
      dashboard === undefined ? null : `http://${machineAddress(runtime, dashboard.name)}`;
    const access = runtime.containerAccess?.();
    this.container =
      access === undefined
        ? null
        : { network: access.network, namesrvAddr: access.namesrvAddrs.join(";") };
    this.env = { NAMESRV_ADDR: this.namesrvAddr, LAB_HOME: home, LAB_NAME: state.name };
  }

  /**
   * Makes a cluster and waits until it serves: every broker routed by every name server, slaves in sync, a message through every master.
   * @param preset `1m`, `2m-noslave`, `2m-2s-async`, `2m-2s-sync`, or a folder with a topology.yaml
   */
  static async start(
    preset: string = "2m-2s-sync",
    options: RocketMQLabOptions = {},
  ): Promise<RocketMQLab> {
    const home = options.home ?? defaultHome();
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    const lab = await begin({
      home,
      preset,
      timeoutMs,
      cwd: process.cwd(),
      runtime: options.runtime ?? "process",
      size: options.size ?? "tiny",
      diskMiB: options.diskMiB,
      set: options.set ?? [],
      signal: options.signal ?? new AbortController().signal,
      log: options.log ?? (() => undefined),
    });
    return new RocketMQLab(lab, home, timeoutMs);
  }

  /**
   * @param node its name
   * @param port `broker`, `fast`, `ha`, `namesrv`, `dashboard`; default: the one clients use
   * @returns `127.0.0.1:port`
   */
  address(node: string, port?: string): string {
    const [found] = this.choose([node]);
    const addresses = this.nodes.find(({ name }) => name === found)?.addresses ?? {};
    const address = addresses[port ?? Object.keys(addresses)[0] ?? ""];
    if (address !== undefined) return address;
    throw new RangeError(
      `${node} has no port "${port}" here: ${Object.keys(addresses).join(", ")}`,
    );
  }

  /** Crashes nodes; nothing is flushed, nobody is told. Those that do not run are left alone. Another signal than SIGKILL is only sent. */
  async kill(nodes: RocketMQLabNodes, options: { readonly signal?: string } = {}): Promise<void> {
    const signal = options.signal ?? "SIGKILL";
    await this.breakLive(nodes, (live) => ({ kind: "kill", nodes: live, signal }));
  }

  /** Freezes nodes: connections stay open, nothing answers. */
  async pause(nodes: RocketMQLabNodes): Promise<void> {
    await this.breakLive(nodes, (live) => ({ kind: "pause", nodes: live }));
  }

  /** Lets paused nodes go on, and waits until they serve. */
  async unpause(nodes: RocketMQLabNodes): Promise<void> {
    const chosen = this.choose(nodes);
    const at = { runtime: this.lab.runtime, control: this.control("unpause") };
    await Promise.all(chosen.map((node) => wake(at, node)));
    await this.waitUntilReady(chosen);
  }

  /** Starts nodes that were killed or stopped, with the data they had, and waits until they serve. */
  async start(nodes: RocketMQLabNodes): Promise<void> {
    const chosen = this.choose(nodes);
    const at = { runtime: this.lab.runtime, control: this.control("start") };
    await Promise.all(
      chosen.map((node) =>
        comeBack({ ...at, lock: lockFile(this.home, `${this.name}.${node}`) }, node),
      ),
    );
    await this.waitUntilReady(chosen);
  }

  /**
   * With nodes: ends them gracefully, their data stays. Without: ends the lab and removes everything it made, as `await using` does
   * at the end of its block; a second time does nothing.
   */
  async stop(nodes?: RocketMQLabNodes): Promise<void> {
    if (nodes !== undefined) {
      await this.breakLive(nodes, (live) => ({ kind: "stop", nodes: live }));
      return;
    }
    this.ending ??= end(this.home, this.name).catch((error: unknown) => {
      // What could not be removed now may be tried again.
      this.ending = undefined;
      throw error;
    });
    await this.ending;
  }

  /**
   * Drops all packets between two ends. Docker only: local processes share one network.
   * @returns its id for `heal`
   */
  async partition(
    from: RocketMQLabNodes,
    to: RocketMQLabNodes,
    options: { readonly oneWay?: boolean; readonly port?: number } = {},
  ): Promise<string> {
    const ends = { from: this.choose(from), to: this.choose(to) };
    const { oneWay = false, port = null } = options;
    const spec: FaultSpec = { kind: "partition", ...ends, oneWay, port };
    return (await this.control("partition").inject(spec, undefined)).id;
  }

  /** Takes back everything that was broken (or the given faults), newest first, and waits until the nodes that come back serve. */
  async heal(...ids: readonly string[]): Promise<void> {
    this.choose([]);
    const healed = await this.control("heal").heal(ids.length === 0 ? undefined : ids);
    const back = [...nodesBack(healed, this.control("heal").ledger.open())];
    if (back.length > 0) await this.waitUntilReady(back);
  }

  /** @param nodes default: all @param options milliseconds; default as at the start */
  async waitUntilReady(
    nodes: RocketMQLabNodes = "@all",
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    await waitUntilReady({
      runtime: this.lab.runtime,
      nodes: new Set(this.choose(nodes)),
      deadline: performance.now() + (options.timeoutMs ?? this.timeoutMs),
      signal: options.signal ?? new AbortController().signal,
      say: () => undefined,
    });
  }

  /** What each node does right now, asked of the system and over the protocol. */
  async status(): Promise<readonly RocketMQLabNodeStatus[]> {
    const { runtime } = this.lab;
    const admin = labAdmin(runtime);
    try {
      const seen = new Map((await runtime.observe()).map((entry) => [entry.node, entry.state]));
      return (await inspectNodes(runtime, admin)).map(({ node, health, reason }) => ({
        name: node,
        state: seen.get(node) ?? "missing",
        health,
        reason,
      }));
    } finally {
      admin.close();
    }
  }

  /** @returns the last lines of a node's log, oldest first */
  async logs(node: string, options: { readonly lines?: number } = {}): Promise<readonly string[]> {
    const found: string[] = [];
    const { signal } = new AbortController();
    const wanted = { tail: options.lines ?? LOG_LINES, follow: false, signal };
    for (const name of this.choose(node))
      for await (const line of this.lab.runtime.logs(name, wanted)) found.push(line);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** @throws EngineError LAB_NOT_FOUND when the lab was stopped | LAB_NODE_UNKNOWN */
  private choose(nodes: RocketMQLabNodes): string[] {
    if (this.ending !== undefined) {
      throw new EngineError("LAB_NOT_FOUND", {
        message: `lab ${this.name} was stopped and is gone`,
        hint: "make a new one with RocketMQLab.start()",
      });
    }
    const words = typeof nodes === "string" ? [nodes] : nodes;
    return chooseNodes(this.lab.state.topology, words).map((node) => node.name);
  }

  private control(verb: string): FaultControl {
    return new FaultControl({
      runtime: this.lab.runtime,
      lockFile: lockFile(this.home, this.name),
      command: `RocketMQLab.${verb}`,
    });
  }

  /** Through the ledger, so that `heal` and `lab status` know of it. */
  private async breakLive(
    nodes: RocketMQLabNodes,
    spec: (live: string[]) => FaultSpec,
  ): Promise<void> {
    const chosen = this.choose(nodes);
    const alive = await liveNodes(this.lab.runtime);
    const live = chosen.filter((node) => alive.has(node));
    if (live.length === 0) return;
    const fault = spec(live);
    await this.control(fault.kind).inject(fault, undefined);
  }
}
