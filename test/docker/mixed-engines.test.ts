/** Apache's 4.9.0 programs and ours in one lab of containers: images made without a network, promotion, stores copied between volumes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectDocker } from "../../lab/runtime/preflight/engine.ts";
import { freeIndexes } from "../helpers/docker-lab.ts";
import { lab, labJson, labOk } from "../helpers/lab-command.ts";
import { machineHas } from "../helpers/requirements.ts";
import { apacheJars } from "../interop/apache.ts";

interface Row {
  readonly node: string;
  readonly role: string;
  readonly engine: string;
  readonly health: string;
  readonly reason: string;
  readonly lagBytes: number | null;
  readonly routes: Readonly<Record<string, string | null>>;
}

interface Bench {
  readonly totals: { readonly ok: number };
  readonly verification: Readonly<Record<string, unknown>>;
}

const NAME = ["--name", "mixed"] as const;
const BENCH = "bench --producers 4 --duration 500ms --warmup 0s";

describe.runIf(machineHas("docker", "docker-compose", "linux", "java", "maven"))(
  "Apache's and our nodes in Docker",
  () => {
    const home = mkdtempSync(join(tmpdir(), "lab-mixed-"));
    let jars: string;

    const ok = (line: string): Promise<string> => labOk(home, [...line.split(" "), ...NAME]);
    const rows = async (): Promise<readonly Row[]> =>
      (await labJson<{ nodes: readonly Row[] }>(home, ["status", ...NAME])).nodes;
    const row = async (node: string): Promise<Row | undefined> =>
      (await rows()).find((entry) => entry.node === node);
    const bench = async (): Promise<void> => {
      const result = await labJson<Bench>(home, [...BENCH.split(" "), ...NAME]);
      expect(result.verification).toMatchObject({ verdict: "complete", lost: 0 });
      expect(result.totals.ok).toBeGreaterThan(20);
    };

    beforeAll(async () => {
      jars = await apacheJars("4.9.0");
      const index = (await freeIndexes()).at(-1);
      if (index === undefined) throw new Error("this test needs a free block of ports and subnets");
      const engine = `--engine broker-b=apache-dist:${jars} --engine namesrv-2=apache-dist:${jars}`;
      await ok(`up 2m-2s-sync --runtime docker --size tiny --index ${index} ${engine}`);
    });

    afterAll(async () => {
      await lab(home, ["destroy", "--yes", ...NAME]);
      rmSync(home, { recursive: true, force: true });
    });

    it("is ready, and Apache's parts tell the address every container and this machine reach", async () => {
      const all = await rows();
      expect(all.map(({ node, health, reason }) => [node, health, reason])).toEqual(
        all.map(({ node }) => [node, "ok", ""]),
      );
      const master = await row("broker-b-master");
      expect(master?.engine).toBe("Apache 4.9.0");
      expect(master?.routes["namesrv-1"]).toMatch(/^198\.51\.100\.\d+:10911$/);
      const ours = await row("broker-a-master");
      expect(ours?.routes["namesrv-1"]).toMatch(/^127\.0\.0\.1:/);
      expect(ours?.routes["namesrv-2"]).toMatch(/^198\.51\.100\.\d+:10911$/);
      await bench();
    });

    it("an image of the container contract runs as apache:IMAGE, with the data the node had", async () => {
      const { docker } = await connectDocker();
      const container = docker.getContainer("mixed-broker-b-slave");
      const image = (await container.inspect()).Config.Image;
      await ok(`up --engine broker-b-slave=apache:${image}`);
      await ok("restart broker-b-slave");
      expect(await row("broker-b-slave")).toMatchObject({
        engine: `Apache (${image})`,
        health: "ok",
        lagBytes: 0,
      });
      await bench();
    });

    it("Apache's slave becomes master, its old master comes back as slave", async () => {
      // A slave that was started just now connects within seconds; until then sends are answered SLAVE_NOT_AVAILABLE.
      const lag = async (): Promise<number | null | undefined> =>
        (await row("broker-b-slave"))?.lagBytes;
      await expect.poll(lag, { timeout: 20_000, interval: 500 }).toBe(0);
      await ok("kill broker-b-master");
      await ok("promote broker-b-slave");
      await ok("start broker-b-master");
      expect(await row("broker-b-master")).toMatchObject({
        role: "slave of broker-b",
        health: "ok",
        lagBytes: 0,
      });
      await bench();
    });

    it("a lost volume is filled from the peer, a snapshot is a volume that goes with the lab", async () => {
      await ok("fault disk-lost broker-a-slave");
      const restored = await ok("restore broker-a-slave --from broker-a-master");
      expect(restored).toContain("was paused for the copy");
      await ok("start broker-a-slave");
      expect(await row("broker-a-slave")).toMatchObject({ health: "ok", lagBytes: 0 });
      await ok("snapshot save one");
      await ok("snapshot restore one");
      expect((await rows()).filter(({ health }) => health !== "ok")).toEqual([]);
      await bench();
      await ok("reset --yes");
      expect(await row("broker-b-master")).toMatchObject({
        role: "master of broker-b",
        health: "ok",
      });
      await ok("destroy --yes");
      const { docker } = await connectDocker();
      const filters = JSON.stringify({ label: ["lab.name=mixed"] });
      expect((await docker.listVolumes({ filters })).Volumes ?? []).toEqual([]);
    });
  },
);
