/** Resident memory of a container's node program. */
import { readFileSync } from "node:fs";
import type Docker from "dockerode";
import { readProcess } from "../process-identity.ts";

/** The program a container runs, seen from this machine. */
export interface ContainerProcess {
  readonly pid: number;
  readonly rssBytes: number | null;
}

const KIB = 1_024;

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/**
 * @param initPid what the engine says; with `init: true` it is docker-init, whose only child is the program
 * @param containerId so that a pid of another machine (Docker Desktop, a remote engine) is never read here
 */
function fromProc(initPid: number, containerId: string): ContainerProcess | null {
  if (!readText(`/proc/${initPid}/cgroup`).includes(containerId)) return null;
  const child = readText(`/proc/${initPid}/task/${initPid}/children`).trim().split(" ")[0];
  const pid = child === undefined || child === "" ? initPid : Number(child);
  return { pid, rssBytes: readProcess(pid)?.rssBytes ?? null };
}

/** The engine's own `ps`: the largest process is the program, the other is docker-init. */
async function fromEngine(container: Docker.Container): Promise<number | null> {
  try {
    const { Titles: titles, Processes: rows } = (await container.top({
      ps_args: "-eo pid,rss",
    })) as { Titles: readonly string[]; Processes: readonly (readonly string[])[] };
    const column = titles.indexOf("RSS");
    const sizes = rows.map((row) => Number(row[column])).filter((size) => size > 0);
    return sizes.length === 0 ? null : Math.max(...sizes) * KIB;
  } catch {
    return null;
  }
}

/**
 * @param container that runs
 * @param initPid its first process, as the engine counts
 */
export async function containerProcess(
  container: Docker.Container,
  initPid: number,
): Promise<ContainerProcess> {
  const local = fromProc(initPid, container.id);
  if (local !== null) return local;
  return { pid: initPid, rssBytes: await fromEngine(container) };
}
