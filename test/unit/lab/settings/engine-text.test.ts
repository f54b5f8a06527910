import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  engineName,
  engineTitle,
  mergeEngines,
  withEngines,
} from "../../../../lab/settings/engine-text.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";

const JARS = ["broker", "namesrv", "store", "remoting"].map((part) => `rocketmq-${part}-4.9.7.jar`);

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "lab-engine-"));
  mkdirSync(join(cwd, "mq", "lib"), { recursive: true });
  for (const jar of JARS) writeFileSync(join(cwd, "mq", "lib", jar), "");
});

afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const preset = loadTopology("2m-2s-sync", "/").topology;

function engines(...texts: string[]): Record<string, string> {
  const { nodes } = withEngines(preset, mergeEngines([], texts, cwd));
  return Object.fromEntries(
    nodes.filter(({ engine }) => engine !== undefined).map((n) => [n.name, engineName(n.engine)]),
  );
}

describe("--engine", () => {
  it.each([
    ["broker-b=apache:mq:4", ["broker-b-master", "broker-b-slave"]],
    ["@broker-b=apache:mq:4", ["broker-b-master", "broker-b-slave"]],
    ["@slaves=apache:mq:4", ["broker-a-slave", "broker-b-slave"]],
    ["host-1=apache:mq:4", ["namesrv-1", "broker-a-master", "broker-b-slave"]],
    ["namesrv-2=apache:mq:4", ["namesrv-2"]],
  ])("%s is for %j", (text, names) => {
    expect(Object.keys(engines(text)).toSorted()).toEqual(names.toSorted());
  });

  it("without a node it is for all but the dashboard, and replaces what was said before", () => {
    const all = engines("namesrv-1=apache:a", "apache:mq:4");
    expect(Object.values(all)).toEqual(Array(6).fill("apache:mq:4"));
    expect(engines("apache:mq:4", "ts")).toEqual({});
    expect(mergeEngines(["@all=apache:a"], ["ts"], cwd)).toEqual([]);
  });

  it("the later one wins, and ts takes one back", () => {
    expect(engines("apache:a", "broker-a-master=ts", "@slaves=apache:b")).toMatchObject({
      "broker-a-slave": "apache:b",
      "broker-b-master": "apache:a",
    });
    expect(engines("apache:a", "broker-a-master=ts")["broker-a-master"]).toBeUndefined();
  });

  it("a distribution is remembered by its full path and told by its version", () => {
    const [text = ""] = mergeEngines([], ["broker-b=apache-dist:mq"], cwd);
    expect(text).toBe(`broker-b=apache-dist:${join(cwd, "mq")}`);
    const engine = { kind: "apache-dist", from: join(cwd, "mq") } as const;
    expect(engineTitle(engine)).toBe("Apache 4.9.7");
    expect(engineTitle({ kind: "apache", from: "mq:4" })).toBe("Apache (mq:4)");
  });

  it("gives a Java virtual machine the room it needs around its heap", () => {
    const { nodes } = withEngines(preset, ["namesrv-1=apache:a"]);
    expect(nodes.find(({ name }) => name === "namesrv-1")?.resources).toMatchObject({
      heapMiB: 64,
      memoryMiB: 256,
    });
  });

  it.each([
    ["java", /none of ts, apache-dist:DIR, apache:IMAGE/],
    ["broker-b=apache:", /none of ts/],
    ["broker-c=apache:a", /no node or group "broker-c"/],
    ["dashboard=apache:a", /dashboard is always the lab's own/],
    ["apache-dist:nowhere", /no rocketmq-broker\.jar/],
  ])("%s is refused: %s", (text, reason) => {
    expect(() => engines(text)).toThrow(reason);
  });
});
