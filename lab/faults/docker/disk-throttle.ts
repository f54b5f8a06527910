/**
 * Writes a second to the disk below a container's volume, by the block-I/O group of the container: version 1 (`blkio.throttle`) and version 2 (`io.max`)
 * of control groups. Needs to be root on the engine's machine; the engine's API has no such call for a container that runs.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { realpathSync } from "node:fs";
import { EngineError } from "../../../engine/base/engine-error.ts";

const GROUPS = "/sys/fs/cgroup";

interface Throttle {
  readonly file: string;
  /** `254:0`. */
  readonly device: string;
  readonly version: 1 | 2;
}

function unsupported(reason: string): EngineError {
  return new EngineError("LAB_FAULT_UNSUPPORTED", {
    message: `a disk cannot be slowed down here: ${reason}`,
    hint: "run the lab as root on the machine of the Docker Engine (Linux); nearest: `lab pause NODE --for 5s`",
  });
}

/** Limits count for whole disks: of a partition its disk. */
function diskOf(path: string): string {
  const { dev } = statSync(path);
  const number = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  const entry = `/sys/dev/block/${number}`;
  if (!existsSync(entry)) throw unsupported(`${path} lies on no block device`);
  if (!existsSync(join(entry, "partition"))) return number;
  return readFileSync(join(dirname(realpathSync(entry)), "dev"), "utf8").trim();
}

function throttleOf(pid: number, volume: string): Throttle {
  if (process.platform !== "linux" || !existsSync(`/proc/${pid}/cgroup`) || !existsSync(volume)) {
    throw unsupported("the container's processes and volumes are not on this machine");
  }
  const device = diskOf(volume);
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
  const one = lines.find((line) => /^\d+:([^:]*,)?blkio(,[^:]*)?:/.test(line));
  if (one !== undefined) {
    const group = one.split(":").slice(2).join(":");
    const file = join(GROUPS, "blkio", group, "blkio.throttle.write_iops_device");
    if (existsSync(file)) return { file, device, version: 1 };
  }
  const two = lines.find((line) => line.startsWith("0::"));
  const file = join(GROUPS, two?.slice(3) ?? "", "io.max");
  if (two !== undefined && existsSync(file)) return { file, device, version: 2 };
  throw unsupported("its control group has no limit for block I/O");
}

/** @returns what the kernel says: writes a second, or null for no limit */
function read(throttle: Throttle): number | null {
  const line = readFileSync(throttle.file, "utf8")
    .split("\n")
    .find((candidate) => candidate.startsWith(`${throttle.device} `));
  const pattern = throttle.version === 1 ? / (\d+)$/ : /wiops=(\d+)/;
  const found = pattern.exec(line ?? "")?.[1];
  return found === undefined ? null : Number(found);
}

/**
 * @param pid first process of the container
 * @param volume folder of its volume on the engine's machine
 * @param iops writes a second; null takes the limit away
 * @returns the limit as the kernel reads it back, and the device
 * @throws EngineError LAB_FAULT_UNSUPPORTED
 */
export function throttleDisk(
  pid: number,
  volume: string,
  iops: number | null,
): { readonly iops: number | null; readonly device: string } {
  const throttle = throttleOf(pid, volume);
  const value = throttle.version === 1 ? String(iops ?? 0) : `wiops=${iops ?? "max"}`;
  try {
    writeFileSync(throttle.file, `${throttle.device} ${value}\n`);
  } catch (error) {
    throw unsupported(`writing ${basename(throttle.file)} failed: ${String(error)}`);
  }
  return { iops: read(throttle), device: throttle.device };
}
