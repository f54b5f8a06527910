/**
 * The nodes of a lab as containers (docker-lab). Compose makes them and their networks; the Docker Engine's API does everything else: start, stop,
 * kill, pause, look, read logs, and remove, by label, also when the compose file is lost.
 *
 * Interrupting `up`: compose is told to end, and every container that exists by then is whole (made with its networks) or absent.
 * Nothing is undone here: `up` again starts what is missing, `down` removes what is there.
 *
 * Of a lab whose hosts are servers it is the part that one server's engine runs; servers-runtime.ts puts the parts together.
 */
import { rmSync } from "node:fs";
import { installRoot } from "../base/install-root.ts";
import { nodeEnvironment } from "../compose/node-environment.ts";
import { addressesOf, networksOf, nodeAddresses } from "../compose/subnets.ts";
import { nodeNamed } from "../topology/selectors.ts";
import { publishedHost } from "../topology/servers.ts";
import type { LabNode, NodeRole } from "../topology/topology.ts";
import { checkEngine, checkServer } from "./docker/check-engine.ts";
import { compose, findCompose } from "./docker/compose-command.ts";
import { fillConfVolume } from "./docker/conf-volume.ts";
import { containerLogs } from "./docker/container-logs.ts";
import { runContainerGuest } from "./docker/guest.ts";
import { LabContainers, missingNode } from "./docker/lab-containers.ts";
import { ensureImage, imageName } from "./docker/image.ts";
import {
  composeFile,
  copyProperties,
  imageInUse,
  writeLabFiles,
  type Part,
} from "./docker/lab-files.ts";
import { attachDisks, checkDisksPossible, removeDisks } from "./docker/node-disks.ts";
import { volumeStores } from "./docker/volume-stores.ts";
import { checkFences } from "./fence.ts";
import { connectDocker, type DockerEngine } from "./preflight/engine.ts";
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

const NEVER_ABORTED = new AbortController().signal;
function isLive(observation: NodeObservation): boolean {
  return observation.state === "running" || observation.state === "paused";
}

/** @returns every published port of the nodes */
export function dockerEndpoints(
  allocation: LabAllocation,
  nodes: readonly LabNode[],
): readonly Endpoint[] {
  const { topology, subnets } = allocation;
  const addresses = nodeAddresses(topology, subnets);
  return nodes.flatMap((node) =>
    node.ports.flatMap(({ name: port, inner, published }): Endpoint[] => {
      if (published === null) return [];
      const address = `${publishedHost(topology, node)}:${published}`;
      const innerAddress = `${addressesOf(addresses, node).internet}:${inner}`;
      return [{ node: node.name, port, address, innerAddress }];
    }),
  );
}

/** See the file's head. */
export class DockerRuntime implements LabRuntime {
  readonly kind = "docker";
  readonly allocation: LabAllocation;
  readonly engine: DockerEngine;
  private readonly part: Part;
  private readonly containers: LabContainers;

  /** @param part the host that is a server; undefined: the engine runs all of the lab */
  constructor(allocation: LabAllocation, engine: DockerEngine, part?: string) {
    this.allocation = allocation;
    this.engine = engine;
    this.part = part;
    this.containers = new LabContainers(engine.docker, allocation);
  }

  /** Those this engine runs. */
  private get nodes(): readonly LabNode[] {
    const { nodes } = this.allocation.topology;
    return this.part === undefined ? nodes : nodes.filter((node) => node.host === this.part);
  }

  async up(progress: StartProgress, signal: AbortSignal): Promise<void> {
    const live = new Set((await this.observe()).filter(isLive).map((seen) => seen.node));
    const absent = this.nodes.filter((node) => !live.has(node.name));
    if (absent.length === 0) {
      progress({ node: null, message: "every node runs already" });
      return;
    }
    signal.throwIfAborted();
    if (typeof this.allocation.diskMiB === "number") checkDisksPossible(this.engine);
    await this.check(absent);
    await this.create(absent, progress, signal);
  }

