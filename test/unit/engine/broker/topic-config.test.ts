import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../../engine/base/logger.ts";
import { nodeVfs } from "../../../../engine/base/node-vfs.ts";
import type { Vfs } from "../../../../engine/base/vfs.ts";
import { parseProperties } from "../../../../engine/base/properties-file.ts";
import { loadBrokerConfig } from "../../../../engine/broker/broker-config.ts";
import { BrokerTopics } from "../../../../engine/broker/topic-config.ts";
import { internTopic } from "../../../../engine/message/topic-name.ts";

let root = "";
let registrations = 0;
let clock = 1_000;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lab-topics-"));
  registrations = 0;
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function open(properties = "", vfs: Vfs = nodeVfs): BrokerTopics {
  const text = `storePathRootDir=${root}\nbrokerName=broker-a\nbrokerClusterName=C1\n${properties}`;
  const { config } = loadBrokerConfig([{ name: "test", entries: parseProperties(text, "test") }], {
    home: root,
    hostName: "host",
    localAddress: "127.0.0.1",
    namesrvAddr: "",
    rocketmqHome: "",
    cpus: 2,
  });
  return new BrokerTopics({
    config,
    vfs,
    logger: silentLogger,
    now: () => (clock += 1),
    registerSoon: () => (registrations += 1),
  });
}

const shape = (topics: BrokerTopics, topic: string) => {
  const config = topics.find(topic);
  return config === undefined
    ? undefined
    : [config.readQueueNums, config.writeQueueNums, config.perm];
};

