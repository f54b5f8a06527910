/**
 * Waits for the end of the process that started it, however it ends, and removes the labs it left. Told by its standard input: the system closes
 * it with the process. `node reaper.mjs HOME PID`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { hasLabs, removeLeftovers } from "./leftovers.ts";

/** A worker thread's pipe closes with the thread, and its process may live on. */
const RETRY_MS = 1_000;

const [home = "", pid = ""] = process.argv.slice(2);
for await (const _chunk of process.stdin) {
  // Nothing is ever written; only the end counts.
}
for (;;) {
  await removeLeftovers(home);
  if (!hasLabs(home, Number(pid))) break;
  await sleep(RETRY_MS);
}
