/** SQL92 subscriptions between both sides: Apache's Java consumer on our broker, our consumer on Apache's broker, and the file both keep filters in. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readFilterFile } from "../../engine/broker/consumer-filter-file.ts";
import {
  createClient,
  createProducer,
  createPushConsumer,
  type MqClient,
  type Producer,
} from "../../engine/client/index.ts";
import { BloomFilter } from "../../engine/filter/bloom-filter.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import type { LineChild } from "../helpers/child.ts";
import {
  freeBrokerPort,
  startBrokerProcess,
  startNamesrvProcess,
} from "../helpers/engine-process.ts";
import { machineHas } from "../helpers/requirements.ts";
import { startApacheBroker, startApacheNamesrv, startJava } from "./apache.ts";
import { deliveries, keysOf } from "./json-events.ts";
import { OwnServers } from "./own-servers.ts";

const WAIT_MS = 60_000;
const POLL = { timeout: 30_000, interval: 100 };
const SQL = "region = 'eu' AND amount BETWEEN 10 AND 29 AND TAGS IS NOT NULL";
const version = "4.9.0";

/** Sends messages with the amounts of a range. @returns keys of those SQL is true for */
async function fill(
  producer: Producer,
  topic: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<Set<string>> {
  const wanted = new Set<string>();
  for (let amount = from; amount < to; amount += 1) {
    const region = amount % 2 === 0 ? "eu" : "us";
    const key = `k${amount}`;
    const properties = { amount: String(amount), region };
    await producer.send({ topic, body: Buffer.from(key), keys: [key], tags: "Any", properties });
    if (region === "eu" && amount >= 10 && amount <= 29) wanted.add(key);
  }
  return wanted;
}

async function producerOn(cleanup: Cleanup, client: MqClient): Promise<Producer> {
  cleanup.defer(() => client.close());
  const producer = createProducer(client, { group: "PG_sql" });
  await producer.start();
  return producer;
}

/** @returns code and text of the exception a consumer's start ended with */
async function failureOf(consumer: LineChild): Promise<string> {
  return consumer.waitForLine((line) => line.includes('"event":"failed"'), WAIT_MS);
}

describe.runIf(machineHas("java", "maven"))("Apache's SQL92 consumer 4.9.0 on our broker", () => {
  const cleanup = new Cleanup();
  let home = "";
  let namesrv = "";
  let producer: Producer;

  beforeAll(async () => {
    const filter = { enablePropertyFilter: "true" };
    ({ home, namesrv } = cleanup.use(await OwnServers.start(() => ({ broker: filter }))));
    producer = await producerOn(cleanup, createClient({ namesrvAddrs: [namesrv] }));
  });
  afterAll(() => cleanup[Symbol.asyncDispose]());

  const java = (args: readonly string[], at = namesrv): Promise<LineChild> =>
    startJava("LabConsumer", { version, home }, [`namesrv=${at}`, ...args]);

  /** Java's client looks for new topics every 30 s: the group's retry topic had better be there when it starts. */
  async function makeRetryTopic(group: string): Promise<void> {
    const client = createClient({ namesrvAddrs: [namesrv] });
    const consumer = createPushConsumer(client, { group, listener: () => "success" });
    consumer.subscribe("JavaSql");
    await consumer.start();
    await vi.waitUntil(() => client.route(`%RETRY%${group}`, { refresh: true }), POLL);
    await client.close();
  }

  it("gets exactly what its selector is true for, old messages and new ones", async () => {
    const topic = "JavaSql";
    const old = await fill(producer, topic, { from: 0, to: 20 });
    await using consumer = await java([`topic=${topic}`, "group=CG_java_sql", `sql=${SQL}`]);
    await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= old.size, WAIT_MS);
    const fresh = await fill(producer, topic, { from: 20, to: 40 });
    const all = new Set([...old, ...fresh]);
    await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= all.size, WAIT_MS);
    expect(keysOf(deliveries(consumer.lines))).toEqual(all);
    expect(deliveries(consumer.lines)).toHaveLength(all.size);
  });

  it("gets nothing when nothing matches, and what matches later", async () => {
    const topic = "JavaSqlLate";
    await fill(producer, topic, { from: 0, to: 9 });
    await using consumer = await java([`topic=${topic}`, "group=CG_java_late", `sql=${SQL}`]);
    await consumer.waitForLine((line) => line.includes('"started"'), WAIT_MS);
    await fill(producer, topic, { from: 40, to: 49 });
    const wanted = await fill(producer, topic, { from: 12, to: 13 });
    await consumer.waitUntil((lines) => deliveries(lines).length > 0, WAIT_MS);
    expect(keysOf(deliveries(consumer.lines))).toEqual(wanted);
  });

  it("gets a failed message again through its retry topic", async () => {
    const topic = "JavaSqlRetry";
    await makeRetryTopic("CG_java_sql_retry");
    const wanted = await fill(producer, topic, { from: 10, to: 13 });
    const args = [`topic=${topic}`, "group=CG_java_sql_retry", `sql=${SQL}`, "later=k12"];
    await using consumer = await java(args);
    await consumer.waitUntil(
      (lines) => deliveries(lines).some((one) => one.key === "k12" && one.reconsume === 1),
      WAIT_MS,
    );
    expect(keysOf(deliveries(consumer.lines))).toEqual(wanted);
  });

  it("4.4.5: is told at its start what is wrong with its selector", async () => {
    await fill(producer, "JavaSqlWrong", { from: 0, to: 1 });
    await using consumer = await java([
      "topic=JavaSqlWrong",
      "group=CG_java_wrong",
      "sql=amount > AND region = 'eu'",
    ]);
    const failure = await failureOf(consumer);
    expect(failure).toContain('"code":23');
    expect(failure).toContain("character 10 of the SQL92 filter: expected a property name");
  });

  it("4.4.5: is refused at its start by a broker that does not filter by SQL92", async () => {
    await using server = await startNamesrvProcess(join(home, "namesrv-off"));
    const own = { brokerName: "broker-off", namesrvAddr: server.address };
    await using _broker = await startBrokerProcess(join(home, "broker-off"), own);
    await using parts = new Cleanup();
    const off = await producerOn(parts, createClient({ namesrvAddrs: [server.address] }));
    await fill(off, "JavaSqlOff", { from: 0, to: 1 });
    const args = ["topic=JavaSqlOff", "group=CG_java_off", `sql=${SQL}`];
    await using consumer = await java(args, server.address);
    const failure = await failureOf(consumer);
    expect(failure).toContain('"code":1');
    expect(failure).toContain("The broker does not support consumer to filter message by SQL92");
  });
});

