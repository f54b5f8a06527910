import { describe, expect, it } from "vitest";
import { EngineError } from "../../../../../engine/base/engine-error.ts";
import { dockerError } from "../../../../../lab/runtime/docker/docker-error.ts";

describe("what a Docker Engine's refusals mean", () => {
  it.each([
    [{ code: "EACCES" }, "DOCKER_PERMISSION"],
    [{ code: "ENOENT" }, "DOCKER_ENGINE_MISSING"],
    [{ code: "ECONNREFUSED" }, "DOCKER_ENGINE_MISSING"],
    [
      { statusCode: 500, message: "(HTTP code 500) server error - no space left on device" },
      "DOCKER_REQUEST_FAILED",
    ],
  ])("%j is %s", (raw, code) => {
    const error = dockerError(Object.assign(new Error("x"), raw), "listing containers");
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^listing containers: /);
    expect(error.hint).not.toBe("");
  });

  it("says what the engine said, without the client's prefix", () => {
    const raw = { statusCode: 409, json: { message: "Container abc is not running" } };
    const error = dockerError(Object.assign(new Error("(HTTP code 409)"), raw), "broker-a-master");
    expect(error.message).toBe("broker-a-master: Container abc is not running");
  });

  it("leaves our own errors alone", () => {
    const own = new EngineError("LAB_CONFLICT", { message: "mine" });
    expect(dockerError(own, "x")).toBe(own);
  });
});
