/**
 * Data of containers: volumes, worked on by a short-lived container of the lab's own image, as the nodes' own user. A snapshot is a volume of its
 * own with the lab's labels, so that it goes with `lab destroy` and no folder of this machine is written by another user.
 */
import { text } from "node:stream/consumers";
import type Docker from "dockerode";
import { z } from "zod";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { installRoot } from "../../base/install-root.ts";
import { DATA_DIR } from "../../compose/node-environment.ts";
import { CONTAINER_USER, LABEL, volumeKey } from "../../compose/service.ts";
import { resultSchema, type StoreOperation, type StoreResult } from "../../stores/operations.ts";
import { BESIDE_DATA } from "../data-files.ts";
import type { LabAllocation } from "../runtime.ts";
import type { NodeStores, StoreWork } from "../stores.ts";
import { dockerError, reasonOf, statusOf } from "./docker-error.ts";
import { ensureImage } from "./image.ts";
import { attachDisks } from "./node-disks.ts";

/** Where the nodes' volumes are seen; a snapshot's is the image's own data folder, whose owner an empty volume takes. */
const NODES_DIR = "/nodes";
const TOOL = "/app/store-tool.mjs";
const NOT_FOUND = 404;
const CONFLICT = 409;
/** Seconds a copy may take to end after Ctrl-C. */
const STOP_S = 2;

const answerSchema = z.union([
  z.object({ stores: z.literal("lab.stores/1"), results: z.array(resultSchema) }),
  z.object({ stores: z.literal("lab.stores/1"), error: z.string(), code: z.string() }),
]);

/** Volumes that hold copies of other servers' nodes, by node. */
export type LentVolumes = ReadonlyMap<string, string>;

const NONE_LENT: LentVolumes = new Map();

/** @returns Docker's name of the volume with a node's data */
export function dataVolume(allocation: LabAllocation, node: string): string {
  return `${allocation.name}_${volumeKey(node)}`;
}

/** @returns labels of everything made for work on the lab's data */
export function workLabels(allocation: LabAllocation): Record<string, string> {
  return { [LABEL.lab]: allocation.name, [LABEL.state]: allocation.stateDir };
}

/** See the file's head. */
export class VolumeStores implements NodeStores {
  readonly keep: readonly string[] = BESIDE_DATA;
  private readonly docker: Docker;
  private readonly allocation: LabAllocation;

  constructor(docker: Docker, allocation: LabAllocation) {
    this.docker = docker;
    this.allocation = allocation;
  }

  data(node: string): string {
    return `${NODES_DIR}/${node}`;
  }

  saved(_snapshot: string, node: string): string {
    return `${DATA_DIR}/${node}`;
  }

  private snapshotVolume(snapshot: string): string {
    return `${this.allocation.name}_snapshot-${snapshot}`;
  }

  /** Volumes compose has made; one that is not there yet is not made here. */
  private async binds(snapshot: string | undefined, lent: LentVolumes): Promise<readonly string[]> {
    const labels = workLabels(this.allocation);
    const label = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const { Volumes: volumes } = await this.docker.listVolumes({
      filters: JSON.stringify({ label }),
    });
    const there = new Set((volumes ?? []).map((volume) => volume.Name));
    const nodes = this.allocation.topology.nodes
      .map(({ name }) => ({ volume: lent.get(name) ?? dataVolume(this.allocation, name), name }))
      .filter(({ volume }) => there.has(volume))
      .map(({ volume, name }) => `${volume}:${this.data(name)}`);
    if (snapshot === undefined) return nodes;
    const name = this.snapshotVolume(snapshot);
    if (!there.has(name)) await this.docker.createVolume({ Name: name, Labels: labels });
    return [...nodes, `${name}:${DATA_DIR}`];
  }

  async run(
    operations: readonly StoreOperation[],
    work: StoreWork,
    lent: LentVolumes = NONE_LENT,
  ): Promise<readonly StoreResult[]> {
    work.signal.throwIfAborted();
    await attachDisks(this.allocation);
    try {
      const printed = await this.output(operations, work, lent);
      work.signal.throwIfAborted();
      return resultsOf(printed);
    } catch (error) {
      if (error instanceof EngineError || work.signal.aborted || statusOf(error) === undefined)
        throw error;
      throw dockerError(error, "a container that works on the nodes' volumes");
    }
  }

  private async output(
    operations: readonly StoreOperation[],
    work: StoreWork,
    lent: LentVolumes,
  ): Promise<string> {
    const tool = await this.docker.createContainer({
      Image: await ensureImage(this.docker, installRoot(), work.say),
      Cmd: ["node", TOOL, JSON.stringify(operations)],
      User: CONTAINER_USER,
      Tty: true,
      Labels: { ...workLabels(this.allocation), "lab.stores": "work" },
      HostConfig: {
        Init: true,
        NetworkMode: "none",
        CapDrop: ["ALL"],
        ReadonlyRootfs: true,
        SecurityOpt: ["no-new-privileges:true"],
        Binds: [...(await this.binds(work.snapshot, lent))],
      },
    });
    const stop = (): void => void tool.stop({ t: STOP_S }).catch(() => undefined);
    try {
      const stream = await tool.attach({ stream: true, stdout: true, stderr: true });
      const ended = tool.wait();
      await tool.start();
      work.signal.addEventListener("abort", stop, { once: true });
      if (work.signal.aborted) stop();
      const printed = await text(stream);
      await ended;
      return printed;
    } finally {
      work.signal.removeEventListener("abort", stop);
      await tool.remove({ force: true }).catch(() => undefined);
    }
  }

  async removeSnapshot(snapshot: string): Promise<void> {
    try {
      await this.docker.getVolume(this.snapshotVolume(snapshot)).remove();
    } catch (error) {
      if (statusOf(error) === NOT_FOUND) return;
      if (statusOf(error) === CONFLICT) {
        throw new EngineError("LAB_CONFLICT", {
          message: `snapshot ${snapshot} is in use: ${reasonOf(error)}`,
          hint: "wait for the command that uses it, then run this one again",
        });
      }
      throw dockerError(error, `removing snapshot ${snapshot}`);
    }
  }
}

function resultsOf(printed: string): readonly StoreResult[] {
  const line = printed.split(/\r?\n/).find((candidate) => candidate.startsWith('{"stores"'));
  const answer = line === undefined ? null : answerSchema.parse(JSON.parse(line));
  if (answer !== null && "results" in answer) return answer.results;
  if (answer !== null) throw Object.assign(new Error(answer.error), { code: answer.code });
  throw new EngineError("DOCKER_REQUEST_FAILED", {
    message: `the container that works on the nodes' volumes ended without an answer: ${printed.trim().slice(-400)}`,
    hint: "`docker info` shows whether the engine is well",
  });
}

/** @returns access to the data of a lab in Docker */
export function volumeStores(docker: Docker, allocation: LabAllocation): NodeStores {
  return new VolumeStores(docker, allocation);
}
