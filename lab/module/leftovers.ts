/**
 * Who owns which lab of the module, on disk: one file a lab with the pid and start instant of the process that wants it. What a process
 * leaves that ended without cleaning up is removed by its reaper at once, or by the next start on this machine.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";
import { EngineError } from "../../engine/base/engine-error.ts";
import { writeAtomically } from "../runtime/atomic-file.ts";
import { findProcess, identify } from "../runtime/process-identity.ts";
import { removeLab } from "../runtime/remove-lab.ts";

const ownerSchema = z.object({ pid: z.int().positive(), started: z.string() });
const SUFFIX = ".owner.json";

/** @returns the folder of all labs of this user's tests, in the system's temporary directory */
export function defaultHome(): string {
  return join(tmpdir(), `rocketmq-lab-${userInfo().uid}`);
}

/**
 * Makes the folder, for its owner only.
 * @throws EngineError LAB_CONFLICT when the path is somebody else's: in a shared temporary directory anybody may have made it
 */
export function prepareHome(home: string): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const found = lstatSync(home);
  const own = process.getuid?.() ?? found.uid;
  if (found.isDirectory() && found.uid === own) return;
  throw new EngineError("LAB_CONFLICT", {
    message: `${home} is not a folder of this user`,
    hint: "remove it, or choose another place with the option `home`",
  });
}

function ownerFile(home: string, name: string): string {
  return join(home, `${name}${SUFFIX}`);
}

/** Notes that this process wants the lab; written before the lab is made. */
export function claim(home: string, name: string): void {
  writeAtomically(ownerFile(home, name), `${JSON.stringify(identify(process.pid))}\n`);
}

/** The lab is gone. */
export function disclaim(home: string, name: string): void {
  rmSync(ownerFile(home, name), { force: true });
}

interface Claim {
  readonly name: string;
  readonly pid: number | null;
  readonly isAlive: boolean;
}

function readClaim(home: string, file: string): Claim {
  const name = basename(file, SUFFIX);
  try {
    const owner = ownerSchema.parse(JSON.parse(readFileSync(join(home, file), "utf8")));
    return { name, pid: owner.pid, isAlive: findProcess(owner) !== null };
  } catch {
    return { name, pid: null, isAlive: false };
  }
}

function claims(home: string): readonly Claim[] {
  return readdirSync(home)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => readClaim(home, file));
}

/** @returns whether the process with that pid still has labs here */
export function hasLabs(home: string, pid: number): boolean {
  return claims(home).some((entry) => entry.pid === pid);
}

/**
 * Removes every lab whose owner has ended. What cannot be removed now (the engine does not answer, another process is at it) stays for the next.
 * @returns names of the labs that are gone
 */
export async function removeLeftovers(home: string): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const { name } of claims(home).filter((entry) => !entry.isAlive)) {
    try {
      await removeLab({ home, name, command: "removing a leftover", say: () => undefined });
    } catch (error) {
      if (error instanceof EngineError) continue;
      throw error;
    }
    disclaim(home, name);
    gone.push(name);
  }
  return gone;
}
