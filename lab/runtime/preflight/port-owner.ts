/** Which process listens on a TCP port. Linux tells it below /proc; elsewhere nobody is named. */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

/** A process that listens. */
export interface PortOwner {
  readonly pid: number;
  /** Its command line, shortened. */
  readonly command: string;
}

/** Socket states of /proc/net/tcp (proc(5)). */
const LISTEN = "0A";
const COMMAND_LENGTH_MAX = 80;

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/**
 * @param table content of /proc/net/tcp or tcp6: `sl local_address rem_address st … inode`
 * @param port wanted
 * @returns inodes of the sockets that listen on it
 */
export function listeningInodes(table: string, port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return table.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local = "", , state] = fields;
    const inode = fields[9];
    return state === LISTEN && local.endsWith(`:${wanted}`) && inode !== undefined ? [inode] : [];
  });
}

function holds(pid: string, links: ReadonlySet<string>): boolean {
  return listDirectory(`/proc/${pid}/fd`).some((descriptor) => {
    try {
      return links.has(readlinkSync(`/proc/${pid}/fd/${descriptor}`));
    } catch {
      return false;
    }
  });
}

/** Program and arguments; options are left out, they hide what a person knows it by. */
function commandOf(pid: string): string {
  const [program = "", ...args] = readText(`/proc/${pid}/cmdline`).split("\0");
  if (program === "") return readText(`/proc/${pid}/comm`).trim();
  const words = args.filter((word) => word !== "" && !word.startsWith("--"));
  return [basename(program), ...words].join(" ").slice(0, COMMAND_LENGTH_MAX);
}

/**
 * @param port on this machine
 * @returns who listens on it, or null when nobody does or the system does not say
 */
export function findPortOwner(port: number): PortOwner | null {
  const tables = [readText("/proc/net/tcp"), readText("/proc/net/tcp6")];
  const inodes = tables.flatMap((table) => listeningInodes(table, port));
  if (inodes.length === 0) return null;
  const links = new Set(inodes.map((inode) => `socket:[${inode}]`));
  const pid = listDirectory("/proc").find((name) => /^\d+$/.test(name) && holds(name, links));
  return pid === undefined ? null : { pid: Number(pid), command: commandOf(pid) };
}
