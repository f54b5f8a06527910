/** The docker runtime against a real engine: everything a lab does to its nodes, two labs side by side, and nothing left behind. */
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REQUEST_CODE } from "../../engine/remoting/request-codes.ts";
import { createDockerRuntime } from "../../lab/runtime/docker-runtime.ts";
import { connectDocker, type DockerEngine } from "../../lab/runtime/preflight/engine.ts";
import type { LabRuntime } from "../../lab/runtime/runtime.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import {
  NEVER,
  allocationAt,
  ask,
  dockerLab,
  freeIndexes,
  observed,
  quiet,
  removeLeftovers,
} from "../helpers/docker-lab.ts";
import { machineHas } from "../helpers/requirements.ts";

const CLUSTER_INFO = { code: REQUEST_CODE.GET_BROKER_CLUSTER_INFO };
const READY = { timeout: 20_000, interval: 100 };

function addressOf(runtime: LabRuntime, node: string): string {
  const endpoint = runtime.endpoints().find((candidate) => candidate.node === node);
  return endpoint?.address ?? "";
}

/** Answers as a name server does, as soon as it does. */
async function namesrvAnswers(runtime: LabRuntime, node: string): Promise<void> {
  const address = addressOf(runtime, node);
  const attempt = async (): Promise<number> =>
    (await ask(address, CLUSTER_INFO).catch(() => ({ code: -1 }))).code;
  await expect.poll(attempt, READY).toBe(0);
}

