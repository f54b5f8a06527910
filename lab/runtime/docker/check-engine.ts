/** What must be right before containers are made: name, subnets, ports, memory. Everything is looked at before anything is touched. */
import type Docker from "dockerode";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { LABEL, containerName } from "../../compose/service.ts";
import { subnetOf } from "../../compose/subnets.ts";
import type { LabNode, Server } from "../../topology/topology.ts";
import type { DockerEngine } from "../preflight/engine.ts";
import { availableMemoryMiB, checkMemory } from "../preflight/memory.ts";
import { checkPorts, portClaims, type NameHolder } from "../preflight/ports.ts";
import { checkSubnets } from "../preflight/subnets.ts";
import type { LabAllocation } from "../runtime.ts";

function nameOf(info: Docker.ContainerInfo): string {
  return (info.Names[0] ?? info.Id).replace(/^\//, "");
}

function labOf(info: Docker.ContainerInfo): string | null {
  const lab = info.Labels[LABEL.lab];
  if (lab === undefined) return null;
  const node = info.Labels[LABEL.node] ?? nameOf(info);
  return `${node} of lab "${lab}" (${info.Labels[LABEL.state] ?? "from a compose file"})`;
}

/** Published ports are held by Docker's proxy, which says nothing: the engine knows for whom. */
function containerHolding(docker: Docker): NameHolder {
  return async (port) => {
    const running = await docker.listContainers();
    const holder = running.find((info) =>
      info.Ports.some((published) => published.PublicPort === port),
    );
    if (holder === undefined) return null;
    return labOf(holder) ?? `container ${nameOf(holder)}`;
  };
}

/** A server's ports are not this machine's: only its engine knows who holds them. */
async function checkServerPorts(
  docker: Docker,
  server: Server,
  nodes: readonly LabNode[],
): Promise<void> {
  const nameHolder = containerHolding(docker);
  const holders = await Promise.all(
    portClaims(nodes).map(async (claim) => ({ ...claim, holder: await nameHolder(claim.port) })),
  );
  // A node's second port is nearly always held by whoever has the first.
  const lines = holders
    .filter(({ holder }) => holder !== null)
    .filter((claim, index, all) => all.findIndex(({ node }) => node === claim.node) === index)
    .map(
      ({ node, port, holder }) =>
        `${server.address}:${port}, wanted by ${node}, is held by ${holder ?? ""}`,
    );
  if (lines.length === 0) return;
  throw new EngineError("LAB_PORT_TAKEN", {
    message: lines.join("\n"),
    hint: "remove the holder, or give the topology's nodes other ports (port and listenPort)",
  });
}

/** A container of our name that is not ours belongs to a lab of that name in another folder, or to somebody else. */
async function checkNames(
  docker: Docker,
  allocation: LabAllocation,
  nodes: readonly LabNode[],
): Promise<void> {
  const wanted = new Set(nodes.map((node) => containerName(allocation.name, node.name)));
  const all = await docker.listContainers({ all: true });
  const foreign = all.find(
    (info) => wanted.has(nameOf(info)) && info.Labels[LABEL.state] !== allocation.stateDir,
  );
  if (foreign === undefined) return;
  const owner = labOf(foreign) ?? "somebody else";
  throw new EngineError("LAB_CONFLICT", {
    message: `a container is called ${nameOf(foreign)} already: ${owner}`,
    hint: "choose another name with `--name`, or remove that one first",
  });
}

/**
 * @param engine that will run the containers
 * @param allocation of the lab
 * @param nodes without a running container
 * @throws EngineError LAB_CONFLICT | LAB_SUBNET_TAKEN | LAB_PORT_TAKEN | LAB_MEMORY_SMALL
 */
export async function checkEngine(
  engine: DockerEngine,
  allocation: LabAllocation,
  nodes: readonly LabNode[],
): Promise<void> {
  const { name: labName, stateDir, subnets } = allocation;
  const availableMiB = Math.min(engine.memoryMiB, availableMemoryMiB());
  checkMemory(nodes, availableMiB);
  await checkNames(engine.docker, allocation, nodes);
  await checkSubnets(engine.docker, { labName, stateDir, subnets });
  await checkPorts(portClaims(nodes), containerHolding(engine.docker));
}

/**
 * The same for a host that is a server.
 * @param host its name
 * @throws EngineError LAB_CONFLICT | LAB_SUBNET_TAKEN | LAB_PORT_TAKEN | LAB_MEMORY_SMALL
 */
export async function checkServer(
  engine: DockerEngine,
  allocation: LabAllocation,
  on: { readonly host: string; readonly server: Server; readonly nodes: readonly LabNode[] },
): Promise<void> {
  const { name: labName, stateDir } = allocation;
  checkMemory(on.nodes, engine.memoryMiB);
  await checkNames(engine.docker, allocation, on.nodes);
  const subnets = { [on.host]: subnetOf(allocation.subnets, on.host) };
  await checkSubnets(engine.docker, { labName, stateDir, subnets, isElsewhere: true });
  await checkServerPorts(engine.docker, on.server, on.nodes);
}
