/** A lab as a folder that needs no lab: compose file, property files, and the sources of the image. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { installRoot } from "../../base/install-root.ts";
import { renderCompose } from "../../compose/render.ts";
import { planSubnets } from "../../compose/subnets.ts";
import { mainPort, publishPorts } from "../../topology/ports.ts";
import type { Topology } from "../../topology/topology.ts";
import { DOCKERFILE, readBuildContext } from "./build-context.ts";

/** What is exported. */
export interface ComposeExport {
  /** Compose project, and the beginning of every container's name. */
  readonly project: string;
  /** With the ports of the first lab. */
  readonly topology: Topology;
  /** Block of ports and subnets. */
  readonly index: number;
  /** Folder to make; may exist when it is empty. */
  readonly dir: string;
}

const IMAGE = "rocketmq-lab/engine:local";

/** @returns the commands that bring the folder to life, in order */
export function composeSteps(project: string): readonly string[] {
  return [
    `docker build -f image/${DOCKERFILE} -t ${IMAGE} image`,
    `docker compose -p ${project} up -d     (or docker-compose 1.29)`,
    `docker compose -p ${project} down      (down -v removes the data too)`,
  ];
}

function write(dir: string, path: string, content: string | Buffer, mode = 0o644): void {
  const target = join(dir, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content, { mode });
}

/**
 * Writes the folder.
 * @returns `host:port;…` of the name servers, as clients on the machine will use them
 * @throws EngineError CLI_USAGE when the hosts are servers | LAB_CONFLICT when the folder holds something | LAB_NOT_BUILT | LAB_SUBNET_TAKEN when there is no such block
 */
export function exportCompose({ project, topology, index, dir }: ComposeExport): string {
  if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new EngineError("LAB_CONFLICT", {
      message: `${dir} is there already and not empty; nothing was written`,
      hint: "choose another folder, or empty that one first",
    });
  }
  if (topology.servers !== undefined) {
    throw new EngineError("CLI_USAGE", {
      message: `the hosts of ${topology.name} are servers; one compose file describes one engine`,
      hint: "take `engine` and `address` out of hosts in topology.yaml, or export a preset (`--from`)",
    });
  }
  const published = publishPorts(topology, index, "docker");
  const context = readBuildContext(installRoot());
  const heading = [`${topology.description}.`, "In this folder:", ...composeSteps(project)];
  const text = renderCompose({
    labName: project,
    topology: published,
    subnets: planSubnets(index),
    image: `\${ROCKETMQ_LAB_IMAGE:-${IMAGE}}`,
    confSource: "./conf",
    stateDir: undefined,
    cpusMax: Number.POSITIVE_INFINITY,
    heading,
  });
  write(dir, "compose.yaml", text);
  for (const { path, content, executable } of context.files) {
    write(dir, `image/${path}`, content, executable ? 0o755 : 0o644);
  }
  mkdirSync(join(dir, "conf"), { recursive: true });
  for (const name of readdirSync(topology.dir).filter((file) => file.endsWith(".properties"))) {
    copyFileSync(join(topology.dir, name), join(dir, "conf", name));
  }
  return published.nodes
    .filter((node) => node.role === "namesrv")
    .map((node) => `127.0.0.1:${mainPort(node).published ?? mainPort(node).inner}`)
    .join(";");
}
