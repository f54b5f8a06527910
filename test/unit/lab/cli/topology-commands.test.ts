import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allot } from "../../../../lab/runtime/allot.ts";
import type { RuntimeKind } from "../../../../lab/runtime/runtime.ts";
import { writeState } from "../../../../lab/runtime/state.ts";
import { endpointRows, namesrvAddrSeenFrom } from "../../../../lab/runtime/vantage.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
import { SERVER_ENTRIES, serversTopology } from "../../../helpers/servers-topology.ts";
import { runCli, type CliRun } from "./run-cli.ts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-topo-"));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function lab(line: string, env: NodeJS.ProcessEnv = {}): Promise<CliRun> {
  return runCli(line.split(" "), { cwd: home, env: { LAB_HOME: home, ...env } });
}

function stateOf(runtime: RuntimeKind, index = 20) {
  const { topology } = loadTopology("2m-2s-sync", home);
  return allot({ home, name: "lab", topology, runtime, index });
}

function makeLab(): void {
  writeState(home, stateOf("process"));
}

describe("lab show", () => {
  it("tells hosts, modes, copies and promises of a preset", async () => {
    const { stdout, code } = await lab("show 2m-2s-sync");
    expect(code).toBe(0);
    for (const text of ["host-2", "SYNC_MASTER, SYNC_FLUSH", "127.0.0.1:10911", "rocketmq-master1"])
      expect(stdout).toContain(text);
    expect(stdout).toContain("broker-a: broker-a-master (host-1) -> broker-a-slave (host-2)");
  });

  it("without a name shows the lab as it was made", async () => {
    makeLab();
    expect((await lab("show")).stdout).toContain("127.0.0.1:30911");
  });

  it("a wrong preset is exit 2 with the nearest one", async () => {
    expect(await lab("show 2m-2s-snc")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("did you mean 2m-2s-sync") as string,
    });
  });
});

describe("lab init", () => {
  it("makes a folder that can be shown and edited, with every comment", async () => {
    expect((await lab("init My_Cluster --from 2m-2s-async")).code).toBe(0);
    const copy = readFileSync(join(home, "My_Cluster", "broker-a.properties"), "utf8");
    expect(copy).toBe(readFileSync("conf/2m-2s-async/broker-a.properties", "utf8"));
    const shown = JSON.parse((await lab("show ./My_Cluster --json")).stdout) as {
      topology: { name: string };
    };
    expect(shown.topology.name).toBe("my-cluster");
  });

  it("writes nothing into a folder that holds something: exit 4", async () => {
    makeLab();
    expect((await lab("init lab")).code).toBe(4);
  });

  it("a mistake made in it is named with file and line", async () => {
    await lab("init mine");
    appendFileSync(join(home, "mine", "broker-a.properties"), "\nlistenPort=12 # mine\n");
    const run = await lab("show ./mine");
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/broker-a\.properties:\d+: listenPort/);
  });
});

describe("lab config", () => {
  it("shows what is no default, each with its place", async () => {
    makeLab();
    const { stdout, code } = await lab("config broker-a-master");
    expect(code).toBe(0);
    expect(stdout).toMatch(/flushDiskType +SYNC_FLUSH +.*broker-a\.properties:\d+/);
    expect(stdout).toMatch(/listenPort +30911 +the node's place in the lab/);
    expect(stdout).not.toContain("maxMessageSize");
    expect((await lab("config broker-a-master --all")).stdout).toMatch(/maxMessageSize .*default/);
  });

  it("of a name server, and one key", async () => {
    makeLab();
    const { stdout } = await lab("config namesrv-1 serverChannelMaxIdleTimeSeconds");
    expect(stdout).toMatch(/120 +.*namesrv\.properties:\d+/);
  });

  it.each([
    ["config @masters", 2, "2 nodes"],
    ["config dashboard", 2, "no property file"],
    ["config broker-a-master flushDiskTyp", 2, "did you mean flushDiskType"],
    ["config broker-a-mastr", 6, "did you mean broker-a-master"],
  ])("lab %s is exit %i", async (line, code, text) => {
    makeLab();
    const run = await lab(line);
    expect(run.code).toBe(code);
    expect(run.stderr).toContain(text);
  });
});

describe("lab up refuses settings before anything is made", () => {
  it.each([
    [
      "up 1m --runtime process --set broker-a-master.flushDiskTyp=X",
      2,
      "did you mean flushDiskType",
    ],
    ["up 1m --runtime process --set nobody.flushDiskType=X", 6, "no node or group"],
    ["up 1m --runtime process --size huge", 2, "tiny, small, large"],
    ["up 1m --runtime process --unset @masters.flushDiskType", 2, "no such setting"],
  ])("lab %s", async (line, code, text) => {
    const run = await lab(line);
    expect(run.code).toBe(code);
    expect(run.stderr).toContain(text);
    expect((await lab("status")).code).toBe(6);
  });

  it("another size or file size of a lab that has files is a conflict", async () => {
    makeLab();
    for (const flag of ["--size tiny", "--set @brokers.mappedFileSizeCommitLog=16777216"]) {
      expect((await lab(`up ${flag}`)).code).toBe(4);
    }
  });
});

describe("a topology whose hosts are servers", () => {
  it("shows engines and addresses, and where each port is reached", async () => {
    using folder = serversTopology();
    const { stdout, code } = await lab(`show ${folder.dir}`);
    expect(code).toBe(0);
    expect(stdout).toContain("host-2: Docker Engine ssh://lab@server-2.example, reached at 203");
    expect(stdout).toContain("203.0.113.2:10911");
    expect(stdout).not.toContain("127.0.0.1");
  });

  it("is refused as local processes and as one compose file", async () => {
    using folder = serversTopology();
    const up = await lab(`up ${folder.dir} --runtime process`);
    expect(up).toMatchObject({ code: 2 });
    expect(up.stderr).toContain("local processes cannot run there");
    const exported = await lab(`export compose out --from ${folder.dir}`);
    expect(exported).toMatchObject({ code: 2 });
    expect(exported.stderr).toContain("one compose file describes one engine");
  });

  it("cannot become that of a lab that has its data elsewhere", async () => {
    using folder = serversTopology(["host-1", "host-2"]);
    const { topology } = loadTopology(folder.dir, home);
    writeState(home, allot({ home, name: "lab", topology, runtime: "process", index: 20 }));
    const file = join(folder.dir, "topology.yaml");
    const hosts = ["hosts:", ...SERVER_ENTRIES.map((entry) => `  - ${entry}`)].join("\n");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("hosts:\n  - host-1\n  - host-2", hosts));
    const up = await lab("up");
    expect(up).toMatchObject({ code: 4 });
    expect(up.stderr).toContain("has its data on this machine");
  });
});

