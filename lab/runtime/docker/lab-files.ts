/** What the docker runtime writes into a lab's state folder: the compose file and the property files it mounts. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { apacheProperties } from "../../apache/program.ts";
import { renderCompose } from "../../compose/render.ts";
import { CONF_VOLUME, apacheFile } from "../../compose/service.ts";
import { NAMESRV_PROPERTIES, type LabNode } from "../../topology/topology.ts";
import { writeAtomically } from "../atomic-file.ts";
import { nodeSources } from "../node-sources.ts";
import type { LabAllocation } from "../runtime.ts";
import { ENGINE_REPOSITORY } from "./image.ts";
import { diskDevice } from "./node-disks.ts";

const CONF_FOLDER = "conf";
/** The container's user is nobody this machine knows, so everyone may read. */
const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;

/** Which part of a lab an engine runs: a host that is a server; undefined: all of it. */
export type Part = string | undefined;

/** @returns path of the compose file of a lab, or of one server's part of it */
export function composeFile(stateDir: string, part: Part): string {
  return join(stateDir, part === undefined ? "compose.yaml" : `compose.${part}.yaml`);
}

/** @returns folder of the property files the containers see */
export function confFolder(stateDir: string): string {
  return join(stateDir, CONF_FOLDER);
}

/** @returns image the lab's own containers were made from last, or null before the first time */
export function imageInUse(stateDir: string, part: Part): string | null {
  const file = composeFile(stateDir, part);
  if (!existsSync(file)) return null;
  const own = new RegExp(`^\\s+image: "?(${ENGINE_REPOSITORY}:[^\\s"]+)`, "m");
  return own.exec(readFileSync(file, "utf8"))?.[1] ?? null;
}

/**
 * Brings the mounted property files up to date; a node reads them when it starts. They are a copy, because the topology's own folder may
 * be closed to the container's user, and one mount of a folder survives editors that replace files.
 */
export function copyProperties(allocation: LabAllocation): void {
  const { topology, stateDir } = allocation;
  const from = topology.dir;
  const to = confFolder(stateDir);
  mkdirSync(to, { recursive: true });
  chmodSync(to, FOLDER_MODE);
  if (!existsSync(from)) return;
  for (const name of readdirSync(from).filter((file) => file.endsWith(".properties"))) {
    copyFileSync(join(from, name), join(to, name));
    chmodSync(join(to, name), FILE_MODE);
  }
  for (const node of topology.nodes.filter(({ engine }) => engine !== undefined)) {
    writeApacheProperties(allocation, node, to);
  }
}

/** Apache's programs take no overrides from their environment, so theirs stand in a file of the node's own. */
function writeApacheProperties(allocation: LabAllocation, node: LabNode, conf: string): void {
  const source = join(allocation.topology.dir, node.broker?.propertiesFile ?? NAMESRV_PROPERTIES);
  const { overrides } = nodeSources(allocation, node);
  const target = join(conf, apacheFile(node.name));
  writeAtomically(target, apacheProperties(readFileSync(source, "utf8"), overrides));
  chmodSync(dirname(target), FOLDER_MODE);
  chmodSync(target, FILE_MODE);
}

/**
 * Writes both anew from the allocation.
 * @param images what the nodes run: our own, and by node those with Apache's programs
 * @param engine what its machine has, and which part of the lab it runs
 */
export function writeLabFiles(
  allocation: LabAllocation,
  images: { readonly own: string; readonly apache: ReadonlyMap<string, string> },
  engine: { readonly cpus: number; readonly part: Part },
): void {
  const { cpus: cpusMax, part } = engine;
  const { name, stateDir, topology, subnets, diskMiB } = allocation;
  copyProperties(allocation);
  const text = renderCompose({
    labName: name,
    topology,
    subnets,
    image: images.own,
    apacheImages: images.apache,
    confSource: part === undefined ? `./${CONF_FOLDER}` : CONF_VOLUME,
    ...(part === undefined ? {} : { host: part }),
    stateDir,
    cpusMax,
    ...(diskMiB === undefined || diskMiB === null
      ? {}
      : { diskOf: (node) => diskDevice(stateDir, node) }),
    heading: [
      `Lab ${name} (${topology.name}), written by \`lab up\`; changes are lost with the next one.`,
    ],
  });
  writeAtomically(composeFile(stateDir, part), text);
}