describe.runIf(machineHas("docker", "docker-compose", "linux"))("docker runtime", () => {
  const cleanup = new Cleanup();
  let engine: DockerEngine;
  let runtime: LabRuntime;
  let indexes: readonly number[] = [];

  beforeAll(async () => {
    engine = await connectDocker();
    await removeLeftovers("rt-first", "rt-second", "rt-guest", "rt-third", "rt-other", "rt-cut");
    indexes = await freeIndexes();
    if (indexes.length < 2) throw new Error("this test needs two free blocks of ports and subnets");
    const lab = await dockerLab(allocationAt("rt-first", indexes[0] ?? 0, "2m-2s-sync"));
    runtime = cleanup.use(lab).runtime;
    await runtime.up(quiet, NEVER);
  });
  afterAll(() => cleanup[Symbol.asyncDispose]());

  const things = async (lab: string): Promise<readonly string[]> => {
    const filters = { label: [`lab.name=${lab}`] };
    const [containers, networks, volumes] = await Promise.all([
      engine.docker.listContainers({ all: true, filters }),
      engine.docker.listNetworks({ filters }),
      engine.docker.listVolumes({ filters: JSON.stringify(filters) }),
    ]);
    return [
      ...containers.map((container) => container.Names[0] ?? "").toSorted(),
      ...networks.map((network) => network.Name).toSorted(),
      // The engine lists volumes in the order of a hash table, which differs from call to call.
      ...(volumes.Volumes ?? []).map((volume) => volume.Name).toSorted(),
    ];
  };

  it("brings every node up, and reads memory and pid of the programs themselves", async () => {
    // `up` only starts them: a program that is a few milliseconds old has hardly any memory yet.
    const smallest = async (): Promise<number> =>
      Math.min(...(await runtime.observe()).map(({ rssBytes }) => rssBytes ?? 0));
    await expect.poll(smallest, { timeout: 30_000 }).toBeGreaterThan(20 * 1_048_576);
    const nodes = await runtime.observe();
    expect(nodes.map((node) => [node.node, node.state])).toEqual(
      runtime.allocation.topology.nodes.map((node) => [node.name, "running"]),
    );
    for (const node of nodes) {
      expect(node.exitCode).toBeNull();
      expect(node.rssBytes).toBeLessThan(512 * 1_048_576);
      expect(node.pid).toBeGreaterThan(1);
    }
    await namesrvAnswers(runtime, "namesrv-1");
    await namesrvAnswers(runtime, "namesrv-2");
  });

  it("K-02 to K-05: the engine applied every restriction of the compose file", async () => {
    const [info] = await engine.docker.listContainers({
      filters: { label: ["lab.name=rt-first", "lab.node=broker-a-master"] },
    });
    const details = await engine.docker.getContainer(info?.Id ?? "").inspect();
    expect(details.Config).toMatchObject({ User: "10001:10001", StopTimeout: 60 });
    expect(details.HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      Init: true,
      PidsLimit: 256,
      Memory: 512 * 1_048_576,
      MemorySwap: 512 * 1_048_576,
      RestartPolicy: { Name: "no" },
    });
    const bindings = Object.values(
      details.HostConfig.PortBindings as Record<string, { HostIp: string }[]>,
    ).flat();
    expect(new Set(bindings.map((binding) => binding.HostIp))).toEqual(new Set(["127.0.0.1"]));
  });

  it("the health check is a round trip of the node's protocol", async () => {
    const [info] = await engine.docker.listContainers({
      filters: { label: ["lab.name=rt-first", "lab.node=namesrv-1"] },
    });
    const container = engine.docker.getContainer(info?.Id ?? "");
    const health = async (): Promise<string | undefined> =>
      (await container.inspect()).State.Health?.Status;
    await expect.poll(health, { timeout: 30_000, interval: 500 }).toBe("healthy");
  });

  it("a killed node is seen with its exit code, stays dead, and up starts it alone, at the same address", async () => {
    const before = await runtime.observe();
    await runtime.kill("broker-a-master");
    await runtime.kill("broker-a-master");
    expect(await observed(runtime, "broker-a-master")).toMatchObject({
      state: "stopped",
      exitCode: 137,
      pid: null,
      rssBytes: null,
      oomKilled: false,
    });
    const started: (string | null)[] = [];
    await runtime.up(({ node }) => started.push(node), NEVER);
    expect(started.filter((node) => node !== null)).toEqual(["broker-a-master"]);
    const after = await runtime.observe();
    const startTimes = (list: typeof before): readonly (number | null)[] =>
      list.filter((node) => node.node !== "broker-a-master").map((node) => node.startedAtMs);
    expect(startTimes(after)).toEqual(startTimes(before));
    const endpoint = runtime.endpoints().find((one) => one.node === "broker-a-master");
    const [info] = await engine.docker.listContainers({
      filters: { label: ["lab.name=rt-first", "lab.node=broker-a-master"] },
    });
    const networks = Object.values(info?.NetworkSettings.Networks ?? {});
    expect(networks.map((network) => network.IPAddress)).toContain(
      endpoint?.innerAddress.split(":")[0],
    );
  });

  it("a paused node accepts connections and answers nothing until it goes on", async () => {
    await namesrvAnswers(runtime, "namesrv-2");
    await runtime.pause("namesrv-2");
    await runtime.pause("namesrv-2");
    expect((await observed(runtime, "namesrv-2")).state).toBe("paused");
    const silent = ask(addressOf(runtime, "namesrv-2"), CLUSTER_INFO, 500);
    await expect(silent).rejects.toMatchObject({ code: "REMOTING_TIMEOUT" });
    await runtime.unpause("namesrv-2");
    await runtime.unpause("namesrv-2");
    await namesrvAnswers(runtime, "namesrv-2");
  });

  it("stop is graceful and start goes on; both are fine twice", async () => {
    await runtime.stop("dashboard");
    await runtime.stop("dashboard");
    expect((await observed(runtime, "dashboard")).state).toBe("stopped");
    await expect(runtime.pause("dashboard")).rejects.toMatchObject({
      code: "LAB_NODE_NOT_RUNNING",
    });
    await runtime.start("dashboard");
    await runtime.start("dashboard");
    expect((await observed(runtime, "dashboard")).state).toBe("running");
  });

  it("a followed log goes on across a restart, without loss and without repetition", async () => {
    const abort = new AbortController();
    cleanup.defer(() => abort.abort());
    const lines: string[] = [];
    const reading = (async () => {
      const options = { tail: 1_000, follow: true, signal: abort.signal };
      for await (const line of runtime.logs("namesrv-1", options)) lines.push(line);
    })();
    const boots = (): number => lines.filter((line) => line.includes("boot success")).length;
    await expect.poll(boots, READY).toBe(1);
    await runtime.kill("namesrv-1");
    await runtime.start("namesrv-1");
    await expect.poll(boots, READY).toBe(2);
    abort.abort();
    await reading;
    const all: string[] = [];
    const whole = { tail: 1_000, follow: false, signal: NEVER };
    for await (const line of runtime.logs("namesrv-1", whole)) all.push(line);
    expect(all.slice(0, lines.length)).toEqual(lines);
  });

  it("down keeps the data, also that of a killed node; up finds it again", async () => {
    const key = { namespace: "lab", key: "kept" };
    await namesrvAnswers(runtime, "namesrv-1");
    const put = new Map(Object.entries({ ...key, value: "yes" }));
    const address = addressOf(runtime, "namesrv-1");
    await ask(address, { code: REQUEST_CODE.PUT_KV_CONFIG, extFields: put });
    await runtime.kill("broker-b-slave");
    await runtime.down(quiet);
    const left = await things("rt-first");
    expect(left.filter((name) => !name.endsWith("-data"))).toEqual([]);
    expect(left).toHaveLength(6);
    expect((await runtime.observe()).every((node) => node.state === "missing")).toBe(true);
    await runtime.up(quiet, NEVER);
    await namesrvAnswers(runtime, "namesrv-1");
    const get = new Map(Object.entries(key));
    const answer = await ask(address, { code: REQUEST_CODE.GET_KV_CONFIG, extFields: get });
    expect(answer.extFields.get("value")).toBe("yes");
  });

  it("two labs run side by side, and destroying one leaves the other as it is", async () => {
    const second = await createDockerRuntime(allocationAt("rt-second", indexes[1] ?? 1, "1m"));
    cleanup.defer(() => second.destroy(quiet));
    await second.up(quiet, NEVER);
    await Promise.all([namesrvAnswers(second, "namesrv-1"), namesrvAnswers(runtime, "namesrv-1")]);
    await second.destroy(quiet);
    expect(await things("rt-second")).toEqual([]);
    expect(existsSync(second.allocation.stateDir)).toBe(false);
    expect((await runtime.observe()).every((node) => node.state === "running")).toBe(true);
  });

  it("a guest in the lab's network keeps that network, and destroy refuses before it touches anything", async () => {
    await using lab = await dockerLab(allocationAt("rt-guest", indexes[1] ?? 1, "1m"));
    await lab.runtime.up(quiet, NEVER);
    const { network, image } = lab.runtime.containerAccess?.() ?? { network: "", image: "" };
    const guest = await engine.docker.createContainer({
      name: "rt-guest-visitor",
      Image: image,
      Cmd: ["mqnamesrv"],
      HostConfig: { NetworkMode: network },
    });
    await using _guest = {
      [Symbol.asyncDispose]: () => guest.remove({ force: true }).catch(() => undefined),
    };
    await guest.start();
    const before = await things("rt-guest");
    const refused = lab.runtime.destroy(quiet);
    await expect(refused).rejects.toMatchObject({
      code: "LAB_CONFLICT",
      hint: expect.stringContaining("docker rm -f rt-guest-visitor") as string,
    });
    expect(await things("rt-guest")).toEqual(before);
    await lab.runtime.down(quiet);
    expect((await things("rt-guest")).filter((name) => !name.endsWith("-data"))).toEqual([network]);
    await guest.remove({ force: true });
    await lab.runtime.destroy(quiet);
    expect(await things("rt-guest")).toEqual([]);
  });

  it("says who holds what it needs: subnets, names, ports", async () => {
    const sameBlock = await dockerLab(allocationAt("rt-third", indexes[0] ?? 0, "1m"));
    await using _third = sameBlock;
    await expect(sameBlock.runtime.up(quiet, NEVER)).rejects.toMatchObject({
      code: "LAB_SUBNET_TAKEN",
      message: expect.stringContaining('lab "rt-first"') as string,
    });
    const sameName = await dockerLab(allocationAt("rt-first", indexes[1] ?? 1, "1m"));
    await using _name = sameName;
    await expect(sameName.runtime.up(quiet, NEVER)).rejects.toMatchObject({
      code: "LAB_CONFLICT",
      message: expect.stringMatching(/rt-first-\w+/) as string,
    });
    const other = await dockerLab(allocationAt("rt-other", indexes[1] ?? 1, "1m"));
    await using _other = other;
    const port = Number(addressOf(other.runtime, "namesrv-1").split(":")[1]);
    const squatter = createServer();
    await using _squatter = squatter;
    await new Promise<void>((done) => squatter.listen(port, "127.0.0.1", done));
    await expect(other.runtime.up(quiet, NEVER)).rejects.toMatchObject({
      code: "LAB_PORT_TAKEN",
      message: expect.stringContaining(`process ${process.pid}`) as string,
    });
    await new Promise<void>((done) => squatter.close(() => done()));
    expect(await things("rt-other")).toEqual([]);
  });

  it("an interrupted up leaves whole containers or none, and the next one finishes", async () => {
    const allocation = allocationAt("rt-cut", indexes[1] ?? 1, "2m-2s-async");
    await using lab = await dockerLab(allocation);
    const abort = new AbortController();
    const interrupted = lab.runtime.up(({ message }) => {
      if (message.startsWith("starting containers")) setTimeout(() => abort.abort(), 900);
    }, abort.signal);
    await expect(interrupted).rejects.toMatchObject({ code: "LAB_INTERRUPTED" });
    await lab.runtime.up(quiet, NEVER);
    expect((await lab.runtime.observe()).every((node) => node.state === "running")).toBe(true);
    const filters = { label: ["lab.name=rt-cut"] };
    for (const info of await engine.docker.listContainers({ filters })) {
      expect(Object.keys(info.NetworkSettings.Networks)).toHaveLength(2);
    }
    await namesrvAnswers(lab.runtime, "namesrv-2");
  });

  it("destroy leaves nothing", async () => {
    await runtime.destroy(quiet);
    expect(await things("rt-first")).toEqual([]);
    expect(existsSync(runtime.allocation.stateDir)).toBe(false);
    await runtime.destroy(quiet);
  });
});
