/** Message trace (remoting-protocol 4.13) of our producer and consumer through a broker that has the trace topic. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeTrace, type TraceRecord } from "../../../../engine/client/index.ts";
import { until } from "../engine-fixture.ts";
import { ClientFixture } from "./client-fixture.ts";

describe("message trace", () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await ClientFixture.start();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  async function records(topic: string): Promise<() => TraceRecord[]> {
    const { got } = await fixture.consumer({ topic, group: `CG_of_${topic}` });
    return () => got.flatMap((message) => decodeTrace(message.body));
  }

  it("tells of each send, each delivery and its end, and is found by message id", async () => {
    const broker = await fixture.engine.startBroker({ traceTopicEnable: true, regionId: "north" });
    const producer = await fixture.producer({ trace: true });
    const message = { topic: "Traced", body: Buffer.from("hello"), keys: ["k1"], tags: "t1" };
    const sent = await producer.send(message);
    await producer.send({ ...message, keys: ["k2"], delayLevel: 1 });
    await fixture.consumer({
      topic: "Traced",
      trace: true,
      consumeBatchSize: 1,
      listener: ([first]) =>
        first?.reconsumeTimes === 0 && first.keys[0] === "k1" ? "later" : "success",
    });
    const all = await records("RMQ_SYS_TRACE_TOPIC");
    const of = (type: TraceRecord["type"]): TraceRecord[] =>
      all().filter((record) => record.type === type && record.msgId === sent.msgId);
    await until("both ends are told of", () => of("SubAfter").length >= 1);
    expect(of("Pub")).toEqual([
      expect.objectContaining({
        group: "PG",
        topic: "Traced",
        region: "north",
        tags: "t1",
        keys: "k1",
        storeHost: broker.brokerAddr,
        bodyLength: 5,
        messageType: 0,
        offsetMsgId: sent.offsetMsgId,
        success: true,
      }),
    ]);
    const [before] = of("SubBefore");
    const [after] = of("SubAfter");
    expect(before).toMatchObject({ group: "CG", retryTimes: 0, keys: "k1" });
    expect(after).toMatchObject({ success: false, contextCode: 4, keys: "k1", group: "CG" });
    expect(after).toMatchObject({
      requestId: before?.type === "SubBefore" ? before.requestId : "",
    });
    await until("the delayed one is told of", () =>
      all().some((record) => record.type === "Pub" && record.messageType === 3),
    );
    const admin = fixture.admin();
    const query = { topic: "RMQ_SYS_TRACE_TOPIC", key: sent.msgId };
    await until("it is found", async () => (await admin.queryMessages(query)).length >= 2);
  });

  it("goes to a topic of one's own, and a client that does not trace sends nothing", async () => {
    const broker = await fixture.engine.startBroker();
    const traced = await fixture.producer({ trace: "OwnTrace" });
    await traced.send({ topic: "Some", body: Buffer.from("x") });
    await traced.close();
    const quiet = await fixture.producer({ group: "PG_quiet" });
    await quiet.send({ topic: "Some", body: Buffer.from("y") });
    const stats = await fixture.admin().topicStats(broker.brokerAddr, "OwnTrace");
    expect(stats.reduce((sum, queue) => sum + queue.maxOffset, 0)).toBe(1);
  });
});
