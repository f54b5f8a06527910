import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadTopologyFolder } from "../../../../lab/topology/load.ts";
import { publishPorts } from "../../../../lab/topology/ports.ts";
import { SERVER_ENTRIES, serversTopology } from "../../../helpers/servers-topology.ts";

/** What is said of these hosts, and the line each entry stands on. */
function refusal(...entries: readonly string[]): {
  readonly text: string;
  readonly line: (entry: number) => number;
} {
  using folder = serversTopology(entries);
  const lines = readFileSync(join(folder.dir, "topology.yaml"), "utf8").split("\n");
  const line = (entry: number): number => lines.indexOf(`  - ${entries[entry] ?? ""}`) + 1;
  try {
    loadTopologyFolder(folder.dir);
  } catch (error) {
    return { text: String(error), line };
  }
  return { text: "", line };
}

describe("hosts that are servers", () => {
  it("keep their names, and every port is published under its own number", () => {
    using folder = serversTopology();
    const { topology } = loadTopologyFolder(folder.dir);
    expect(topology.hosts).toEqual(["host-1", "host-2"]);
    expect(topology.servers).toEqual({
      "host-1": {
        engine: "tcp://server-1.example:2375",
        address: "203.0.113.1",
        bind: "203.0.113.1",
      },
      "host-2": {
        engine: "ssh://lab@server-2.example",
        address: "203.0.113.2",
        bind: "10.0.0.2",
      },
    });
    for (const { nodes } of [topology, publishPorts(topology, 2, "docker")]) {
      for (const { ports } of nodes) {
        for (const { inner, published } of ports) expect(published).toBe(inner);
      }
    }
  });

  it("are all servers or none", () => {
    const { text, line } = refusal(SERVER_ENTRIES[0], "host-2");
    expect(text).toContain(`topology.yaml:${line(1)}: host-2 names no engine, but another host`);
  });

  it.each([
    ["engine", SERVER_ENTRIES[1].replace(/engine: \S+/, "engine: tcp://server-1.example:2375,")],
    ["address", SERVER_ENTRIES[1].replace("203.0.113.2", "203.0.113.1")],
  ])("differ in their %s", (key, second) => {
    const { text, line } = refusal(SERVER_ENTRIES[0], second);
    expect(text).toContain(`topology.yaml:${line(1)}: ${key} `);
    expect(text).toContain("belongs to host-1 already");
  });

  it.each([
    [SERVER_ENTRIES[0].replace("tcp://server-1.example:2375", "http://server"), "unix:///PATH"],
    [SERVER_ENTRIES[0].replace("203.0.113.1", "server-1.example"), "an IPv4 address"],
    [SERVER_ENTRIES[0].replace(", address: 203.0.113.1", ""), "hosts[0].address is missing"],
    [SERVER_ENTRIES[0].replace("engine:", "engin:"), 'unknown key "engin"; did you mean engine?'],
    ["host-3", 'hosts[0] is "host-3"; allowed are host-1, host-2'],
  ])("%s is refused with its line", (first, said) => {
    const { text, line } = refusal(first, SERVER_ENTRIES[1]);
    expect(text).toContain(`topology.yaml:${line(0)}: `);
    expect(text).toContain(said);
  });
});
