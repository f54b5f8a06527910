/** TLS on a whole pair (E-12): name server, master and slave enforcing, with certificates on both sides. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAdminClient } from "../../../engine/admin/index.ts";
import type { RunningBroker } from "../../../engine/broker/broker.ts";
import { createClient, createProducer, createPushConsumer } from "../../../engine/client/index.ts";
import { Cleanup } from "../../helpers/cleanup.ts";
import { writeTlsHome, type TlsHome } from "../../helpers/tls-home.ts";
import { EngineFixture, until } from "./engine-fixture.ts";

const TOPIC = "TlsTopic";

describe("a cluster that speaks TLS only", () => {
  const cleanup = new Cleanup();
  let engine: EngineFixture;
  let tls: TlsHome;
  let master: RunningBroker;

  beforeAll(async () => {
    engine = cleanup.use(new EngineFixture());
    tls = writeTlsHome(engine.home, "require");
    await engine.startNamesrv(0, `tls.config.file=${tls.configFile}\n`);
    master = await engine.startBroker({
      "tls.config.file": tls.configFile,
      brokerRole: "SYNC_MASTER",
    });
    await engine.startBroker({
      "tls.config.file": tls.configFile,
      brokerRole: "SLAVE",
      brokerId: 1,
    });
  });
  afterAll(() => cleanup[Symbol.asyncDispose]());

  function admin(options: Partial<Parameters<typeof createAdminClient>[0]>) {
    const made = createAdminClient({ namesrvAddrs: [engine.namesrvAddr], ...options });
    cleanup.defer(() => made.close());
    return made;
  }

  it("brokers register, the slave reads the master's tables, our client produces and consumes", async () => {
    const operator = admin({ tls: tls.client });
    await until("both brokers are registered", async () => {
      const info = await operator.clusterInfo(engine.namesrvAddr);
      return info.brokers[0]?.brokerAddrs.size === 2;
    });
    // E-13: the SEND_OKs of a SYNC_MASTER below are what comes back over the replication port.
    await until("the slave follows", () => master.haService?.slaves()[0]?.ackedOffset === 0);
    const spec = { topic: TOPIC, readQueueNums: 4, writeQueueNums: 4 };
    await operator.createTopic(spec, { brokerAddr: master.brokerAddr });
    await until("the topic is routed", async () => {
      const route = await operator.route(engine.namesrvAddr, TOPIC);
      return route !== null;
    });
    const client = createClient({ namesrvAddrs: [engine.namesrvAddr], tls: tls.client });
    cleanup.defer(() => client.close());
    const producer = createProducer(client, { group: "PG" });
    await producer.start();
    const got: string[] = [];
    const consumer = createPushConsumer(client, {
      group: "CG_tls",
      consumeFrom: "first",
      listener: (messages) => {
        got.push(...messages.map(({ body }) => body.toString("latin1", 0, 4)));
        return "success";
      },
    });
    consumer.subscribe(TOPIC);
    await consumer.start();
    const heads = Array.from({ length: 40 }, (_, i) => String(i).padStart(4, "0"));
    // Records of 20 KB: answers of many TLS records each.
    const results = await Promise.all(
      heads.map((head) =>
        producer.send({ topic: TOPIC, body: Buffer.from(head.padEnd(20_000, "x")) }),
      ),
    );
    expect(results.map(({ status }) => status)).toEqual(heads.map(() => "SEND_OK"));
    await until("all came", () => got.length >= heads.length);
    expect(got.toSorted()).toEqual(heads);
  });

  it("a plain client and one without a certificate get nothing, on every port", async () => {
    const { cert: _cert, key: _key, ...bare } = tls.client;
    for (const options of [{}, { tls: bare }]) {
      const stranger = admin({ ...options, timeoutMs: 1_000 });
      const addresses = [0, -2, 1].map((step) => `127.0.0.1:${master.port + step}`);
      for (const address of addresses)
        await expect(stranger.runtimeInfo(address)).rejects.toThrow(/closed|connect|answer/i);
      await expect(stranger.topics(engine.namesrvAddr)).rejects.toThrow(/closed|connect|answer/i);
    }
    expect((await admin({ tls: tls.client }).runtimeInfo(master.brokerAddr)).size).toBeGreaterThan(
      40,
    );
  });

  it("a broker does not start with TLS that cannot be had", async () => {
    const start = (properties: Readonly<Record<string, string>>) =>
      engine.startBroker({ brokerName: "broker-x", ...properties });
    await expect(
      start({ "tls.server.mode": "enforcing", "tls.config.file": "/none" }),
    ).rejects.toThrow(/without tls\.server\.certPath/);
  });
});
