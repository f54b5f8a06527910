/** The lab's side of a shifted clock: writes or removes the offset in a node's folder and waits until the node says what its clock shows. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CLOCK_OFFSET, CLOCK_SAYS } from "../../runtime/clock-files.ts";

/** What is to be done in a node's folder. */
export interface ClockRequest {
  /** Milliseconds ahead; 0 takes the shift away. */
  readonly offsetMs: number;
  /** How long the node may take to say that it follows; 0 when it does not run. */
  readonly waitMs: number;
}

/** What the node said. */
export interface ClockAnswer {
  /** By how much its clock is ahead now, as it measured; null: it said nothing. */
  readonly aheadMs: number | null;
  /** It had said something before, so it can be expected to say something now. */
  readonly hadSaid: boolean;
}

interface Says {
  readonly offsetMs: number;
  readonly clockMs: number;
  readonly trueMs: number;
}

const POLL_MS = 25;

function readSays(folder: string): Says | null {
  try {
    return JSON.parse(readFileSync(join(folder, CLOCK_SAYS), "utf8")) as Says;
  } catch {
    return null;
  }
}

/**
 * @param folder of the node's data
 * @param request what its clock is to show
 * @throws whatever the file system says when the offset cannot be written or removed
 */
export async function setClock(folder: string, request: ClockRequest): Promise<ClockAnswer> {
  const { offsetMs, waitMs } = request;
  const offsetFile = join(folder, CLOCK_OFFSET);
  const hadSaid = readSays(folder) !== null;
  // What was said of an earlier offset must not be taken for an answer to this one.
  rmSync(join(folder, CLOCK_SAYS), { force: true });
  if (offsetMs === 0) rmSync(offsetFile, { force: true });
  else {
    writeFileSync(`${offsetFile}.new`, `${offsetMs}\n`, { mode: 0o644 });
    renameSync(`${offsetFile}.new`, offsetFile);
  }
  const deadline = performance.now() + waitMs;
  let says = readSays(folder);
  while (says?.offsetMs !== offsetMs && performance.now() < deadline) {
    await sleep(POLL_MS);
    says = readSays(folder);
  }
  if (says?.offsetMs !== offsetMs) return { aheadMs: null, hadSaid };
  // Of a clock that is the machine's again nothing needs to stay.
  if (offsetMs === 0) rmSync(join(folder, CLOCK_SAYS), { force: true });
  return { aheadMs: says.clockMs - says.trueMs, hadSaid };
}
