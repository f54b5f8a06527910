/** Which runtime a lab gets, and why. Docker is loaded only where it is used: its client costs a third of a short command's time. */
import { EngineError } from "../../engine/base/engine-error.ts";
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

/**
 * @param wanted what the user said; undefined: Docker when engine and compose answer, else local processes
 * @param stateDir of the lab that is to be
 * @throws EngineError DOCKER_ENGINE_MISSING | DOCKER_COMPOSE_MISSING | DOCKER_PERMISSION when Docker was asked for
 */
export async function chooseRuntime(
  wanted: RuntimeKind | undefined,
  stateDir: string,
): Promise<RuntimeChoice> {
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
  const { createDockerRuntime } = await import("./docker-runtime.ts");
  return createDockerRuntime(allocation);
}
