import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planSubnets } from "../../../../lab/compose/subnets.ts";
import type { FaultRecord, FaultSpec } from "../../../../lab/faults/fault.ts";
import type { LabAllocation, RuntimeKind } from "../../../../lab/runtime/runtime.ts";
import { publishPorts } from "../../../../lab/topology/ports.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";

/** A lab's allocation whose state folder is removed at the end of `work`. */
export async function withAllocation(
  runtime: RuntimeKind,
  work: (allocation: LabAllocation) => Promise<void> | void,
): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), "lab-faults-"));
  const { topology } = loadTopology("2m-2s-sync", stateDir);
  try {
    await work({
      name: "faults",
      runtime,
      topology: publishPorts(topology, 1, runtime),
      subnets: runtime === "docker" ? planSubnets(1) : {},
      stateDir,
    });
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/** An entry of the ledger. */
export function recordOf(
  id: string,
  spec: FaultSpec,
  change: Partial<FaultRecord> = {},
): FaultRecord {
  return {
    id,
    spec,
    steps: [],
    proofs: [],
    state: "active",
    owner: null,
    injectedAt: "2026-01-01T00:00:00.000Z",
    expiresAt: null,
    healedAt: null,
    evidence: [],
    ...change,
  };
}