describe("BrokerTopics", () => {
  it("4.0: has the built-in topics and nothing else", () => {
    const topics = open();
    const table = Object.fromEntries(
      topics.all().map((topic) => [topic.name.text, [topic.writeQueueNums, topic.perm]]),
    );
    expect(table).toEqual({
      SELF_TEST_TOPIC: [1, 6],
      TBW102: [8, 7],
      BenchmarkTest: [1_024, 6],
      C1: [16, 7],
      "broker-a": [1, 7],
      OFFSET_MOVED_EVENT: [1, 6],
      SCHEDULE_TOPIC_XXXX: [18, 6],
      C1_REPLY_TOPIC: [1, 6],
    });
    expect(registrations).toBe(0);
  });

  it("a topic that cannot be written down does not come to be, and a change of one does not happen", () => {
    const full = { is: false };
    const noRoom = (): never => {
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    };
    const topics = open("", {
      ...nodeVfs,
      open: (path, mode) => (full.is && mode !== "read" ? noRoom() : nodeVfs.open(path, mode)),
    });
    const known = topics.createBySend("known", "TBW102", 4);
    if (known === undefined) throw new Error("not created");
    const { version } = topics;
    const asked = registrations;
    full.is = true;
    expect(() => topics.createBySend("fresh", "TBW102", 4)).toThrow(/ENOSPC/);
    expect(() => topics.put({ ...known, writeQueueNums: 9 })).toThrow(/ENOSPC/);
    expect(topics.find("fresh")).toBeUndefined();
    expect(topics.get(internTopic("fresh"))).toBeUndefined();
    expect(topics.get(known.name)).toBe(known);
    expect(topics.version).toEqual(version);
    expect(registrations).toBe(asked);
    full.is = false;
    expect(topics.createBySend("fresh", "TBW102", 4)?.writeQueueNums).toBe(4);
    expect(open().find("fresh")).toBeDefined();
  });

  it("4.0: settings decide about TBW102, the trace topic and the own topics", () => {
    const topics = open(
      "autoCreateTopicEnable=false\ntraceTopicEnable=true\nclusterTopicEnable=false\n",
    );
    expect(topics.find("TBW102")).toBeUndefined();
    expect(shape(topics, "RMQ_SYS_TRACE_TOPIC")).toEqual([1, 1, 6]);
    expect(shape(topics, "C1")).toEqual([16, 16, 1]);
  });

  it("4.1.5: a send creates a topic from TBW102, without INHERIT, registers and persists it", () => {
    const topics = open();
    topics.createBySend("Orders", "TBW102", 4);
    expect(shape(topics, "Orders")).toEqual([4, 4, 6]);
    expect(topics.get(internTopic("Orders"))).toBe(topics.find("Orders"));
    expect(registrations).toBe(1);
    expect(topics.version.counter).toBe(1);
    expect(shape(open(), "Orders")).toEqual([4, 4, 6]);
  });

  it("4.1.5: never more queues than the template, never less than one", () => {
    const topics = open("defaultTopicQueueNums=6\n");
    topics.createBySend("Many", "TBW102", 100);
    topics.createBySend("None", "TBW102", 0);
    topics.createBySend("OfCluster", "C1", 12);
    expect(shape(topics, "Many")).toEqual([6, 6, 6]);
    expect(shape(topics, "None")).toEqual([1, 1, 6]);
    expect(shape(topics, "OfCluster")).toEqual([12, 12, 6]);
  });

  it("R-04: creates nothing without a template that may be inherited, nor with automatic creation off", () => {
    const topics = open();
    expect(topics.createBySend("X", "SELF_TEST_TOPIC", 4)).toBeUndefined();
    expect(topics.createBySend("X", "Missing", 4)).toBeUndefined();
    expect(topics.createBySend("bad name", "TBW102", 4)).toBeUndefined();
    expect(open("autoCreateTopicEnable=false\n").createBySend("X", "TBW102", 4)).toBeUndefined();
    expect(topics.find("X")).toBeUndefined();
    expect(registrations).toBe(0);
  });

  it("retry topics are made once, with one queue", () => {
    const topics = open();
    const first = topics.ensure("%RETRY%G", 1, 6);
    expect(topics.ensure("%RETRY%G", 8, 2)).toBe(first);
    expect(registrations).toBe(1);
  });

  it("2.6: a topic made for a client in unit mode carries its flag", () => {
    const topics = open();
    expect(topics.createBySend("Unit", "TBW102", 4, 1)?.topicSysFlag).toBe(1);
    expect(topics.ensure("%RETRY%U", 1, 6, 2).topicSysFlag).toBe(2);
    expect(topics.createBySend("Plain", "TBW102", 4)?.topicSysFlag).toBe(0);
  });

  it("store-and-ha 1.5: reads the file Apache's broker writes and merges it over the built-in topics", () => {
    open().ensure("Seed", 1, 6);
    const file = join(root, "config", "topics.json");
    const table = `{
\t"dataVersion":{"counter":7,"timestamp":1795360385937},
\t"topicConfigTable":{
\t\t"TopicTest":{"order":false,"perm":6,"readQueueNums":4,"topicFilterType":"SINGLE_TAG","topicName":"TopicTest","topicSysFlag":0,"writeQueueNums":4},
\t\t"TBW102":{"perm":7,"readQueueNums":3,"topicName":"TBW102","writeQueueNums":3}
\t}
}`;
    for (const suffix of ["", ".sum", ".bak"]) rmSync(file + suffix, { force: true });
    writeFileSync(file, table);
    const read = open();
    expect(shape(read, "TopicTest")).toEqual([4, 4, 6]);
    expect(shape(read, "TBW102")).toEqual([3, 3, 7]);
    expect(shape(read, "BenchmarkTest")).toEqual([1_024, 1_024, 6]);
    expect(read.version.counter).toBe(8);
  });

  it("3.2: an unchanged table keeps its version over a restart", () => {
    const topics = open();
    topics.createBySend("Orders", "TBW102", 4);
    expect(open().version).toEqual(topics.version);
  });

  it("writes members in Java's order, so that 4.9 and tools read the same", () => {
    const topics = open();
    topics.createBySend("Orders", "TBW102", 4);
    const text = readFileSync(join(root, "config", "topics.json"), "utf8");
    expect(text).toContain(
      '"Orders":{"order":false,"perm":6,"readQueueNums":4,"topicFilterType":"SINGLE_TAG","topicName":"Orders","topicSysFlag":0,"writeQueueNums":4}',
    );
    expect(JSON.parse(text)).toHaveProperty("dataVersion.counter", 1);
  });

  it("S-06: refuses to start on a damaged file instead of starting empty", () => {
    open().createBySend("Orders", "TBW102", 4);
    const file = join(root, "config", "topics.json");
    for (const suffix of [".bak", ".tmp"]) rmSync(file + suffix, { force: true });
    writeFileSync(file, "{");
    expect(() => open()).toThrow(/damaged/);
  });

  it("7.9: a slave takes the master's table over, version included", () => {
    const master = open();
    master.createBySend("Orders", "TBW102", 4);
    const slave = open();
    slave.ensure("OnlyHere", 1, 6);
    slave.replaceAll(master.all(), master.version);
    expect(slave.find("OnlyHere")).toBeUndefined();
    expect(slave.get(internTopic("OnlyHere"))).toBeUndefined();
    expect(slave.version).toEqual(master.version);
    expect(slave.toJson()).toBe(master.toJson());
  });

  it("3.2: takes the order flag from the name servers, one change for the whole list", () => {
    const topics = open();
    topics.createBySend("A", "TBW102", 4);
    topics.createBySend("B", "TBW102", 4);
    const { counter } = topics.version;
    topics.setOrdered(new Set(["A", "B"]));
    topics.setOrdered(new Set(["A", "B"]));
    expect(topics.version.counter).toBe(counter + 1);
    topics.setOrdered(new Set(["B"]));
    expect([topics.find("A")?.order, topics.find("B")?.order]).toEqual([false, true]);
  });

  it("knows system topics", () => {
    const topics = open();
    for (const name of ["TBW102", "C1", "broker-a", "C1_REPLY_TOPIC", "rmq_sys_x"]) {
      expect(topics.isSystemTopic(name)).toBe(true);
    }
    expect(topics.isSystemTopic("Orders")).toBe(false);
    // 305 lists them before they exist.
    expect(topics.systemTopicNames).toContain("RMQ_SYS_TRANS_OP_HALF_TOPIC");
  });
});
