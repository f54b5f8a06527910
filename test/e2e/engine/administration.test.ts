/** Requests of administrators to a running broker, on both of its ports (admin-protocol B.1, B.2, C; faults-and-security 6). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunningBroker } from "../../../engine/broker/broker.ts";
import type { BrokerPeer, RawAnswer, RawRequest } from "../../helpers/broker-peer.ts";
import { ClientFixture, sendNumbered } from "./client/client-fixture.ts";
import { until } from "./engine-fixture.ts";

const MESSAGES = 40;

/** Group CG has consumed all of topic T on one broker, and is online. */
class Scene implements AsyncDisposable {
  readonly fixture: ClientFixture;
  readonly broker: RunningBroker;
  readonly peer: BrokerPeer;
  readonly close: () => Promise<void>;

  private constructor(
    fixture: ClientFixture,
    broker: RunningBroker,
    peer: BrokerPeer,
    close: () => Promise<void>,
  ) {
    this.fixture = fixture;
    this.broker = broker;
    this.peer = peer;
    this.close = close;
  }

  static async start(): Promise<Scene> {
    const fixture = await ClientFixture.start();
    const broker = await fixture.engine.startBroker({ enablePropertyFilter: true });
    const admin = fixture.admin();
    const spec = { topic: "T", readQueueNums: 4, writeQueueNums: 4 };
    await fixture.createTopic(spec, { cluster: "DefaultCluster" });
    await sendNumbered(await fixture.producer(), "T", { count: MESSAGES });
    const { got, consumer } = await fixture.consumer({ topic: "T" });
    await until("all are consumed", () => got.length === MESSAGES);
    await until("progress is stored", async () => {
      const stats = await admin.consumeStats(broker.brokerAddr, "CG", "T");
      return stats.every((queue) => queue.consumerOffset === queue.brokerOffset);
    });
    const peer = await fixture.engine.peer(broker);
    return new Scene(fixture, broker, peer, () => consumer.close());
  }

  ask(code: number, ext: RawRequest["ext"] = {}, body?: string): Promise<RawAnswer> {
    const bytes = body === undefined ? {} : { body: Buffer.from(body) };
    return this.peer.ask({ code, ext, ...bytes });
  }

  /** Offsets of a group, by queue. */
  offsets(group: string): readonly number[] {
    return [0, 1, 2, 3].map((queueId) => this.broker.context.offsets.query(group, "T", queueId));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fixture[Symbol.asyncDispose]();
  }
}

