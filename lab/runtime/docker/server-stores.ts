/**
 * Data of nodes on servers: every operation is done on the server whose data it changes (or reads); data of another server that it needs is copied
 * there first, into a volume that is removed at the end.
 */
import { Readable, addAbortSignal } from "node:stream";
import type Docker from "dockerode";
import { installRoot } from "../../base/install-root.ts";
import { CONTAINER_USER } from "../../compose/service.ts";
import type { StoreOperation, StoreResult } from "../../stores/operations.ts";
import { BESIDE_DATA } from "../data-files.ts";
import type { LabAllocation } from "../runtime.ts";
import type { NodeStores, StoreWork } from "../stores.ts";
import { dockerError } from "./docker-error.ts";
import { ensureImage } from "./image.ts";
import { VolumeStores, dataVolume, workLabels } from "./volume-stores.ts";

/** @returns the engine of a host. @throws EngineError DOCKER_ENGINE_MISSING */
type EngineOf = (host: string) => Docker;

/** `/nodes/broker-a-master/store` and `/data/broker-a-master` are of that node (see volume-stores.ts). */
function nodeOfPath(path: string): string {
  return path.split("/")[2] ?? "";
}

/** @returns path of the data an operation is about, and of other data it reads */
function pathsOf(operation: StoreOperation): { readonly own: string; readonly other?: string } {
  switch (operation.do) {
    case "compare":
      return { own: operation.data, other: operation.with };
    case "copy":
    case "replace":
    case "move":
      return { own: operation.to, other: operation.from };
    case "log":
      return { own: operation.data };
    case "wipe":
    case "remove":
    case "size":
      return { own: operation.folder };
  }
}

/** Operations in a row that one server does. */
interface Batch {
  readonly host: string;
  readonly operations: StoreOperation[];
  /** Nodes of other servers whose data is needed. */
  readonly borrowed: Set<string>;
}

class ServerStores implements NodeStores {
  readonly keep: readonly string[] = BESIDE_DATA;
  private readonly allocation: LabAllocation;
  private readonly engine: EngineOf;

  constructor(allocation: LabAllocation, engine: EngineOf) {
    this.allocation = allocation;
    this.engine = engine;
  }

  private part(host: string): VolumeStores {
    return new VolumeStores(this.engine(host), this.allocation);
  }

  private hostOf(node: string): string {
    const found = this.allocation.topology.nodes.find(({ name }) => name === node);
    if (found === undefined) throw new RangeError(`no node ${node}`);
    return found.host;
  }

  data(node: string): string {
    return this.part(this.hostOf(node)).data(node);
  }

  saved(snapshot: string, node: string): string {
    return this.part(this.hostOf(node)).saved(snapshot, node);
  }

  private batches(operations: readonly StoreOperation[]): readonly Batch[] {
    const batches: Batch[] = [];
    for (const operation of operations) {
      const { own, other } = pathsOf(operation);
      const host = this.hostOf(nodeOfPath(own));
      const last = batches.at(-1);
      const batch =
        last?.host === host ? last : { host, operations: [], borrowed: new Set<string>() };
      if (batch !== last) batches.push(batch);
      batch.operations.push(operation);
      const node = other === undefined ? undefined : nodeOfPath(other);
      if (node !== undefined && this.hostOf(node) !== host) batch.borrowed.add(node);
    }
    return batches;
  }

  async run(
    operations: readonly StoreOperation[],
    work: StoreWork,
  ): Promise<readonly StoreResult[]> {
    const results: StoreResult[] = [];
    for (const batch of this.batches(operations))
      results.push(...(await this.runBatch(batch, work)));
    return results;
  }

  private async runBatch(batch: Batch, work: StoreWork): Promise<readonly StoreResult[]> {
    const { host, operations, borrowed } = batch;
    const lent = new Map<string, string>();
    try {
      for (const node of borrowed) {
        const volume = `${this.allocation.name}_lent-${node}`;
        lent.set(node, volume);
        await this.lend(node, { host, volume }, work);
      }
      return await this.part(host).run(operations, work, lent);
    } finally {
      for (const volume of lent.values()) await this.remove(host, volume);
    }
  }

  private async exists(host: string, volume: string): Promise<boolean> {
    return this.engine(host)
      .getVolume(volume)
      .inspect()
      .then(
        () => true,
        () => false,
      );
  }

  /** What stays behind because it is in use is found by its label, at the latest by `lab destroy`. */
  private async remove(host: string, volume: string): Promise<void> {
    await this.engine(host)
      .getVolume(volume)
      .remove()
      .catch(() => undefined);
  }

  /** Copies a node's data to a volume of another server. */
  private async lend(
    node: string,
    { host: to, volume }: { readonly host: string; readonly volume: string },
    work: StoreWork,
  ): Promise<void> {
    const from = this.hostOf(node);
    const path = this.data(node);
    work.say(`copying the data of ${node} from ${from} to ${to}`);
    await this.remove(to, volume);
    const labels = workLabels(this.allocation);
    await this.engine(to).createVolume({ Name: volume, Labels: labels });
    const own = dataVolume(this.allocation, node);
    // A node that was never started has nothing; naming its volume in a container would make it.
    if (!(await this.exists(from, own))) return;
    const source = await this.holder(from, `${own}:${path}`, work);
    const target = await this.holder(to, `${volume}:${path}`, work);
    try {
      work.signal.throwIfAborted();
      const archive = await source.getArchive({ path: `${path}/.` });
      await target.putArchive(addAbortSignal(work.signal, Readable.from(archive)), { path });
    } catch (error) {
      if (work.signal.aborted) throw error;
      throw dockerError(error, `copying the data of ${node} from ${from} to ${to}`);
    } finally {
      await Promise.all([source, target].map((container) => container.remove({ force: true })));
    }
  }

  /** A container that never runs: through it the engine reads and writes a volume. */
  private async holder(host: string, bind: string, work: StoreWork): Promise<Docker.Container> {
    const docker = this.engine(host);
    return docker.createContainer({
      Image: await ensureImage(docker, installRoot(), work.say),
      User: CONTAINER_USER,
      Labels: { ...workLabels(this.allocation), "lab.stores": "work" },
      HostConfig: { NetworkMode: "none", Binds: [bind] },
    });
  }

  async removeSnapshot(snapshot: string): Promise<void> {
    const { hosts } = this.allocation.topology;
    await Promise.all(hosts.map((host) => this.part(host).removeSnapshot(snapshot)));
  }
}

/**
 * @param allocation of a lab whose hosts are servers
 * @param engine of a host
 */
export function serverStores(allocation: LabAllocation, engine: EngineOf): NodeStores {
  return new ServerStores(allocation, engine);
}
