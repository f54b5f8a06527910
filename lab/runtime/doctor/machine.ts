/** Can a lab run on this machine? One finding a check, each with what to do about it; changes nothing. */
import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { EngineError } from "../../../engine/base/engine-error.ts";
import type { LabNode } from "../../topology/topology.ts";
import { availableMemoryMiB, memoryNeedMiB } from "../preflight/memory.ts";
import { checkPorts, portClaims } from "../preflight/ports.ts";
import { programFile } from "../program-file.ts";

export interface Finding {
  readonly check: string;
  /** warn: a lab can run, with less. */
  readonly status: "ok" | "warn" | "fail";
  readonly found: string;
  /** Empty when ok. */
  readonly fix: string;
}

/** What the checks are about. */
export interface DoctorSubject {
  /** Folder of all labs. */
  readonly home: string;
  /** Nodes that do not run and would be started, with their ports. */
  readonly nodes: readonly LabNode[];
}

const NODE_MIN = [20, 19] as const;
const GIB = 1_073_741_824;
const DISK_MIN_GIB = 2;

export function ok(check: string, found: string): Finding {
  return { check, status: "ok", found, fix: "" };
}

/** @returns the finding of a check that threw; anything but a refusal of ours passes through */
export function refusal(check: string, status: "warn" | "fail", error: unknown): Finding {
  if (!(error instanceof EngineError)) throw error;
  return { check, status, found: error.message, fix: error.hint ?? "see `lab help`" };
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isEnough = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  if (isEnough) return ok("node", process.version);
  const fix = `install Node ${NODE_MIN.join(".")} or newer`;
  return { check: "node", status: "fail", found: process.version, fix };
}

function programs(): Finding {
  try {
    for (const name of ["mqnamesrv", "mqbroker", "dashboard"] as const) programFile(name);
    return ok("programs", "mqnamesrv, mqbroker and dashboard are built");
  } catch (error) {
    return refusal("programs", "fail", error);
  }
}

function existingParent(path: string): string {
  return existsSync(path) ? path : existingParent(dirname(path));
}

function folder(home: string): Finding {
  const parent = existingParent(home);
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
    return ok("lab folder", home);
  } catch {
    const fix = "work in a folder of your own, or set LAB_HOME to one";
    return { check: "lab folder", status: "fail", found: `${parent} is not writable`, fix };
  }
}

function disk(home: string): Finding {
  const { bavail, bsize } = statfsSync(existingParent(home));
  const free = (bavail * bsize) / GIB;
  const found = `${free.toFixed(1)} GiB free`;
  if (free >= DISK_MIN_GIB) return ok("disk", found);
  const fix = "free some, set LAB_HOME to another disk, or use `lab up --size tiny`";
  return { check: "disk", status: "warn", found, fix };
}

function memory(nodes: readonly LabNode[]): Finding {
  const need = memoryNeedMiB(nodes);
  const available = availableMemoryMiB();
  const found = `${available} MiB available, the lab needs at most ${need} MiB`;
  if (need <= available) return ok("memory", found);
  const fix = "stop other programs, or use `lab up --size tiny` or a smaller preset";
  return { check: "memory", status: "fail", found, fix };
}

async function ports(nodes: readonly LabNode[]): Promise<Finding> {
  const claims = portClaims(nodes);
  try {
    await checkPorts(claims);
    return ok(
      "ports",
      claims.length === 0 ? "held by this lab" : `${claims.length} ports are free`,
    );
  } catch (error) {
    return refusal("ports", "fail", error);
  }
}

/** Routes as /proc/net/route has them; REJECT (0x200) is how an unreachable one shows (route(8)). */
const REJECT = 0x200;
/** 198.51.100.0 and its /24 mask, last octet first. */
const LAB_RANGE = { destination: "006433C6", mask: "00FFFFFF" } as const;

/**
 * @param table content of /proc/net/route
 * @returns whether lab addresses without a network stay on the machine (docker-lab 2)
 */
export function hasGuardRoute(table: string): boolean {
  return table.split("\n").some((line) => {
    const [device, destination, , flags = "0", , , , mask] = line.trim().split(/\s+/);
    const rejects = device === "*" || (Number.parseInt(flags, 16) & REJECT) !== 0;
    return rejects && destination === LAB_RANGE.destination && mask === LAB_RANGE.mask;
  });
}

/** @returns a finding on the guard route; null outside Linux, where containers live in a machine of their own */
export function guardRoute(): Finding | null {
  if (process.platform !== "linux") return null;
  if (hasGuardRoute(readFileSync("/proc/net/route", "utf8")))
    return ok("guard route", "lab addresses without a network stay on this machine");
  return {
    check: "guard route",
    status: "warn",
    found: "an address of a lab that is down leaves this machine by the default route",
    fix: "sudo ip route add unreachable 198.51.100.0/24 metric 4096",
  };
}

/** @returns findings that do not need an engine */
export async function examineMachine(subject: DoctorSubject): Promise<readonly Finding[]> {
  return [
    nodeVersion(),
    programs(),
    folder(subject.home),
    disk(subject.home),
    memory(subject.nodes),
    await ports(subject.nodes),
  ];
}
