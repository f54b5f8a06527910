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

interface Client {
  readonly docker: Docker;
  readonly environment: Readonly<Record<string, string>>;
  readonly address: string;
}

/** Ports are published on 127.0.0.1 of the engine's machine and property files are mounted from this one: both must be the same. */
function remoteEngine(address: string): EngineError {
  return new EngineError("DOCKER_ENGINE_MISSING", {
    message: `DOCKER_HOST is ${address}, an engine on another machine; the lab needs one on this machine`,
    hint: "unset DOCKER_HOST, or use `--runtime process`",
  });
}

function client(): Client {
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

async function within<Result>(work: Promise<Result>, address: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const message = `the Docker Engine at ${address} gave no answer within ${ANSWER_MS / 1_000} s`;
      reject(
        new EngineError("DOCKER_ENGINE_MISSING", {
          message,
          hint: "restart Docker and repeat the command, or use `--runtime process`",
        }),
      );
    }, ANSWER_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @returns the engine of DOCKER_HOST, else the first whose socket exists
 * @throws EngineError DOCKER_ENGINE_MISSING | DOCKER_PERMISSION
 */
export async function connectDocker(): Promise<DockerEngine> {
  const { docker, environment, address } = client();
  try {
    const info = (await within(docker.info(), address)) as {
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
  } catch (error) {
    throw dockerError(error, `asking the Docker Engine at ${address}`);
  }
}
