import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "../../../engine/base/engine-error.ts";

/** Until when, how often, and how to give up. */
export interface PollOptions {
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  readonly signal: AbortSignal;
  /** Told whenever what is missing changes. */
  readonly say: (missing: string) => void;
  /** Default 40. */
  readonly intervalMs?: number;
}

const INTERVAL_MS = 40;

/**
 * Asks for a condition until it holds. The first error is kept: later ones are often only its echo.
 * @param attempt returns null when the condition holds, else one sentence on what is still missing
 * @throws EngineError LAB_NOT_READY with what was missing last; its cause is the first error
 * @throws EngineError other than a failed request: at once
 */
export async function pollUntil(
  attempt: () => Promise<string | null>,
  options: PollOptions,
): Promise<void> {
  let firstError: unknown;
  let said = "";
  for (;;) {
    options.signal.throwIfAborted();
    const missing = await attempt().catch((error: unknown) => {
      if (error instanceof EngineError && error.code.startsWith("LAB_")) throw error;
      firstError ??= error;
      return error instanceof Error ? error.message : String(error);
    });
    if (missing === null) return;
    if (missing !== said) options.say(missing);
    said = missing;
    if (performance.now() >= options.deadline) throw notReady(missing, firstError);
    await sleep(options.intervalMs ?? INTERVAL_MS, undefined, { signal: options.signal });
  }
}

function notReady(missing: string, firstError: unknown): EngineError {
  const first = firstError instanceof Error ? ` (first error: ${firstError.message})` : "";
  return new EngineError("LAB_NOT_READY", {
    message: `not ready in time: ${missing}${first}`,
    hint: "`lab status` shows each node, `lab logs NODE` its log; `lab up` goes on waiting (`--timeout` sets how long)",
    cause: firstError,
  });
}
