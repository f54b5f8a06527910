/** The Docker Engine of a host that is a server: over its socket, over TCP, or over ssh. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import { EngineError } from "../../../engine/base/engine-error.ts";
import type { Server } from "../../topology/topology.ts";
import { reasonOf } from "../docker/docker-error.ts";
import { askEngine, type DockerEngine, type EngineClient } from "./engine.ts";
import { openTunnel } from "./ssh-tunnel.ts";

/** A server may be far away. */
const ANSWER_MS = 10_000;
/** Docker's own two ports for TCP. */
const PLAIN_PORT = 2_375;
const TLS_PORT = 2_376;

function overSocket(socketPath: string): EngineClient {
  const address = `unix://${socketPath}`;
  return { docker: new Docker({ socketPath }), environment: { DOCKER_HOST: address }, address };
}

/** Certificates as the docker command takes them: DOCKER_CERT_PATH when DOCKER_TLS_VERIFY is set. */
function overTcp(address: string): EngineClient {
  const { hostname: host, port } = new URL(address.replace(/^tcp:/, "http:"));
  const folder = process.env["DOCKER_CERT_PATH"] ?? "";
  const isTls = (process.env["DOCKER_TLS_VERIFY"] ?? "") !== "" && folder !== "";
  const chosen = port === "" ? (isTls ? TLS_PORT : PLAIN_PORT) : Number(port);
  const read = (file: string): Buffer => readFileSync(join(folder, file));
  const tls = isTls ? { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") } : {};
  const docker = new Docker({ host, port: chosen, protocol: isTls ? "https" : "http", ...tls });
  return { docker, environment: { DOCKER_HOST: `tcp://${host}:${chosen}` }, address };
}

async function clientOf({ engine }: Server): Promise<EngineClient> {
  if (engine.startsWith("unix://")) return overSocket(engine.slice("unix://".length));
  if (engine.startsWith("tcp://")) return overTcp(engine);
  return overSocket(await openTunnel(engine));
}

function tryIt(engine: string): string {
  if (!engine.startsWith("ssh://")) return `DOCKER_HOST=${engine} docker info`;
  const { hostname, port, username } = new URL(engine);
  const to = username === "" ? hostname : `${decodeURIComponent(username)}@${hostname}`;
  return `ssh ${port === "" ? "" : `-p ${port} `}${to} docker info`;
}

function away(host: string, { engine }: Server, reason: string, cause?: unknown): EngineError {
  return new EngineError("DOCKER_ENGINE_MISSING", {
    message: `the Docker Engine of ${host} (${engine}) does not answer: ${reason}`,
    hint: `\`${tryIt(engine)}\` must work on this machine without a question; then repeat the command`,
    cause,
  });
}

async function connect(host: string, server: Server): Promise<DockerEngine> {
  const late = (): EngineError => away(host, server, `nothing within ${ANSWER_MS / 1_000} s`);
  try {
    return await askEngine(await clientOf(server), ANSWER_MS, late);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw away(host, server, reasonOf(error), error);
  }
}

/** One connection a server for as long as the process lives: a tunnel takes a second to make. */
const connected = new Map<string, Promise<DockerEngine>>();

/**
 * @param host name of the host
 * @param server what its entry in topology.yaml says
 * @throws EngineError DOCKER_ENGINE_MISSING
 */
export function connectServer(host: string, server: Server): Promise<DockerEngine> {
  const known = connected.get(server.engine);
  if (known !== undefined) return known;
  const made = connect(host, server);
  connected.set(server.engine, made);
  // A server that was away is asked anew the next time.
  made.catch(() => connected.delete(server.engine));
  return made;
}
