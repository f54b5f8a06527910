/** Apache's own command-line tools 4.9.0 against our cluster: the commands an operator types first. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../helpers/cleanup.ts";
import { startBrokerProcess, startNamesrvProcess } from "../helpers/engine-process.ts";
import { machineHas } from "../helpers/requirements.ts";
import { mqadmin, startJava } from "./apache.ts";
import { deliveries, keysOf } from "./json-events.ts";

const WAIT_MS = 60_000;

describe.runIf(machineHas("java", "maven"))("mqadmin 4.9.0 on our cluster", () => {
  const cluster = new Cleanup();
  let home = "";
  let namesrv = "";
  let broker = "";

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "lab-mqadmin-"));
    cluster.defer(() => rmSync(home, { recursive: true, force: true }));
    namesrv = cluster.use(await startNamesrvProcess(join(home, "namesrv"))).address;
    const started = await startBrokerProcess(join(home, "broker-a"), {
      brokerName: "broker-a",
      namesrvAddr: namesrv,
    });
    broker = cluster.use(started).address;
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const admin = async (...args: readonly string[]): Promise<string> => {
    const { output } = await mqadmin({ version: "4.9.0", home: join(home, "tools") }, [
      ...args,
      "-n",
      namesrv,
    ]);
    return output;
  };

  it("clusterList shows the broker, its version and rates", async () => {
    const output = await admin("clusterList");
    expect(output).toMatch(/DefaultCluster\s+broker-a\s+0\s+127\.0\.0\.1:\d+\s+V4_9_0/);
  });

  it("updateTopic creates a topic that topicRoute and topicStatus then show", async () => {
    const created = await admin(
      "updateTopic",
      "-c",
      "DefaultCluster",
      "-t",
      "AdminTopic",
      "-r",
      "6",
      "-w",
      "6",
    );
    expect(created).toContain("create topic to");
    expect(await admin("topicRoute", "-t", "AdminTopic")).toMatch(/"readQueueNums":6/);
    const status = await admin("topicStatus", "-t", "AdminTopic");
    expect(status.split("\n").filter((line) => line.startsWith("broker-a")).length).toBe(6);
  });

  it("topicList, topicClusterList and brokerStatus answer", async () => {
    expect(await admin("topicList")).toContain("SELF_TEST_TOPIC");
    const status = await admin("brokerStatus", "-b", broker);
    for (const key of ["brokerVersionDesc", "putTps", "commitLogMaxOffset", "bootTimestamp"])
      expect(status).toContain(key);
  });

  it("consumerProgress shows a group's progress and lag after consumption", async () => {
    const start = (program: "LabProducer" | "LabConsumer", args: readonly string[]) =>
      startJava(program, { version: "4.9.0", home }, [
        `namesrv=${namesrv}`,
        "topic=ProgressTopic",
        ...args,
      ]);
    await using producer = await start("LabProducer", ["count=32"]);
    await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
    {
      await using consumer = await start("LabConsumer", ["group=CG_progress"]);
      await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= 32, WAIT_MS);
      consumer.closeInput();
      await consumer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
    }
    const output = await admin("consumerProgress", "-g", "CG_progress");
    expect(output).toMatch(/ProgressTopic/);
    expect(output).toMatch(/Diff Total: 0/);
  });

  it("deleteTopic removes it everywhere", async () => {
    await admin("updateTopic", "-c", "DefaultCluster", "-t", "DoomedTopic");
    expect(await admin("deleteTopic", "-c", "DefaultCluster", "-t", "DoomedTopic")).toContain(
      "success",
    );
    expect(await admin("topicList")).not.toContain("DoomedTopic");
  });
});
