import { describe, expect, it } from "vitest";
import { EngineError } from "../../../../engine/base/engine-error.ts";
import { ERROR_CODES } from "../../../../engine/base/error-codes.ts";
import { exitCodeFor } from "../../../../lab/cli/exit-codes.ts";

describe("exit codes", () => {
  it.each([
    ["CLI_USAGE", 2],
    ["TOPOLOGY_INVALID", 2],
    ["LAB_NOT_BUILT", 3],
    ["DOCKER_ENGINE_MISSING", 3],
    ["LAB_CONFLICT", 4],
    ["LAB_BUSY", 4],
    ["LAB_PORT_TAKEN", 4],
    ["LAB_NOT_READY", 5],
    ["LAB_NODE_FAILED", 5],
    ["LAB_NOT_FOUND", 6],
    ["LAB_NODE_UNKNOWN", 6],
    ["LAB_MEMORY_SMALL", 20],
    ["DOCKER_PERMISSION", 27],
  ] as const)("%s is %i", (code, exitCode) => {
    expect(exitCodeFor(new EngineError(code, { message: "" }))).toBe(exitCode);
  });

  it("every error a user can meet has a code other than that of a bug", () => {
    const areas =
      /^(CLI_|LAB_|BENCH_|DOCKER_|TOPOLOGY_|PROPERTIES_|CLIENT_BROKER|CLIENT_NO|REMOTING_C|REMOTING_T)/;
    const unmapped = ERROR_CODES.filter((code) => areas.test(code)).filter(
      (code) => exitCodeFor(new EngineError(code, { message: "" })) === 1,
    );
    expect(unmapped).toEqual([]);
  });

  it("a permission the system refused is 27, a full disk 20, anything else 1", () => {
    const refused = Object.assign(new Error("no"), { code: "EACCES" });
    expect(exitCodeFor(refused)).toBe(27);
    expect(exitCodeFor(Object.assign(new Error("no"), { code: "ENOSPC" }))).toBe(20);
    expect(exitCodeFor(new TypeError("bug"))).toBe(1);
    expect(exitCodeFor("thrown text")).toBe(1);
  });
});
