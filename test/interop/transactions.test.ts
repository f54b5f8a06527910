/** Transactions, request-reply and delay levels with Apache's 4.9.0 Java client on our broker, and with our client on Apache's broker. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createAdminClient } from "../../engine/admin/index.ts";
import {
  createClient,
  createProducer,
  createPushConsumer,
  createTransactionProducer,
  type MqClient,
  type Producer,
  type ReceivedMessage,
  type TransactionSendResult,
  type TransactionState,
} from "../../engine/client/index.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import type { LineChild } from "../helpers/child.ts";
import {
  freeBrokerPort,
  startBrokerProcess,
  startNamesrvProcess,
  type EngineProcess,
} from "../helpers/engine-process.ts";
import { machineHas } from "../helpers/requirements.ts";
import { startApacheBroker, startApacheNamesrv, startJava } from "./apache.ts";
import { deliveries, keysOf, sends } from "./json-events.ts";

const WAIT_MS = 60_000;
const POLL = { timeout: 40_000, interval: 50 };
const version = "4.9.0";
/** Checks within a test's patience. */
const QUICK = {
  transactionCheckInterval: 500,
  transactionTimeOut: 500,
  transactionCheckMax: 4,
  messageDelayLevel: "1s 2s 3s 1s 2s 3s 1s 2s 3s 1s 2s 3s 1s 2s 3s 1s 2s 3s",
};

interface Half {
  readonly event: "half";
  readonly key: string;
  readonly plan: string;
  readonly status: string;
  readonly state: string;
  readonly transactionId: string;
}

interface Check {
  readonly event: "check";
  readonly key: string;
  readonly times: number;
  readonly topic: string;
  readonly counted: string;
  readonly transactionId: string;
  readonly body: string;
}

interface Reply {
  readonly event: "reply";
  readonly key: string;
  readonly body: string;
  readonly error: string;
}

function events<Event extends { readonly event: string }>(
  lines: readonly string[],
  name: Event["event"],
): Event[] {
  return lines
    .filter((line) => line.startsWith(`{"event":"${name}"`))
    .map((line) => JSON.parse(line) as Event);
}

/** What a consumer of ours got from a topic. */
interface Seen {
  readonly messages: ReceivedMessage[];
  bodies(): string[];
}

/** Name server address and everything on it. */
class Cluster implements AsyncDisposable {
  readonly cleanup = new Cleanup();
  readonly home = mkdtempSync(join(tmpdir(), "lab-transactions-"));
  namesrvAddr = "";

  constructor() {
    this.cleanup.defer(() => rmSync(this.home, { recursive: true, force: true }));
  }

  client(): MqClient {
    const made = createClient({ namesrvAddrs: [this.namesrvAddr], trustRefusals: false });
    this.cleanup.defer(() => made.close());
    return made;
  }

  async producer(group: string): Promise<Producer> {
    const producer = createProducer(this.client(), { group });
    await producer.start();
    return producer;
  }

  async consume(topic: string, onEach?: (message: ReceivedMessage) => void): Promise<Seen> {
    const messages: ReceivedMessage[] = [];
    const consumer = createPushConsumer(this.client(), {
      group: `CG_${topic}`,
      consumeFrom: "first",
      rebalanceMs: 1_000,
      listener: (batch) => {
        messages.push(...batch);
        for (const message of batch) onEach?.(message);
        return "success";
      },
    });
    consumer.subscribe(topic);
    await consumer.start();
    return { messages, bodies: () => messages.map(({ body }) => body.toString()).toSorted() };
  }

  async createTopics(topics: readonly string[], brokerAddr: string): Promise<void> {
    const admin = createAdminClient({ namesrvAddrs: [this.namesrvAddr] });
    this.cleanup.defer(() => admin.close());
    for (const topic of topics) {
      await admin.createTopic({ topic, readQueueNums: 2, writeQueueNums: 2 }, { brokerAddr });
      await vi.waitUntil(async () => (await admin.route(this.namesrvAddr, topic)) !== null, POLL);
    }
  }

