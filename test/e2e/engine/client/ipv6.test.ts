/** Our client with name server and broker on [::1]: records with 16-byte hosts, offset ids of 56 digits (store-and-ha 2.1, remoting-protocol 4.1.9). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAdminClient } from "../../../../engine/admin/index.ts";
import {
  createClient,
  createProducer,
  createPushConsumer,
  type ReceivedMessage,
} from "../../../../engine/client/index.ts";
import { Cleanup } from "../../../helpers/cleanup.ts";
import { startBrokerProcess, startNamesrvProcess } from "../../../helpers/engine-process.ts";
import { machineHas } from "../../../helpers/requirements.ts";
import { until } from "../engine-fixture.ts";

const HOST = "::1";

describe.runIf(machineHas("ipv6"))("a cluster on [::1]", () => {
  let cleanup: Cleanup;
  beforeEach(() => {
    cleanup = new Cleanup();
  });
  afterEach(async () => cleanup[Symbol.asyncDispose]());

  it("sends, consumes, retries, and shows messages by their long ids, also after a restart", async () => {
    const home = mkdtempSync(join(tmpdir(), "lab-ipv6-"));
    cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
    const namesrv = await startNamesrvProcess(join(home, "namesrv"), undefined, {
      bindAddress: HOST,
    });
    cleanup.use(namesrv);
    const namesrvAddr = namesrv.address;
    expect(namesrvAddr).toMatch(/^\[::1\]:\d+$/);
    const properties = {
      brokerIP1: HOST,
      brokerIP2: HOST,
      bindAddress: HOST,
      namesrvAddr,
      messageDelayLevel: "1s 1s 1s 1s",
    };
    let broker = await startBrokerProcess(join(home, "broker"), properties);
    const client = createClient({ namesrvAddrs: [namesrvAddr] });
    cleanup.defer(() => client.close());
    const producer = createProducer(client, { group: "PG" });
    await producer.start();
    const sent = await producer.send({ topic: "Six", body: Buffer.from("hello"), keys: ["k1"] });
    expect(sent.offsetMsgId).toMatch(/^0{31}1[0-9A-F]{24}$/);
    const got: ReceivedMessage[] = [];
    const consumer = createPushConsumer(client, {
      group: "CG",
      consumeFrom: "first",
      listener: (messages) => {
        got.push(...messages);
        return messages[0]?.reconsumeTimes === 0 ? "later" : "success";
      },
    });
    consumer.subscribe("Six");
    await consumer.start();
    await until("it is retried", () => got.length >= 2);
    expect(got.map(({ msgId, reconsumeTimes }) => [msgId, reconsumeTimes])).toEqual([
      [sent.msgId, 0],
      [sent.msgId, 1],
    ]);
    // Both hosts of the record have 16 bytes (sysFlag bits 4 and 5).
    expect((got[0]?.sysFlag ?? 0) & 0x30).toBe(0x30);
    await consumer.close();

    const { port } = broker;
    broker.child.kill("SIGTERM");
    await broker.child.exited;
    broker = await startBrokerProcess(join(home, "broker"), { ...properties, listenPort: port });
    cleanup.use(broker);
    const admin = createAdminClient({ namesrvAddrs: [namesrvAddr] });
    cleanup.defer(() => admin.close());
    expect((await admin.viewMessage(sent.offsetMsgId))?.msgId).toBe(sent.msgId);
    const found = await admin.queryMessages({ topic: "Six", key: "k1" });
    expect(found.map(({ msgId }) => msgId)).toContain(sent.msgId);
  });
});
