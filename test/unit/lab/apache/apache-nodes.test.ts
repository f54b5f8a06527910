/** How Apache's programs are started, in both runtimes, as data. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { findJava } from "../../../../lab/apache/java.ts";
import { renderCompose } from "../../../../lab/compose/render.ts";
import { planSubnets } from "../../../../lab/compose/subnets.ts";
import { copyProperties } from "../../../../lab/runtime/docker/lab-files.ts";
import { nodeLaunch } from "../../../../lab/runtime/node-launch.ts";
import type { LabAllocation, RuntimeKind } from "../../../../lab/runtime/runtime.ts";
import { configure } from "../../../../lab/settings/configure.ts";
import { publishPorts } from "../../../../lab/topology/ports.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
import type { LabNode } from "../../../../lab/topology/topology.ts";
import { runCli } from "../cli/run-cli.ts";

const JARS = ["broker", "namesrv", "store", "remoting"].map((part) => `rocketmq-${part}-4.9.7.jar`);

let home: string;
let dist: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-apache-"));
  dist = join(home, "mq");
  mkdirSync(join(dist, "lib"), { recursive: true });
  for (const jar of JARS) writeFileSync(join(dist, "lib", jar), "");
  const java = join(home, "jdk");
  mkdirSync(join(java, "bin"), { recursive: true });
  writeFileSync(join(java, "bin", "java"), "");
  chmodSync(join(java, "bin", "java"), 0o755);
  writeFileSync(join(java, "release"), 'JAVA_VERSION="17.0.99"\n');
  vi.stubEnv("JAVA_HOME", java);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

function allocation(runtime: RuntimeKind, engine = `broker-b=apache-dist:${dist}`): LabAllocation {
  const { topology } = loadTopology("2m-2s-sync", home);
  const wanted = { size: "small", settings: ["@masters.fileReservedTime=7"] } as const;
  const configured = configure(topology, { ...wanted, engines: [engine, "namesrv-2=apache:mq:4"] });
  return {
    name: "lab",
    runtime,
    topology: publishPorts(configured, 1, runtime),
    subnets: runtime === "docker" ? planSubnets(1) : {},
    stateDir: join(home, "lab"),
  };
}

function nodeOf(lab: LabAllocation, name: string): LabNode {
  const found = lab.topology.nodes.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

describe("as a local process", () => {
  it("this machine's Java, the heap of the node's size, everything it writes below its own folder", () => {
    const lab = allocation("process");
    const { program, args, env } = nodeLaunch(nodeOf(lab, "broker-b-slave"), lab);
    const node = join(home, "lab", "nodes", "broker-b-slave");
    expect(program).toBe(findJava().program);
    expect(findJava().version).toBe("17.0.99");
    expect(args).toEqual(
      expect.arrayContaining([
        "-Xmx192m",
        `-Duser.home=${join(node, "apache")}`,
        join(dist, "lib", "*"),
        "org.apache.rocketmq.broker.BrokerStartup",
      ]),
    );
    expect(env["JDK_JAVA_OPTIONS"]).toContain("--add-opens=java.base/java.nio=ALL-UNNAMED");
  });

  it("its property file is the topology's with the lab's lines below", () => {
    const lab = allocation("process");
    const { files, args } = nodeLaunch(nodeOf(lab, "broker-b-master"), lab);
    const given = files.find(({ path }) => path === args.at(-1))?.text ?? "";
    const own = readFileSync(join(lab.topology.dir, "broker-b.properties"), "utf8");
    expect(given.startsWith(own.trimEnd())).toBe(true);
    const lines = given.slice(own.trimEnd().length);
    for (const line of [
      "listenPort=11921",
      "haListenPort=11922",
      "fileReservedTime=7",
      "brokerIP1=127.0.0.1",
    ])
      expect(lines).toContain(`${line}\n`);
  });

  it("no Java is said with what to do: exit 3", async () => {
    vi.stubEnv("JAVA_HOME", "");
    vi.stubEnv("PATH", join(home, "nothing"));
    const line = `up 1m --runtime process --index 20 --engine broker-a=apache-dist:${dist}`;
    const run = await runCli(line.split(" "), { cwd: home, env: { LAB_HOME: home } });
    expect(run).toMatchObject({ code: 3 });
    expect(run.stderr).toContain("set JAVA_HOME");
  });

  it.each([
    ["up 1m --runtime process --engine java", "none of ts, apache-dist:DIR, apache:IMAGE"],
    ["up 1m --runtime process --engine apache:mq:4", "is a container image"],
    [
      "up 1m --runtime process --engine broker-a=apache-dist:nowhere",
      "is no RocketMQ distribution",
    ],
  ])("lab %s: exit 2, and no lab is left", async (line, text) => {
    const run = await runCli(line.split(" "), { cwd: home, env: { LAB_HOME: home } });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(text);
    expect((await runCli(["status"], { cwd: home, env: { LAB_HOME: home } })).code).toBe(6);
  });
});

describe("in Docker", () => {
  interface Service {
    readonly image: string;
    readonly command: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
    readonly healthcheck: Readonly<Record<string, unknown>>;
  }

  it("only these nodes get the image, the property file and the Java of theirs", () => {
    const { name: labName, topology, subnets } = allocation("docker");
    const text = renderCompose({
      labName,
      topology,
      subnets,
      image: "own",
      apacheImages: new Map([["broker-b-master", "rocketmq-lab/apache:4.9.7-1"]]),
      confSource: "./conf",
      stateDir: undefined,
      cpusMax: 4,
      heading: [],
    });
    const { services } = parse(text) as { services: Readonly<Record<string, Service>> };
    expect(services["broker-a-master"]).toMatchObject({ image: "own" });
    const apache = services["broker-b-master"];
    expect(apache).toMatchObject({
      image: "rocketmq-lab/apache:4.9.7-1",
      command: ["mqbroker", "-c", "/conf/apache/broker-b-master.properties"],
      healthcheck: { disable: true },
    });
    expect(apache?.environment["JAVA_OPT_EXT"]).toContain("-Xmx192m");
    expect(apache?.environment["ROCKETMQ_OVERRIDES"]).toBeUndefined();
  });

  it("the files beside the compose file say the address that all containers reach", () => {
    const lab = allocation("docker");
    copyProperties(lab);
    const read = (node: string): string =>
      readFileSync(join(lab.stateDir, "conf", "apache", `${node}.properties`), "utf8");
    expect(read("broker-b-master")).toMatch(/\nbrokerIP1=198\.51\.100\.\d+\n/);
    expect(read("broker-b-master")).toContain("storePathRootDir=/data/store\n");
    expect(read("namesrv-2")).toContain("kvConfigPath=/data/namesrv/kvConfig.json\n");
  });
});
