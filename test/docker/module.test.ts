/** The module for tests with containers: the network between hosts can be cut, and the engine holds nothing of it afterwards. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RocketMQLab } from "../../lab/module/rocketmq-lab.ts";
import { connectDocker } from "../../lab/runtime/preflight/engine.ts";
import { machineHas } from "../helpers/requirements.ts";

describe.runIf(machineHas("docker", "docker-compose", "linux"))("RocketMQLab in Docker", () => {
  let home = "";

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "lab-module-docker-"));
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it("starts, is cut, heals, and is gone", async () => {
    const lab = await RocketMQLab.start("2m-noslave", { runtime: "docker", home });
    try {
      expect(lab.container?.network).toBe(`${lab.name}_internet`);
      expect(lab.nodes[0]?.innerAddresses["namesrv"]).toMatch(/^198\.51\.100\.\d+:9876$/);
      const id = await lab.partition("@host-1", "@host-2");
      await lab.heal(id);
      await lab.kill("@masters");
      await lab.heal();
      await lab.waitUntilReady();
    } finally {
      await lab.stop();
    }
    const { docker } = await connectDocker();
    const filters = { label: [`lab.name=${lab.name}`] };
    expect(await docker.listContainers({ all: true, filters })).toEqual([]);
    expect(await docker.listNetworks({ filters })).toEqual([]);
    expect(existsSync(join(home, lab.name))).toBe(false);
  });
});
