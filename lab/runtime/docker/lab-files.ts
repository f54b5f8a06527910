/** What the docker runtime writes into a lab's state folder: the compose file and the property files it mounts. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { renderCompose } from "../../compose/render.ts";
import { writeAtomically } from "../atomic-file.ts";
import type { LabAllocation } from "../runtime.ts";

const COMPOSE_FILE = "compose.yaml";
const CONF_FOLDER = "conf";
/** The container's user is nobody this machine knows, so everyone may read. */
const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;

/** @returns path of a lab's compose file */
export function composeFile(stateDir: string): string {
  return join(stateDir, COMPOSE_FILE);
}

/** @returns image the lab's containers were made from last, or null before the first time */
export function imageInUse(stateDir: string): string | null {
  const file = composeFile(stateDir);
  if (!existsSync(file)) return null;
  return /^\s+image: "?([^\s"]+)/m.exec(readFileSync(file, "utf8"))?.[1] ?? null;
}

/**
 * Brings the mounted property files up to date; a node reads them when it starts. They are a copy, because the topology's own folder may
 * be closed to the container's user, and one mount of a folder survives editors that replace files.
 */
export function copyProperties({ topology, stateDir }: LabAllocation): void {
  const from = topology.dir;
  const to = join(stateDir, CONF_FOLDER);
  mkdirSync(to, { recursive: true });
  chmodSync(to, FOLDER_MODE);
  if (!existsSync(from)) return;
  for (const name of readdirSync(from).filter((file) => file.endsWith(".properties"))) {
    copyFileSync(join(from, name), join(to, name));
    chmodSync(join(to, name), FILE_MODE);
  }
}

/**
 * Writes both anew from the allocation.
 * @param image all nodes run
 * @param cpusMax what the engine's machine has
 */
export function writeLabFiles(allocation: LabAllocation, image: string, cpusMax: number): void {
  const { name, stateDir, topology, subnets } = allocation;
  copyProperties(allocation);
  const text = renderCompose({
    labName: name,
    topology,
    subnets,
    image,
    confSource: `./${CONF_FOLDER}`,
    stateDir,
    cpusMax,
    heading: [
      `Lab ${name} (${topology.name}), written by \`lab up\`; changes are lost with the next one.`,
    ],
  });
  writeAtomically(composeFile(stateDir), text);
}
