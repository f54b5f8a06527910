import { describe, expect, it } from "vitest";
import { publishPorts } from "../../../../lab/topology/ports.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
import { resolveSelector, selectorNames } from "../../../../lab/topology/selectors.ts";

const { topology } = loadTopology("2m-2s-sync", "/");
const names = (selector: string): readonly string[] =>
  resolveSelector(topology, selector).map((node) => node.name);

describe("selectors", () => {
  it.each([
    ["broker-a-master", ["broker-a-master"]],
    ["@masters", ["broker-a-master", "broker-b-master"]],
    ["@slaves", ["broker-a-slave", "broker-b-slave"]],
    ["@namesrvs", ["namesrv-1", "namesrv-2"]],
    ["@broker-a", ["broker-a-master", "broker-a-slave"]],
    ["@host-1", ["namesrv-1", "broker-a-master", "broker-b-slave", "dashboard"]],
  ])("%s", (selector, expected) => expect(names(selector)).toEqual(expected));

  it("means nothing when there is no such node or group", () => {
    expect(names("broker-a")).toEqual([]);
    expect(names("@master")).toEqual([]);
  });

  it("lists the groups that have a node here", () => {
    const groups = ["@all", "@brokers", "@masters", "@namesrvs", "@host-1", "@broker-a"];
    expect(selectorNames(loadTopology("1m", "/").topology)).toEqual(groups);
    expect(selectorNames(topology)).toEqual(
      expect.arrayContaining([...groups, "@slaves", "@host-2", "@broker-b"]),
    );
  });
});

describe("ports", () => {
  const ports = (index: number, runtime: "docker" | "process"): Readonly<Record<string, unknown>> =>
    Object.fromEntries(
      publishPorts(topology, index, runtime).nodes.map((node) => [
        node.name,
        node.ports.map((port) => port.published),
      ]),
    );

  it("the first lab has the documented ones; Docker publishes no replication port (K-06)", () => {
    expect(ports(0, "docker")).toEqual({
      "namesrv-1": [9876],
      "namesrv-2": [9877],
      "broker-a-master": [10911, 10909, null],
      "broker-a-slave": [11011, 11009, null],
      "broker-b-master": [10921, 10919, null],
      "broker-b-slave": [11021, 11019, null],
      dashboard: [7777],
    });
  });

  it("the second lab adds 1000; local processes need their replication port", () => {
    expect(ports(1, "process")).toMatchObject({
      "namesrv-2": [10877],
      "broker-b-slave": [12021, 12019, 12022],
      dashboard: [8777],
    });
  });

  it("labs never share a port", () => {
    const all = [0, 1, 2].flatMap((index) => Object.values(ports(index, "process")).flat());
    expect(new Set(all).size).toBe(all.length);
  });
});
