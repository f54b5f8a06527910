import type { Capabilities } from "./plan.ts";
import type { Evidence, FaultProof, FaultStep } from "./fault.ts";

/** What was seen, without time and phase. */
export type Seen = Pick<Evidence, "what" | "holds">;

/** Outcome of a proof's measurement: a number, a word, or why there is none. */
export interface Measure {
  readonly value: number | string | null;
  readonly what: string;
}

/** Does the steps of faults. Applying and healing a second time changes nothing. */
export interface FaultActor {
  /** Asked only for kinds whose plan depends on it. */
  capabilities(kind: string): Promise<Capabilities>;
  /** Asked before a fault is written down. @throws EngineError DOCKER_ENGINE_MISSING when a step cannot be done or healed now */
  check?(steps: readonly FaultStep[]): void;
  /** @returns what shows that it took effect. @throws EngineError LAB_FAULT_FAILED | LAB_FAULT_UNSUPPORTED */
  apply(id: string, step: FaultStep): Promise<Seen>;
  /** @returns what shows that it is gone. @throws EngineError LAB_FAULT_FAILED */
  heal(id: string, step: FaultStep): Promise<Seen>;
  /** One measure a proof, in order. */
  measure(id: string, proofs: readonly FaultProof[]): Promise<readonly Measure[]>;
  /** Removes what a command that was killed may have left beside the steps. */
  sweep(id: string): Promise<void>;
}
