/** `lab run`, `lab doctor addresses` and settings in Docker, from the command line. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectDocker } from "../../lab/runtime/preflight/engine.ts";
import { REQUEST_CODE } from "../../engine/remoting/request-codes.ts";
import { runChild } from "../helpers/child.ts";
import { ask, freeIndexes } from "../helpers/docker-lab.ts";
import { lab, labJson, labOk } from "../helpers/lab-command.ts";
import { machineHas } from "../helpers/requirements.ts";

interface Matrix {
  readonly ok: boolean;
  readonly entries: readonly { vantage: string; node: string; address: string }[];
}

const NAME = ["--name", "topo-commands"] as const;
const CLUSTER_INFO = { code: REQUEST_CODE.GET_BROKER_CLUSTER_INFO };
const PRINT =
  "console.log(process.env.NAMESRV_ADDR,require('os').hostname()!=='');process.exitCode=9";

describe.runIf(machineHas("docker", "docker-compose", "linux"))("a lab in Docker", () => {
  const home = mkdtempSync(join(tmpdir(), "lab-topo-"));

  beforeAll(async () => {
    const index = (await freeIndexes()).at(-1);
    if (index === undefined) throw new Error("this test needs a free block of ports and subnets");
    const words = `up 2m-2s-sync --runtime docker --size tiny --index ${index}`;
    await labOk(home, [...words.split(" "), "--set", "@masters.fileReservedTime=7", ...NAME]);
  });

  afterAll(async () => {
    await lab(home, ["destroy", "--yes", ...NAME]);
    rmSync(home, { recursive: true, force: true });
  });

  const containers = async (): Promise<number> => {
    const { docker } = await connectDocker();
    const filters = { label: [`lab.name=${NAME[1]}`] };
    return (await docker.listContainers({ all: true, filters })).length;
  };

  it("run stands in the network, passes its exit code on and leaves nothing behind", async () => {
    const { code, output } = await lab(home, [
      "run",
      "--no-mount",
      ...NAME,
      "--",
      "node",
      "-e",
      PRINT,
    ]);
    expect(code).toBe(9);
    expect(output).toMatch(/^198\.51\.100\.\d+:9876;198\.51\.100\.\d+:9876 true$/m);
    expect((await lab(home, ["run", ...NAME, "--", "no-such-program"])).code).toBe(127);
    expect(await containers()).toBe(7);
  });

  it("everybody is told an address that is right where it stands, and no container a loopback one", async () => {
    const matrix = await labJson<Matrix>(home, ["doctor", "addresses", ...NAME]);
    expect(matrix.ok).toBe(true);
    // The two name servers may tell a container different addresses of one node: it stands in two networks, and all of them work.
    const pairs = new Set(matrix.entries.map(({ vantage, node }) => `${vantage} ${node}`));
    expect(pairs.size).toBe(3 * 6);
    for (const { vantage, address } of matrix.entries) {
      expect(address.startsWith("127.0.0.1:"), `${vantage} ${address}`).toBe(vantage === "machine");
    }
    expect(await containers()).toBe(7);
  });

  it("an address that is down is found from everywhere, exit 5", async () => {
    await labOk(home, ["pause", "broker-b-slave", ...NAME]);
    const { code, output } = await lab(home, ["doctor", "addresses", ...NAME]);
    await labOk(home, ["unpause", "broker-b-slave", ...NAME]);
    expect(code).toBe(5);
    expect(output).toContain("some addresses cannot be reached");
  });

  it("an exported lab comes up with compose alone, and answers", async () => {
    const index = (await freeIndexes()).at(-1);
    if (index === undefined) throw new Error("this test needs a second free block");
    const dir = join(home, "exported");
    const words = ["export", "compose", dir, "--from", "1m", "--index", String(index)];
    const exported = await labJson<{ namesrvAddr: string }>(home, [...words, "--name", "topo-out"]);
    const compose = (...args: string[]) =>
      runChild("docker-compose", ["-p", "topo-out", "-f", join(dir, "compose.yaml"), ...args], {
        timeoutMs: 60_000,
      });
    try {
      expect(await compose("up", "-d")).toMatchObject({ code: 0 });
      const answer = async (): Promise<number> =>
        (await ask(exported.namesrvAddr, CLUSTER_INFO).catch(() => ({ code: -1 }))).code;
      await expect.poll(answer, { timeout: 20_000, interval: 100 }).toBe(0);
    } finally {
      await compose("down", "-v");
    }
  });

  it("a changed setting reaches the container at its next start", async () => {
    await labOk(home, ["up", "--set", "@masters.fileReservedTime=9", ...NAME]);
    const valueOf = async (): Promise<unknown> => {
      const words = ["config", "broker-a-master", "fileReservedTime", ...NAME];
      return (await labJson<{ settings: unknown[] }>(home, words)).settings[0];
    };
    expect(await valueOf()).toMatchObject({ value: "7", source: "runtime", nextStart: "9" });
    await labOk(home, ["restart", "broker-a-master", ...NAME]);
    expect(await valueOf()).toMatchObject({ value: "9", source: "set", nextStart: null });
  });
});
