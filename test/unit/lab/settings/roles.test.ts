import { describe, expect, it } from "vitest";
import { configure } from "../../../../lab/settings/configure.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
import type { LabNode } from "../../../../lab/topology/topology.ts";

const PROMOTED = { "broker-a": "broker-a-slave" };

function nodes(preset: string, ...settings: string[]): (name: string) => LabNode {
  const { topology } = loadTopology(preset, "/");
  const done = configure(topology, { size: "small", settings, masters: PROMOTED });
  return (name) => {
    const found = done.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
}

describe("after a promotion", () => {
  it.each([
    ["2m-2s-sync", "SYNC_MASTER", "SYNC_FLUSH"],
    ["2m-2s-async", "ASYNC_MASTER", "ASYNC_FLUSH"],
  ])("%s: the pair's mode stays with the role", (preset, brokerRole, flushDiskType) => {
    const node = nodes(preset);
    expect(node("broker-a-slave")).toMatchObject({
      role: "broker-master",
      broker: { brokerId: 0, brokerRole, flushDiskType },
    });
    expect(node("broker-a-master")).toMatchObject({
      role: "broker-slave",
      broker: { brokerId: 1, brokerRole: "SLAVE" },
    });
    expect(node("broker-b-master").role).toBe("broker-master");
  });

  it("the nodes are told by settings that say where they come from", () => {
    const { settings } = nodes("2m-2s-sync")("broker-a-slave");
    expect(settings).toContainEqual({
      key: "brokerId",
      value: "0",
      from: "lab promote broker-a-slave",
    });
  });

  it("groups follow the roles", () => {
    const node = nodes("2m-2s-sync", "@masters.fileReservedTime=7");
    const has = (name: string): boolean =>
      (node(name).settings ?? []).some(({ key }) => key === "fileReservedTime");
    expect([has("broker-a-slave"), has("broker-a-master")]).toEqual([true, false]);
  });

  it("an older --set of a role does not make two masters", () => {
    const node = nodes("2m-2s-sync", "broker-a-master.brokerRole=ASYNC_MASTER");
    expect(node("broker-a-master").broker?.brokerRole).toBe("SLAVE");
  });

  it("a node that is gone from the files is a conflict", () => {
    const { topology } = loadTopology("2m-noslave", "/");
    expect(() => configure(topology, { size: "small", settings: [], masters: PROMOTED })).toThrow(
      /no such broker any more/,
    );
  });
});
