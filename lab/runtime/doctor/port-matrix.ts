/** Which ports of each host are open to the outside: tried from the machine, where they are published, and from a container on every other host. */
import { z } from "zod";
import type { LabRuntime } from "../runtime.ts";
import { MACHINE, endpointRows, vantagesOf, type EndpointRow, type Vantage } from "../vantage.ts";
import { portProbedSchema, probePorts, type PortProbed, type PortTarget } from "./probe-ports.ts";
import { runProbe } from "./run-probe.ts";

/** One port of one node, tried from one place outside its host. */
export interface PortEntry extends PortProbed {
  readonly vantage: Vantage;
  readonly node: string;
  readonly what: EndpointRow["port"];
}

function probeFrom(
  runtime: LabRuntime,
  vantage: Vantage,
  targets: readonly PortTarget[],
  signal: AbortSignal,
): Promise<readonly PortProbed[]> {
  if (vantage === MACHINE) return probePorts(targets);
  const program = {
    args: ["--ports", JSON.stringify(targets)],
    answer: z.array(portProbedSchema),
  };
  return runProbe(runtime, vantage, program, signal);
}

/**
 * @param runtime of a lab that runs
 * @param signal ends the probes
 * @throws EngineError LAB_NOT_READY when a container cannot be made or its probe fails as a whole
 */
export async function portMatrix(
  runtime: LabRuntime,
  signal: AbortSignal,
): Promise<readonly PortEntry[]> {
  const rows = endpointRows(runtime.allocation);
  // Local processes all stand on the machine: there is no other place to try from.
  const vantages = runtime.kind === "process" ? [MACHINE] : vantagesOf(runtime.allocation);
  // A slave opens its replication port only once it is a master.
  const { nodes } = runtime.allocation.topology;
  const slaves = new Set(
    nodes.filter((node) => node.role === "broker-slave").map((node) => node.name),
  );
  const entries = await Promise.all(
    vantages.map(async (vantage) => {
      const outside = rows.flatMap((row) => {
        const address = row.addresses[vantage] ?? null;
        return row.host === vantage || address === null ? [] : [{ ...row, address }];
      });
      const targets = outside.map(({ node, address, port }): PortTarget => ({
        address,
        what: port,
        mayRefuse: port === "ha" && slaves.has(node),
      }));
      const probed = await probeFrom(runtime, vantage, targets, signal);
      return probed.map((entry, index): PortEntry => ({
        ...entry,
        vantage,
        node: outside[index]?.node ?? "",
        what: outside[index]?.port ?? "broker",
      }));
    }),
  );
  return entries.flat();
}
