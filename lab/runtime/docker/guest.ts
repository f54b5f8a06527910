/**
 * A program of the user's own as a container in the lab's networks. It carries the lab's labels, so that `lab down` removes what a killed
 * command left behind; its addresses come from the visitors' range and never take a node's.
 */
import { Writable } from "node:stream";
import type Docker from "dockerode";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { LABEL } from "../../compose/service.ts";
import { networksOf } from "../../compose/subnets.ts";
import { endpointRows, namesrvAddrSeenFrom } from "../vantage.ts";
import type { GuestCommand, LabAllocation } from "../runtime.ts";
import { dockerError, reasonOf, statusOf } from "./docker-error.ts";
import { finished } from "./engine-output.ts";

const NOT_FOUND = 404;
/** Seconds a guest may clean up after Ctrl-C. */
const STOP_S = 5;

interface ContainerGuest extends GuestCommand {
  readonly image: string;
}

/** @throws EngineError DOCKER_IMAGE_FAILED when the image is neither there nor can be pulled */
export async function pullWhenAbsent(
  docker: Docker,
  guest: Pick<ContainerGuest, "image" | "say">,
): Promise<void> {
  try {
    await docker.getImage(guest.image).inspect();
    return;
  } catch (error) {
    if (statusOf(error) !== NOT_FOUND) throw dockerError(error, `looking for ${guest.image}`);
  }
  guest.say(`pulling ${guest.image}`);
  try {
    await finished(docker, await docker.pull(guest.image));
  } catch (cause) {
    throw new EngineError("DOCKER_IMAGE_FAILED", {
      message: `there is no image ${guest.image}, and it cannot be pulled: ${reasonOf(cause)}`,
      hint: "build or load it first (`docker build -t NAME .`), or leave --image out",
      cause,
    });
  }
}

/** `/etc/hosts` before Docker's DNS, which would give either of a node's two addresses. */
function aliases(allocation: LabAllocation, host: string | undefined): readonly string[] {
  const rows = endpointRows(allocation);
  return allocation.topology.nodes.flatMap((node) => {
    const row = rows.find((candidate) => candidate.node === node.name);
    // Seen from another host, a node has its address in the internet network.
    const other = allocation.topology.hosts.find((name) => name !== node.host) ?? "";
    const address = row?.addresses[host ?? other]?.split(":")[0];
    return address === undefined ? [] : [`${node.alias}:${address}`];
  });
}

/** The internet's, from which every node is seen; on a server there is only that of the host. */
function firstNetwork(allocation: LabAllocation, host: string | undefined): string {
  const [only = "", ...others] = networksOf(allocation.topology);
  if (allocation.topology.servers === undefined) return others.at(-1) ?? only;
  return host ?? only;
}

function specification(
  allocation: LabAllocation,
  guest: ContainerGuest,
): Docker.ContainerCreateOptions {
  const { directory, host } = guest;
  const owner =
    directory === null || process.getuid === undefined
      ? {}
      : { User: `${process.getuid()}:${process.getgid?.() ?? 0}` };
  const environment = {
    NAMESRV_ADDR: namesrvAddrSeenFrom(allocation, host),
    // The image's own home belongs to another user.
    ...(directory === null ? {} : { HOME: "/tmp" }),
    ...guest.environment,
  };
  return {
    Image: guest.image,
    Cmd: [...guest.command],
    Entrypoint: [],
    ...owner,
    Env: Object.entries(environment).map(([key, value]) => `${key}=${value}`),
    ...(directory === null ? {} : { WorkingDir: directory }),
    Labels: {
      [LABEL.lab]: allocation.name,
      [LABEL.state]: allocation.stateDir,
      "lab.guest": "run",
    },
    AttachStdout: true,
    AttachStderr: true,
    AttachStdin: guest.stdin !== null,
    OpenStdin: guest.stdin !== null,
    StdinOnce: guest.stdin !== null,
    HostConfig: {
      Init: true,
      NetworkMode: `${allocation.name}_${firstNetwork(allocation, host)}`,
      ExtraHosts: [...aliases(allocation, host)],
      Binds: directory === null ? [] : [`${directory}:${directory}`],
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
    },
  };
}

async function create(
  docker: Docker,
  allocation: LabAllocation,
  guest: ContainerGuest,
): Promise<Docker.Container> {
  await pullWhenAbsent(docker, guest);
  try {
    const container = await docker.createContainer(specification(allocation, guest));
    if (guest.host !== undefined && guest.host !== firstNetwork(allocation, guest.host)) {
      const network = docker.getNetwork(`${allocation.name}_${guest.host}`);
      await network.connect({ Container: container.id });
    }
    return container;
  } catch (error) {
    if (statusOf(error) === NOT_FOUND && /network/.test(reasonOf(error))) {
      throw new EngineError("LAB_NOT_READY", {
        message: `lab ${allocation.name} is down: its networks are not there`,
        hint: "bring it up first: `lab up`",
        cause: error,
      });
    }
    throw dockerError(error, "making a container for the program");
  }
}

function sink(write: (chunk: Buffer) => void): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      write(chunk);
      done();
    },
  });
}

async function attach(
  docker: Docker,
  container: Docker.Container,
  guest: ContainerGuest,
): Promise<{ readonly drained: Promise<unknown> }> {
  const isTalking = guest.stdin !== null;
  const options = { stream: true, stdout: true, stderr: true, stdin: isTalking, hijack: isTalking };
  const stream = await container.attach(options);
  docker.modem.demuxStream(stream, sink(guest.onStdout), sink(guest.onStderr));
  guest.stdin?.pipe(stream);
  const drained = new Promise((resolve) => {
    for (const event of ["end", "close", "error"]) stream.once(event, resolve);
  });
  return { drained };
}

/**
 * Runs the guest to its end and removes its container.
 * @param docker engine of the lab
 * @param allocation of the lab
 * @returns the program's exit code; the container's own init says 127 when there is no such program
 * @throws EngineError LAB_NOT_READY when the lab is down | DOCKER_IMAGE_FAILED | DOCKER_REQUEST_FAILED
 */
export async function runContainerGuest(
  docker: Docker,
  allocation: LabAllocation,
  guest: ContainerGuest,
): Promise<number> {
  const container = await create(docker, allocation, guest);
  const stop = (): void => void container.stop({ t: STOP_S }).catch(() => undefined);
  try {
    const { drained } = await attach(docker, container, guest);
    await container.start();
    if (guest.signal.aborted) stop();
    else guest.signal.addEventListener("abort", stop, { once: true });
    const { StatusCode: code } = (await container.wait()) as { readonly StatusCode: number };
    await drained;
    return code;
  } catch (error) {
    throw dockerError(error, "running the program's container");
  } finally {
    guest.signal.removeEventListener("abort", stop);
    guest.stdin?.pause();
    await container.remove({ force: true, v: true }).catch(() => undefined);
  }
}
