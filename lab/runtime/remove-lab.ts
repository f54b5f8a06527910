/** Removing a lab as a whole, also one whose state file is damaged. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";
import { acquireLock } from "./lock.ts";
import type { LabAllocation } from "./runtime.ts";
import { createRuntime } from "./select-runtime.ts";
import { allocationOf, lockFile, readState, salvageAllocations } from "./state.ts";

/** Which lab, and who removes it. */
export interface RemoveLabOptions {
  readonly home: string;
  readonly name: string;
  /** Told to whoever finds the lab's lock held. */
  readonly command: string;
  /** How long to wait for a command that is at work on it; default not at all. */
  readonly waitMs?: number;
  readonly say: (message: string) => void;
}

/** A lab whose state file is damaged is removed by what its folder and the engine still tell. */
function allocationsOf(home: string, name: string): readonly LabAllocation[] {
  try {
    const state = readState(home, name);
    return state === null ? [] : [allocationOf(home, state)];
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== "LAB_STATE_CORRUPT") throw error;
    return salvageAllocations(home, name);
  }
}

/**
 * Ends a lab's nodes and removes its data, networks, volumes and folder; does nothing when there is no such lab.
 * @throws EngineError LAB_BUSY | DOCKER_* for a lab in Docker when the engine does not answer
 */
export async function removeLab(options: RemoveLabOptions): Promise<void> {
  const { home, name, command, say } = options;
  using _lock = await acquireLock(lockFile(home, name), {
    command,
    waitMs: options.waitMs ?? 0,
  });
  for (const allocation of allocationsOf(home, name)) {
    const runtime = await createRuntime(allocation);
    await runtime.destroy(({ node, message }) =>
      say(node === null ? message : `${node} ${message}`),
    );
  }
  // What a command left that was killed before it could write the state.
  rmSync(join(home, name), { recursive: true, force: true });
}
