/**
 * Disks of the nodes' own: a full one refuses sends and nothing else, a broken one ends its broker, both are healed with everything acknowledged still
 * there; they survive down, up and the loss of their loop device, and are gone with the lab.
 */
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  createClient,
  createProducer,
  createPushConsumer,
  type MqClient,
  type Producer,
} from "../../engine/client/index.ts";
import { RocketMQLab } from "../../lab/module/rocketmq-lab.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import { freeIndexes, removeLeftovers } from "../helpers/docker-lab.ts";
import { LabHome } from "../helpers/lab-home.ts";
import type { CommandRun } from "../helpers/run-to-end.ts";
import { machineHas } from "../helpers/requirements.ts";

const NAME = "disks-test";
const MASTER = "broker-a-master";
const TOPIC = "Disks";
const WAIT_MS = 40_000;

interface Status {
  readonly healthy: boolean;
  readonly namesrvAddr: string;
  readonly faults: readonly { readonly kind: string; readonly state: string }[];
  readonly nodes: readonly { readonly node: string; readonly exitCode: number | null }[];
}

describe.runIf(machineHas("docker", "docker-compose", "linux", "loop-disks"))(
  "disks of the nodes' own",
  () => {
    const cleanup = new Cleanup();
    const acknowledged: string[] = [];
    let lab: LabHome;
    let client: MqClient;
    let producer: Producer;

    const run = (...args: readonly string[]): Promise<CommandRun> =>
      lab.run(...args, "--name", NAME);
    const ok = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await run(...args);
      if (code !== 0) throw new Error(`lab ${args.join(" ")}: ${stderr}`);
      return stdout;
    };
    const status = (): Promise<Status> => lab.json<Status>("status", "--name", NAME);
    const exitCode = async (): Promise<number | null | undefined> =>
      (await status()).nodes.find(({ node }) => node === MASTER)?.exitCode;
    const loops = (): readonly string[] =>
      execFileSync("losetup", ["-a"], { encoding: "utf8" })
        .split("\n")
        .filter((line) => line.includes(lab.directory));

    beforeAll(async () => {
      await removeLeftovers(NAME, "disks-cut");
      const [index] = await freeIndexes();
      if (index === undefined) throw new Error("this test needs a free block of ports and subnets");
      lab = cleanup.use(await LabHome.create());
      const made = ["--index", String(index), "--size", "tiny", "--disk", "128m"];
      const sync = ["--set", "@masters.flushDiskType=SYNC_FLUSH"];
      await ok("up", "1m", "--runtime", "docker", ...made, ...sync);
      cleanup.defer(async () => void (await run("destroy", "--yes")));
      await ok("admin", "topics", "create", TOPIC, "--queues", "2");
      client = createClient({ namesrvAddrs: (await status()).namesrvAddr.split(";") });
      cleanup.defer(() => client.close());
      producer = createProducer(client, { group: "PG_disks", retries: 0 });
      await producer.start();
    });
    // A test that failed in mid-fault must not break the next one.
    afterEach(async ({ task }) => {
      if (task.result?.state === "fail") await run("heal");
    });
    afterAll(() => cleanup[Symbol.asyncDispose]());

    /** @returns why it failed, or null; what was acknowledged is remembered */
    async function send(): Promise<string | null> {
      const body = `m${acknowledged.length}-${performance.now()}`;
      try {
        const { status: stored } = await producer.send({ topic: TOPIC, body: Buffer.from(body) });
        if (stored !== "SEND_OK") return stored;
        acknowledged.push(body);
        return null;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    }

    const sendUntil = (expected: RegExp): Promise<void> =>
      expect.poll(async () => (await send()) ?? "sent", { timeout: WAIT_MS }).toMatch(expected);

    /** Reads the topic from its beginning in a new group, until all that was acknowledged has come. */
    async function expectAllThere(): Promise<void> {
      const reader = createClient({ namesrvAddrs: (await status()).namesrvAddr.split(";") });
      const got = new Set<string>();
      try {
        const consumer = createPushConsumer(reader, {
          group: `CG_disks_${Date.now()}`,
          consumeFrom: "first",
          listener: (messages) => {
            for (const { body } of messages) got.add(body.toString());
            return "success";
          },
        });
        consumer.subscribe(TOPIC);
        await consumer.start();
        await expect
          .poll(() => acknowledged.filter((body) => !got.has(body)), { timeout: WAIT_MS })
          .toEqual([]);
      } finally {
        await reader.close();
      }
    }

    it("every node with data has a file system of that size, and the lab keeps what it was made with", async () => {
      expect(loops()).toHaveLength(2);
      const df = execFileSync("docker", ["exec", `${NAME}-${MASTER}`, "df", "-k", "/data"], {
        encoding: "utf8",
      });
      const total = Number(/\s(\d+)\s+\d+\s+\d+\s+\d+%/.exec(df)?.[1]);
      expect(total).toBeGreaterThan(100 * 1_024);
      expect(total).toBeLessThan(128 * 1_024);
      const other = await run("up", "--disk", "256m");
      expect(other).toMatchObject({ code: 4 });
      expect(other.stderr).toContain("was made with --disk 128m");
    });

    it("a full disk refuses sends with code 14 while reads go on; after healing all acknowledged is there", async () => {
      for (let i = 0; i < 50; i += 1) expect(await send()).toBeNull();
      const full = await ok("fault", "disk-full", MASTER);
      expect(full).toMatch(/0 B of 1\d\d\.\d MiB free, a write says ENOSPC/);
      expect((await status()).faults).toMatchObject([{ kind: "disk-full", state: "active" }]);
      // What cannot be written down does not come to be: a message in such a topic would be lost in a crash.
      const fresh = ["admin", "messages", "send", "--topic", "Fresh", "--body", "x"];
      expect((await run(...fresh)).code).not.toBe(0);
      expect((await run("admin", "topics", "show", "Fresh")).code).not.toBe(0);
      await sendUntil(/code 14 \(SERVICE_NOT_AVAILABLE\).*disk is full/);
      await expectAllThere();
      const healed = await ok("heal");
      expect(healed).toMatch(/ MiB free, a write works/);
      await sendUntil(/^sent$/);
      await expectAllThere();
      // Also on the disk, not only in the broker's memory.
      await ok("kill", MASTER);
      await ok("heal");
      await expectAllThere();
    });

    it("room may be left; a node that was restarted on a full disk refuses sends and is healed", async () => {
      expect(await ok("fault", "disk-full", MASTER, "--leave", "1m")).toMatch(/a write works/);
      await ok("kill", MASTER);
      const started = await run("start", MASTER, "--timeout", "4s");
      expect(started).toMatchObject({ code: 5 });
      expect(started.stderr).toContain("the broker's disk is full");
      await sendUntil(/code 14/);
      const { faults } = await status();
      expect(faults).toMatchObject([{ kind: "disk-full" }]);
      await ok("heal");
      await sendUntil(/^sent$/);
      await expectAllThere();
    });

    it("down ends the fault and keeps the disk; up attaches one that the system has forgotten", async () => {
      await ok("fault", "disk-full", MASTER);
      await ok("down");
      expect((await run("fault", "list")).stdout).not.toContain("active");
      for (const line of loops()) execFileSync("losetup", ["-d", line.split(":")[0] ?? ""]);
      expect(loops()).toEqual([]);
      await ok("up");
      expect(loops()).toHaveLength(2);
      await sendUntil(/^sent$/);
      await expectAllThere();
    });

    it("an error makes a disk read-only under its broker, which ends; healing repairs it with all acknowledged there", async () => {
      for (let i = 0; i < 50; i += 1) expect(await send()).toBeNull();
      const broken = await ok("fault", "disk-readonly", "@all");
      expect(broken).toMatch(/the disk of broker-a-master: .* a write says EROFS/);
      expect(broken).toMatch(/the disk of namesrv-1: .* a write says EROFS/);
      await expect.poll(() => send(), { timeout: WAIT_MS }).not.toBeNull();
      await expect.poll(exitCode, { timeout: WAIT_MS }).toBe(74);
      const healed = await ok("heal");
      expect(healed).toMatch(/the disk of broker-a-master: .* a write works; .* is running/);
      await sendUntil(/^sent$/);
      await expectAllThere();
    });

    it("a node that comes back by hand meets the same bad disk; of two faults of a disk the later is healed first", async () => {
      await ok("fault", "disk-readonly", MASTER);
      const again = await run("fault", "disk-readonly", MASTER);
      expect(again).toMatchObject({ code: 4 });
      await ok("kill", MASTER);
      expect((await run("start", MASTER, "--timeout", "5s")).code).not.toBe(0);
      // 74, or that of a start which found the disk read-only already.
      await expect.poll(exitCode, { timeout: WAIT_MS }).toBeGreaterThan(0);
      await ok("heal");
      await sendUntil(/^sent$/);
      await ok("fault", "disk-full", MASTER);
      await ok("fault", "disk-readonly", MASTER);
      await ok("heal");
      expect((await status()).faults).toEqual([]);
      await sendUntil(/^sent$/);
      await expectAllThere();
    });

    it("kill -9 of lab while a disk is broken: the next command repairs it; so does down", async () => {
      const child = lab.start("fault", "disk-readonly", MASTER, "--for", "60s", "--name", NAME);
      await child.waitForLine((line) => line.includes("active"), WAIT_MS);
      child.kill("SIGKILL");
      await child.exited;
      expect((await run("fault", "list")).stderr).toContain("which an ended command had left");
      await sendUntil(/^sent$/);
      await ok("fault", "disk-readonly", MASTER);
      await ok("down");
      expect((await run("fault", "list")).stdout).not.toContain("active");
      await ok("up");
      await sendUntil(/^sent$/);
      await expectAllThere();
    });

    it("a lab of the module has such disks too, and leaves none", async () => {
      const home = join(lab.directory, "module");
      const options = { runtime: "docker", home, diskMiB: 64 } as const;
      const before = loops().length;
      {
        await using made = await RocketMQLab.start("1m", options);
        expect(made.nodes.length).toBeGreaterThan(0);
        expect(loops()).toHaveLength(before + 2);
      }
      expect(loops()).toHaveLength(before);
    });

    it("Ctrl-C in mid-up leaves no loop device", async () => {
      const before = loops().length;
      const up = ["up", "1m", "--runtime", "docker", "--disk", "64m", "--name", "disks-cut"];
      const [index] = await freeIndexes();
      await using child = lab.start(...up, "--index", String(index));
      await expect.poll(() => loops().length, { timeout: WAIT_MS, interval: 20 }).toBe(before + 2);
      child.kill("SIGINT");
      expect((await child.exited).code).toBe(130);
      expect(loops()).toHaveLength(before);
    });

    it("destroy leaves neither loop device nor file nor volume, also of a lab whose state is damaged", async () => {
      await ok("fault", "disk-full", MASTER);
      await ok("fault", "disk-readonly", MASTER);
      writeFileSync(join(lab.home, NAME, "state.json"), "{ broken");
      await ok("destroy", "--yes");
      expect(loops()).toEqual([]);
      expect(existsSync(join(lab.home, NAME))).toBe(false);
      const volumes = execFileSync("docker", ["volume", "ls", "-q"], { encoding: "utf8" });
      expect(volumes).not.toContain(NAME);
    });
  },
);