  java(program: Parameters<typeof startJava>[0], args: readonly string[]): Promise<LineChild> {
    const options = { version, home: this.home } as const;
    return startJava(program, options, [`namesrv=${this.namesrvAddr}`, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup[Symbol.asyncDispose]();
  }
}

describe.runIf(machineHas("java", "maven"))("Apache's Java client on our broker", () => {
  const cluster = new Cluster();
  let broker: EngineProcess;
  const properties = (): Record<string, string | number> => ({
    brokerName: "broker-a",
    namesrvAddr: cluster.namesrvAddr,
    ...QUICK,
  });

  beforeAll(async () => {
    const server = await startNamesrvProcess(join(cluster.home, "namesrv"));
    cluster.cleanup.use(server);
    cluster.namesrvAddr = server.address;
    broker = await startBrokerProcess(join(cluster.home, "broker-a"), properties());
    cluster.cleanup.defer(async () => broker[Symbol.asyncDispose]());
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  it("TransactionMQProducer: commit, rollback, commit on the Nth check, give-up", async () => {
    // A second try meets what the first one left in broker and groups.
    const prefix = `t${Date.now().toString(36)}`;
    const topic = `JavaTrans_${prefix}`;
    const plans = "c,r,uc,uuc,ur,u,c";
    const args = [`topic=${topic}`, `group=PG_${prefix}`, `plans=${plans}`, `prefix=${prefix}`];
    const keys = (...numbers: readonly number[]) => numbers.map((number) => `${prefix}-${number}`);
    await using java = await cluster.java("LabTransaction", args);
    await java.waitForLine((line) => line.includes('"started"'), WAIT_MS);
    const halves = events<Half>(java.lines, "half");
    expect(halves.map(({ status }) => status)).toEqual(halves.map(() => "SEND_OK"));
    const seen = await cluster.consume(topic);
    await expect.poll(() => seen.bodies(), POLL).toEqual(keys(0, 2, 3, 6));
    const given = await cluster.consume("TRANS_CHECK_MAX_TIME_TOPIC");
    await expect.poll(() => given.bodies(), POLL).toContain(`${prefix}-5`);
    const checks = events<Check>(java.lines, "check");
    const of = (number: number) => checks.filter(({ key }) => key === `${prefix}-${number}`);
    expect([of(0), of(1), of(6)]).toEqual([[], [], []]);
    expect([of(2).length, of(3).length, of(4).length]).toEqual([1, 2, 1]);
    expect(of(5).map(({ counted }) => counted)).toEqual(["1", "2", "3", "4"]);
    for (const check of checks) {
      const half = halves.find(({ key }) => key === check.key);
      expect(check).toMatchObject({ topic, body: check.key, transactionId: half?.transactionId });
    }
    expect(seen.bodies()).toEqual(keys(0, 2, 3, 6));
  });

  it("kill -9 of the broker between half and check: the Java producer is asked after the restart", async () => {
    const topic = "JavaKilled";
    // The last half message is answered after both ends before it were written.
    const args = [`topic=${topic}`, "group=PG_killed", "plans=c,r,uuuc", "immunity=2", "prefix=k"];
    await using java = await cluster.java("LabTransaction", args);
    await java.waitForLine((line) => line.includes('"started"'), WAIT_MS);
    broker.child.kill("SIGKILL");
    await broker.child.exited;
    broker = await startBrokerProcess(broker.home, { ...properties(), listenPort: broker.port });
    const seen = await cluster.consume(topic);
    await expect.poll(() => seen.bodies(), POLL).toEqual(["k-0", "k-2"]);
    const checks = events<Check>(java.lines, "check");
    expect(new Set(checks.map(({ key }) => key))).toEqual(new Set(["k-2"]));
  });

  it("all 18 delay levels from Java: each comes when its level is due, also when the broker was killed meanwhile", async () => {
    const delayOf = (key: string): number => 1_000 * (1 + (Number(key.split("-")[1]) % 3));
    const send = async (topic: string): Promise<void> => {
      const args = [`topic=${topic}`, "count=18", "delays=each"];
      await using producer = await cluster.java("LabProducer", args);
      await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
      expect(sends(producer.lines).map(({ status }) => status)).toEqual(
        Array.from({ length: 18 }, () => "SEND_OK"),
      );
    };
    await send("LevelsKilled");
    broker.child.kill("SIGKILL");
    await broker.child.exited;
    broker = await startBrokerProcess(broker.home, { ...properties(), listenPort: broker.port });
    await send("LevelsAfter");
    for (const topic of ["LevelsAfter", "LevelsKilled"]) {
      const args = [`topic=${topic}`, `group=CG_${topic}`];
      await using consumer = await cluster.java("LabConsumer", args);
      await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= 18, WAIT_MS);
      const waited = deliveries(consumer.lines).map(
        ({ key, stored, born }) => stored - born - delayOf(key),
      );
      expect(Math.min(...waited)).toBeGreaterThanOrEqual(0);
      const latest = topic === "LevelsAfter" ? 2_000 : WAIT_MS;
      expect(Math.max(...waited)).toBeLessThan(latest);
    }
  });

  it("request(): Java asks and Java answers, Java asks and we answer, we ask and Java answers, nobody answers", async () => {
    await cluster.createTopics(["Ask_java", "Ask_us"], broker.address);
    await using answers = await cluster.java("LabRequest", ["role=answer", "topic=Ask_java"]);
    await answers.waitForLine((line) => line.includes('"started"'), WAIT_MS);
    const replies = await cluster.producer("PG_reply");
    const outcomes: unknown[] = [];
    await cluster.consume("Ask_us", (message) => {
      const body = Buffer.from(`re:${message.body.toString()}`);
      replies.reply(message, { body }).then(
        ({ status }) => outcomes.push(status),
        (error: unknown) => outcomes.push(error),
      );
    });
    const asker = await cluster.producer("PG_asker");
    const asks = ["a", "b", "c"].map((body) =>
      asker.request({ topic: "Ask_java", body: Buffer.from(body) }, { timeoutMs: 30_000 }),
    );
    const got = await Promise.all(asks);
    expect(got.map(({ body }) => body.toString())).toEqual(["re:a", "re:b", "re:c"]);
    const five = [0, 1, 2, 3, 4];
    const ask = async (topic: string, until: () => Promise<void>): Promise<void> => {
      const args = [`topic=${topic}`, "count=5", "timeout=30000"];
      await using java = await cluster.java("LabRequest", args);
      await java.waitForLine((line) => line.includes('"started"'), WAIT_MS);
      const bodies = events<Reply>(java.lines, "reply").map(({ body }) => body);
      expect(bodies).toEqual(five.map((i) => `re:q-${i}`));
      await until();
    };
    await ask("Ask_java", () => Promise.resolve());
    // Java takes a reply before it answers the push: it must live until then.
    await ask("Ask_us", () => expect.poll(() => outcomes, POLL).toEqual(five.map(() => "SEND_OK")));
    const nobody = asker.request(
      { topic: "Ask_nobody", body: Buffer.from("x") },
      { timeoutMs: 700 },
    );
    await expect(nobody).rejects.toMatchObject({ code: "CLIENT_NO_REPLY" });
  });
});

describe.runIf(machineHas("java", "maven"))("our client on Apache's broker", () => {
  const cluster = new Cluster();

  beforeAll(async () => {
    const namesrvPort = await freeBrokerPort();
    cluster.namesrvAddr = `127.0.0.1:${namesrvPort}`;
    cluster.cleanup.use(
      await startApacheNamesrv({
        version,
        home: join(cluster.home, "namesrv"),
        properties: { listenPort: namesrvPort },
      }),
    );
    const listenPort = await freeBrokerPort();
    cluster.cleanup.use(
      await startApacheBroker({
        version,
        home: join(cluster.home, "broker"),
        properties: {
          brokerName: "broker-a",
          brokerClusterName: "DefaultCluster",
          namesrvAddr: cluster.namesrvAddr,
          listenPort,
          mappedFileSizeCommitLog: 16 * 1_048_576,
          maxHashSlotNum: 1_000,
          maxIndexNum: 4_000,
          ...QUICK,
        },
      }),
    );
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  it("a transaction producer of ours: commit, rollback, commit on the second check", async () => {
    const topic = "OursTrans";
    const checked: string[] = [];
    const check = (message: ReceivedMessage): TransactionState => {
      const body = message.body.toString();
      checked.push(body);
      expect(message.topic).toBe(topic);
      return checked.filter((other) => other === body).length < 2 ? "unknown" : "commit";
    };
    const producer = createTransactionProducer(cluster.client(), { group: "PG_ours", check });
    await producer.start();
    const states: readonly TransactionState[] = ["commit", "rollback", "unknown", "commit"];
    const sent: TransactionSendResult[] = [];
    for (const [i, state] of states.entries()) {
      const message = { topic, body: Buffer.from(`o-${i}`) };
      sent.push(await producer.sendInTransaction(message, () => state));
    }
    const seen = await cluster.consume(topic);
    await expect.poll(() => seen.bodies(), POLL).toEqual(["o-0", "o-2", "o-3"]);
    expect(checked).toEqual(["o-2", "o-2"]);
    const ids = new Set(seen.messages.map(({ msgId }) => msgId));
    expect(ids).toEqual(new Set([0, 2, 3].map((i) => sent[i]?.transactionId)));
  });

  it("request and reply of ours", async () => {
    const replies = await cluster.producer("PG_reply");
    await cluster.consume("OursAsk", (message) => {
      void replies.reply(message, { body: Buffer.alloc(5_000, message.body), tags: "re" });
    });
    const asker = await cluster.producer("PG_asker");
    const reply = await asker.request(
      { topic: "OursAsk", body: Buffer.from("ask.") },
      { timeoutMs: 30_000 },
    );
    expect(reply.body.toString()).toBe("ask.".repeat(1_250));
    expect(reply.properties.get("TAGS")).toBe("re");
  });
});
