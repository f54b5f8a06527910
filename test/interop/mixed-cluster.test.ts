/** One cluster of both makes: an Apache broker and ours, registered at an Apache name server and at ours, used by one client at a time. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { asArray, asObject, asText, parseFastjson } from "../../engine/base/fastjson.ts";
import { createClient, createProducer, createPushConsumer } from "../../engine/client/index.ts";
import { BrokerPeer } from "../helpers/broker-peer.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import {
  freeBrokerPort,
  startBrokerProcess,
  startNamesrvProcess,
} from "../helpers/engine-process.ts";
import { machineHas } from "../helpers/requirements.ts";
import { startApacheBroker, startApacheNamesrv, startJava, type ApacheVersion } from "./apache.ts";
import { deliveries, keysOf, sends } from "./json-events.ts";

const WAIT_MS = 60_000;
const POLL = { timeout: 30_000, interval: 100 };
const COUNT = 60;
const SMALL = {
  brokerClusterName: "DefaultCluster",
  mappedFileSizeCommitLog: 4 * 1_048_576,
  mappedFileSizeConsumeQueue: 60_000,
  maxHashSlotNum: 1_000,
  maxIndexNum: 4_000,
};

async function startCluster(cleanup: Cleanup, home: string, version: ApacheVersion) {
  const ours = cleanup.use(await startNamesrvProcess(join(home, "our-namesrv")));
  const namesrvPort = await freeBrokerPort();
  const properties = { listenPort: namesrvPort };
  const their = { version, home: join(home, "their-namesrv"), properties };
  cleanup.use(await startApacheNamesrv(their));
  const namesrvs = [ours.address, `127.0.0.1:${namesrvPort}`];
  const names = { ...SMALL, namesrvAddr: namesrvs.join(";") };
  const listenPort = await freeBrokerPort();
  const apache = { ...names, brokerName: "broker-java", brokerId: 0, listenPort };
  const [broker, own] = await Promise.all([
    startApacheBroker({ version, home: join(home, "broker-java"), properties: apache }),
    startBrokerProcess(join(home, "broker-ts"), { ...names, brokerName: "broker-ts" }),
  ]);
  cleanup.use(broker);
  cleanup.use(own);
  return {
    namesrvs,
    brokers: { "broker-java": `127.0.0.1:${listenPort}`, "broker-ts": own.address },
  };
}

/** Broker name → address of its master, as one name server has it. */
async function brokersAt(namesrv: string): Promise<Record<string, string>> {
  using peer = await BrokerPeer.connect(namesrv);
  const { body } = await peer.ask({ code: 106 });
  const table = asObject(asObject(parseFastjson(body.toString("utf8"))).get("brokerAddrTable"));
  const entries = [...table].map(([name, value]) => {
    return [name, asText(asObject(asObject(value).get("brokerAddrs")).get("0"))] as const;
  });
  return Object.fromEntries(entries);
}

/** Broker names that serve a topic, as one name server has it. */
async function routedTo(namesrv: string, topic: string): Promise<string[]> {
  using peer = await BrokerPeer.connect(namesrv);
  const { code, body } = await peer.ask({ code: 105, ext: { topic } });
  if (code !== 0) return [];
  const queues = asArray(asObject(parseFastjson(body.toString("utf8"))).get("queueDatas"));
  return queues.map((queue) => asText(asObject(queue).get("brokerName"))).toSorted();
}

async function makeTopic(addresses: readonly string[], topic: string): Promise<void> {
  const queues = { readQueueNums: 4, writeQueueNums: 4, perm: 6, topicFilterType: "SINGLE_TAG" };
  for (const address of addresses) {
    using peer = await BrokerPeer.connect(address);
    const ext = { topic, defaultTopic: "TBW102", ...queues, topicSysFlag: 0, order: false };
    expect((await peer.ask({ code: 17, ext })).code).toBe(0);
  }
}

async function throughJava(namesrv: string, topic: string, home: string): Promise<void> {
  const java = { version: "4.9.0", home } as const;
  const names = [`namesrv=${namesrv}`, `topic=${topic}`];
  await using consumer = await startJava("LabConsumer", java, [...names, "group=CG_java"]);
  await using producer = await startJava("LabProducer", java, [...names, `count=${COUNT}`]);
  await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
  const sent = sends(producer.lines);
  expect(new Set(sent.map((event) => event.status))).toEqual(new Set(["SEND_OK"]));
  const brokers = sent.map((event) => event.queue.split("/")[0]);
  expect(new Set(brokers)).toEqual(new Set(["broker-java", "broker-ts"]));
  const wanted = keysOf(sent);
  await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= wanted.size, WAIT_MS);
  expect(keysOf(deliveries(consumer.lines))).toEqual(wanted);
}

async function throughOurs(namesrvs: readonly string[], topic: string): Promise<void> {
  await using cleanup = new Cleanup();
  const client = createClient({ namesrvAddrs: namesrvs, trustRefusals: false });
  cleanup.defer(() => client.close());
  const got = new Map<string, string>();
  const consumer = createPushConsumer(client, {
    group: "CG_ours",
    consumeFrom: "first",
    listener: (messages) => {
      for (const message of messages) got.set(message.body.toString(), message.brokerName);
      return "success";
    },
  });
  consumer.subscribe(topic);
  await consumer.start();
  const producer = createProducer(client, { group: "PG_ours" });
  await producer.start();
  const sent = new Map<string, string>();
  for (let index = 0; index < COUNT; index += 1) {
    const body = `mixed ${index}`;
    const result = await producer.send({ topic, body: Buffer.from(body) });
    expect(result.status).toBe("SEND_OK");
    sent.set(body, result.queue.brokerName);
  }
  expect(new Set(sent.values())).toEqual(new Set(["broker-java", "broker-ts"]));
  await expect.poll(() => got.size, POLL).toBe(COUNT);
  expect(got).toEqual(sent);
}

describe.runIf(machineHas("java", "maven"))("a cluster of Apache's parts and ours", () => {
  it.each<ApacheVersion>(["4.9.0", "4.9.7"])(
    "with Apache's %s: both name servers know both brokers, and one client uses both",
    async (version) => {
      const home = mkdtempSync(join(tmpdir(), "lab-mixed-"));
      await using cleanup = new Cleanup();
      cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
      const { namesrvs, brokers } = await startCluster(cleanup, home, version);
      for (const namesrv of namesrvs)
        await expect.poll(() => brokersAt(namesrv), POLL).toEqual(brokers);
      const names = Object.keys(brokers);
      for (const topic of ["MixedJava", "MixedOurs"]) {
        await makeTopic(Object.values(brokers), topic);
        for (const namesrv of namesrvs)
          await expect.poll(() => routedTo(namesrv, topic), POLL).toEqual(names);
      }
      await throughJava(namesrvs.join(";"), "MixedJava", home);
      await throughOurs(namesrvs, "MixedOurs");
    },
  );
});