describe.runIf(machineHas("java", "maven"))("our SQL92 consumer on Apache's broker 4.9.0", () => {
  it("gets exactly what matches, is refused what does not parse, and Apache keeps the filter as we do", async () => {
    await using cleanup = new Cleanup();
    const home = mkdtempSync(join(tmpdir(), "lab-sql-apache-"));
    cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
    const listenPort = await freeBrokerPort();
    const namesrvAddr = `127.0.0.1:${listenPort}`;
    const server = { version, home: join(home, "namesrv"), properties: { listenPort } } as const;
    cleanup.use(await startApacheNamesrv(server));
    const properties = {
      brokerName: "broker-a",
      namesrvAddr,
      listenPort: await freeBrokerPort(),
      enablePropertyFilter: "true",
      mappedFileSizeCommitLog: 16 * 1_048_576,
      maxHashSlotNum: 1_000,
      maxIndexNum: 4_000,
    };
    const brokerHome = join(home, "broker");
    const broker = cleanup.use(await startApacheBroker({ version, home: brokerHome, properties }));
    const options = { namesrvAddrs: [namesrvAddr], trustRefusals: false };
    const producer = await producerOn(cleanup, createClient(options));
    const topic = "OurSql";
    await vi.waitFor(() => fill(producer, topic, { from: 0, to: 1 }), POLL);
    const wanted = await fill(producer, topic, { from: 1, to: 40 });

    const client = createClient(options);
    cleanup.defer(() => client.close());
    const got: string[] = [];
    const consumerOf = (group: string, expression: string) => {
      const consumer = createPushConsumer(client, {
        group,
        consumeFrom: "first",
        listener: (messages) => {
          got.push(...messages.map((message) => message.body.toString()));
          return "success";
        },
      });
      consumer.subscribe(topic, { type: "SQL92", expression });
      return consumer;
    };
    await expect(consumerOf("CG_bad", "amount >").start()).rejects.toMatchObject({
      responseCode: 23,
    });
    await consumerOf("CG_ours", SQL).start();
    await vi.waitUntil(() => got.length >= wanted.size, POLL);
    expect(got.toSorted()).toEqual([...wanted].toSorted());

    await client.close();
    broker.kill("SIGTERM");
    await broker.exited;
    const text = readFileSync(join(brokerHome, "store", "config", "consumerFilter.json"), "utf8");
    expect(readFilterFile(text)).toMatchObject([
      {
        topic,
        consumerGroup: "CG_ours",
        expression: SQL,
        expressionType: "SQL92",
        bloomFilterData: new BloomFilter(20, 32).positionsOf("CG_ours", topic),
      },
    ]);
  });
});
