/** `lab admin` on Apache's 4.9.0 name server and broker, and `lab mqadmin` with Apache's jars on a lab of ours. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../helpers/cleanup.ts";
import { freeBrokerPort } from "../helpers/engine-process.ts";
import { schemaProblems } from "../helpers/json-schema.ts";
import { LabHome } from "../helpers/lab-home.ts";
import { machineHas } from "../helpers/requirements.ts";
import { runCli } from "../unit/lab/cli/run-cli.ts";
import { apacheJars, startApacheBroker, startApacheNamesrv, startJava } from "./apache.ts";
import { deliveries } from "./json-events.ts";

const VERSION = "4.9.0";
const WAIT_MS = 60_000;

describe.runIf(machineHas("java", "maven"))("lab admin on Apache's cluster", () => {
  const cleanup = new Cleanup();
  let home = "";
  let namesrv = "";

  const admin = (...words: readonly string[]) => runCli(["admin", ...words, "--namesrv", namesrv]);
  const json = async <Document>(...words: readonly string[]): Promise<Document> => {
    const run = await admin(...words, "--json");
    expect(run).toMatchObject({ code: 0 });
    expect(schemaProblems(run.stdout)).toBe("");
    return JSON.parse(run.stdout) as Document;
  };

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "lab-apache-admin-"));
    cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
    const port = await freeBrokerPort();
    namesrv = `127.0.0.1:${port}`;
    const namesrvOptions = { version: VERSION, properties: { listenPort: port } } as const;
    cleanup.use(await startApacheNamesrv({ ...namesrvOptions, home: join(home, "namesrv") }));
    const properties = {
      brokerClusterName: "DefaultCluster",
      brokerName: "broker-a",
      brokerId: 0,
      listenPort: await freeBrokerPort(),
      namesrvAddr: namesrv,
      mappedFileSizeCommitLog: 16_777_216,
    };
    const broker = { version: VERSION, home: join(home, "broker"), properties } as const;
    cleanup.use(await startApacheBroker(broker));
  });
  afterAll(() => cleanup[Symbol.asyncDispose]());

  it("topics and messages", async () => {
    await json("topics", "create", "Orders", "--queues", "2");
    const body = ["--body", "hello", "--key", "k1", "--tag", "T"];
    const send = ["messages", "send", "--topic", "Orders", "--count", "4", ...body];
    const { sent } = await json<{ sent: readonly { msgId: string; offsetMsgId: string }[] }>(
      ...send,
    );
    expect(await json("topics", "show", "Orders")).toMatchObject({ messages: 4 });
    const found = ["messages", "find", "--topic", "Orders", "--key", "k1"];
    await expect
      .poll(async () => (await json<{ messages: readonly unknown[] }>(...found)).messages.length, {
        timeout: WAIT_MS,
      })
      .toBe(4);
    const [first] = sent;
    const shown = await json("messages", "show", first?.msgId ?? "", "--topic", "Orders");
    expect(shown).toMatchObject({ message: { body: "hello", tag: "T", keys: ["k1"] } });
    expect(await json("messages", "show", first?.offsetMsgId ?? "")).toEqual(shown);
    const last = ["messages", "tail", "--topic", "Orders", "--count", "3"];
    const tail = await json<{ messages: readonly unknown[] }>(...last);
    expect(tail.messages).toHaveLength(3);
  });

  it("groups and offsets, of Apache's consumer", async () => {
    {
      const args = [`namesrv=${namesrv}`, "topic=Orders", "group=readers"];
      await using consumer = await startJava("LabConsumer", { version: VERSION, home }, args);
      await consumer.waitUntil((lines) => deliveries(lines).length >= 4, WAIT_MS);
      await expect
        .poll(async () => json("groups", "show", "readers"), { timeout: WAIT_MS })
        .toMatchObject({
          topics: expect.arrayContaining([{ topic: "Orders", queues: 2, lag: 0 }]) as unknown,
        });
      expect(await json("groups", "show", "readers")).toMatchObject({
        members: [{ language: "JAVA" }],
      });
    }
    const lag = async (): Promise<number> =>
      (await json<{ lag: number }>("offsets", "--group", "readers", "--topic", "Orders")).lag;
    const reset = ["groups", "reset", "readers", "--topic", "Orders", "--to"];
    await expect
      .poll(async () => (await admin(...reset, "earliest")).code === 0 && (await lag()) === 4, {
        timeout: WAIT_MS,
        interval: 500,
      })
      .toBe(true);
    await json(...reset, "latest");
    expect(await lag()).toBe(0);
    const at = ["--group", "readers", "--topic", "Orders", "--broker", "broker-a", "--queue", "0"];
    await json("offsets", "set", ...at, "--offset", "1");
    expect(await lag()).toBe(1);
    await json("groups", "delete", "readers", "--yes");
    expect(await admin("groups", "show", "readers")).toMatchObject({ code: 6 });
  });

  it("brokers: figures, settings, and a change that is read back", async () => {
    expect(await json("brokers")).toMatchObject({
      brokers: [{ broker: "broker-a", role: "master", answers: true, version: "V4_9_0" }],
    });
    expect(await json("brokers", "set", "broker-a", "fileReservedTime=7")).toMatchObject({
      changes: [{ key: "fileReservedTime", before: "72", after: "7", took: true }],
    });
    const line = ["brokers", "config", "broker-a", "fileReservedTime"];
    expect((await admin(...line)).stdout).toBe("fileReservedTime=7\n");
    // What 4.9 cannot read as a number it ignores and answers yes.
    const wrong = await admin("brokers", "set", "broker-a", "deleteWhen=4", "fileReservedTime=x");
    expect(wrong.stdout).toContain("the broker said yes and kept");
    expect(wrong.code).toBe(5);
  });

  it("a topic is deleted everywhere, with --yes", async () => {
    expect(await admin("topics", "delete", "Orders")).toMatchObject({ code: 2 });
    await json("topics", "delete", "Orders", "--yes");
    expect(await admin("topics", "show", "Orders")).toMatchObject({ code: 6 });
  });
});

describe.runIf(machineHas("java", "maven"))("lab mqadmin with Apache's jars", () => {
  let lab: LabHome;

  beforeAll(async () => {
    lab = await LabHome.create();
    const up = await lab.run("up", "1m", "--runtime", "process", "--size", "tiny");
    if (up.code !== 0) throw new Error(up.stderr);
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  it("runs the original on this lab: its output, its log in the lab's folder", async () => {
    const dist = await apacheJars(VERSION);
    const list = await lab.run("mqadmin", "--dist", dist, "--", "clusterList");
    expect(list.stdout).toMatch(/DefaultCluster\s+broker-a\s+0\s+127\.0\.0\.1:\d+\s+V4_9_0/);
    expect(list.code).toBe(0);
    lab.extraEnvironment = { ROCKETMQ_HOME: dist };
    const json = await lab.run("mqadmin", "--json", "--", "topicList");
    expect(schemaProblems(json.stdout)).toBe("");
    expect(JSON.parse(json.stdout)).toMatchObject({ dist, exitCode: 0 });
    expect(json.stderr).toContain("SELF_TEST_TOPIC");
    lab.extraEnvironment = { JAVA_HOME: "/nowhere" };
    const noJava = await lab.run("mqadmin", "--dist", dist, "--", "topicList");
    expect(noJava.code).toBe(127);
    expect(noJava.stderr).toContain("/nowhere/bin/java");
  });
});
