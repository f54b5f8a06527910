/** The containers, networks and volumes of one lab, found by label: nothing without the label is ever touched. */
import type Docker from "dockerode";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { LABEL } from "../../compose/service.ts";
import { networksOfHost } from "../../compose/subnets.ts";
import type { LabNode, Topology } from "../../topology/topology.ts";
import type { NodeObservation } from "../runtime.ts";
import { containerProcess } from "./container-memory.ts";
import { dockerError, reasonOf, statusOf } from "./docker-error.ts";

/** Which lab. */
export interface LabIdentity {
  readonly name: string;
  /** State folder. */
  readonly stateDir: string;
  readonly topology: Topology;
}

interface LabNetwork {
  readonly id: string;
  readonly name: string;
  /** Names of containers that are not the lab's. */
  readonly guests: readonly string[];
}

const MIB = 1_048_576;
const NOT_FOUND = 404;
const ALREADY_SO = 304;
const CONFLICT = 409;
/** Docker's way to say that a container has not ended yet. */
const NEVER = "0001-01-01";

/** @returns the observation of a node that has no container */
export function missingNode(node: string): NodeObservation {
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

function isNever(time: string): boolean {
  return time.startsWith(NEVER);
}

function stateOf(state: Docker.ContainerInspectInfo["State"]): NodeObservation["state"] {
  if (state.Paused) return "paused";
  return state.Running ? "running" : "stopped";
}

/** Access to what belongs to one lab on one engine. */
export class LabContainers {
  readonly docker: Docker;
  private readonly lab: LabIdentity;

  constructor(docker: Docker, lab: LabIdentity) {
    this.docker = docker;
    this.lab = lab;
  }

  private get filters(): { readonly label: string[] } {
    return { label: [`${LABEL.lab}=${this.lab.name}`, `${LABEL.state}=${this.lab.stateDir}`] };
  }

  /** @returns containers by node name */
  async list(): Promise<ReadonlyMap<string, Docker.ContainerInfo>> {
    const found = await this.docker
      .listContainers({ all: true, filters: this.filters })
      .catch((error: unknown) => {
        throw dockerError(error, `listing the containers of lab ${this.lab.name}`);
      });
    return new Map(found.map((info) => [info.Labels[LABEL.node] ?? info.Id, info]));
  }

  /** @returns the node's container, or null when it has none */
  async find(node: string): Promise<Docker.Container | null> {
    const info = (await this.list()).get(node);
    return info === undefined ? null : this.docker.getContainer(info.Id);
  }

  /** @throws EngineError LAB_NODE_NOT_RUNNING when the node has no container */
  async get(node: string): Promise<Docker.Container> {
    const container = await this.find(node);
    if (container !== null) return container;
    throw new EngineError("LAB_NODE_NOT_RUNNING", {
      message: `${node} has no container`,
      hint: `bring it up with \`lab start ${node}\``,
    });
  }

  /** What the engine says of each node that has a container. */
  async observe(): Promise<readonly NodeObservation[]> {
    const found = [...(await this.list())];
    return Promise.all(found.map(([node, info]) => this.observeOne(node, info.Id)));
  }

  private async observeOne(node: string, id: string): Promise<NodeObservation> {
    const container = this.docker.getContainer(id);
    let details: Docker.ContainerInspectInfo;
    try {
      details = await container.inspect();
    } catch (error) {
      if (statusOf(error) === NOT_FOUND) return missingNode(node);
      throw dockerError(error, `looking at ${node}`);
    }
    const { State: state } = details;
    const process = state.Running ? await containerProcess(container, state.Pid) : null;
    return {
      node,
      state: stateOf(state),
      pid: process?.pid ?? null,
      exitCode: state.Running || isNever(state.FinishedAt) ? null : state.ExitCode,
      oomKilled: state.OOMKilled,
      cutOff: state.Running ? this.missingNetworks(details) : [],
      startedAtMs: isNever(state.StartedAt) ? null : Date.parse(state.StartedAt),
      rssBytes: process?.rssBytes ?? null,
    };
  }

  /** Of the networks of its host, those the container is not in. */
  private missingNetworks(details: Docker.ContainerInspectInfo): readonly string[] {
    const host = details.Config.Labels[LABEL.host];
    const wanted = host === undefined ? [] : networksOfHost(this.lab.topology, host);
    return wanted.filter(
      (network) => !(`${this.lab.name}_${network}` in details.NetworkSettings.Networks),
    );
  }

  /**
   * Acts on a node's container; a state that is already there is a success.
   * @param fine what the engine answers when there is nothing to do
   */
  async act(
    node: string,
    work: (container: Docker.Container) => Promise<unknown>,
    fine: { readonly status: readonly number[]; readonly reason?: RegExp },
  ): Promise<void> {
    const container = await this.get(node);
    try {
      await work(container);
    } catch (error) {
      const status = statusOf(error) ?? 0;
      if (status === ALREADY_SO) return;
      if (fine.status.includes(status) && (fine.reason?.test(reasonOf(error)) ?? true)) return;
      if (status === CONFLICT && /not running/.test(reasonOf(error))) {
        throw new EngineError("LAB_NODE_NOT_RUNNING", {
          message: `${node} does not run`,
          hint: `start it with \`lab start ${node}\``,
          cause: error,
        });
      }
      throw dockerError(error, node);
    }
  }

  /**
   * Removes a node's container when it does not run and was made with other variables, limits or Apache image.
   * @param wanted what the node is to have
   */
  async removeOutdated(
    { name: node, resources }: LabNode,
    wanted: { readonly environment: Readonly<Record<string, string>>; readonly apache: string },
  ): Promise<void> {
    const container = await this.find(node);
    if (container === null) return;
    const { State: state, Config: config, HostConfig: host } = await container.inspect();
    if (state.Running) return;
    const has = new Set(config.Env);
    const isSame =
      Object.entries(wanted.environment).every(([key, value]) => has.has(`${key}=${value}`)) &&
      (config.Labels[LABEL.engine] ?? "") === wanted.apache &&
      host.Memory === resources.memoryMiB * MIB;
    if (!isSame) await this.gone(container.remove({ force: true }), node);
  }

  /** Removes the lab's containers, running or not, with their anonymous volumes. */
  async removeContainers(): Promise<void> {
    const found = [...(await this.list()).values()];
    await Promise.all(
      found.map((info) =>
        this.gone(this.docker.getContainer(info.Id).remove({ force: true, v: true }), info.Id),
      ),
    );
  }

  /** @returns the lab's networks, each with the names of containers in it that are not the lab's */
  private async networks(): Promise<readonly LabNetwork[]> {
    const own = new Set([...(await this.list()).values()].map((info) => info.Id));
    const found = await this.docker.listNetworks({ filters: this.filters });
    return Promise.all(
      found.map(async ({ Id: id, Name: name }) => {
        const details = (await this.docker
          .getNetwork(id)
          .inspect()
          .catch(() => ({}))) as Partial<Docker.NetworkInspectInfo>;
        const guests = Object.entries(details.Containers ?? {})
          .filter(([container]) => !own.has(container))
          .map(([, guest]) => guest.Name);
        return { id, name, guests };
      }),
    );
  }

  /** @throws EngineError LAB_CONFLICT when a container that is not the lab's stands in one of its networks */
  async refuseGuests(): Promise<void> {
    const guests = [...new Set((await this.networks()).flatMap((network) => network.guests))];
    if (guests.length === 0) return;
    throw new EngineError("LAB_CONFLICT", {
      message: `the lab's networks are in use by ${guests.join(", ")}, which the lab did not start`,
      hint: `\`docker rm -f ${guests.join(" ")}\`, then the command again`,
    });
  }

  /** Removes the lab's networks but those that guests stand in. @returns what stayed, in words */
  async removeNetworks(): Promise<readonly string[]> {
    const stayed: string[] = [];
    for (const { id, name, guests } of await this.networks()) {
      if (guests.length > 0) stayed.push(`${name} stays: ${guests.join(", ")} is in it`);
      else await this.gone(this.docker.getNetwork(id).remove(), name);
    }
    return stayed;
  }

  /** Removes the data of all nodes. */
  async removeVolumes(): Promise<void> {
    const { Volumes: volumes } = await this.docker.listVolumes({
      filters: JSON.stringify(this.filters),
    });
    for (const volume of volumes ?? []) {
      await this.gone(this.docker.getVolume(volume.Name).remove(), volume.Name);
    }
  }

  private async gone(removal: Promise<unknown>, what: string): Promise<void> {
    try {
      await removal;
    } catch (error) {
      const removing = statusOf(error) === CONFLICT && /already in progress/.test(reasonOf(error));
      if (statusOf(error) === NOT_FOUND || removing) return;
      throw dockerError(error, `removing ${what}`);
    }
  }
}
