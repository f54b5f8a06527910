/** Short-lived containers of the lab that work inside a node's network namespace or on its volume; all carry the lab's label and their fault's. */
import type Docker from "dockerode";
import { text } from "node:stream/consumers";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { LABEL, volumeKey } from "../../compose/service.ts";
import { DATA_DIR } from "../../compose/node-environment.ts";
import { reasonOf, statusOf, dockerError } from "../../runtime/docker/docker-error.ts";
import { attachDisks } from "../../runtime/docker/node-disks.ts";
import type { LabContainers } from "../../runtime/docker/lab-containers.ts";
import type { ContainerAccess, LabAllocation } from "../../runtime/runtime.ts";
import {
  RELAY_READY,
  RELAY_USER,
  answerSchema,
  type AgentOp,
  type AgentResult,
} from "../agent/protocol.ts";
import type { StepOf } from "../fault.ts";
import { ensureHelperImage } from "./helper-image.ts";

/** Label by which helpers are found: the id of their fault. */
const FAULT_LABEL = "lab.fault";
/** Of a helper that stays: the node it stands beside, also when that node's container is made anew. */
const BESIDE_LABEL = "lab.fault.beside";
/** In place of a fault's id: a helper that only looks at the kernel. */
const TRIAL = "none";
const AGENT = "/agent/fault-agent.mjs";
const NOT_FOUND = 404;
const CONFLICT = 409;
const RELAY_READY_MS = 10_000;
const POLL_MS = 50;
const MEMORY = 160 * 1_024 * 1_024;

interface HelperOptions {
  readonly fault: string;
  readonly command: readonly string[];
  readonly user: string;
  readonly host: Docker.HostConfig;
  /** Node it stands beside until it is removed. */
  readonly beside?: string;
}

/** See the file's head. */
export class Helpers {
  private readonly docker: Docker;
  private readonly containers: LabContainers;
  private readonly allocation: LabAllocation;
  private readonly access: ContainerAccess;
  private image: Promise<string> | undefined;

  constructor(containers: LabContainers, allocation: LabAllocation, access: ContainerAccess) {
    this.docker = containers.docker;
    this.containers = containers;
    this.allocation = allocation;
    this.access = access;
  }

  private async create(options: HelperOptions): Promise<Docker.Container> {
    this.image ??= ensureHelperImage(this.docker, this.access.image);
    return this.docker.createContainer({
      Image: await this.image,
      Cmd: ["node", AGENT, ...options.command],
      User: options.user,
      Tty: true,
      Labels: {
        [LABEL.lab]: this.allocation.name,
        [LABEL.state]: this.allocation.stateDir,
        [FAULT_LABEL]: options.fault,
        ...(options.beside === undefined ? {} : { [BESIDE_LABEL]: options.beside }),
      },
      HostConfig: {
        CapDrop: ["ALL"],
        ReadonlyRootfs: true,
        SecurityOpt: ["no-new-privileges:true"],
        Memory: MEMORY,
        ...options.host,
      },
    });
  }

  private async output(options: HelperOptions): Promise<string> {
    const helper = await this.create(options);
    try {
      // Attached before the start: a log read after the end may not be written yet.
      const stream = await helper.attach({ stream: true, stdout: true, stderr: true });
      const ended = helper.wait();
      await helper.start();
      const output = await text(stream);
      await ended;
      return output;
    } finally {
      await helper.remove({ force: true }).catch(() => undefined);
    }
  }

  /**
   * @param fault id of the fault
   * @param node in whose network namespace
   * @param ops what to do there
   * @returns one result an operation, or null when the node does not run: it has no namespace then
   * @throws EngineError LAB_FAULT_FAILED when the helper broke
   */
  async run(
    fault: string,
    node: string,
    ops: readonly AgentOp[],
  ): Promise<readonly AgentResult[] | null> {
    const target = await this.containers.find(node);
    if (target === null) return null;
    const host = { NetworkMode: `container:${target.id}`, CapAdd: ["NET_ADMIN", "NET_RAW"] };
    return this.answers({ fault, command: ["do", JSON.stringify(ops)], user: "0", host });
  }

