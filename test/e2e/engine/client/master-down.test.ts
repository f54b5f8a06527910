/** A master dies: producers use the other broker, consumers go on from the slave (remoting-protocol 5.5). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../engine-fixture.ts";
import { ClientFixture, sendNumbered } from "./client-fixture.ts";

describe("a master that dies", () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await ClientFixture.start();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  it("leaves what was sent to be consumed from its slave, and sends go on elsewhere within a second", async () => {
    const sync = { brokerRole: "SYNC_MASTER" };
    const a = await fixture.engine.startBroker({ ...sync, brokerName: "broker-a" });
    await fixture.engine.startBroker({ brokerName: "broker-b" });
    const slave = await fixture.engine.startBroker({
      brokerName: "broker-a",
      brokerId: 1,
      brokerRole: "SLAVE",
    });
    const admin = fixture.admin();
    const topic = { topic: "Pair", readQueueNums: 2, writeQueueNums: 2 };
    await fixture.createTopic(topic, { cluster: "DefaultCluster" }, 2);
    const producer = await fixture.producer();
    await until("the slave is in sync", async () => {
      const result = await producer.send(
        { topic: "Pair", body: Buffer.from("probe") },
        { queue: { topic: "Pair", brokerName: "broker-a", queueId: 0 } },
      );
      return result.status === "SEND_OK";
    });
    await until("the slave has the topic", async () => {
      const stats = await admin.topicStats(slave.brokerAddr, "Pair").catch(() => []);
      return stats.length === 2;
    });
    const sent = await sendNumbered(producer, "Pair", { count: 200 });

    const running = await fixture.consumer({ topic: "Pair", group: "CG_running" });
    await a.stop();

    const began = performance.now();
    const after = await sendNumbered(producer, "Pair", { from: 200, count: 100 });
    expect(performance.now() - began).toBeLessThan(1_000);

    const late = await fixture.consumer({ topic: "Pair", group: "CG_late" });
    const numbered = (bodies: readonly string[]): string[] => [
      ...new Set(bodies.filter((body) => body !== "probe")),
    ];
    const all = [...sent, ...after];
    await until("both have all", () => {
      const counts = [running, late].map((one) => numbered(one.bodies()).length);
      return counts.every((count) => count >= all.length);
    });
    expect(numbered(running.bodies())).toEqual(all);
    expect(numbered(late.bodies())).toEqual(all);
    const fromSlave = late.got.filter((message) => message.brokerName === "broker-a");
    expect(fromSlave.length).toBeGreaterThanOrEqual(50);
  });
});