describe("administration of a broker", () => {
  let scene: Scene;
  beforeEach(async () => {
    scene = await Scene.start();
  });
  afterEach(async () => scene[Symbol.asyncDispose]());

  it("208 tells every queue's offsets and the rate, and leaves out a topic nobody subscribes to any more", async () => {
    scene.broker.context.statsItems.sample(Date.now());
    const { code, body } = await scene.ask(208, { consumerGroup: "CG" });
    expect(code).toBe(0);
    expect(body.toString()).toMatch(/^\{"consumeTps":[1-9]\d*\.\d+,"offsetTable":\{\{"brokerName"/);
    expect(body.toString().match(/"topic":"T"/g)?.length).toBe(4);
    scene.broker.context.offsets.commit("CG", "SELF_TEST_TOPIC", 0, 1);
    const left = await scene.ask(208, { consumerGroup: "CG" });
    expect(left.body.toString()).not.toContain("SELF_TEST_TOPIC");
    await scene.close();
    const offline = await scene.ask(208, { consumerGroup: "CG" });
    expect(offline.body.toString()).toContain("SELF_TEST_TOPIC");
    const unknown = await scene.ask(208, { consumerGroup: "nobody" });
    expect([unknown.code, unknown.body.toString()]).toEqual([
      0,
      '{"consumeTps":0.0,"offsetTable":{}}',
    ]);
  });

  it("317 tells the same of every group, 'ordered only' of none here", async () => {
    const all = (await scene.ask(317, { isOrder: false })).body.toString();
    expect(all).toContain('{"SELF_TEST_C_GROUP":[]}');
    expect(all).toMatch(/\{"CG":\[\{"consumeTps":[\d.]+,"offsetTable":/);
    expect(all).toContain(`"brokerAddr":"${scene.broker.brokerAddr}"`);
    expect(all).toMatch(/"totalDiff":0\}$/);
    expect((await scene.ask(317, { isOrder: true })).body.toString()).toContain('{"CG":[]}');
    expect(await scene.ask(317)).toMatchObject({
      code: 1,
      remark: "the custom field <isOrder> is null",
    });
  });

  it("315 has counted what was sent and got, by topic and by group; an untouched item is code 1", async () => {
    scene.broker.context.statsItems.sample(Date.now());
    const admin = scene.fixture.admin();
    const at = scene.broker.brokerAddr;
    const put = await admin.brokerStatistic(at, { name: "TOPIC_PUT_NUMS", key: "T" });
    expect(put?.statsMinute).toMatchObject({ sum: MESSAGES, avgpt: 1 });
    const got = await admin.brokerStatistic(at, { name: "GROUP_GET_NUMS", key: "T@CG" });
    expect(got?.statsMinute.sum).toBe(MESSAGES);
    const all = await admin.brokerStatistic(at, { name: "BROKER_PUT_NUMS", key: "DefaultCluster" });
    expect(all?.statsMinute.sum).toBe(MESSAGES);
    expect(await admin.brokerStatistic(at, { name: "TOPIC_PUT_NUMS", key: "nope" })).toBeNull();
    expect(await scene.ask(315, { statsName: "__proto__", statsKey: "x" })).toMatchObject({
      code: 1,
      remark: "The stats <__proto__> <x> not exist",
    });
  });

  it("303 tells how long messages wait, 17 for an unknown topic", async () => {
    const { code, body } = await scene.ask(303, { topic: "T", group: "CG" });
    expect(code).toBe(0);
    const { consumeTimeSpanSet: spans } = JSON.parse(body.toString()) as {
      consumeTimeSpanSet: { delayTime: number; minTimeStamp: number; minTimeStampStr: string }[];
    };
    expect(spans.map((span) => span.delayTime)).toEqual([0, 0, 0, 0]);
    expect(spans[0]?.minTimeStampStr).toMatch(/^\d{4}-\d\d-\d\d#\d\d:\d\d:\d\d:\d{3}$/);
    const late = await scene.ask(303, { topic: "T", group: "never" });
    expect(late.body.toString()).toMatch(/"delayTime":[1-9]/);
    expect((await scene.ask(303, { topic: "nope", group: "CG" })).code).toBe(17);
  });

  it("308 compares groups without touching their offsets", async () => {
    const { offsets } = scene.broker.context;
    offsets.commit("CG2", "T", 0, 3);
    const ask = async (ext: RawRequest["ext"]): Promise<string> =>
      (await scene.ask(308, ext)).body.toString();
    expect(await ask({ compareGroup: "CG", topic: "T" })).toContain("{0:3,");
    expect(await ask({ compareGroup: "CG2", topic: "T", filterGroups: "CG2" })).toContain(
      "{0:9223372036854775807,",
    );
    expect(offsets.query("CG2", "T", 0)).toBe(3);
    expect(await ask({ compareGroup: "CG", topic: "nope" })).toBe('{"correctionOffsets":{}}');
  });

  it("314 copies offsets of one topic or all; bad group names are refused and nothing is created (R-03)", async () => {
    const from = scene.offsets("CG");
    const ext = { srcGroup: "CG", destGroup: "CG_copy", topic: "T", offline: false };
    expect((await scene.ask(314, ext)).code).toBe(0);
    expect(scene.offsets("CG_copy")).toEqual(from);
    const admin = scene.fixture.admin();
    const at = scene.broker.brokerAddr;
    await admin.cloneOffsets(at, { sourceGroup: "CG", destinationGroup: "CG_all" });
    expect(scene.offsets("CG_all")).toEqual(from);
    for (const destGroup of ["", "a b", "x".repeat(121)])
      expect(await scene.ask(314, { ...ext, destGroup })).toMatchObject({ code: 1 });
    expect(scene.broker.context.offsets.groupsOf("T").toSorted()).toEqual([
      "CG",
      "CG_all",
      "CG_copy",
    ]);
  });

  it("307, 309 and 223 reach the consumer, over the fast port too", async () => {
    const admin = scene.fixture.admin();
    const at = scene.broker.brokerAddr;
    const [host = "", port = ""] = at.split(":");
    const fastAddr = `${host}:${Number(port) - 2}`;
    const [member] = await admin.consumerConnections(at, "CG");
    const clientId = member?.clientId ?? "";
    const info = await admin.consumerRunningInfo(fastAddr, "CG", clientId);
    expect(info.properties.get("PROP_CONSUME_TYPE")).toBe("CONSUME_PASSIVELY");
    expect(info.queues.filter(({ queue }) => queue.topic === "T").length).toBe(4);
    await expect(admin.consumerRunningInfo(at, "CG", "gone")).rejects.toThrow(
      "The Consumer <CG> <gone> not online",
    );
    const status = await scene.ask(223, { topic: "T", group: "CG", clientAddr: "" });
    expect(status.body.toString()).toContain(`{"consumerTable":{"${clientId}":{{"brokerName"`);
    const sent = await (
      await scene.fixture.producer()
    ).send({
      topic: "T",
      body: Buffer.from("direct"),
    });
    const direct = { consumerGroup: "CG", clientId, msgId: sent.offsetMsgId };
    const consumed = await scene.ask(309, direct);
    expect([consumed.code, consumed.body.toString()]).toEqual([
      0,
      expect.stringContaining('"consumeResult":"CR_SUCCESS"'),
    ]);
    expect((await scene.ask(309, { ...direct, msgId: "no id" })).code).toBe(1);
  });

  it("321 shows entries of a queue; an unknown queue is code 1, an index outside it 0 without a body", async () => {
    const ext = { topic: "T", queueId: 0, index: 2, count: 3 };
    const { code, body } = await scene.ask(321, ext);
    expect(code).toBe(0);
    const shown = JSON.parse(body.toString()) as { queueData: { physicSize: number }[] };
    expect(shown).toMatchObject({ maxQueueIndex: MESSAGES / 4, minQueueIndex: 0 });
    expect(shown.queueData.length).toBe(3);
    expect(await scene.ask(321, { ...ext, queueId: 9 })).toMatchObject({
      code: 1,
      remark: "9@T is not exist!",
    });
    for (const index of [99_999, -1]) {
      const outside = await scene.ask(321, { ...ext, index });
      expect([outside.code, outside.remark, outside.body.length]).toEqual([
        0,
        `Index ${index} of 0@T is not exist!`,
        0,
      ]);
    }
    const rest = await scene.ask(321, { ...ext, index: 0, count: 2_147_483_647 });
    expect(rest.body.toString().match(/physicOffset/g)?.length).toBe(MESSAGES / 4);
    const filtered = await scene.ask(321, { ...ext, consumerGroup: "CG" });
    expect(filtered.body.toString()).toContain('"filterData":"null"');
    expect(filtered.body.toString()).toContain('"subString":"*"');
    const offline = await scene.ask(321, { ...ext, consumerGroup: "nobody" });
    expect(offline.body.toString()).toContain('"filterData":"nobody@T is not online!"');
    expect((await scene.ask(321, { ...ext, count: "x" })).code).toBe(1);
  });

  it("328, 351 and 352 list producers, one topic, one group", async () => {
    await until("the producer is known", async () =>
      (await scene.ask(328)).body.toString().includes('"PG"'),
    );
    expect((await scene.ask(328)).body.toString()).toMatch(/"remoteIP":"\/127\.0\.0\.1:\d+"/);
    expect((await scene.ask(351, { topic: "T" })).body.toString()).toBe(
      '{"order":false,"perm":6,"readQueueNums":4,"topicFilterType":"SINGLE_TAG","topicName":"T","topicSysFlag":0,"writeQueueNums":4}',
    );
    expect((await scene.ask(351, { topic: "nope" })).code).toBe(17);
    expect((await scene.ask(352, { group: "CG" })).body.toString()).toContain('"groupName":"CG"');
    expect((await scene.ask(352, { group: "nope" })).code).toBe(1);
  });

  it("222 answers the new offsets, and refuses what it cannot do with 4.9's words", async () => {
    const ext = { topic: "T", group: "CG", timestamp: 0, isForce: true };
    const { code, body } = await scene.ask(222, ext);
    expect([code, body.toString().match(/"topic":"T"\}:0/g)?.length]).toEqual([0, 4]);
    expect(await scene.ask(222, { ...ext, topic: "nope" })).toMatchObject({
      code: 1,
      remark: "[reset-offset] reset offset failed, no topic in this broker. topic=nope",
    });
    expect(await scene.ask(222, { ...ext, group: "nope" })).toMatchObject({
      code: 1,
      remark: "THe consumer group <nope> not exist",
    });
    await scene.close();
    expect((await scene.ask(222, ext)).code).toBe(206);
  });

  it("25 changes what D-15 allows at once, and all keys of a request or none (R-31)", async () => {
    const admin = scene.fixture.admin();
    const at = scene.broker.brokerAddr;
    const before = await admin.brokerConfig(at);
    await admin.updateBrokerConfig(at, new Map([["brokerPermission", "2"]]));
    expect((await admin.brokerConfig(at)).get("brokerPermission")).toBe("2");
    expect((await scene.peer.pull("T")).code).toBe(16);
    await until("routes show it", async () => {
      const route = await admin.route(scene.fixture.engine.namesrvAddr, "T");
      return route?.queues[0]?.perm === 2;
    });
    const evil = "brokerPermission=6\nrocketmqHome=/tmp/x;touch /tmp/y\n";
    const refused = await scene.ask(25, {}, evil);
    expect([refused.code, refused.remark]).toEqual([
      16,
      "Can not update config rocketmqHome: it cannot change at run time.",
    ]);
    expect((await scene.ask(25, {}, "brokerPermission=6\nbrokerPermission=99")).code).toBe(1);
    expect((await scene.ask(25, {}, "\\u12=1")).code).toBe(1);
    expect((await scene.ask(25)).code).toBe(0);
    const after = await admin.brokerConfig(at);
    const changed = [...before].map(([key, value]) => [
      key,
      key === "brokerPermission" ? "2" : value,
    ]);
    expect([...after]).toEqual(changed);
    expect((await scene.ask(26)).ext["version"]).toMatch(/^\{"counter":1,/);
  });

  it("306, 316 and 329 tidy up: queues of a topic nobody configures go, everything else stays", async () => {
    const { context } = scene.broker;
    const orphan = context.topics.ensure("Orphan", 1, 6);
    expect((await scene.peer.send("Orphan", "x")).code).toBe(0);
    await until("it is queued", () => context.store.maxOffsetInQueue(orphan.name, 0) === 1);
    context.topics.delete("Orphan");
    for (const code of [306, 316, 329]) expect(await scene.ask(code)).toMatchObject({ code: 0 });
    expect(context.store.maxOffsetInQueue(orphan.name, 0)).toBe(0);
    expect((await scene.ask(30, { topic: "T", queueId: 0 })).ext["offset"]).toBe(`${MESSAGES / 4}`);
    expect((await scene.ask(202, { topic: "T" })).code).toBe(0);
  });

  it("28 has 4.9's 44 keys, and counts what happened", async () => {
    const table = await scene.fixture.admin().runtimeInfo(scene.broker.brokerAddr);
    const own = [...table.keys()].filter((key) => !key.startsWith("lab."));
    expect(own.filter((key) => !key.startsWith("scheduleMessageOffset_")).length).toBe(44);
    expect(Number(table.get("putMessageTimesTotal"))).toBe(MESSAGES);
    expect(Number(table.get("msgGetTotalTodayNow"))).toBe(MESSAGES);
    expect(table.get("putMessageDistributeTime")).toMatch(/^\[<=0ms\]:\d+ .*\[10s~\]:\d+ $/);
    const counts = [...(table.get("putMessageDistributeTime") ?? "").matchAll(/:(\d+)/g)];
    expect(counts.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(MESSAGES);
    expect(
      table
        .get("getTotalTps")
        ?.split(" ")
        .every((rate) => rate !== ""),
    ).toBe(true);
    expect(table.get("putMessageAverageSize")).toMatch(/^[1-9]\d*\.\d+$/);
  });
});

describe("administration of a slave", () => {
  it("answers what dashboards ask, refuses changes as 4.9.4 does, and lets topics be deleted", async () => {
    await using fixture = await ClientFixture.start();
    await fixture.engine.startBroker();
    const slave = await fixture.engine.startBroker({ brokerRole: "SLAVE", brokerId: 1 });
    await sendNumbered(await fixture.producer(), "T", { count: 10 });
    const admin = fixture.admin();
    await until("the messages are there", async () => {
      const info = await admin.runtimeInfo(slave.brokerAddr);
      return info.get("putMessageTimesTotal") === "10";
    });
    const peer = await fixture.engine.peer(slave);
    for (const code of [21, 26, 28, 43, 45, 201, 305, 306, 316, 328])
      expect(await peer.ask({ code })).toMatchObject({ code: 0 });
    const group = Buffer.from('{"groupName":"CG_new"}');
    const topic = { topic: "New", defaultTopic: "TBW102", readQueueNums: 1, writeQueueNums: 1 };
    const refusals = [
      await peer.ask({ code: 17, ext: { ...topic, perm: 6 } }),
      await peer.ask({ code: 200, body: group }),
      await peer.ask({ code: 207, ext: { groupName: "TOOLS_CONSUMER" } }),
    ];
    for (const { code, remark } of refusals)
      expect([code, remark]).toEqual([1, expect.stringContaining("from slave broker")]);
    expect((await peer.ask({ code: 215, ext: { topic: "nope" } })).code).toBe(0);
  });
});
