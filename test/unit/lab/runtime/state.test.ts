import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allot, refresh } from "../../../../lab/runtime/allot.ts";
import {
  checkLabName,
  labHome,
  labNames,
  readState,
  writeState,
  type LabState,
} from "../../../../lab/runtime/state.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";

const topology = loadTopology("2m-2s-sync", tmpdir()).topology;
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-state-"));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function makeLab(name: string, index?: number): LabState {
  const state = allot({ home, name, topology, runtime: "process", index });
  writeState(home, state);
  return state;
}

function published(state: LabState, node: string): number | null | undefined {
  return state.topology.nodes.find((entry) => entry.name === node)?.ports[0]?.published;
}

describe("state of a lab", () => {
  it("comes back from disk as it was written, and leaves no temporary file", () => {
    const state = makeLab("lab");
    expect(readState(home, "lab")).toEqual(state);
    expect(readdirSync(join(home, "lab"))).toEqual(["state.json"]);
    expect(labNames(home)).toEqual(["lab"]);
  });

  it("is null for a lab that does not exist", () => {
    expect(readState(home, "nobody")).toBeNull();
    expect(labNames(join(home, "nowhere"))).toEqual([]);
  });

  it.each([
    ["half a file", '{"schema": "lab.st', "damaged"],
    ["another schema", '{"schema":"lab.state/9"}', "schema"],
    ["a wrong field", JSON.stringify({ schema: "lab.state/1", name: 7 }), "name"],
  ])("names file and field when it is %s", (_case, text, part) => {
    mkdirSync(join(home, "lab"));
    writeFileSync(join(home, "lab", "state.json"), text);
    expect(() => readState(home, "lab")).toThrowError(
      expect.objectContaining({ code: "LAB_STATE_CORRUPT" }),
    );
    expect(() => readState(home, "lab")).toThrowError(join(home, "lab", "state.json"));
    expect(() => readState(home, "lab")).toThrowError(part);
  });
});

describe("allotment", () => {
  it("gives the first lab the documented ports and each further lab 1000 more", () => {
    expect(published(makeLab("first"), "broker-a-master")).toBe(10_911);
    const second = makeLab("second");
    expect(second.index).toBe(1);
    expect(published(second, "broker-a-master")).toBe(11_911);
    expect(published(second, "dashboard")).toBe(8_777);
  });

  it("never gives two labs the same port, for every block there is", () => {
    const ports = new Map<number, string>();
    for (let index = 0; index <= 20; index += 1) {
      const state = allot({ home, name: `lab-${index}`, topology, runtime: "process", index });
      for (const node of state.topology.nodes) {
        for (const port of node.ports) {
          const who = `${state.name} ${node.name} ${port.name}`;
          const holder = ports.get(port.published ?? -1) ?? "nobody";
          expect(`${holder} and ${who}`).toBe(`nobody and ${who}`);
          ports.set(port.published ?? -1, who);
        }
      }
    }
  });

  it("fills the gap a destroyed lab left", () => {
    makeLab("a");
    makeLab("b");
    makeLab("c");
    rmSync(join(home, "b"), { recursive: true });
    expect(makeLab("d").index).toBe(1);
  });

  it("refuses a block another lab holds, and names the lab", () => {
    makeLab("a", 3);
    expect(() => makeLab("b", 3)).toThrowError(expect.objectContaining({ code: "LAB_CONFLICT" }));
    expect(() => makeLab("b", 3)).toThrowError('"a"');
  });

  it("is not disturbed by another lab's damaged state", () => {
    mkdirSync(join(home, "broken"));
    writeFileSync(join(home, "broken", "state.json"), "{");
    expect(makeLab("a").index).toBe(0);
  });

  it("takes changed settings over but keeps the ports", () => {
    const state = makeLab("a", 2);
    const changed = refresh(state, { ...topology, description: "changed" });
    expect(changed.topology.description).toBe("changed");
    expect(published(changed, "namesrv-1")).toBe(11_876);
  });
});

describe("names and places", () => {
  it.each(["lab", "a", "my-lab-2", "2m-2s-sync"])("accepts %s as a lab's name", (name) => {
    expect(() => checkLabName(name)).not.toThrow();
  });

  it.each(["", "Lab", "../x", "-x", ".x", "a b", "a/b", "x".repeat(32)])(
    "refuses %j as a lab's name",
    (name) => {
      expect(() => checkLabName(name)).toThrowError(expect.objectContaining({ code: "CLI_USAGE" }));
    },
  );

  it("keeps labs in LAB_HOME, else below the current folder", () => {
    expect(labHome({ LAB_HOME: "/x/y" }, "/work")).toBe("/x/y");
    expect(labHome({ LAB_HOME: "rel" }, "/work")).toBe("/work/rel");
    expect(labHome({ LAB_HOME: "" }, "/work")).toBe("/work/.lab");
  });
});