describe("lab env", () => {
  it.each([
    ["bash", "export NAMESRV_ADDR='127.0.0.1:29876;127.0.0.1:29877'"],
    ["fish", "set -gx NAMESRV_ADDR '127.0.0.1:29876;127.0.0.1:29877';"],
    ["powershell", "$Env:NAMESRV_ADDR = '127.0.0.1:29876;127.0.0.1:29877'"],
  ])("speaks %s", async (shell, text) => {
    makeLab();
    expect((await lab(`env --shell ${shell}`)).stdout).toContain(text);
    expect((await lab("env", { SHELL: `/bin/${shell}` })).stdout).toContain(text);
  });
});

describe("lab endpoints", () => {
  it("has one column a vantage", async () => {
    makeLab();
    const { stdout } = await lab("endpoints @masters");
    expect(stdout).toContain("FROM MACHINE");
    expect(stdout.match(/127\.0\.0\.1:30911/g)).toHaveLength(3);
    expect(stdout).not.toContain("namesrv-1");
  });

  it("in Docker a host's own nodes are met in its network, others over the internet, none by loopback", () => {
    const state = stateOf("docker", 0);
    const allocation = { ...state, stateDir: home };
    const row = endpointRows(allocation).find(
      (entry) => entry.node === "broker-a-master" && entry.port === "broker",
    );
    expect(row?.addresses).toEqual({
      machine: "127.0.0.1:10911",
      "host-1": "198.51.100.3:10911",
      "host-2": "198.51.100.35:10911",
    });
    expect(namesrvAddrSeenFrom(allocation, undefined)).toBe(
      "198.51.100.34:9876;198.51.100.48:9876",
    );
    const ha = endpointRows(allocation).find((entry) => entry.port === "ha");
    expect(ha?.addresses["machine"]).toBeNull();
  });
});

describe("lab run beside local processes", () => {
  const node = process.execPath;

  it("sets NAMESRV_ADDR, passes output, variables and exit code on", async () => {
    makeLab();
    const script = "console.log(process.env.NAMESRV_ADDR,process.env.A);process.exitCode=7";
    const run = await lab(`run --env A=b -- ${node} -e ${script}`);
    expect(run).toMatchObject({ code: 7, stdout: "127.0.0.1:29876;127.0.0.1:29877 b\n" });
  });

  it("with --json standard output is the one document", async () => {
    makeLab();
    const run = await lab(`run --json -- ${node} -e console.log("x")`);
    expect(JSON.parse(run.stdout)).toMatchObject({ schema: "lab.run/1", exitCode: 0 });
    expect(run.stderr).toContain("x");
  });

  it.each([
    ["run -- /no/such/program", 127, "ENOENT"],
    ["run --image node:22 -- node", 2, "no image to choose"],
    ["run --env X -- node", 2, "NAME=VALUE"],
    ["run --from host-9 -- node", 2, "did you mean host-1"],
    ["run", 2, "needs COMMAND"],
  ])("lab %s is exit %i", async (line, code, text) => {
    makeLab();
    const run = await lab(line);
    expect(run.code).toBe(code);
    expect(run.stderr).toContain(text);
  });

  it("a guest ended by a signal is 128 + its number", async () => {
    makeLab();
    const script = "process.kill(process.pid,'SIGTERM');setTimeout(()=>{},9000)";
    expect((await lab(`run -- ${node} -e ${script}`)).code).toBe(143);
  });
});

describe("lab wait", () => {
  it("gives up with exit 5 and says what is missing", async () => {
    makeLab();
    const run = await lab("wait broker-a-slave --timeout 200ms");
    expect(run.code).toBe(5);
    expect(run.stderr).toContain("broker-a-slave: was never started");
  });

  it("down is true of nodes that were never started", async () => {
    makeLab();
    expect((await lab("wait --until down")).code).toBe(0);
  });
});

describe("lab export compose", () => {
  it("writes everything the compose file and the image need", async () => {
    const run = await lab("export compose out --from 1m --name mine");
    expect(run).toMatchObject({ code: 0 });
    const text = readFileSync(join(home, "out", "compose.yaml"), "utf8");
    expect(text).toContain("container_name: mine-broker-a-master");
    expect(text).toContain("./conf:/conf:ro,z");
    for (const file of ["conf/broker-a.properties", "image/dist/mqbroker.mjs"])
      expect(readFileSync(join(home, "out", file)).length).toBeGreaterThan(0);
    expect((await lab("export compose out")).code).toBe(4);
    expect((await lab("export helm out")).code).toBe(2);
  });
});
