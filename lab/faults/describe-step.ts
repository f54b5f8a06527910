/** Steps of faults in words: what `--plan` prints. Pure. */
import { shiftText } from "./clock/shift-text.ts";
import type { FaultStep, StepOf } from "./fault.ts";

const ACTS: Readonly<Record<StepOf<"process">["act"], readonly [string, string]>> = {
  kill: ["SIGKILL", "start it"],
  stop: ["SIGTERM, wait for its end", "start it"],
  pause: ["freeze it", "let it go on"],
  signal: ["send the signal", "start it if it ended"],
  wipe: ["SIGKILL, then remove all its data", "start it with an empty disk"],
};

function limitText({ memoryMiB: memory, cpus }: StepOf<"limits">): string {
  return memory === null
    ? `cpus ${cpus?.to ?? 0}; heal: ${cpus?.back ?? 0}`
    : `memory ${memory.to} MiB; heal: ${memory.back} MiB`;
}

function relayText({ delayMs, routes }: StepOf<"relay">): string {
  const to = routes.map((route) => `${route.host}:${route.port}`).join(", ");
  return `a relay in its network namespace holds every byte back ${delayMs} ms for ${to}; heal: remove it`;
}

type Lines<K extends FaultStep["kind"]> = (step: StepOf<K>) => readonly string[];

/** Without the node's name. */
const LINES: { readonly [K in FaultStep["kind"]]: Lines<K> } = {
  process: ({ act, signal }) => {
    const [does, undoes] = ACTS[act];
    return [`${act === "signal" ? `send ${signal}` : does}; heal: ${undoes}`];
  },
  limits: (step) => [`container limit ${limitText(step)}`],
  io: ({ iops }) => [`${iops} writes a second to its disk; heal: no limit`],
  ballast: ({ leaveBytes }) => [
    `a file on its disk takes all room but ${leaveBytes} bytes; heal: remove it`,
  ],
  readonly: () => [
    "an error of its disk makes it read-only; heal: stop it, repair the disk, start it",
  ],
  clock: ({ offsetMs }) => [`wall clock ${shiftText(offsetMs)}; heal: the machine's`],
  relay: (step) => [relayText(step)],
  rules: ({ apply, heal }) => [
    ...apply.map((line) => line.join(" ")),
    ...heal.map((line) => `heal: ${line.join(" ")}`),
  ],
};

/** @returns what a step does and how it is undone, in lines for people */
export function describeStep(step: FaultStep): readonly string[] {
  const lines = LINES[step.kind] as (given: FaultStep) => readonly string[];
  return lines(step).map((line) => `${step.node}: ${line}`);
}
