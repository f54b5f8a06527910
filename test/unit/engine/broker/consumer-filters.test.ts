/** The life of registered SQL92 filters (RocketMQ's ConsumerFilterManager; store-and-ha 1.5). */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLogger } from "../../../../engine/base/logger.ts";
import { nodeVfs } from "../../../../engine/base/node-vfs.ts";
import { writeStateFile } from "../../../../engine/base/state-file.ts";
import { readFilterFile } from "../../../../engine/broker/consumer-filter-file.ts";
import { BrokerFilters } from "../../../../engine/broker/consumer-filters.ts";
import type { BrokerConfig } from "../../../../engine/broker/broker-config.ts";

const DAY_MS = 86_400_000;

let root = "";
let clock = 1_795_360_482_970;
let lines: string[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lab-filters-"));
  clock = 1_795_360_482_970;
  lines = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const path = (): string => join(root, "config", "consumerFilter.json");

function open(changes: Partial<BrokerConfig> = {}): BrokerFilters {
  const config = {
    storePathRootDir: root,
    maxErrorRateOfBloomFilter: 20,
    expectConsumerNumUseFilter: 32,
    filterDataCleanTimeSpan: DAY_MS,
    ...changes,
  } as BrokerConfig;
  const logger = createLogger("test", "info", (line) => void lines.push(line));
  return new BrokerFilters({ config, vfs: nodeVfs, logger, now: () => clock });
}

function wants(topic: string, expression: string, version = 1, type = "SQL92") {
  return {
    topic,
    subString: expression,
    tagsSet: [],
    codeSet: [],
    subVersion: version,
    expressionType: type,
    classFilterMode: false,
  };
}

function kept(filters: BrokerFilters) {
  filters.persist();
  return readFilterFile(readFileSync(path(), "utf8"));
}

describe("registered filters", () => {
  it("are written as 4.9 writes them (store-and-ha 1.5)", () => {
    const filters = open();
    filters.register("CG", [wants("TopicTest", "TAGS is not null", 1_795_360_483_197)]);
    filters.persist();
    expect(readFileSync(path(), "utf8")).toBe(
      '{"filterDataByTopic":{"TopicTest":{"groupFilterData":{"CG":{' +
        '"bloomFilterData":{"bitNum":112,"bitPos":[109,15,3]},"bornTime":1795360482970,"clientVersion":1795360483197,' +
        '"consumerGroup":"CG","dead":false,"deadTime":0,"expression":"TAGS is not null","expressionType":"SQL92",' +
        '"topic":"TopicTest"}},"topic":"TopicTest"}}}',
    );
  });

  it("change with a higher version only", () => {
    const filters = open();
    filters.register("CG", [wants("T", "a = 1", 10)]);
    const first = filters.find("T", "CG")?.filter;
    filters.register("CG", [wants("T", "a = 2", 9)]);
    filters.register("CG", [wants("T", "a = 2", 10)]);
    expect(filters.find("T", "CG")).toMatchObject({ clientVersion: 10, filter: first });
    clock += 5;
    filters.register("CG", [wants("T", "a = 1", 11)]);
    expect(filters.find("T", "CG")).toMatchObject({ clientVersion: 11, filter: first });
    filters.register("CG", [wants("T", "a = 2", 12)]);
    expect(filters.find("T", "CG")?.filter).not.toBe(first);
    expect(kept(filters)).toMatchObject([
      { expression: "a = 2", clientVersion: 12, bornTime: clock },
    ]);
  });

  it("go when a newer text does not compile, and tags make none", () => {
    const filters = open();
    filters.register("CG", [wants("T", "a = 1", 1), wants("Tags", "TagA", 1, "TAG")]);
    expect(filters.find("Tags", "CG")).toBeUndefined();
    filters.register("CG", [wants("T", "a =", 2)]);
    expect(filters.find("T", "CG")).toBeUndefined();
    expect(lines.some((line) => line.includes("refused") && line.includes("found its end"))).toBe(
      true,
    );
    filters.register("CG", [wants("T", "a", 3, "XPATH")]);
    expect(filters.find("T", "CG")).toBeUndefined();
  });

  it("die with their group or subscription, come alive again, and go a day later", () => {
    const filters = open();
    filters.register("CG", [wants("T1", "a = 1"), wants("T2", "a = 1")]);
    filters.register("Other", [wants("T1", "a = 1")]);
    clock += 1_000;
    filters.register("CG", [wants("T1", "a = 1")]);
    expect(kept(filters).filter((data) => data.deadTime === clock)).toMatchObject([
      { topic: "T2", consumerGroup: "CG" },
    ]);
    filters.unregister("CG");
    filters.register("CG", [wants("T1", "a = 1")]);
    clock += DAY_MS - 1;
    expect(kept(filters)).toHaveLength(3);
    clock += 1;
    expect(kept(filters).map((data) => `${data.topic} ${data.consumerGroup}`)).toEqual([
      "T1 CG",
      "T1 Other",
    ]);
  });

  it("are dead after a start, since 30 s ago or since they were born", () => {
    const filters = open();
    filters.register("Old", [wants("T", "a = 1")]);
    clock += 60_000;
    filters.register("Young", [wants("T", "a = 1")]);
    const youngBorn = clock;
    filters.persist();
    clock += 10_000;
    expect(kept(open()).map((data) => data.deadTime)).toEqual([clock - 30_000, youngBorn]);
  });

  it("start anew when the bloom filter's settings changed", () => {
    const filters = open();
    filters.register("CG", [wants("T", "a = 1")]);
    filters.persist();
    expect(open().find("T", "CG")).toBeDefined();
    expect(open({ expectConsumerNumUseFilter: 64 }).find("T", "CG")).toBeUndefined();
    expect(lines.some((line) => line.includes("bloom filter"))).toBe(true);
  });

  it("are left out when the file has one that does not compile", () => {
    const filters = open();
    filters.register("CG", [wants("T", "a = 1"), wants("U", "b = 1")]);
    filters.persist();
    const text = readFileSync(path(), "utf8").replace("a = 1", "a >< 1");
    writeStateFile(nodeVfs, path(), text);
    const again = open();
    expect(again.find("T", "CG")).toBeUndefined();
    expect(again.find("U", "CG")).toBeDefined();
  });

  it("say which part of a filter does not count, and are never more than 10,000", () => {
    const filters = open();
    filters.register("CG", [wants("T", "a = 1 b = 2")]);
    expect(lines.filter((line) => line.includes("does not count"))).toHaveLength(1);
    for (let n = 0; n < 6; n += 1)
      filters.register(
        `G${n}`,
        Array.from({ length: 2_000 }, (_, i) => wants(`T${i}`, "a = 1")),
      );
    expect(kept(filters)).toHaveLength(10_000);
    expect(lines.filter((line) => line.includes("too many filters"))).toHaveLength(1);
  });
});
