import { durationOption } from "../options.ts";

const TIMEOUT_MAX_MS = 3_600_000;

/** `--timeout` with this default, milliseconds. */
export function timeoutOption(initialMs: number) {
  return durationOption(
    "--timeout <time>",
    `give up after this long; default ${initialMs / 1_000}s`,
    {
      min: 100,
      max: TIMEOUT_MAX_MS,
      initial: initialMs,
    },
  );
}

/** The NODE... argument of the commands that act on nodes. */
export const NODES_ARGUMENT = {
  name: "NODE",
  help: "node names, or groups such as @masters, @slaves, @host-1, @broker-a",
  required: true,
  variadic: true,
} as const;
