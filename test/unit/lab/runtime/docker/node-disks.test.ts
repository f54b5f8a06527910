import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  attachDisks,
  checkDisksPossible,
  diskLoop,
  removeDisks,
} from "../../../../../lab/runtime/docker/node-disks.ts";
import type { DockerEngine } from "../../../../../lab/runtime/preflight/engine.ts";
import { loadTopology } from "../../../../../lab/topology/presets.ts";

function engine(change: Partial<DockerEngine>): DockerEngine {
  const here = { isLocal: true, kernel: release(), version: "", cpus: 1, memoryMiB: 1 };
  return { ...here, docker: undefined as never, environment: {}, ...change };
}

describe("where disks of the nodes' own are possible", () => {
  it.each([
    ["reached over the network", { isLocal: false }],
    ["in a virtual machine, whose kernel is another", { kernel: "0.0.0-other" }],
  ])("not with an engine %s: the reason and what to do", (_what, change) => {
    expect(() => checkDisksPossible(engine(change))).toThrow(
      expect.objectContaining({
        code: "LAB_DISK_UNSUPPORTED",
        hint: expect.stringContaining("leave --disk out") as string,
      }),
    );
  });

  it("a lab without them has no folder for them, and removing none is nothing", async () => {
    const stateDir = mkdtempSync(join(tmpdir(), "lab-disks-"));
    try {
      const { topology } = loadTopology("1m", stateDir);
      const lab = { name: "lab", runtime: "docker", topology, subnets: {}, stateDir } as const;
      await attachDisks(lab);
      await attachDisks({ ...lab, diskMiB: null });
      expect(readdirSync(stateDir)).toEqual([]);
      expect(await diskLoop(stateDir, "broker-a-master")).toBeNull();
      await removeDisks(stateDir);
    } finally {
      rmSync(stateDir, { recursive: true, force: true });
    }
  });
});
