/** Labs of the docker runtime for tests: a free block of ports and subnets, a state folder of their own, nothing left behind. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";
import { silentLogger } from "../../engine/base/logger.ts";
import { createRemotingClient } from "../../engine/remoting/client.ts";
import type { RemotingCommand, RequestCommand } from "../../engine/remoting/command.ts";
import { planSubnets } from "../../lab/compose/subnets.ts";
import { createDockerRuntime } from "../../lab/runtime/docker-runtime.ts";
import { connectDocker } from "../../lab/runtime/preflight/engine.ts";
import { checkPorts, portClaims } from "../../lab/runtime/preflight/ports.ts";
import { checkSubnets } from "../../lab/runtime/preflight/subnets.ts";
import type { LabAllocation, LabRuntime, NodeObservation } from "../../lab/runtime/runtime.ts";
import { publishPorts } from "../../lab/topology/ports.ts";
import { loadTopology } from "../../lab/topology/presets.ts";

export const NEVER = new AbortController().signal;
export const quiet = (): void => undefined;

/** @returns the allocation of a lab on block `index`, with a new state folder */
export function allocationAt(name: string, index: number, preset: string): LabAllocation {
  const { topology } = loadTopology(preset, process.cwd());
  return {
    name,
    runtime: "docker",
    topology: publishPorts(topology, index, "docker"),
    subnets: planSubnets(index),
    stateDir: mkdtempSync(join(tmpdir(), `lab-${name}-`)),
  };
}

/** @returns blocks of ports and subnets nobody on this machine uses */
export async function freeIndexes(): Promise<readonly number[]> {
  const { docker } = await connectDocker();
  const free: number[] = [];
  for (const index of [0, 1, 2]) {
    const { topology, subnets } = allocationFor(index);
    try {
      await checkSubnets(docker, { labName: "", stateDir: "", subnets });
      await checkPorts(portClaims(topology.nodes));
      free.push(index);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
    }
  }
  return free;
}

function allocationFor(index: number): Pick<LabAllocation, "topology" | "subnets"> {
  const { topology } = loadTopology("2m-2s-sync", process.cwd());
  return { topology: publishPorts(topology, index, "docker"), subnets: planSubnets(index) };
}

/**
 * Removes what an earlier run of a test left in the engine when that run was cut short: containers, then networks and volumes
 * of the labs of these names, and guests in their networks. Only names that a test alone uses may be passed.
 */
export async function removeLeftovers(...labNames: readonly string[]): Promise<void> {
  const { docker } = await connectDocker();
  for (const name of labNames) {
    const filters = { label: [`lab.name=${name}`] };
    const networks = await docker.listNetworks({ filters });
    const guests = await Promise.all(
      networks.map(({ Name }) =>
        docker.listContainers({ all: true, filters: { network: [Name] } }),
      ),
    );
    const containers = [...(await docker.listContainers({ all: true, filters })), ...guests.flat()];
    for (const id of new Set(containers.map(({ Id }) => Id))) {
      await docker.getContainer(id).remove({ force: true, v: true });
    }
    for (const { Id } of networks) await docker.getNetwork(Id).remove();
    const { Volumes } = await docker.listVolumes({ filters: JSON.stringify(filters) });
    for (const { Name } of Volumes ?? []) await docker.getVolume(Name).remove();
  }
}

/** A lab's runtime that is destroyed at the end. */
export async function dockerLab(
  allocation: LabAllocation,
): Promise<{ readonly runtime: LabRuntime; [Symbol.asyncDispose](): Promise<void> }> {
  const runtime = await createDockerRuntime(allocation);
  return { runtime, [Symbol.asyncDispose]: () => runtime.destroy(quiet) };
}

/** @returns the observation of one node */
export async function observed(runtime: LabRuntime, node: string): Promise<NodeObservation> {
  const found = (await runtime.observe()).find((observation) => observation.node === node);
  if (found === undefined) throw new Error(`no observation of ${node}`);
  return found;
}

/** One request to an address of the machine. */
export async function ask(
  address: string,
  request: RequestCommand,
  timeoutMs = 3_000,
): Promise<RemotingCommand> {
  const client = createRemotingClient({ logger: silentLogger });
  try {
    return await client.invoke(address, request, timeoutMs);
  } finally {
    client.close();
  }
}
