import { describe, expect, it } from "vitest";
import { checkMemory, memoryNeedMiB } from "../../../../../lab/runtime/preflight/memory.ts";
import { loadTopology } from "../../../../../lab/topology/presets.ts";

describe("memory", () => {
  const { nodes } = loadTopology("2m-2s-sync", "/").topology;

  it("refuses a cluster that does not fit, with both figures", () => {
    const need = memoryNeedMiB(nodes);
    expect(() => checkMemory(nodes, need - 1)).toThrowError(
      expect.objectContaining({
        code: "LAB_MEMORY_SMALL",
        message: `7 nodes need up to ${need} MiB of memory, ${need - 1} MiB are available`,
      }),
    );
    expect(() => checkMemory(nodes, need)).not.toThrow();
  });

  it("counts less than the hard limits, which nodes never reach together", () => {
    const limits = nodes.reduce((sum, node) => sum + node.resources.memoryMiB, 0);
    expect(memoryNeedMiB(nodes)).toBeLessThan(limits);
  });
});
