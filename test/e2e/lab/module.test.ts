/** `import { RocketMQLab } from "rocketmq-lab"`: a cluster for a test, and nothing of it afterwards. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient, createProducer, type Producer } from "../../../engine/client/index.ts";
import { RocketMQLab } from "../../../lab/module/rocketmq-lab.ts";
import { readProcess } from "../../../lab/runtime/process-identity.ts";
import { startChild } from "../../helpers/child.ts";
import { lab as command } from "../../helpers/lab-command.ts";
import { freeIndexes } from "../../helpers/lab-home.ts";

let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "lab-module-"));
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

async function withProducer<Result>(
  lab: RocketMQLab,
  use: (producer: Producer) => Promise<Result>,
): Promise<Result> {
  const client = createClient({ namesrvAddrs: lab.namesrvAddr.split(";") });
  try {
    const producer = createProducer(client, { group: "MODULE_TEST" });
    await producer.start();
    return await use(producer);
  } finally {
    await client.close();
  }
}

const pidsOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith("process.json"),
  );

describe("one lab", () => {
  let lab: RocketMQLab;

  beforeAll(async () => {
    lab = await RocketMQLab.start("2m-2s-sync", { home });
  });

  afterAll(() => lab.stop());

  it("gives every address, and a client needs only the name servers'", async () => {
    expect(lab.runtime).toBe("process");
    expect(lab.container).toBeNull();
    expect(lab.nodes.map((node) => node.name)).toContain("broker-b-slave");
    expect(lab.namesrvAddr).toBe(`${lab.address("namesrv-1")};${lab.address("namesrv-2")}`);
    expect(lab.address("broker-a-master", "ha")).toMatch(/^127\.0\.0\.1:\d+$/);
    expect((await fetch(`${lab.dashboardUrl}/api/health`)).status).toBe(200);
    const sent = await withProducer(lab, (producer) =>
      producer.send({ topic: "module", body: Buffer.from("hello") }),
    );
    expect(sent.status).toBe("SEND_OK");
  });

  it("kill, then heal: the node is down and comes back with its data", async () => {
    await lab.kill("broker-a-master");
    const status = await lab.status();
    expect(status.find((node) => node.name === "broker-a-master")).toMatchObject({
      state: "stopped",
      health: "down",
    });
    await lab.heal();
    await lab.waitUntilReady();
  });

  it("stop, pause, unpause and start of nodes and groups", async () => {
    await lab.stop("broker-b-slave");
    await lab.pause(["broker-a-slave"]);
    const states = new Map((await lab.status()).map((node) => [node.name, node.state]));
    expect(states.get("broker-b-slave")).toBe("stopped");
    expect(states.get("broker-a-slave")).toBe("paused");
    await lab.unpause("broker-a-slave");
    await lab.start("@slaves");
    await lab.waitUntilReady();
  });

  it("the command line means the same lab with its variables, and sees its faults", async () => {
    await lab.pause("broker-a-slave");
    const run = await command(home, ["status", "--name", lab.env["LAB_NAME"] ?? ""]);
    expect(run.output).toContain("broker-a-slave frozen");
    await lab.heal();
  });

  it("logs are the node's own", async () => {
    expect((await lab.logs("broker-a-master")).join("\n")).toContain("broker-a");
  });

  it("errors name what is wrong and what would be right", async () => {
    await expect(lab.kill("broker-a-mster")).rejects.toMatchObject({
      code: "LAB_NODE_UNKNOWN",
      hint: expect.stringContaining("broker-a-master") as string,
    });
    await expect(lab.partition("host-1", "host-2")).rejects.toMatchObject({
      code: "LAB_NODE_UNKNOWN",
    });
    await expect(lab.partition("@host-1", "@host-2")).rejects.toMatchObject({
      code: "LAB_FAULT_UNSUPPORTED",
    });
    expect(() => lab.address("namesrv-1", "broker")).toThrow("namesrv-1 has no port");
  });
});

describe("labs side by side, and their end", () => {
  it("two at once have nothing in common, and leave nothing", async () => {
    await using first = await RocketMQLab.start("1m", { home });
    const second = await RocketMQLab.start("1m", { home });
    expect(second.name).not.toBe(first.name);
    expect(second.namesrvAddr).not.toBe(first.namesrvAddr);
    await second.stop();
    await second.stop();
    await expect(second.kill("@masters")).rejects.toMatchObject({ code: "LAB_NOT_FOUND" });
    expect(existsSync(join(home, second.name))).toBe(false);
    await first.waitUntilReady();
    await first.stop();
    expect(readdirSync(home)).toEqual([]);
  });

  it("what cannot be started is told, and leaves nothing", async () => {
    await expect(RocketMQLab.start("3m", { home })).rejects.toMatchObject({
      code: "TOPOLOGY_NOT_FOUND",
    });
    expect(readdirSync(home)).toEqual([]);
  });

  it("a killed test process: its labs are gone soon after", async () => {
    const script = join(home, "..", `crash-${process.pid}.mjs`);
    const module = pathToFileURL(resolve("dist/module.mjs")).href;
    writeFileSync(
      script,
      `import { RocketMQLab } from "${module}";
await RocketMQLab.start("1m", { home: ${JSON.stringify(home)} });
console.log("ready");
setInterval(() => {}, 1000);
`,
    );
    try {
      await using child = startChild(process.execPath, [script]);
      await child.waitForLine((line) => line === "ready", 60_000);
      expect(pidsOf(home)).toHaveLength(3);
      child.kill("SIGKILL");
      await child.exited;
      await expect.poll(() => readdirSync(home), { timeout: 30_000 }).toEqual([]);
    } finally {
      rmSync(script, { force: true });
    }
  });

  it("what a dead process left without a reaper, the next start removes", async () => {
    const [index] = await freeIndexes(1);
    const place = ["--index", String(index), "--name", "test-left"];
    const up = await command(home, ["up", "1m", "--runtime", "process", ...place]);
    expect(up.code).toBe(0);
    const dead = { pid: 2 ** 22 - 1, started: "never" };
    expect(readProcess(dead.pid)).toBeNull();
    writeFileSync(join(home, "test-left.owner.json"), JSON.stringify(dead));
    const owned = RocketMQLab.start("1m", { home });
    await using lab = await owned;
    expect(existsSync(join(home, "test-left"))).toBe(false);
    expect(pidsOf(home)).toHaveLength(lab.nodes.length);
  });
});
