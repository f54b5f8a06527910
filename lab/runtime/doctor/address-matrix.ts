/** Who reaches whom: the probe of every address from the machine and from a container on each host. */
import { z } from "zod";
import type { LabRuntime } from "../runtime.ts";
import { MACHINE, namesrvAddrSeenFrom, vantagesOf, type Vantage } from "../vantage.ts";
import { namesrvEndpoints } from "../wait/ready.ts";
import { probeAddresses, probedSchema, type Probed } from "./probe-addresses.ts";
import { runProbe } from "./run-probe.ts";

/** One address of one node, from one vantage. */
export interface MatrixEntry extends Probed {
  readonly vantage: Vantage;
  readonly node: string;
}

function probeFrom(
  runtime: LabRuntime,
  vantage: Vantage,
  signal: AbortSignal,
): Promise<readonly Probed[]> {
  if (vantage === MACHINE || runtime.kind === "process")
    return probeAddresses(namesrvEndpoints(runtime));
  const program = {
    args: [namesrvAddrSeenFrom(runtime.allocation, vantage)],
    answer: z.array(probedSchema),
  };
  return runProbe(runtime, vantage, program, signal);
}

function nodeOf(runtime: LabRuntime, probed: Probed, index: number): string {
  const { nodes } = runtime.allocation.topology;
  if (probed.kind === "namesrv")
    return nodes.filter((node) => node.role === "namesrv")[index]?.name ?? probed.name;
  const found = nodes.find(
    ({ broker }) => broker?.brokerName === probed.name && broker.brokerId === probed.brokerId,
  );
  return found?.name ?? `${probed.name} ${probed.brokerId ?? ""}`;
}

/** A broker no name server names to an asker cannot be reached by it. */
function untold(
  runtime: LabRuntime,
  vantage: Vantage,
  seen: ReadonlySet<string>,
): readonly MatrixEntry[] {
  return runtime.allocation.topology.nodes
    .filter((node) => node.broker !== undefined && !seen.has(node.name))
    .map((node) => ({
      vantage,
      node: node.name,
      kind: "broker",
      name: node.broker?.brokerName ?? "",
      brokerId: node.broker?.brokerId ?? null,
      address: "",
      connectMs: null,
      roundTripMs: null,
      error: "no name server routes it",
    }));
}

/**
 * @param runtime of a lab that runs
 * @param signal ends the probes
 * @returns every vantage's probes
 * @throws EngineError LAB_NOT_READY when a container cannot be made or its probe fails as a whole
 */
export async function addressMatrix(
  runtime: LabRuntime,
  signal: AbortSignal,
): Promise<readonly MatrixEntry[]> {
  const rows = await Promise.all(
    vantagesOf(runtime.allocation).map(async (vantage) => {
      const probes = await probeFrom(runtime, vantage, signal);
      const entries = probes.map((probed, index) => ({
        ...probed,
        vantage,
        node: nodeOf(runtime, probed, index),
      }));
      return [...entries, ...untold(runtime, vantage, new Set(entries.map((entry) => entry.node)))];
    }),
  );
  return rows.flat();
}
