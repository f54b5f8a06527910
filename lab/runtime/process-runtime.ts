/**
 * The nodes of a lab as local processes on 127.0.0.1: for machines without a container engine, for fast tests and CI. It cannot cut
 * networks or limit memory and says so; it never pretends.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";
import { nodeNamed } from "../topology/selectors.ts";
import type { LabNode, NodeRole } from "../topology/topology.ts";
import { checkFences } from "./fence.ts";
import { runLocalGuest } from "./local-guest.ts";
import { localStores } from "./local-stores.ts";
import { logLines } from "./node-log.ts";
import { localPort, nodeDirectory, nodeLaunch } from "./node-launch.ts";
import { NodeProcess } from "./node-process.ts";
import { checkPorts, portClaims } from "./preflight/ports.ts";
import { STOP_ORDER } from "./stop-order.ts";
import type { NodeStores } from "./stores.ts";
import { namesrvAddrSeenFrom } from "./vantage.ts";
import type {
  Endpoint,
  GuestCommand,
  LabAllocation,
  LabRuntime,
  NodeObservation,
  StartProgress,
} from "./runtime.ts";

/** A node that does not end by itself in this time after SIGTERM is killed, as a container engine does. */
const STOP_DEADLINE_MS = 10_000;
/** Apache's brokers take several seconds for a clean stop, more on a busy machine. */
const APACHE_STOP_DEADLINE_MS = 30_000;
/** SIGKILL cannot be refused; longer than this means a process stuck in the kernel. */
const KILL_DEADLINE_MS = 5_000;
/** The first process of a container may take its time to collect what has ended. */
const REAP_DEADLINE_MS = 3_000;

const START_ORDER: readonly NodeRole[] = ["namesrv", "broker-master", "broker-slave", "dashboard"];

class ProcessRuntime implements LabRuntime {
  readonly kind = "process";
  readonly allocation: LabAllocation;
  private readonly processes: ReadonlyMap<string, NodeProcess>;

  constructor(allocation: LabAllocation) {
    this.allocation = allocation;
    this.processes = new Map(
      allocation.topology.nodes.map((node) => [
        node.name,
        new NodeProcess(node.name, nodeDirectory(allocation, node.name)),
      ]),
    );
  }

  private process(name: string): NodeProcess {
    const found = this.processes.get(nodeNamed(this.allocation.topology, name).name);
    if (found === undefined) throw new RangeError(`${name} has no process`);
    return found;
  }

  private async startNode(node: LabNode): Promise<boolean> {
    const child = this.process(node.name);
    const { state } = child.observe();
    if (state === "stopped") await child.reaped(REAP_DEADLINE_MS);
    return child.start(nodeLaunch(node, this.allocation));
  }

