/**
 * The nodes of a lab as containers (docker-lab). Compose makes them and their networks; the Docker Engine's API does everything else: start, stop,
 * kill, pause, look, read logs, and remove, by label, also when the compose file is lost.
 *
 * Interrupting `up`: compose is told to end, and every container that exists by then is whole (made with its networks) or absent.
 * Nothing is undone here: `up` again starts what is missing, `down` removes what is there.
 */
import { rmSync } from "node:fs";
import { EngineError } from "../../engine/base/engine-error.ts";
import { installRoot } from "../base/install-root.ts";
import { nodeEnvironment } from "../compose/node-environment.ts";
import { INTERNET, addressesOf, nodeAddresses } from "../compose/subnets.ts";
import type { LabNode, NodeRole } from "../topology/topology.ts";
import { checkEngine } from "./docker/check-engine.ts";
import { compose, findCompose } from "./docker/compose-command.ts";
import { containerLogs } from "./docker/container-logs.ts";
import { runContainerGuest } from "./docker/guest.ts";
import { LabContainers, missingNode } from "./docker/lab-containers.ts";
import { ensureImage, imageName } from "./docker/image.ts";
import { composeFile, copyProperties, imageInUse, writeLabFiles } from "./docker/lab-files.ts";
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
import type { NodeStores } from "./stores.ts";

const NEVER_ABORTED = new AbortController().signal;
/** Clients before those they talk to: masters hand their last bytes to slaves, brokers sign off at the name servers. */
const STOP_ORDER: readonly (readonly NodeRole[])[] = [
  ["dashboard"],
  ["broker-master"],
  ["broker-slave"],
  ["namesrv"],
];

function isLive(observation: NodeObservation): boolean {
  return observation.state === "running" || observation.state === "paused";
}

class DockerRuntime implements LabRuntime {
  readonly kind = "docker";
  readonly allocation: LabAllocation;
  private readonly engine: DockerEngine;
  private readonly containers: LabContainers;

  constructor(allocation: LabAllocation, engine: DockerEngine) {
    this.allocation = allocation;
    this.engine = engine;
    this.containers = new LabContainers(engine.docker, allocation);
  }

  async up(progress: StartProgress, signal: AbortSignal): Promise<void> {
    const live = new Set((await this.observe()).filter(isLive).map((seen) => seen.node));
    const absent = this.allocation.topology.nodes.filter((node) => !live.has(node.name));
    if (absent.length === 0) {
      progress({ node: null, message: "every node runs already" });
      return;
    }
    signal.throwIfAborted();
    if (typeof this.allocation.diskMiB === "number") checkDisksPossible(this.engine);
    await checkEngine(this.engine, this.allocation, absent);
    await checkFences(
      this,
      absent.map((node) => node.name),
    );
    await this.create(absent, progress, signal);
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
    const apache = await this.apacheImages(this.allocation.topology.nodes, say);
    signal.throwIfAborted();
    writeLabFiles(this.allocation, { own: image, apache }, this.engine.cpus);
    say(`starting containers from ${image}`);
    await this.dropOutdated(nodes, apache);
    await attachDisks(this.allocation, nodes);
    const names = nodes.map((node) => node.name);
    await this.compose(["up", "-d", "--no-recreate", "--no-build", ...names], signal);
    for (const name of names) progress({ node: name, message: "started" });
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
      file: composeFile(stateDir),
      environment: this.engine.environment,
      args,
      signal,
      onLine: () => undefined,
    });
  }

  async down(progress: StartProgress): Promise<void> {
    const present = await this.containers.list();
    for (const roles of STOP_ORDER) {
      const nodes = this.allocation.topology.nodes
        .filter((node) => roles.includes(node.role) && present.has(node.name))
        .map((node) => node.name);
      await Promise.all(nodes.map((node) => this.stop(node)));
      for (const node of nodes) progress({ node, message: "stopped" });
    }
    await this.containers.removeContainers();
    for (const message of await this.containers.removeNetworks()) progress({ node: null, message });
  }

  async destroy(progress: StartProgress): Promise<void> {
    await this.containers.refuseGuests();
    // What is to be thrown away need not be flushed first.
    await this.containers.removeContainers();
    await this.containers.removeNetworks();
    await this.containers.removeVolumes();
    await removeDisks(this.allocation.stateDir);
    rmSync(this.allocation.stateDir, { recursive: true, force: true });
    progress({ node: null, message: `removed ${this.allocation.stateDir}` });
  }

  async start(name: string): Promise<void> {
    const node = this.node(name);
    await checkFences(this, [name]);
    await this.dropOutdated([node], await this.apacheImages([node], () => undefined));
    const container = await this.containers.find(name);
    if (container === null) {
      await checkEngine(this.engine, this.allocation, [node]);
      await this.create([node], () => undefined, NEVER_ABORTED);
      return;
    }
    copyProperties(this.allocation);
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
    return this.allocation.topology.nodes.map(
      (node) => byNode.get(node.name) ?? missingNode(node.name),
    );
  }

  endpoints(): readonly Endpoint[] {
    const { topology, subnets } = this.allocation;
    const addresses = nodeAddresses(topology, subnets);
    return topology.nodes.flatMap((node) =>
      node.ports.flatMap(({ name, inner, published }) =>
        published === null
          ? []
          : [
              {
                node: node.name,
                port: name,
                address: `127.0.0.1:${published}`,
                innerAddress: `${addressesOf(addresses, node).internet}:${inner}`,
              },
            ],
      ),
    );
  }

  async *logs(
    node: string,
    options: { readonly tail: number; readonly follow: boolean; readonly signal: AbortSignal },
  ): AsyncGenerator<string> {
    const container = await this.containers.find(this.node(node).name);
    if (container !== null) yield* containerLogs(container, options);
  }

  containerAccess(): ContainerAccess {
    const namesrvAddrs = this.endpoints()
      .filter((endpoint) => endpoint.port === "namesrv")
      .map((endpoint) => endpoint.innerAddress);
    return {
      network: `${this.allocation.name}_${INTERNET}`,
      image: imageInUse(this.allocation.stateDir) ?? imageName(installRoot()),
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

  private node(name: string): LabNode {
    const nodes = this.allocation.topology.nodes;
    const found = nodes.find((node) => node.name === name);
    if (found !== undefined) return found;
    throw new EngineError("LAB_NODE_UNKNOWN", {
      message: `this lab has no node "${name}"`,
      hint: `its nodes: ${nodes.map((node) => node.name).join(", ")}`,
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
