/** Is there a Docker Engine, and may we use it? */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { dockerError } from "../docker/docker-error.ts";

/** A Docker Engine that answers. */
export interface DockerEngine {
  readonly docker: Docker;
  /** For child processes: the same engine as ours, whatever context the docker command has chosen. */
  readonly environment: Readonly<Record<string, string>>;
  readonly version: string;
  /** Reached by a socket in the file system. */
  readonly isLocal: boolean;
  /** Release of the kernel it runs on. */
  readonly kernel: string;
  readonly cpus: number;
  readonly memoryMiB: number;
}

const ANSWER_MS = 3_000;
const MIB = 1_048_576;

/** Where engines put their socket: Linux, Docker Desktop, rootless, Colima, OrbStack. */
function socketCandidates(): readonly string[] {
  const home = homedir();
  const runtimeDir = process.env["XDG_RUNTIME_DIR"];
  return [
    "/var/run/docker.sock",
    join(home, ".docker/run/docker.sock"),
    ...(runtimeDir === undefined ? [] : [join(runtimeDir, "docker.sock")]),
    join(home, ".colima/default/docker.sock"),
    join(home, ".orbstack/run/docker.sock"),
  ];
}

/** A client of an engine that was not asked yet. */
export interface EngineClient {
  readonly docker: Docker;
  readonly environment: Readonly<Record<string, string>>;
  readonly address: string;
}

/** Ports are published on 127.0.0.1 of the engine's machine and property files are mounted from this one: both must be the same. */
function remoteEngine(address: string): EngineError {
  return new EngineError("DOCKER_ENGINE_MISSING", {
    message: `DOCKER_HOST is ${address}, an engine on another machine; the lab needs one on this machine`,
    hint: "unset DOCKER_HOST; a topology's hosts may name engines of servers (`lab help init`); or use `--runtime process`",
  });
}

function client(): EngineClient {
  const chosen = process.env["DOCKER_HOST"];
  if (chosen?.startsWith("ssh:") === true) throw remoteEngine(chosen);
  if (chosen !== undefined && chosen !== "")
    return { docker: new Docker(), environment: {}, address: chosen };
  const socketPath = socketCandidates().find((path) => existsSync(path));
  if (socketPath === undefined) {
    throw new EngineError("DOCKER_ENGINE_MISSING", {
      message:
        "no Docker Engine runs here: none of its usual sockets exists and DOCKER_HOST is not set",
      hint: "start Docker and repeat the command, or use `--runtime process`",
    });
  }
  const address = `unix://${socketPath}`;
  return { docker: new Docker({ socketPath }), environment: { DOCKER_HOST: address }, address };
}

/** The package's types leave the options out. */
interface Asking {
  info(options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
}

function silent(address: string): EngineError {
  return new EngineError("DOCKER_ENGINE_MISSING", {
    message: `the Docker Engine at ${address} gave no answer within ${ANSWER_MS / 1_000} s`,
    hint: "restart Docker and repeat the command, or use `--runtime process`",
  });
}

/**
 * @param client of the engine
 * @param limitMs how long it may take to answer
 * @param late the error when it took longer
 * @throws whatever its client says
 */
export async function askEngine(
  { docker, environment, address }: EngineClient,
  limitMs: number,
  late: () => EngineError,
): Promise<DockerEngine> {
  // Broken off, not only given up: a connection that stays open would keep the command from ending.
  const limit = AbortSignal.timeout(limitMs);
  const answer = await (docker as Asking).info({ abortSignal: limit }).catch((error: unknown) => {
    throw limit.aborted ? late() : error;
  });
  const info = answer as {
    ServerVersion?: string;
    KernelVersion?: string;
    NCPU?: number;
    MemTotal?: number;
  };
  return {
    docker,
    environment,
    version: info.ServerVersion ?? "unknown",
    isLocal: address.startsWith("unix:"),
    kernel: info.KernelVersion ?? "unknown",
    cpus: info.NCPU ?? 1,
    memoryMiB: Math.floor((info.MemTotal ?? 0) / MIB),
  };
}

/**
 * @returns the engine of DOCKER_HOST, else the first whose socket exists
 * @throws EngineError DOCKER_ENGINE_MISSING | DOCKER_PERMISSION
 */
export async function connectDocker(): Promise<DockerEngine> {
  const found = client();
  try {
    return await askEngine(found, ANSWER_MS, () => silent(found.address));
  } catch (error) {
    throw dockerError(error, `asking the Docker Engine at ${found.address}`);
  }
}
