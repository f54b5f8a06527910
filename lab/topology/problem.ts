import { EngineError } from "../../engine/base/engine-error.ts";

/** One thing wrong with a topology, and where. */
export interface TopologyProblem {
  readonly file: string;
  /** 1-based; null when the problem is one of the whole file. */
  readonly line: number | null;
  readonly message: string;
}

/** @returns `file:line: message` */
export function describeProblem(problem: TopologyProblem): string {
  const place = problem.line === null ? problem.file : `${problem.file}:${problem.line}`;
  return `${place}: ${problem.message}`;
}

/**
 * @param problems at least one
 * @returns the one error that names them all
 */
export function topologyInvalid(problems: readonly TopologyProblem[]): EngineError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new EngineError("TOPOLOGY_INVALID", {
    message: `the topology has ${count}:\n${problems.map(describeProblem).join("\n")}`,
    hint: "correct the named lines; the presets in conf/ are complete examples",
  });
}
