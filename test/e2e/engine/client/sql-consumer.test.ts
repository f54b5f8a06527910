/** Our push consumer with SQL92 filters on our brokers. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Producer } from "../../../../engine/client/index.ts";
import { until } from "../engine-fixture.ts";
import { ClientFixture } from "./client-fixture.ts";

const EUROPE = { type: "SQL92", expression: "region = 'eu' AND amount BETWEEN 10 AND 29" } as const;

describe("a push consumer that filters by SQL92", () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await ClientFixture.start();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  async function fill(producer: Producer, from: number, count: number): Promise<string[]> {
    const wanted: string[] = [];
    for (let n = from; n < from + count; n += 1) {
      const region = n % 2 === 0 ? "eu" : "us";
      const properties = { amount: String(n), region };
      await producer.send({ topic: "Sql", body: Buffer.from(`m${n}`), properties });
      if (region === "eu" && n >= 10 && n <= 29) wanted.push(`m${n}`);
    }
    return wanted.toSorted();
  }

  it("gets exactly the messages its filter is true for, and its progress passes the others", async () => {
    const broker = await fixture.engine.startBroker({ enablePropertyFilter: true });
    const producer = await fixture.producer();
    const wanted = await fill(producer, 0, 40);
    const consumer = await fixture.consumer({ topic: "Sql", selector: EUROPE });
    await until("all that match are consumed", () => consumer.got.length >= wanted.length);
    await until("progress is at the end", async () => {
      const stats = await fixture.admin().consumeStats(broker.brokerAddr, "CG", "Sql");
      return stats.every((queue) => queue.consumerOffset === queue.brokerOffset);
    });
    expect(consumer.bodies()).toEqual(wanted);
  });

  it("4.4.5: does not start when one of the brokers does not filter by SQL92, or does not understand the filter", async () => {
    await fixture.engine.startBroker({ brokerName: "broker-a", enablePropertyFilter: true });
    const off = await fixture.engine.startBroker({ brokerName: "broker-b" });
    const spec = { topic: "Sql", readQueueNums: 4, writeQueueNums: 4 };
    await fixture.createTopic(spec, { cluster: "DefaultCluster" }, 2);
    await expect(fixture.consumer({ topic: "Sql", selector: EUROPE })).rejects.toMatchObject({
      responseCode: 1,
      remark: "The broker does not support consumer to filter message by SQL92",
    });
    await off.stop();
    const wrong = { type: "SQL92", expression: "region = " } as const;
    await expect(fixture.consumer({ topic: "Sql", selector: wrong })).rejects.toMatchObject({
      responseCode: 23,
    });
  });

  it("4.2.2: a broker that came back knows the filter from the next heartbeat on", async () => {
    const properties = { enablePropertyFilter: true };
    const broker = await fixture.engine.startBroker(properties);
    const producer = await fixture.producer();
    const wanted = await fill(producer, 0, 14);
    const consumer = await fixture.consumer({ topic: "Sql", selector: EUROPE });
    await until("the first are consumed", () => consumer.got.length >= wanted.length);
    await broker.stop();
    await fixture.engine.startBroker({ ...properties, listenPort: broker.port });
    const more = await fill(producer, 14, 8);
    await until("the rest is consumed", () => consumer.got.length >= wanted.length + more.length);
    expect(new Set(consumer.bodies())).toEqual(new Set([...wanted, ...more]));
  });
});
