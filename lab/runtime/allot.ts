/** Ports and subnets are allotted once a lab and remembered; labs of one folder never get the same block. */
import { EngineError } from "../../engine/base/engine-error.ts";
import { subnetsFor } from "../compose/subnets.ts";
import { publishPorts } from "../topology/ports.ts";
import type { Topology } from "../topology/topology.ts";
import type { RuntimeKind } from "./runtime.ts";
import { takenIndexes, type LabState } from "./state.ts";

/** What a new lab is to be. */
export interface AllotRequest {
  readonly home: string;
  readonly name: string;
  /** As loaded, with the ports of the first lab. */
  readonly topology: Topology;
  /** What the topology was configured with. */
  readonly configured?: Pick<LabState, "size" | "settings" | "engines">;
  /** Size of each node's own disk; absent: none. */
  readonly diskMiB?: number | undefined;
  readonly runtime: RuntimeKind;
  /** Block the user wants; undefined: the first free one. */
  readonly index: number | undefined;
}

/** Above it published ports would reach the range the system hands out to outgoing connections. */
export const LAB_INDEX_MAX = 20;

function firstFree(taken: ReadonlyMap<number, string>): number {
  let index = 0;
  while (taken.has(index)) index += 1;
  return index;
}

/**
 * @param request the new lab
 * @returns its first state, not yet written
 * @throws EngineError LAB_CONFLICT when another lab of the folder holds the wanted block | LAB_SUBNET_TAKEN
 */
export function allot(request: AllotRequest): LabState {
  const taken = takenIndexes(request.home, request.name);
  const index = request.index ?? firstFree(taken);
  const holder = taken.get(index);
  if (holder !== undefined) {
    throw new EngineError("LAB_CONFLICT", {
      message: `lab "${holder}" holds block ${index} of the ports already`,
      hint: `leave --index out: block ${firstFree(taken)} is free`,
    });
  }
  if (index > LAB_INDEX_MAX) {
    throw new EngineError("LAB_CONFLICT", {
      message: `${LAB_INDEX_MAX + 1} labs fit beside one another; this would be one more`,
      hint: "remove one with `lab destroy`",
    });
  }
  return {
    schema: "lab.state/1",
    name: request.name,
    index,
    runtime: request.runtime,
    createdAt: new Date().toISOString(),
    phase: "starting",
    subnets: request.runtime === "docker" ? subnetsFor(index, request.topology) : {},
    size: request.configured?.size ?? "small",
    settings: request.configured?.settings ?? [],
    engines: request.configured?.engines ?? [],
    masters: {},
    fences: [],
    diskMiB: request.diskMiB ?? null,
    topology: publishPorts(request.topology, index, request.runtime),
  };
}

/**
 * @param state of a lab that exists
 * @param topology its folder as it is now, configured
 * @param configured what it was configured with; by default what the lab had
 * @returns the state with today's settings and the ports it always had
 */
export function refresh(
  state: LabState,
  topology: Topology,
  configured: Pick<LabState, "settings" | "engines" | "masters"> = state,
): LabState {
  return { ...state, ...configured, topology: publishPorts(topology, state.index, state.runtime) };
}
