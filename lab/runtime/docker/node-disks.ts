/**
 * Disks of a fixed size for the nodes of a lab in Docker (docker-lab 9): an ext4 file system in a sparse file below the lab's folder, on a loop
 * device. The nodes' volumes mount `disks/NODE.dev`, a link that always names the device of today: the system forgets loop devices when it
 * starts anew, and their numbers with them, but the file and the link's own path stay.
 */
import { execFile } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { CONTAINER_USER, hasData } from "../../compose/service.ts";
import type { LabNode } from "../../topology/topology.ts";
import type { DockerEngine } from "../preflight/engine.ts";
import type { LabAllocation } from "../runtime.ts";

const run = promisify(execFile);
const MIB = 1_048_576;
const FOLDER = "disks";
const IMAGE = ".img";
const PLACES = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
const TOOL_MS = 120_000;

function unsupported(reason: string): EngineError {
  return new EngineError("LAB_DISK_UNSUPPORTED", {
    message: `nodes cannot have disks of their own here: ${reason}`,
    hint: "run the lab as root on the Linux machine of the Docker Engine, or leave --disk out: full and read-only disks are then refused, `lab fault disk-slow` and `disk-lost` are not",
  });
}

/**
 * @param name of a program of the system
 * @returns its path, also where PATH has no folders for root
 * @throws EngineError LAB_DISK_UNSUPPORTED
 */
export function systemProgram(name: string): string {
  const found = PLACES.map((place) => join(place, name)).find((path) => existsSync(path));
  if (found === undefined) throw unsupported(`this machine has no ${name} (util-linux, e2fsprogs)`);
  return found;
}

/** @throws EngineError LAB_DISK_UNSUPPORTED with what the system's program said */
async function tool(name: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(systemProgram(name), [...args], { timeout: TOOL_MS })).stdout.trim();
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const { stderr, message } = error as Error & { readonly stderr?: string };
    throw unsupported(`\`${name} ${args.join(" ")}\` failed: ${(stderr ?? message).trim()}`);
  }
}

/**
 * @param engine that will run the containers
 * @throws EngineError LAB_DISK_UNSUPPORTED
 */
export function checkDisksPossible(engine: DockerEngine): void {
  if (process.platform !== "linux") throw unsupported("loop devices are Linux's");
  if (process.getuid?.() !== 0) throw unsupported("making loop devices takes root");
  if (!engine.isLocal || engine.kernel !== release()) {
    throw unsupported("the Docker Engine runs on another machine or in a virtual one");
  }
  for (const name of ["losetup", "mkfs.ext4", "e2fsck"]) systemProgram(name);
}

/** @returns path a node's volume mounts */
export function diskDevice(stateDir: string, node: string): string {
  return join(stateDir, FOLDER, `${node}.dev`);
}

function diskImage(stateDir: string, node: string): string {
  return join(stateDir, FOLDER, `${node}${IMAGE}`);
}

/** Formatted beside its place: what a command that was killed left is no disk. */
async function format(image: string, diskMiB: number): Promise<void> {
  const fresh = `${image}.new`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, "", { mode: 0o600 });
  truncateSync(fresh, diskMiB * MIB);
  // No blocks are kept for root: full is full. On an error of the disk it becomes read-only, as most systems have it.
  const options = ["-q", "-F", "-m", "0", "-e", "remount-ro"];
  await tool("mkfs.ext4", [...options, "-E", `root_owner=${CONTAINER_USER}`, fresh]);
  renameSync(fresh, image);
}

/** @returns loop devices of a file, usually none or one */
async function devicesOf(image: string): Promise<readonly string[]> {
  const listed = await tool("losetup", ["-j", image, "-n", "-O", "NAME"]);
  return listed.split("\n").filter((name) => name !== "");
}

/** @returns the device a node's disk is attached to, or null */
export async function diskLoop(stateDir: string, node: string): Promise<string | null> {
  const image = diskImage(stateDir, node);
  return existsSync(image) ? ((await devicesOf(image))[0] ?? null) : null;
}

function link(path: string, target: string): void {
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  if (isThere && readlinkSync(path) === target) return;
  rmSync(`${path}.new`, { force: true });
  symlinkSync(target, `${path}.new`);
  renameSync(`${path}.new`, path);
}

async function attach(stateDir: string, node: string, diskMiB: number): Promise<void> {
  const image = diskImage(stateDir, node);
  if (!existsSync(image)) await format(image, diskMiB);
  // Two devices of one file would be two caches of one disk: -L gives the one that is there.
  const [known] = await devicesOf(image);
  const device = known ?? (await tool("losetup", ["-L", "-f", "--show", image]));
  link(diskDevice(stateDir, node), device);
}

/**
 * Makes the disks that are missing and attaches those that are not; nothing in a lab without disks of its own.
 * @param nodes whose; default: all of the lab
 * @throws EngineError LAB_DISK_UNSUPPORTED
 */
export async function attachDisks(
  { diskMiB, stateDir, topology }: LabAllocation,
  nodes: readonly LabNode[] = topology.nodes,
): Promise<void> {
  if (diskMiB === undefined || diskMiB === null) return;
  mkdirSync(join(stateDir, FOLDER), { recursive: true, mode: 0o700 });
  for (const node of nodes) {
    if (hasData(node)) await attach(stateDir, node.name, diskMiB);
  }
}

/** Detaches every disk the lab's folder holds and removes it; the volumes on them must be gone. */
export async function removeDisks(stateDir: string): Promise<void> {
  const folder = join(stateDir, FOLDER);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).filter((file) => file.endsWith(IMAGE))) {
    for (const device of await devicesOf(join(folder, name))) await tool("losetup", ["-d", device]);
  }
  rmSync(folder, { recursive: true, force: true });
}