  private async check(nodes: readonly LabNode[]): Promise<void> {
    const host = this.part;
    const server = host === undefined ? undefined : this.allocation.topology.servers?.[host];
    if (host === undefined || server === undefined) {
      await checkEngine(this.engine, this.allocation, nodes);
      await checkFences(
        this,
        nodes.map((node) => node.name),
      );
      return;
    }
    // Fences compare stores of two servers: servers-runtime.ts checks them.
    await checkServer(this.engine, this.allocation, { host, server, nodes });
  }

  stores(): NodeStores {
    return volumeStores(this.engine.docker, this.allocation);
  }

  /** Has compose make and start containers; running ones are left alone. */
  private async create(
    nodes: readonly LabNode[],
    progress: StartProgress,
    signal: AbortSignal,
  ): Promise<void> {
    const say = (message: string): void => progress({ node: null, message });
    const image = await ensureImage(this.engine.docker, installRoot(), say);
    signal.throwIfAborted();
    const apache = await this.apacheImages(this.nodes, say);
    signal.throwIfAborted();
    const { part } = this;
    writeLabFiles(this.allocation, { own: image, apache }, { cpus: this.engine.cpus, part });
    await this.deliverProperties(image);
    say(`starting containers from ${image}`);
    await this.dropOutdated(nodes, apache);
    await attachDisks(this.allocation, nodes);
    const names = nodes.map((node) => node.name);
    await this.compose(["up", "-d", "--no-recreate", "--no-build", ...names], signal);
    for (const name of names) progress({ node: name, message: "started" });
  }

  private async deliverProperties(image: string): Promise<void> {
    if (this.part !== undefined) await fillConfVolume(this.engine.docker, this.allocation, image);
  }

  /** A container keeps the settings and limits it was made with: one that stands still and has others is made anew, on its old volume. */
  private async dropOutdated(
    nodes: readonly LabNode[],
    apacheImages: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { name: labName, topology, subnets } = this.allocation;
    const addresses = nodeAddresses(topology, subnets);
    for (const node of nodes) {
      const environment = nodeEnvironment({ labName, topology, subnets, addresses }, node);
      const apache = apacheImages.get(node.name) ?? "";
      await this.containers.removeOutdated(node, { environment, apache });
    }
  }

  /** Makes sure that the images with Apache's programs are there. @returns them by node */
  private async apacheImages(
    nodes: readonly LabNode[],
    say: (message: string) => void,
  ): Promise<ReadonlyMap<string, string>> {
    const images = new Map<string, string>();
    for (const { name, engine } of nodes) {
      if (engine === undefined) continue;
      const { ensureApacheImage } = await import("./docker/apache-image.ts");
      images.set(name, await ensureApacheImage(this.engine.docker, engine, say));
    }
    return images;
  }

  private async compose(args: readonly string[], signal: AbortSignal): Promise<void> {
    const { name, stateDir } = this.allocation;
    await compose({
      command: await findCompose(stateDir),
      project: name,
      file: composeFile(stateDir, this.part),
      environment: this.engine.environment,
      args,
      signal,
      onLine: () => undefined,
    });
  }

  async down(progress: StartProgress): Promise<void> {
    for (const role of STOP_ORDER) await this.stopRole(role, progress);
    await this.removeContainers(progress);
  }

  /** Stops the nodes of a role. */
  async stopRole(role: NodeRole, progress: StartProgress): Promise<void> {
    const present = await this.containers.list();
    const nodes = this.nodes
      .filter((node) => node.role === role && present.has(node.name))
      .map((node) => node.name);
    await Promise.all(nodes.map((node) => this.stop(node)));
    for (const node of nodes) progress({ node, message: "stopped" });
  }

  /** Removes containers and networks; volumes stay. */
  async removeContainers(progress: StartProgress): Promise<void> {
    await this.containers.removeContainers();
    for (const message of await this.containers.removeNetworks()) progress({ node: null, message });
  }

