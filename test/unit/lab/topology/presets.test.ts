import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parseProperties } from "../../../../engine/base/properties-file.ts";
import { loadTopology, listPresets, presetNames } from "../../../../lab/topology/presets.ts";

const folders: string[] = [];

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lab-presets-"));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function propertiesOf(preset: string, file: string): ReadonlyMap<string, string> {
  const path = join("conf", preset, file);
  const entries = parseProperties(readFileSync(path, "utf8"), path);
  return new Map(entries.map((entry) => [entry.key, entry.value]));
}

describe("presets", () => {
  it("lists them from the simplest to the safest", () => {
    expect(presetNames()).toEqual(["1m", "2m-noslave", "2m-2s-async", "2m-2s-sync"]);
    expect(
      listPresets().map((preset) => [preset.name, preset.hosts.length, preset.nodes.length]),
    ).toEqual([
      ["1m", 1, 3],
      ["2m-noslave", 2, 5],
      ["2m-2s-async", 2, 7],
      ["2m-2s-sync", 2, 7],
    ]);
  });

  it("load without a warning", () => {
    for (const name of presetNames()) expect(loadTopology(name, "/").warnings).toEqual([]);
  });

  it("2m-2s-sync puts the two copies of a message on different hosts and flushes on the masters", () => {
    const { topology } = loadTopology("2m-2s-sync", "/");
    const brokers = topology.nodes.flatMap((node) =>
      node.broker === undefined
        ? []
        : [[node.name, node.host, node.broker.brokerRole, node.broker.flushDiskType]],
    );
    expect(brokers).toEqual([
      ["broker-a-master", "host-1", "SYNC_MASTER", "SYNC_FLUSH"],
      ["broker-a-slave", "host-2", "SLAVE", "ASYNC_FLUSH"],
      ["broker-b-master", "host-2", "SYNC_MASTER", "SYNC_FLUSH"],
      ["broker-b-slave", "host-1", "SLAVE", "ASYNC_FLUSH"],
    ]);
  });

  it("every broker file has the seven lines of RocketMQ's distribution and both store paths (admin-protocol D.3, D.7)", () => {
    const needed = [
      "brokerClusterName",
      "brokerName",
      "brokerId",
      "deleteWhen",
      "fileReservedTime",
      "brokerRole",
      "flushDiskType",
      "namesrvAddr",
      "listenPort",
      "storePathRootDir",
      "storePathCommitLog",
      "mappedFileSizeCommitLog",
    ];
    for (const preset of presetNames()) {
      const files = readdirSync(join("conf", preset)).filter((file) => file.startsWith("broker"));
      expect(files.length).toBeGreaterThan(0);
      for (const file of files) {
        expect([...propertiesOf(preset, file).keys()]).toEqual(expect.arrayContaining(needed));
      }
    }
  });

  it("every key has a comment line above it that names its default, and no value carries one", () => {
    for (const preset of presetNames()) {
      for (const file of readdirSync(join("conf", preset)).filter((name) =>
        name.endsWith(".properties"),
      )) {
        const text = readFileSync(join("conf", preset, file), "utf8");
        for (const paragraph of text.split("\n\n").filter((part) => /^[^#\n]+=/m.test(part))) {
          expect(paragraph, `${preset}/${file}`).toMatch(/^#[\s\S]*[Dd]efault/);
        }
        for (const value of propertiesOf(preset, file).values()) expect(value).not.toMatch(/[#!]/);
      }
    }
  });

  it("promises follow from the settings", () => {
    const promises = (name: string): string => loadTopology(name, "/").topology.promises.join("\n");
    expect(promises("1m")).toContain("The broker down: the service is down");
    expect(promises("2m-noslave")).toContain("A master's disk lost: its messages are gone.");
    expect(promises("2m-2s-async")).toContain("the last milliseconds");
    expect(promises("2m-2s-sync")).toContain("nothing answered SEND_OK is lost");
    expect(promises("2m-2s-sync")).not.toContain("flush interval");
  });

  it("loads a folder by path and by its bare name", () => {
    const folder = temporaryFolder();
    cpSync("conf/2m-noslave", join(folder, "mine"), { recursive: true });
    expect(loadTopology("./mine", folder).topology.name).toBe("2m-noslave");
    expect(loadTopology("mine", folder).topology.dir).toBe(join(folder, "mine"));
    expect(loadTopology(join(folder, "mine"), "/").topology.nodes).toHaveLength(5);
  });

  it("names the nearest preset for a wrong name", () => {
    expect(() => loadTopology("2m-2s-snc", "/")).toThrowError(
      expect.objectContaining({
        code: "TOPOLOGY_NOT_FOUND",
        hint: expect.stringContaining("2m-2s-sync") as string,
      }),
    );
  });
});
