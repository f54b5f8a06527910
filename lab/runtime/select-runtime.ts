/** Which runtime a lab gets, and why. Docker is loaded only where it is used: its client costs a third of a short command's time. */
import { EngineError } from "../../engine/base/engine-error.ts";
import type { Topology } from "../topology/topology.ts";
import { createProcessRuntime } from "./process-runtime.ts";
import type { LabAllocation, LabRuntime, RuntimeKind } from "./runtime.ts";

/** A runtime and the reason a person is told. */
export interface RuntimeChoice {
  readonly kind: RuntimeKind;
  readonly reason: string;
}

/** Why Docker cannot be used is then the reason for local processes. */
const NO_DOCKER: ReadonlySet<string> = new Set([
  "DOCKER_ENGINE_MISSING",
  "DOCKER_COMPOSE_MISSING",
  "DOCKER_PERMISSION",
]);

/** @returns a sentence on engine and compose. @throws EngineError DOCKER_* when one of them is missing */
async function describeDocker(stateDir: string): Promise<string> {
  const { connectDocker } = await import("./preflight/engine.ts");
  const { findCompose } = await import("./docker/compose-command.ts");
  const engine = await connectDocker();
  const compose = await findCompose(stateDir);
  return `Docker Engine ${engine.version} answers, compose is ${compose.version}`;
}

async function serverChoice(
  wanted: RuntimeKind | undefined,
  topology: Topology,
  stateDir: string,
): Promise<RuntimeChoice> {
  if (wanted === "process") {
    throw new EngineError("CLI_USAGE", {
      message: `the hosts of ${topology.name} are servers with Docker Engines; local processes cannot run there`,
      hint: "leave `--runtime process` out, or take `engine` and `address` out of hosts in topology.yaml",
    });
  }
  const { connectServer } = await import("./preflight/server-engine.ts");
  const { findCompose } = await import("./docker/compose-command.ts");
  const found = await Promise.all(
    Object.entries(topology.servers ?? {}).map(async ([host, server]) => {
      const { version } = await connectServer(host, server);
      return `${host} is Docker Engine ${version} at ${server.address}`;
    }),
  );
  const compose = await findCompose(stateDir);
  return { kind: "docker", reason: `${found.join(", ")}; compose here is ${compose.version}` };
}

/**
 * @param wanted what the user said; undefined: Docker when engine and compose answer, else local processes
 * @param lab folder of the lab that is to be, and its topology: one whose hosts are servers runs there
 * @throws EngineError DOCKER_ENGINE_MISSING | DOCKER_COMPOSE_MISSING | DOCKER_PERMISSION when Docker was asked for
 */
export async function chooseRuntime(
  wanted: RuntimeKind | undefined,
  lab: { readonly stateDir: string; readonly topology: Topology },
): Promise<RuntimeChoice> {
  const { stateDir, topology } = lab;
  if (topology.servers !== undefined) return serverChoice(wanted, topology, stateDir);
  if (wanted === "process") return { kind: "process", reason: "as asked for with --runtime" };
  try {
    return { kind: "docker", reason: await describeDocker(stateDir) };
  } catch (error) {
    const isAbsent = error instanceof EngineError && NO_DOCKER.has(error.code);
    if (wanted === "docker" || !isAbsent) throw error;
    return { kind: "process", reason: `no Docker: ${error.message}` };
  }
}

/**
 * @param allocation of a lab
 * @returns the runtime its allocation names
 * @throws EngineError DOCKER_ENGINE_MISSING | DOCKER_PERMISSION for a lab in Docker
 */
export async function createRuntime(allocation: LabAllocation): Promise<LabRuntime> {
  if (allocation.runtime === "process") return createProcessRuntime(allocation);
  if (allocation.topology.servers !== undefined) {
    const { createServersRuntime } = await import("./servers-runtime.ts");
    return createServersRuntime(allocation);
  }
  const { createDockerRuntime } = await import("./docker-runtime.ts");
  return createDockerRuntime(allocation);
}