  async up(progress: StartProgress, signal: AbortSignal): Promise<void> {
    const inOrder = this.allocation.topology.nodes.toSorted(
      (a, b) => START_ORDER.indexOf(a.role) - START_ORDER.indexOf(b.role),
    );
    await this.checkFences(inOrder);
    const started: string[] = [];
    for (const node of inOrder) {
      signal.throwIfAborted();
      // One that is frozen is so on purpose.
      if (this.process(node.name).observe().state === "paused") continue;
      if (!(await this.startNode(node))) continue;
      started.push(node.name);
      progress({ node: node.name, message: "started" });
      // Spawning blocks; a turn of the loop between two nodes lets Ctrl-C and progress through.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (started.length === 0) progress({ node: null, message: "every node runs already" });
  }

  private async checkFences(nodes: readonly LabNode[]): Promise<void> {
    const live = new Set(
      (await this.observe())
        .filter(({ state }) => state === "running" || state === "paused")
        .map((seen) => seen.node),
    );
    await checkFences(
      this,
      nodes.map(({ name }) => name).filter((name) => !live.has(name)),
    );
  }

  stores(): NodeStores {
    return localStores(this.allocation);
  }

  async down(progress: StartProgress): Promise<void> {
    for (const role of STOP_ORDER) {
      const nodes = this.allocation.topology.nodes.filter((node) => node.role === role);
      await Promise.all(
        nodes.map(async ({ name }) => {
          const state = this.process(name).observe().state;
          if (state !== "running" && state !== "paused") return;
          await this.stop(name);
          progress({ node: name, message: "stopped" });
        }),
      );
    }
  }

  async destroy(progress: StartProgress): Promise<void> {
    await this.down(progress);
    await endLeftovers(this.allocation);
    rmSync(this.allocation.stateDir, { recursive: true, force: true });
    progress({ node: null, message: `removed ${this.allocation.stateDir}` });
  }

  async start(name: string): Promise<void> {
    const node = nodeNamed(this.allocation.topology, name);
    const { state } = this.process(name).observe();
    if (state === "stopped" || state === "missing") {
      await checkPorts(portClaims([node]));
      await checkFences(this, [name]);
    }
    await this.startNode(node);
  }

  async stop(node: string): Promise<void> {
    const child = this.process(node);
    if (!child.signal("SIGTERM")) return;
    // A paused process acts on nothing before it goes on.
    child.signal("SIGCONT");
    const isApache = nodeNamed(this.allocation.topology, node).engine !== undefined;
    if (await child.ended(isApache ? APACHE_STOP_DEADLINE_MS : STOP_DEADLINE_MS)) return;
    await this.kill(node, "SIGKILL");
  }

  async kill(node: string, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.process(node);
    if (!child.signal(signal) || signal !== "SIGKILL") return;
    if (await child.ended(KILL_DEADLINE_MS)) return;
    throw new EngineError("LAB_NODE_FAILED", {
      message: `${node} still lives ${KILL_DEADLINE_MS / 1_000} s after SIGKILL: it hangs inside the kernel`,
      hint: "look at the disk its store lies on, then run the command again",
    });
  }

  async pause(node: string): Promise<void> {
    this.signalRunning(node, "SIGSTOP");
    return Promise.resolve();
  }

  async unpause(node: string): Promise<void> {
    this.signalRunning(node, "SIGCONT");
    return Promise.resolve();
  }

  private signalRunning(node: string, signal: "SIGSTOP" | "SIGCONT"): void {
    if (this.process(node).signal(signal)) return;
    throw new EngineError("LAB_NODE_NOT_RUNNING", {
      message: `${node} does not run`,
      hint: `start it with \`lab start ${node}\``,
    });
  }

  async observe(): Promise<readonly NodeObservation[]> {
    return Promise.resolve([...this.processes.values()].map((child) => child.observe()));
  }

  endpoints(): readonly Endpoint[] {
    return this.allocation.topology.nodes.flatMap((node) =>
      node.ports.map((port) => {
        const address = `127.0.0.1:${localPort(node, port.name) ?? port.inner}`;
        return { node: node.name, port: port.name, address, innerAddress: address };
      }),
    );
  }

  runGuest(guest: GuestCommand): Promise<number> {
    return runLocalGuest(guest, namesrvAddrSeenFrom(this.allocation, guest.host));
  }

  logs(
    node: string,
    options: { readonly tail: number; readonly follow: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<string> {
    return logLines(this.process(node).logFile, options);
  }
}

/** Ends nodes that the lab's folder remembers but its topology no longer names. */
async function endLeftovers(allocation: LabAllocation): Promise<void> {
  const folder = join(allocation.stateDir, "nodes");
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const child = new NodeProcess(name, join(folder, name));
    if (child.signal("SIGKILL")) await child.ended(KILL_DEADLINE_MS);
  }
}

/**
 * @param allocation of the lab; its topology's published ports are where the nodes will listen
 * @returns the runtime; nothing is started yet
 */
export function createProcessRuntime(allocation: LabAllocation): LabRuntime {
  return new ProcessRuntime(allocation);
}
