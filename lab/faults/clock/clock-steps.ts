/** Shifting the clocks of nodes and shifting them back: alike in both runtimes but for where the folder of a node lies. */
import { EngineError } from "../../../engine/base/engine-error.ts";
import type { LabRuntime } from "../../runtime/runtime.ts";
import type { Seen } from "../actor.ts";
import type { StepOf } from "../fault.ts";
import { stateOf } from "../node-state.ts";
import { shiftText } from "./shift-text.ts";
import type { ClockAnswer, ClockRequest } from "./offset-file.ts";

/** The node looks five times a second; more than this means that it does not look. */
const ANSWER_MS = 5_000;
/** Between its two looks at the clock, true and shifted, a busy node may be put aside. */
const NOISE_MS = 250;

/** Does a request in a node's folder; null when there is no such folder. */
export type SetClockOf = (
  fault: string,
  node: string,
  request: ClockRequest,
) => Promise<ClockAnswer | null>;

/** See the file's head. */
export class ClockSteps {
  private readonly runtime: LabRuntime;
  private readonly set: SetClockOf;

  constructor(runtime: LabRuntime, set: SetClockOf) {
    this.runtime = runtime;
    this.set = set;
  }

  private async ask(
    fault: string,
    node: string,
    offsetMs: number,
  ): Promise<{ readonly runs: string; readonly answer: ClockAnswer | null }> {
    const runs = await stateOf(this.runtime, node);
    const waitMs = runs === "running" ? ANSWER_MS : 0;
    return { runs, answer: await this.set(fault, node, { offsetMs, waitMs }) };
  }

  /** @throws EngineError LAB_FAULT_FAILED when a node that runs does not follow */
  async apply(fault: string, { node, offsetMs }: StepOf<"clock">): Promise<Seen> {
    const { runs, answer } = await this.ask(fault, node, offsetMs);
    if (runs !== "running") {
      return { what: `${node} is ${runs}: its clock is shifted when it runs`, holds: null };
    }
    if (answer === null || answer.aheadMs === null) {
      throw new EngineError("LAB_FAULT_FAILED", {
        message: `${node} did not shift its clock within ${ANSWER_MS / 1_000} s: the program it runs may be older than this fault`,
        hint: `\`lab restart ${node}\`, then the command again`,
      });
    }
    const holds = Math.abs(answer.aheadMs - offsetMs) <= NOISE_MS;
    return { what: `the clock of ${node} says ${shiftText(answer.aheadMs)}`, holds };
  }

  async heal(fault: string, { node }: StepOf<"clock">): Promise<Seen> {
    const { runs, answer } = await this.ask(fault, node, 0);
    if (answer === null) return { what: `${node} has no data: no offset either`, holds: true };
    if (answer.aheadMs !== null) {
      const holds = Math.abs(answer.aheadMs) <= NOISE_MS;
      return { what: `the clock of ${node} says ${shiftText(answer.aheadMs)}`, holds };
    }
    const what = `${node} is ${runs}: its offset is removed`;
    // One that never said that it follows has nothing to take back; the file is gone all the same.
    return { what, holds: runs !== "running" || !answer.hadSaid };
  }
}
