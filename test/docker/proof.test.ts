/**
 * What people rely on without thinking of it: a lab survives a restart of the engine, two labs do not disturb each other, and whatever is interrupted,
 * repeated or half done leaves nothing behind. On an engine of the test's own, so that "nothing" can be taken literally.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PrivateEngine } from "../helpers/private-engine.ts";
import { machineHas } from "../helpers/requirements.ts";

interface Status {
  readonly healthy: boolean;
  readonly started: readonly string[];
  readonly namesrvAddr: string;
  readonly nodes: readonly {
    readonly node: string;
    readonly state: string;
    readonly pid: number | null;
    readonly startedAtMs: number | null;
    readonly oomKilled: boolean;
    readonly exitCode: number | null;
    readonly reason: string;
  }[];
}

interface Bench {
  readonly totals: { readonly ok: number; readonly failed: number; readonly unknown: number };
  readonly verdict: { readonly verdict: string };
}

const UP = ["up", "2m-2s-sync", "--runtime", "docker", "--size", "tiny"] as const;
const SECOND = ["--name", "second"] as const;

describe.runIf(machineHas("docker", "docker-compose", "linux", "private-engine"))(
  "a lab in Docker",
  () => {
    let engine: PrivateEngine;
    let atFirst: readonly string[];

    beforeAll(async () => {
      engine = await PrivateEngine.start();
      atFirst = await engine.everything();
    });
    afterAll(() => engine[Symbol.asyncDispose]());

    const json = async <Document>(...args: readonly string[]): Promise<Document> =>
      JSON.parse(await engine.ok(...args, "--json")) as Document;
    const status = (...args: readonly string[]): Promise<Status> => json<Status>("status", ...args);

    /** What is there now and was not at first, but for images, which are meant to stay. */
    const left = async (): Promise<readonly string[]> => {
      const now = await engine.everything();
      const gone = atFirst.filter((line) => !now.includes(line)).map((line) => `missing: ${line}`);
      return [...now.filter((line) => !atFirst.includes(line)), ...gone];
    };

    /** The same once nothing is there any more, or after 10 s: a process of the engine may take a moment to end. */
    const leftAtLast = async (but = /^$/): Promise<readonly string[]> => {
      const deadline = performance.now() + 10_000;
      for (;;) {
        const lines = (await left()).filter((line) => !but.test(line));
        if (lines.length === 0 || performance.now() > deadline) return lines;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };

    it("Ctrl-C during the first up takes everything back, exit 130", async () => {
      await using up = engine.start(...UP);
      await up.waitForLine((line) => line.includes("starting containers"), 90_000);
      up.kill("SIGINT");
      expect((await up.exited).code).toBe(130);
      expect(up.lines.join("\n")).toContain("taken back");
      expect(await leftAtLast()).toEqual([]);
    });

    it("of two up at once the second says who is at work, exit 4; the first gets ready", async () => {
      await using first = engine.start(...UP);
      await first.waitForLine((line) => line.includes("starting containers"), 60_000);
      const second = await engine.run(...UP);
      expect(second.code).toBe(4);
      expect(second.stderr).toContain("`lab up` is at work on this lab");
      expect((await first.exited).code).toBe(0);
      expect((await status()).healthy).toBe(true);
    });

    it("a second up changes nothing", async () => {
      const before = await engine.everything();
      const { nodes } = await status();
      expect((await json<Status>(...UP)).started).toEqual([]);
      expect((await status()).nodes.map(({ startedAtMs }) => startedAtMs)).toEqual(
        nodes.map(({ startedAtMs }) => startedAtMs),
      );
      expect(await engine.everything()).toEqual(before);
    });

    it("Ctrl-C during a later up keeps what ran before and the data", async () => {
      await engine.ok("kill", "broker-a-slave");
      await using up = engine.start("up");
      await up.waitForLine((line) => line.includes("Starting"), 30_000);
      up.kill("SIGINT");
      expect((await up.exited).code).toBe(130);
      const others = (await status()).nodes.filter(({ node }) => node !== "broker-a-slave");
      expect(others.map(({ state }) => state)).toEqual(others.map(() => "running"));
    });

    it("a half-up lab is repaired: only what is missing is started", async () => {
      await engine.ok("kill", "broker-a-slave", "broker-b-slave");
      await engine.docker.getContainer("lab-dashboard").remove({ force: true });
      const { started, healthy } = await json<Status>("up");
      expect(new Set(started)).toEqual(new Set(["broker-a-slave", "broker-b-slave", "dashboard"]));
      expect(healthy).toBe(true);
    });

    it("a cable that somebody pulled is seen in status", async () => {
      const internet = engine.docker.getNetwork("lab_internet");
      const details = await engine.docker.getContainer("lab-namesrv-2").inspect();
      const { IPAMConfig, Aliases } = details.NetworkSettings.Networks["lab_internet"] ?? {};
      await internet.disconnect({ Container: details.Id });
      const seen = (await status()).nodes.find(({ node }) => node === "namesrv-2");
      expect(seen).toMatchObject({ health: "degraded", cutOff: ["internet"] });
      const again = { Container: details.Id, EndpointConfig: { IPAMConfig, Aliases } };
      await internet.connect(again as Parameters<typeof internet.connect>[0]);
      await expect.poll(async () => (await status()).healthy, { timeout: 60_000 }).toBe(true);
    });

    const FIRST_BYTES = 4_096;
    const logOf = async (node: string): Promise<Buffer> => {
      const { Mountpoint } = await engine.docker.getVolume(`lab_${node}-data`).inspect();
      const file = `${Mountpoint}/store/commitlog/00000000000000000000`;
      return readFileSync(file).subarray(0, FIRST_BYTES);
    };

    it("a restart of the engine keeps the cluster: the same addresses, the same messages", async () => {
      const bench = ["bench", "--duration", "300ms", "--warmup", "0s"] as const;
      expect(await json<Bench>(...bench)).toMatchObject({ verdict: { verdict: "valid" } });
      const before = await status();
      const log = await logOf("broker-a-master");
      expect(log.some((byte) => byte !== 0)).toBe(true);
      await engine.restart();
      const down = await status();
      expect(new Set(down.nodes.map(({ state }) => state))).toEqual(new Set(["stopped"]));
      const up = await json<Status>("up");
      expect(up).toMatchObject({ healthy: true, namesrvAddr: before.namesrvAddr });
      expect(up.started).toHaveLength(before.nodes.length);
      expect(await logOf("broker-a-master")).toEqual(log);
      expect(await json<Bench>(...bench)).toMatchObject({ verdict: { verdict: "valid" } });
    });

    it("two labs side by side under load: a master of one dies, the other does not notice", async () => {
      await engine.ok(
        "up",
        "1m",
        "--runtime",
        "docker",
        "--size",
        "tiny",
        "--index",
        "1",
        ...SECOND,
      );
      const load = ["bench", "--rate", "200", "--duration", "4s", "--warmup", "500ms"] as const;
      const benches = Promise.all([
        engine.run(...load, "--json"),
        engine.run(...load, "--json", ...SECOND),
      ]);
      // In the middle of both.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      await engine.ok("kill", "broker-a-master", ...SECOND);
      const [well, hurt] = await benches;
      expect(JSON.parse(well.stdout)).toMatchObject({
        totals: { failed: 0, unknown: 0 },
        verdict: { verdict: "valid" },
      });
      const { totals } = JSON.parse(hurt.stdout) as Bench;
      expect(totals.failed + totals.unknown).toBeGreaterThan(0);
      expect((await status()).healthy).toBe(true);
      expect((await status(...SECOND)).healthy).toBe(false);
    });

    it("down with a dead node, and of one lab only, is fine; up goes on with the data", async () => {
      await engine.ok("down", ...SECOND);
      expect((await status()).healthy).toBe(true);
      expect(await json<Status>("up", ...SECOND)).toMatchObject({ healthy: true });
      await engine.ok("destroy", "--yes", ...SECOND);
      expect((await engine.everything()).filter((line) => line.includes("second"))).toEqual([]);
      expect((await status()).healthy).toBe(true);
    });

    it("what the system ends for want of memory says so in status, with its exit code", async () => {
      await engine.ok("fault", "memory", "broker-b-slave", "--memory", "120m");
      // Grows inside the node's container until the system ends the node itself, which it is told to prefer.
      const { pid } = (await status()).nodes.find(({ node }) => node === "broker-b-slave") ?? {};
      writeFileSync(`/proc/${pid ?? 0}/oom_score_adj`, "1000");
      const grow = `const all = []; for (;;) all.push(Buffer.alloc(4 << 20, 1));`;
      const container = engine.docker.getContainer("lab-broker-b-slave");
      const exec = await container.exec({ Cmd: ["node", "-e", grow] });
      await exec.start({});
      await expect
        .poll(async () => (await status()).nodes.find(({ node }) => node === "broker-b-slave"), {
          timeout: 20_000,
        })
        .toMatchObject({ state: "stopped", oomKilled: true, exitCode: 137 });
      expect(await engine.ok("status")).toContain("out of memory");
      await engine.ok("heal");
      expect((await status()).healthy).toBe(true);
    });

    it("destroy after all that, and up and down again and again, leave nothing", async () => {
      await engine.ok("destroy", "--yes");
      expect(await leftAtLast()).toEqual([]);
      for (let round = 0; round < 2; round += 1) {
        await engine.ok("up", "1m", "--runtime", "docker", "--size", "tiny");
        await engine.ok("down");
        expect(await leftAtLast(/^(file|volume) /)).toEqual([]);
      }
      await engine.ok("destroy", "--yes");
      expect(await leftAtLast()).toEqual([]);
    });
  },
);
