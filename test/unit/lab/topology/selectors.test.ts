import { describe, expect, it } from "vitest";
import { publishPorts } from "../../../../lab/topology/ports.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
import { selectNodes } from "../../../../lab/topology/selectors.ts";

const { topology } = loadTopology("2m-2s-sync", "/");
const names = (...selectors: string[]): readonly string[] =>
  selectNodes(topology, selectors).map((node) => node.name);

describe("selectors", () => {
  it.each([
    ["broker-a-master", ["broker-a-master"]],
    ["@masters", ["broker-a-master", "broker-b-master"]],
    ["@slaves", ["broker-a-slave", "broker-b-slave"]],
    ["@namesrvs", ["namesrv-1", "namesrv-2"]],
    ["@broker-a", ["broker-a-master", "broker-a-slave"]],
    ["@host-1", ["namesrv-1", "broker-a-master", "broker-b-slave", "dashboard"]],
  ])("%s", (selector, expected) => expect(names(selector)).toEqual(expected));

  it("names a node once and keeps the topology's order", () => {
    expect(names("@masters", "namesrv-1", "@broker-a")).toEqual([
      "namesrv-1",
      "broker-a-master",
      "broker-a-slave",
      "broker-b-master",
    ]);
  });

  it("suggests the nearest name", () => {
    expect(() => names("broker-a-mastr")).toThrowError(
      expect.objectContaining({
        code: "LAB_NODE_UNKNOWN",
        hint: expect.stringMatching(/did you mean broker-a-master/) as string,
      }),
    );
    expect(() => names("@master")).toThrowError(
      expect.objectContaining({ hint: expect.stringContaining("@masters") as string }),
    );
  });

  it("says when a group is empty here", () => {
    const small = loadTopology("1m", "/").topology;
    expect(() => selectNodes(small, ["@slaves"])).toThrowError("1m has no node in @slaves");
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