  async destroy(progress: StartProgress): Promise<void> {
    await this.refuseGuests();
    await this.removeEverything();
    rmSync(this.allocation.stateDir, { recursive: true, force: true });
    progress({ node: null, message: `removed ${this.allocation.stateDir}` });
  }

  /** @throws EngineError LAB_CONFLICT when a container that is not the lab's stands in one of its networks */
  async refuseGuests(): Promise<void> {
    await this.containers.refuseGuests();
  }

  /** All the engine has of the lab. What is to be thrown away need not be flushed first. */
  async removeEverything(): Promise<void> {
    await this.containers.removeContainers();
    await this.containers.removeNetworks();
    await this.containers.removeVolumes();
    await removeDisks(this.allocation.stateDir);
  }

  async start(name: string): Promise<void> {
    const node = nodeNamed(this.allocation.topology, name);
    if (this.part === undefined) await checkFences(this, [name]);
    await this.dropOutdated([node], await this.apacheImages([node], () => undefined));
    const container = await this.containers.find(name);
    if (container === null) {
      await this.check([node]);
      await this.create([node], () => undefined, NEVER_ABORTED);
      return;
    }
    copyProperties(this.allocation);
    await this.deliverProperties(this.containerAccess().image);
    await attachDisks(this.allocation, [node]);
    await this.containers.act(name, (found) => found.start(), { status: [] });
  }

  async stop(node: string): Promise<void> {
    await this.containers.act(node, (container) => container.stop(), { status: [] });
  }

  async kill(node: string, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    // docker-init does not hand these two on; the freezer does what is meant (docker-lab 9).
    if (signal === "SIGSTOP") return this.pause(node);
    if (signal === "SIGCONT") return this.unpause(node);
    await this.containers.act(node, (container) => container.kill({ signal }), {
      status: [409],
      reason: /not running/,
    });
  }

  async pause(node: string): Promise<void> {
    await this.containers.act(node, (container) => container.pause(), {
      status: [409],
      reason: /already paused/,
    });
  }

  async unpause(node: string): Promise<void> {
    await this.containers.act(node, (container) => container.unpause(), {
      status: [409, 500],
      reason: /not paused/,
    });
  }

  async observe(): Promise<readonly NodeObservation[]> {
    const seen = await this.containers.observe();
    const byNode = new Map(seen.map((observation) => [observation.node, observation]));
    return this.nodes.map((node) => byNode.get(node.name) ?? missingNode(node.name));
  }

  endpoints(): readonly Endpoint[] {
    return dockerEndpoints(this.allocation, this.nodes);
  }

  async *logs(
    node: string,
    options: { readonly tail: number; readonly follow: boolean; readonly signal: AbortSignal },
  ): AsyncGenerator<string> {
    const container = await this.containers.find(nodeNamed(this.allocation.topology, node).name);
    if (container !== null) yield* containerLogs(container, options);
  }

  containerAccess(): ContainerAccess {
    const { name, stateDir, topology } = this.allocation;
    const namesrvAddrs = this.endpoints()
      .filter((endpoint) => endpoint.port === "namesrv")
      .map((endpoint) => endpoint.innerAddress);
    return {
      network: `${name}_${this.part ?? networksOf(topology).at(-1) ?? ""}`,
      image: imageInUse(stateDir, this.part) ?? imageName(installRoot()),
      namesrvAddrs,
    };
  }

  runGuest(guest: GuestCommand): Promise<number> {
    const { image } = this.containerAccess();
    return runContainerGuest(this.engine.docker, this.allocation, {
      ...guest,
      image: guest.image ?? image,
    });
  }
}

/**
 * @param allocation of the lab, with its subnets and published ports
 * @returns the runtime; nothing is started yet
 * @throws EngineError DOCKER_ENGINE_MISSING | DOCKER_PERMISSION
 */
export async function createDockerRuntime(allocation: LabAllocation): Promise<LabRuntime> {
  return new DockerRuntime(allocation, await connectDocker());
}