  /** The same in a namespace of its own, to see what the kernel can do. */
  async tryOut(ops: readonly AgentOp[]): Promise<readonly AgentResult[]> {
    const host = { NetworkMode: "none", CapAdd: ["NET_ADMIN"] };
    const command = ["do", JSON.stringify(ops)];
    return (await this.answers({ fault: TRIAL, command, user: "0", host })) ?? [];
  }

  private async answers(options: HelperOptions): Promise<readonly AgentResult[] | null> {
    let printed: string;
    try {
      printed = await this.output(options);
    } catch (error) {
      const reason = reasonOf(error);
      const notRunning =
        statusOf(error) === CONFLICT && /running container|not running/.test(reason);
      if (notRunning || /No such container/.test(reason)) return null;
      throw dockerError(error, "a helper container");
    }
    const line = printed.split(/\r?\n/).find((candidate) => candidate.startsWith('{"agent"'));
    if (line !== undefined) return answerSchema.parse(JSON.parse(line)).results;
    throw new EngineError("LAB_FAULT_FAILED", {
      message: `a helper container ended without an answer: ${printed.trim().slice(-400)}`,
      hint: "`docker info` shows whether the engine is well",
    });
  }

  /** Starts the relay of a step. @returns false when the node does not run */
  async startRelay(fault: string, step: StepOf<"relay">): Promise<boolean> {
    const target = await this.containers.find(step.node);
    if (target === null || !(await target.inspect()).State.Running) return false;
    const request = { routes: step.routes, delayMs: step.delayMs };
    const relay = await this.create({
      fault,
      command: ["relay", JSON.stringify(request)],
      user: `${RELAY_USER}:${RELAY_USER}`,
      host: { NetworkMode: `container:${target.id}` },
      beside: step.node,
    });
    await relay.start();
    await this.untilReady(relay, step.node);
    return true;
  }

  private async untilReady(relay: Docker.Container, node: string): Promise<void> {
    const deadline = performance.now() + RELAY_READY_MS;
    for (;;) {
      const log = (await relay.logs({ follow: false, stdout: true, stderr: true })).toString();
      if (log.includes(RELAY_READY)) return;
      if (performance.now() > deadline || !(await relay.inspect()).State.Running) {
        throw new EngineError("LAB_FAULT_FAILED", {
          message: `the relay beside ${node} did not come up: ${log.trim().slice(-400)}`,
          hint: "run the command again",
        });
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** @returns what was done on a node's volume; null when the node has none, which an engine would make at once */
  async onVolume(
    fault: string,
    node: string,
    work: Pick<HelperOptions, "command" | "user">,
  ): Promise<readonly AgentResult[] | null> {
    const volume = `${this.allocation.name}_${volumeKey(node)}`;
    await attachDisks(this.allocation);
    try {
      await this.docker.getVolume(volume).inspect();
    } catch (error) {
      if (statusOf(error) === NOT_FOUND) return null;
      throw dockerError(error, `looking for volume ${volume}`);
    }
    const host = { NetworkMode: "none", Binds: [`${volume}:${DATA_DIR}`] };
    return this.answers({ ...work, fault, host });
  }

  /** Removes helpers of a fault, also those that a killed command left; with `node` only those that stand beside it. */
  async remove(fault: string, node?: string): Promise<void> {
    const label = [
      `${LABEL.lab}=${this.allocation.name}`,
      `${LABEL.state}=${this.allocation.stateDir}`,
      `${FAULT_LABEL}=${fault}`,
      ...(node === undefined ? [] : [`${BESIDE_LABEL}=${node}`]),
    ];
    for (const info of await this.docker.listContainers({ all: true, filters: { label } })) {
      const helper = this.docker.getContainer(info.Id);
      await helper.remove({ force: true }).catch((error: unknown) => {
        if (statusOf(error) !== NOT_FOUND && statusOf(error) !== CONFLICT)
          throw dockerError(error, "removing a helper container");
      });
    }
  }

  /** Removes what a command that was killed while it looked at the kernel left. */
  async removeTrials(): Promise<void> {
    await this.remove(TRIAL);
  }
}
