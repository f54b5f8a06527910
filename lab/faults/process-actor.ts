/** Faults of a node's process and its data: alike in both runtimes but for where the data lies. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";
import { CLOCK_FILES } from "../runtime/clock-files.ts";
import { nodeDirectory } from "../runtime/node-launch.ts";
import type { LabRuntime, NodeProcessState } from "../runtime/runtime.ts";
import type { FaultActor, Measure, Seen } from "./actor.ts";
import { ClockSteps } from "./clock/clock-steps.ts";
import { setClock } from "./clock/offset-file.ts";
import type { FaultStep, StepOf } from "./fault.ts";
import { stateOf } from "./node-state.ts";
import type { Capabilities } from "./plan.ts";

const SETTLE_MS = 5_000;
const POLL_MS = 25;
/** In a node's folder these tell of its process or its clock; everything else is its data. */
const NOT_DATA: readonly string[] = ["node.log", "node.log.1", "process.json", ...CLOCK_FILES];

/** Waits up to 5 s for a state. @returns the last one seen */
async function awaitState(
  runtime: LabRuntime,
  node: string,
  accepts: (state: NodeProcessState) => boolean,
): Promise<Seen> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const state = await stateOf(runtime, node);
    const holds = accepts(state);
    if (holds || performance.now() >= deadline) return { what: `${node} is ${state}`, holds };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const isLive = (state: NodeProcessState): boolean => state === "running" || state === "paused";

async function wipeLocally(runtime: LabRuntime, node: string): Promise<number> {
  const folder = nodeDirectory(runtime.allocation, node);
  const data = (): string[] => readdirSync(folder).filter((name) => !NOT_DATA.includes(name));
  for (const name of data()) rmSync(join(folder, name), { recursive: true, force: true });
  return Promise.resolve(data().length);
}

/** See the file's head. */
export class ProcessSteps {
  private readonly runtime: LabRuntime;
  private readonly wipe: (id: string, node: string) => Promise<number>;

  /** @param wipe removes a node's data; returns how many entries are left */
  constructor(
    runtime: LabRuntime,
    wipe: (id: string, node: string) => Promise<number> = (_id, node) => wipeLocally(runtime, node),
  ) {
    this.runtime = runtime;
    this.wipe = wipe;
  }

  async apply(id: string, step: StepOf<"process">): Promise<Seen> {
    const { node, act } = step;
    const live = isLive(await stateOf(this.runtime, node));
    if (!live && act !== "wipe") return { what: `${node} was not running`, holds: null };
    switch (act) {
      case "kill":
        await this.runtime.kill(node);
        return awaitState(this.runtime, node, (state) => !isLive(state));
      case "stop":
        await this.runtime.stop(node);
        return awaitState(this.runtime, node, (state) => !isLive(state));
      case "pause":
        await this.runtime.pause(node);
        return awaitState(this.runtime, node, (state) => state === "paused");
      case "signal":
        await this.runtime.kill(node, step.signal as NodeJS.Signals);
        return { what: `${node} got ${step.signal}`, holds: true };
      case "wipe":
        return this.lose(id, node, live);
    }
  }

  private async lose(id: string, node: string, live: boolean): Promise<Seen> {
    if (live) await this.runtime.kill(node);
    await awaitState(this.runtime, node, (state) => !isLive(state));
    const left = await this.wipe(id, node);
    return { what: `${node} is stopped, ${left} entries left on its disk`, holds: left === 0 };
  }

  async heal(step: StepOf<"process">): Promise<Seen> {
    const { node } = step;
    const state = await stateOf(this.runtime, node);
    if (state === "paused") await this.runtime.unpause(node);
    else if (state !== "running") await this.runtime.start(node);
    return awaitState(this.runtime, node, (now) => now === "running");
  }
}

/** Faults of a lab of local processes. */
export class ProcessFaultActor implements FaultActor {
  private readonly steps: ProcessSteps;
  private readonly clocks: ClockSteps;

  constructor(runtime: LabRuntime) {
    this.steps = new ProcessSteps(runtime);
    this.clocks = new ClockSteps(runtime, (_fault, node, request) => {
      const folder = nodeDirectory(runtime.allocation, node);
      return existsSync(folder) ? setClock(folder, request) : Promise.resolve(null);
    });
  }

  async capabilities(): Promise<Capabilities> {
    return Promise.resolve({ netem: false, cpusMax: 0 });
  }

  async apply(id: string, step: FaultStep): Promise<Seen> {
    if (step.kind === "clock") return this.clocks.apply(id, step);
    return this.steps.apply(id, onlyProcess(step));
  }

  async heal(id: string, step: FaultStep): Promise<Seen> {
    if (step.kind === "clock") return this.clocks.heal(id, step);
    return this.steps.heal(onlyProcess(step));
  }

  async measure(): Promise<readonly Measure[]> {
    return Promise.resolve([]);
  }

  async sweep(): Promise<void> {
    return Promise.resolve();
  }
}

function onlyProcess(step: FaultStep): StepOf<"process"> {
  if (step.kind === "process") return step;
  throw new EngineError("LAB_FAULT_UNSUPPORTED", {
    message: `a step of kind ${step.kind} is not possible for local processes`,
    hint: "use a lab in Docker: `lab up --runtime docker --name NAME`",
  });
}
