/** The admin client against the real name server and brokers. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClientFixture, sendNumbered } from "../client/client-fixture.ts";
import { until } from "../engine-fixture.ts";

describe("admin client", () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await ClientFixture.start();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  it("sees the cluster as each name server does, and each broker's figures and settings", async () => {
    const second = await fixture.engine.startNamesrv();
    const a = await fixture.engine.startBroker();
    const b = await fixture.engine.startBroker({ brokerName: "broker-b" });
    const admin = fixture.admin();
    for (const namesrvAddr of fixture.engine.namesrvAddr.split(";")) {
      const info = await admin.clusterInfo(namesrvAddr);
      expect(info.namesrvAddr).toBe(namesrvAddr);
      expect(info.clusters.get("DefaultCluster")?.toSorted()).toEqual(["broker-a", "broker-b"]);
      expect(info.brokers.flatMap((broker) => [...broker.brokerAddrs.values()]).toSorted()).toEqual(
        [a.brokerAddr, b.brokerAddr].toSorted(),
      );
    }
    expect(await admin.topics(second)).toContain("TBW102");
    expect((await admin.runtimeInfo(a.brokerAddr)).get("brokerVersionDesc")).toBe("V4_9_0");
    const config = await admin.brokerConfig(b.brokerAddr);
    expect([config.get("brokerName"), config.get("brokerRole")]).toEqual([
      "broker-b",
      "ASYNC_MASTER",
    ]);
  });

  it("creates a topic on every master and deletes it everywhere", async () => {
    const a = await fixture.engine.startBroker();
    await fixture.engine.startBroker({ brokerName: "broker-b" });
    const admin = fixture.admin();
    const namesrvAddr = fixture.engine.namesrvAddr;
    const spec = { topic: "Made", readQueueNums: 3, writeQueueNums: 2 };
    await fixture.createTopic(spec, { cluster: "DefaultCluster" }, 2);
    const route = await admin.route(namesrvAddr, "Made");
    expect(route?.queues).toEqual(
      ["broker-a", "broker-b"].map((brokerName) => ({
        brokerName,
        readQueueNums: 3,
        writeQueueNums: 2,
        perm: 6,
        topicSysFlag: 0,
      })),
    );
    await admin.deleteTopic("Made", "DefaultCluster");
    await until(
      "it is routed no more",
      async () => (await admin.route(namesrvAddr, "Made")) === null,
    );
    await expect(admin.topicStats(a.brokerAddr, "Made")).rejects.toMatchObject({
      code: "ADMIN_REQUEST_FAILED",
    });
  });

  it("reports every refusal, with the peer's code and words", async () => {
    await fixture.engine.startBroker();
    const admin = fixture.admin();
    const spec = { topic: "TBW102", readQueueNums: 1, writeQueueNums: 1 };
    await expect(admin.createTopic(spec, { cluster: "DefaultCluster" })).rejects.toThrow(
      /refused UPDATE_AND_CREATE_TOPIC with code 1 .*conflict with system topic/,
    );
    await expect(admin.createTopic(spec, { cluster: "Nope" })).rejects.toThrow(
      "knows no cluster Nope",
    );
  });

  it("counts messages and progress, and finds messages by offset id, key, unique id and time", async () => {
    const { brokerAddr } = await fixture.engine.startBroker();
    const producer = await fixture.producer();
    await sendNumbered(producer, "Found", { count: 10 });
    const sent = await producer.send({
      topic: "Found",
      body: Buffer.from("me"),
      keys: ["k1", "k2"],
    });
    const admin = fixture.admin();
    const stats = await admin.topicStats(brokerAddr, "Found");
    expect(stats.reduce((sum, queue) => sum + queue.maxOffset - queue.minOffset, 0)).toBe(11);

    const viewed = await admin.viewMessage(sent.offsetMsgId);
    expect([viewed?.msgId, viewed?.body.toString()]).toEqual([sent.msgId, "me"]);
    await until("the index has it", async () => {
      const found = await admin.queryMessages({ topic: "Found", key: "k2" }).catch(() => []);
      return found.length === 1;
    });
    for (const key of ["k1", sent.msgId]) {
      const found = await admin.queryMessages({ topic: "Found", key });
      expect(found.map((message) => message.msgId)).toEqual([sent.msgId]);
    }
    const { storeTimestamp } = viewed ?? { storeTimestamp: 0 };
    // The index counts in whole seconds from its first entry.
    const within = {
      beginTimestampMs: storeTimestamp - 1_000,
      endTimestampMs: storeTimestamp + 60_000,
    };
    const later = { beginTimestampMs: storeTimestamp + 3_600_000 };
    const byTime = async (times: object): Promise<number> =>
      (await admin.queryMessages({ topic: "Found", key: "k1", ...times })).length;
    expect([await byTime(within), await byTime(later)]).toEqual([1, 0]);
    expect(await admin.queryMessages({ topic: "Found", key: "unknown" })).toEqual([]);
    expect(await admin.viewMessage(sent.offsetMsgId.replace(/.{8}$/, "0FFFFFFF"))).toBeNull();
  });

  it("lists who is connected, and which groups read a topic", async () => {
    const { brokerAddr } = await fixture.engine.startBroker();
    const producer = await fixture.producer();
    await sendNumbered(producer, "Seen", { count: 4 });
    const { got, consumer } = await fixture.consumer({ topic: "Seen" });
    await until("it consumes", () => got.length === 4);
    const admin = fixture.admin();
    const [member, ...others] = await admin.consumerConnections(brokerAddr, "CG");
    expect(others).toEqual([]);
    expect(member).toMatchObject({ language: "JAVA", version: 393 });
    expect(member?.clientAddr).toMatch(/^127\.0\.0\.1:\d+$/);
    await until("the producer is known", async () => {
      return (await admin.producerConnections(brokerAddr, "PG")).length === 1;
    });
    expect(await admin.groupsOfTopic(brokerAddr, "Seen")).toEqual(["CG"]);
    await consumer.close();
    expect(await admin.consumerConnections(brokerAddr, "CG")).toEqual([]);
    expect(await admin.producerConnections(brokerAddr, "unknown")).toEqual([]);
  });

  it("resets a group that is online: it consumes again from there", async () => {
    await fixture.engine.startBroker();
    const producer = await fixture.producer();
    const sent = await sendNumbered(producer, "Again", { count: 40 });
    const one = await fixture.consumer({ topic: "Again" });
    await until("all are consumed", () => one.got.length === 40);
    const admin = fixture.admin();
    // Progress reaches the broker with the next pull or commit; without it the broker knows no such group.
    await until("progress is stored", async () => {
      const table = await admin.resetOffset("Again", "CG", 0, true).catch(() => null);
      return (
        table !== null && table.size === 4 && [...table.values()].every((offset) => offset === 0)
      );
    });
    await until("all came again", () => one.got.length >= 80);
    expect([...new Set(one.bodies())]).toEqual(sent);
  });

  it("resets a group that is offline: its next member goes on from there", async () => {
    const { brokerAddr } = await fixture.engine.startBroker();
    const producer = await fixture.producer();
    await sendNumbered(producer, "Skip", { count: 40 });
    const one = await fixture.consumer({ topic: "Skip" });
    await until("all are consumed", () => one.got.length === 40);
    await one[Symbol.asyncDispose]();
    const admin = fixture.admin();
    await admin.resetOffset("Skip", "CG", 0, true);
    const rewound = await admin.consumeStats(brokerAddr, "CG", "Skip");
    expect(rewound.map((queue) => queue.consumerOffset)).toEqual([0, 0, 0, 0]);
    await admin.resetOffset("Skip", "CG", -1, false);
    const kept = await admin.consumeStats(brokerAddr, "CG", "Skip");
    expect(kept.map((queue) => queue.consumerOffset)).toEqual([0, 0, 0, 0]);
    await admin.resetOffset("Skip", "CG", -1, true);
    const forward = await admin.consumeStats(brokerAddr, "CG", "Skip");
    expect(forward.every((queue) => queue.consumerOffset === queue.brokerOffset)).toBe(true);
  });
});
