import { describe, expect, it } from "vitest";
import { explainSettings } from "../../../../lab/settings/explain.ts";
import { configure } from "../../../../lab/settings/configure.ts";
import { mergeSettings } from "../../../../lab/settings/setting-text.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
import type { LabNode, Topology } from "../../../../lab/topology/topology.ts";

function configured(...settings: string[]): Topology {
  return configure(loadTopology("2m-2s-sync", "/").topology, { size: "small", settings });
}

function node(topology: Topology, name: string): LabNode {
  const found = topology.nodes.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

describe("--set", () => {
  it.each([
    ["@masters", ["broker-a-master", "broker-b-master"]],
    ["@slaves", ["broker-a-slave", "broker-b-slave"]],
    ["@broker-a", ["broker-a-master", "broker-a-slave"]],
    ["@host-1", ["broker-a-master", "broker-b-slave"]],
    ["@brokers", ["broker-a-master", "broker-a-slave", "broker-b-master", "broker-b-slave"]],
    ["broker-b-slave", ["broker-b-slave"]],
  ])("%s means %j", (selector, names) => {
    const settings = [`${selector}.fileReservedTime=7`];
    const set = configured(...settings).nodes.filter((entry) => entry.settings !== undefined);
    expect(set.map((entry) => entry.name)).toEqual(names);
  });

  it("a group's setting is for the nodes that know its key", () => {
    const set = configured("@all.serverChannelMaxIdleTimeSeconds=60", "@all.cpus=1").nodes;
    expect(set.filter((entry) => entry.settings !== undefined)).toHaveLength(6);
    expect(set.every((entry) => entry.resources.cpus === 1)).toBe(true);
    expect(() => configured("@namesrvs.fileReservedTime=7")).toThrow(/no key fileReservedTime/);
  });

  it("keys with dots are keys like others", () => {
    const set = configured("@namesrvs.tls.server.mode=permissive");
    expect(node(set, "namesrv-1").settings).toEqual([
      expect.objectContaining({ key: "tls.server.mode", value: "permissive" }),
    ]);
    const merged = mergeSettings(["@masters.tls.server.mode=permissive"], {
      set: [],
      unset: ["@masters.tls.server.mode"],
    });
    expect(merged).toEqual([]);
    expect(() => configured("@brokers.tls.servr.mode=permissive")).toThrow(
      /did you mean tls.server.mode/,
    );
  });

  it("the later one wins, also over a group", () => {
    const topology = configured(
      "@masters.fileReservedTime=7",
      "broker-a-master.fileReservedTime=9",
    );
    expect(node(topology, "broker-a-master").settings).toEqual([
      expect.objectContaining({ key: "fileReservedTime", value: "9" }),
    ]);
    expect(node(topology, "broker-b-master").settings?.[0]?.value).toBe("7");
  });

  it("flush, role and promises follow", () => {
    const topology = configured(
      "@masters.flushDiskType=ASYNC_FLUSH",
      "@masters.brokerRole=ASYNC_MASTER",
    );
    expect(node(topology, "broker-a-master").broker).toMatchObject({
      brokerRole: "ASYNC_MASTER",
      flushDiskType: "ASYNC_FLUSH",
    });
    expect(topology.promises.join()).toContain("flush interval");
  });

  it("memory, heap and cores are settings too", () => {
    expect(node(configured("@brokers.heapMiB=100"), "broker-a-slave").resources.heapMiB).toBe(100);
  });

  it.each([
    ["broker-a-master", /not node\.key=value/],
    ["broker-a-master.flushDiskType", /not node\.key=value/],
    [
      "broker-a-master.flushDiskTyp=X",
      /--set broker-a-master\.flushDiskTyp=X: there is no key flushDiskTyp, did you mean flushDiskType/,
    ],
    [
      "@masters.flushDiskType=SOMETIMES",
      /--set @masters\.flushDiskType=SOMETIMES: .*must be one of ASYNC_FLUSH/,
    ],
    ["@brokers.fileReservedTime=soon", /not a whole number/],
    ["broker-a-master.listenPort=1", /follows from topology\.yaml/],
    ["broker-a-master.brokerName=x", /who the node is/],
    ["broker-a-master.brokerRole=SLAVE", /Slave's brokerId/],
    ["broker-a-slave.brokerRole=SYNC_MASTER", /does not fit its role broker-slave/],
    ["@brokers.heapMiB=1", /must be 32 to/],
    ["@brokers.heapMiB=500", /leaves too little of memoryMiB 512/],
    ["dashboard.listenPort=1", /has no property file/],
    ["broker-a-mastr.fileReservedTime=1", /no node or group/],
    ["@brokers.aclEnable=true", /is not for labs yet: the lab signs no requests/],
  ])("%s is refused", (setting, reason) => {
    expect(() => configured(setting)).toThrow(reason);
  });
});

describe("what a lab remembers", () => {
  it("replaces by node and key, newest last, and takes back", () => {
    const kept = ["@masters.a=1", "broker-a-master.a=2"];
    expect(mergeSettings(kept, { set: ["@masters.a=3"], unset: [] })).toEqual([
      "broker-a-master.a=2",
      "@masters.a=3",
    ]);
    expect(mergeSettings(kept, { set: [], unset: ["@masters.a"] })).toEqual([
      "broker-a-master.a=2",
    ]);
    expect(() => mergeSettings(kept, { set: [], unset: ["@master.a"] })).toThrow(/no such setting/);
  });
});

describe("--size", () => {
  const preset = loadTopology("2m-2s-sync", "/").topology;
  const heapOf = (size: "tiny" | "small" | "large"): number =>
    configure(preset, { size, settings: [] }).nodes.reduce(
      (sum, entry) => sum + entry.resources.heapMiB,
      0,
    );

  it("small is what the files say, tiny needs less, large more", () => {
    expect(configure(preset, { size: "small", settings: [] }).nodes).toEqual(preset.nodes);
    expect(heapOf("tiny")).toBeLessThan(heapOf("small"));
    expect(heapOf("large")).toBeGreaterThan(heapOf("small"));
  });

  it("--set wins over it", () => {
    const topology = configure(preset, { size: "tiny", settings: ["@masters.heapMiB=128"] });
    expect(node(topology, "broker-a-master").resources.heapMiB).toBe(128);
    expect(node(topology, "broker-a-slave").resources.heapMiB).toBe(96);
  });
});

describe("where a value comes from", () => {
  const topology = configure(loadTopology("2m-2s-sync", "/").topology, {
    size: "tiny",
    settings: ["@masters.fileReservedTime=7"],
  });
  const master = node(topology, "broker-a-master");
  const lines = (master.settings ?? []).map(({ key, value }) => `${key}=${value}`);
  const overrides = [...lines, "brokerIP1=127.0.0.1"].join("\n");
  const explained = (live: ReadonlyMap<string, string> | null) =>
    new Map(
      explainSettings({ node: master, dir: topology.dir, overrides, home: "/data", live }).map(
        (row) => [row.key, row],
      ),
    );

  it("names default, file and line, size, --set, lab and a change while running", () => {
    const rows = explained(new Map([["deleteWhen", "05"]]));
    expect(rows.get("maxMessageSize")).toMatchObject({ source: "default", where: "" });
    expect(rows.get("flushDiskType")?.where).toMatch(/broker-a\.properties:\d+$/);
    expect(rows.get("mappedFileSizeCommitLog")).toMatchObject({
      value: "16777216",
      source: "size",
      where: "--size tiny",
    });
    expect(rows.get("fileReservedTime")).toMatchObject({ value: "7", source: "set" });
    expect(rows.get("brokerIP1")).toMatchObject({ value: "127.0.0.1", source: "lab" });
    expect(rows.get("deleteWhen")).toMatchObject({
      value: "05",
      source: "runtime",
      nextStart: "04",
    });
  });
});
