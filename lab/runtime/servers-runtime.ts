/**
 * A lab whose hosts are servers: each host's nodes on that host's own Docker Engine, one DockerRuntime a server. What concerns one node goes to its
 * server; what concerns all goes to every server, in the order that a lab on one machine has too. A server that does not answer takes its own nodes
 * away and nothing else: the others can be looked at, broken and stopped.
 */
import { rmSync } from "node:fs";
import type Docker from "dockerode";
import { EngineError } from "../../engine/base/engine-error.ts";
import { nodeNamed } from "../topology/selectors.ts";
import type { Server } from "../topology/topology.ts";
import { missingNode } from "./docker/lab-containers.ts";
import { serverStores } from "./docker/server-stores.ts";
import { DockerRuntime, dockerEndpoints } from "./docker-runtime.ts";
import { checkFences } from "./fence.ts";
import { connectServer } from "./preflight/server-engine.ts";
import type {
  ContainerAccess,
  Endpoint,
  GuestCommand,
  LabAllocation,
  LabRuntime,
  NodeObservation,
  StartProgress,
} from "./runtime.ts";
import { STOP_ORDER } from "./stop-order.ts";
import type { NodeStores } from "./stores.ts";

/** A server's part of the lab, or why its engine cannot be reached. */
type ServerPart = DockerRuntime | EngineError;

function unreachable(node: string): NodeObservation {
  return { ...missingNode(node), state: "unreachable" };
}

/** See the file's head. */
export class ServersRuntime implements LabRuntime {
  readonly kind = "docker";
  readonly allocation: LabAllocation;
  private readonly servers: ReadonlyMap<string, ServerPart>;

  /** @param servers by host, for every host of the topology */
  constructor(allocation: LabAllocation, servers: ReadonlyMap<string, ServerPart>) {
    this.allocation = allocation;
    this.servers = servers;
  }

  /**
   * @returns the part of the lab that runs on the server a node belongs to
   * @throws EngineError DOCKER_ENGINE_MISSING when that server does not answer
   */
  partOf(name: string): DockerRuntime {
    return this.onHost(nodeNamed(this.allocation.topology, name).host);
  }

  private onHost(host: string): DockerRuntime {
    const found = this.servers.get(host);
    if (found === undefined) throw new RangeError(`${host} is no server of this lab`);
    if (found instanceof EngineError) throw found;
    return found;
  }

  /** Those that answer. */
  get parts(): readonly DockerRuntime[] {
    return [...this.servers.values()].filter((part) => part instanceof DockerRuntime);
  }

  /** @throws EngineError DOCKER_ENGINE_MISSING of the first server that does not answer */
  private needAll(): void {
    for (const host of this.servers.keys()) this.onHost(host);
  }

  async up(progress: StartProgress, signal: AbortSignal): Promise<void> {
    this.needAll();
    const live = await this.observe();
    const absent = live.filter(({ state }) => state !== "running" && state !== "paused");
    await checkFences(
      this,
      absent.map(({ node }) => node),
    );
    // All or none: a server that refuses must not leave the other one's half alone while it still starts.
    const outcomes = await Promise.allSettled(this.parts.map((part) => part.up(progress, signal)));
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async down(progress: StartProgress): Promise<void> {
    for (const role of STOP_ORDER) {
      await Promise.all(this.parts.map((part) => part.stopRole(role, progress)));
    }
    await Promise.all(this.parts.map((part) => part.removeContainers(progress)));
    // What can be stopped is; the other server's nodes may still run.
    this.needAll();
  }

  async destroy(progress: StartProgress): Promise<void> {
    this.needAll();
    for (const part of this.parts) await part.refuseGuests();
    await Promise.all(this.parts.map((part) => part.removeEverything()));
    rmSync(this.allocation.stateDir, { recursive: true, force: true });
    progress({ node: null, message: `removed ${this.allocation.stateDir}` });
  }

  async start(node: string): Promise<void> {
    await checkFences(this, [node]);
    await this.partOf(node).start(node);
  }

  async stop(node: string): Promise<void> {
    await this.partOf(node).stop(node);
  }

  async kill(node: string, signal?: NodeJS.Signals): Promise<void> {
    await this.partOf(node).kill(node, signal);
  }

  async pause(node: string): Promise<void> {
    await this.partOf(node).pause(node);
  }

  async unpause(node: string): Promise<void> {
    await this.partOf(node).unpause(node);
  }

  async observe(): Promise<readonly NodeObservation[]> {
    const seen = (await Promise.all(this.parts.map((part) => part.observe()))).flat();
    const byNode = new Map(seen.map((observation) => [observation.node, observation]));
    return this.allocation.topology.nodes.map(({ name }) => byNode.get(name) ?? unreachable(name));
  }

  stores(): NodeStores {
    const engine = (host: string): Docker => this.onHost(host).engine.docker;
    return serverStores(this.allocation, engine);
  }

  endpoints(): readonly Endpoint[] {
    return dockerEndpoints(this.allocation, this.allocation.topology.nodes);
  }

  logs(
    node: string,
    options: { readonly tail: number; readonly follow: boolean; readonly signal: AbortSignal },
  ): AsyncGenerator<string> {
    return this.partOf(node).logs(node, options);
  }

  /** Of the first server that answers; the name servers are those of all, which any network reaches. */
  containerAccess(): ContainerAccess {
    const [first] = this.parts;
    if (first === undefined) this.needAll();
    if (first === undefined) throw new RangeError("the lab has no server");
    const namesrvAddrs = this.endpoints()
      .filter(({ port }) => port === "namesrv")
      .map(({ innerAddress }) => innerAddress);
    return { ...first.containerAccess(), namesrvAddrs };
  }

  async runGuest(guest: GuestCommand): Promise<number> {
    const host = guest.host ?? this.allocation.topology.hosts[0] ?? "";
    if (guest.directory !== null) {
      throw new EngineError("CLI_USAGE", {
        message: `the current folder cannot be mounted on ${host}: its engine is another machine's`,
        hint: "add `--no-mount`, and bring what the program needs in an image (`--image`)",
      });
    }
    return this.onHost(host).runGuest({ ...guest, host });
  }
}

async function connect(
  allocation: LabAllocation,
  host: string,
  server: Server,
): Promise<ServerPart> {
  try {
    return new DockerRuntime(allocation, await connectServer(host, server), host);
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
}

/**
 * @param allocation of a lab whose topology has servers
 * @returns the runtime, also when a server does not answer: what needs it then fails, naming it
 */
export async function createServersRuntime(allocation: LabAllocation): Promise<ServersRuntime> {
  const parts = await Promise.all(
    Object.entries(allocation.topology.servers ?? {}).map(
      async ([host, server]): Promise<readonly [string, ServerPart]> => [
        host,
        await connect(allocation, host, server),
      ],
    ),
  );
  return new ServersRuntime(allocation, new Map(parts));
}
