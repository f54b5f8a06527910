/** How the module makes a lab: a name nobody has, a block of ports nobody holds, an owner on disk, and a reaper for the worst case. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Socket } from "node:net";
import { EngineError } from "../../engine/base/engine-error.ts";
import { LABS_MAX } from "../compose/subnets.ts";
import { LAB_INDEX_MAX } from "../runtime/allot.ts";
import { bringUp, type BringUpOptions, type BroughtUp } from "../runtime/bring-up.ts";
import { programFile } from "../runtime/program-file.ts";
import { removeLab } from "../runtime/remove-lab.ts";
import type { RuntimeKind } from "../runtime/runtime.ts";
import { claim, disclaim, prepareHome, removeLeftovers } from "./leftovers.ts";

/** What a new lab is to be. */
export interface BeginOptions extends Pick<
  BringUpOptions,
  "home" | "cwd" | "size" | "diskMiB" | "set" | "timeoutMs" | "signal"
> {
  readonly preset: string;
  readonly runtime: RuntimeKind;
  readonly log: (line: string) => void;
}

const NAME_BYTES = 6;
/** A `lab status` from another terminal may be healing something. */
const END_WAIT_MS = 15_000;

/** What another lab or program may have taken since we looked. */
const TAKEN: ReadonlySet<string> = new Set(["LAB_CONFLICT", "LAB_PORT_TAKEN", "LAB_SUBNET_TAKEN"]);

/** From the last block down: labs of the command line take the first ones. */
function blocks(runtime: RuntimeKind): readonly number[] {
  const last = runtime === "docker" ? LABS_MAX - 1 : LAB_INDEX_MAX;
  return Array.from({ length: last + 1 }, (_, index) => last - index);
}

const watched = new Set<string>();

/** One reaper a process and folder. Neither it nor its pipe keeps this process alive. */
function startReaper(home: string): void {
  if (watched.has(home)) return;
  const child = spawn(process.execPath, [programFile("reaper"), home, String(process.pid)], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    // Flags of a test runner are none of its business.
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  // Without a reaper the next start cleans up.
  child.on("error", () => undefined);
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  watched.add(home);
}

async function bringUpSomewhere(options: BeginOptions, name: string): Promise<BroughtUp> {
  const { log } = options;
  let taken: unknown;
  for (const index of blocks(options.runtime)) {
    try {
      return await bringUp({
        ...options,
        name,
        index,
        newLabIndex: undefined,
        unset: [],
        progress: {
          note: log,
          step: (title, work) => {
            log(title);
            return work(log);
          },
        },
      });
    } catch (error) {
      if (!(error instanceof EngineError) || !TAKEN.has(error.code)) throw error;
      taken = error;
    }
  }
  throw taken;
}

/**
 * Makes a lab and waits until it is ready. Whatever fails, nothing of it stays.
 * @throws EngineError as `lab up`
 */
export async function begin(options: BeginOptions): Promise<BroughtUp> {
  const { home } = options;
  prepareHome(home);
  await removeLeftovers(home);
  const name = `test-${randomBytes(NAME_BYTES).toString("hex")}`;
  claim(home, name);
  startReaper(home);
  try {
    return await bringUpSomewhere(options, name);
  } catch (error) {
    await end(home, name);
    throw error;
  }
}

/** Removes the lab with all it made. */
export async function end(home: string, name: string): Promise<void> {
  const command = "RocketMQLab.stop";
  await removeLab({ home, name, command, waitMs: END_WAIT_MS, say: () => undefined });
  disclaim(home, name);
}
