import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineError } from "../../../../engine/base/engine-error.ts";
import { loadTopologyFolder } from "../../../../lab/topology/load.ts";

let dir = "";

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lab-topology-"));
  cpSync("conf/2m-2s-sync", dir, { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Replaces text in a file of the copy; fails when it is not there. */
function change(file: string, from: string, to: string): void {
  const text = readFileSync(join(dir, file), "utf8");
  expect(text).toContain(from);
  writeFileSync(join(dir, file), text.replace(from, to));
}

/** Line of the first occurrence after the change. */
function lineOf(file: string, text: string): number {
  const lines = readFileSync(join(dir, file), "utf8").split("\n");
  return lines.indexOf(text) + 1;
}

function problems(): string {
  try {
    loadTopologyFolder(dir);
  } catch (error) {
    if (error instanceof EngineError && error.code === "TOPOLOGY_INVALID") return error.message;
    throw error;
  }
  return "";
}

describe("a topology with mistakes", () => {
  it("is refused with file, line and what is allowed", () => {
    change("topology.yaml", "role: broker-slave", "role: broker-slav");
    const line = lineOf("topology.yaml", "    role: broker-slav");
    expect(problems()).toContain(
      `topology.yaml:${line}: nodes[3].role is "broker-slav"; allowed are namesrv, broker-master, broker-slave, dashboard; did you mean broker-slave?`,
    );
  });

  it("access control and enforced TLS are refused where they stand: the lab could not see such a node", () => {
    const append = (file: string, line: string): number => {
      writeFileSync(join(dir, file), `${readFileSync(join(dir, file), "utf8")}\n${line}\n`);
      return lineOf(file, line);
    };
    const broker = append("broker-a.properties", "aclEnable = true");
    const namesrv = append("namesrv.properties", "tls.server.mode=enforcing");
    const text = problems();
    expect(text).toContain(`broker-a.properties:${broker}: aclEnable=true is not for labs yet`);
    expect(text).toContain(`namesrv.properties:${namesrv}: tls.server.mode=enforcing is not for`);
    append("broker-a.properties", "aclEnable=false");
    append("namesrv.properties", "tls.server.mode=permissive");
    expect(problems()).toBe("");
  });

  it("tells all problems at once", () => {
    change("topology.yaml", "publish: 9877", "publish: 80");
    change("topology.yaml", "publish: 10921", "publsh: 10921");
    change("topology.yaml", "heapMiB: 96", "heapMiB: many");
    const text = problems();
    expect(text).toMatch(
      /topology\.yaml:\d+: nodes\[1\]\.publish is 80: a port from 1024 to 65535/,
    );
    expect(text).toMatch(/topology\.yaml:\d+: unknown key "publsh"; did you mean publish\?/);
    expect(text).toMatch(/topology\.yaml:\d+: nodes\[4\]\.publish is missing/);
    expect(text).toMatch(/nodes\[6\]\.resources\.heapMiB is "many"/);
    expect(text).toContain("4 problems");
  });

  it("points at the line of a YAML error", () => {
    change("topology.yaml", "hosts: [host-1, host-2]", "hosts: [host-1, host-2");
    expect(problems()).toMatch(/topology\.yaml:\d+: /);
  });

  it.each([
    ["listenPort=11011", "listenPort=11012", /broker-a-s\.properties:(\d+): listenPort is 11012/],
    [
      "brokerRole=SLAVE",
      "brokerRole=ASYNC_MASTER",
      /s\.properties:\d+: brokerRole is ASYNC_MASTER/,
    ],
    ["brokerId=1", "brokerId=0", /s\.properties:\d+: brokerId is 0, but broker-a-slave is a slave/],
    ["brokerId=1", "brokerId=1 # first", /brokerId is "1 # first", not a whole number/],
    ["flushDiskType=ASYNC_FLUSH", "flushDiskType=SYNC", /allowed are ASYNC_FLUSH, SYNC_FLUSH/],
    ["brokerName=broker-a", "brokerName=broker-x", /broker-x has 0 masters instead of one/],
    ["nameserver2:9876", "nameserver3:9876", /rocketmq-nameserver3:9876 is no name server here/],
    [
      "brokerClusterName=DefaultCluster",
      "brokerClusterName=Other",
      /the brokers belong to different clusters: /,
    ],
  ])("checks the property files against it: %s → %s", (from, to, expected) => {
    change("broker-a-s.properties", from, to);
    expect(problems()).toMatch(expected);
  });

  it("names a property file that is not there", () => {
    rmSync(join(dir, "broker-b.properties"));
    rmSync(join(dir, "namesrv.properties"));
    expect(problems()).toMatch(/topology\.yaml:\d+: broker-b-master: .*there is no such file/);
    expect(problems()).toMatch(/namesrv\.properties: there is no such file/);
  });

  it("finds ports that clash, also the derived ones", () => {
    change("topology.yaml", "publish: 11021", "publish: 10913");
    expect(problems()).toMatch(
      /topology\.yaml:\d+: publish 10913 of broker-b-slave needs 10911 on 127\.0\.0\.1, which broker-a-master has/,
    );
  });

  it("finds a name that is taken and a host that does not exist", () => {
    change("topology.yaml", "name: namesrv-2", "name: namesrv-1");
    change("topology.yaml", "hosts: [host-1, host-2]", "hosts: [host-1]");
    expect(problems()).toMatch(/name "namesrv-1" is taken/);
    expect(problems()).toMatch(/broker-b-master is on host-2, but hosts has only host-1/);
  });

  it("finds a heap that does not fit its limit", () => {
    change("topology.yaml", "memoryMiB: 192, heapMiB: 96", "memoryMiB: 192, heapMiB: 180");
    expect(problems()).toMatch(/heapMiB 180 leaves too little of memoryMiB 192: at most 153/);
  });
});

describe("a topology that is odd but allowed", () => {
  it("warns about a slave on its master's host", () => {
    const text = readFileSync(join(dir, "topology.yaml"), "utf8");
    const moved = text
      .replace(/(name: broker-a-slave\s+role: broker-slave\s+host: )host-2/, "$1host-1")
      .replace(/(name: broker-b-slave\s+role: broker-slave\s+host: )host-1/, "$1host-2");
    writeFileSync(join(dir, "topology.yaml"), moved);
    const { warnings } = loadTopologyFolder(dir);
    expect(warnings.map((warning) => warning.message)).toEqual([
      "broker-a-slave is on host-1 like its master: losing that host loses both copies of broker-a",
      "broker-b-slave is on host-2 like its master: losing that host loses both copies of broker-b",
    ]);
    expect(warnings[0]?.line).toBeGreaterThan(1);
  });
});
