/** Transactions with our producer and consumer on our brokers (remoting-protocol 4.7, store-and-ha 6.2 … 6.5). */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseFastjson, asNumber, asObject } from "../../../../engine/base/fastjson.ts";
import type { RunningBroker } from "../../../../engine/broker/broker.ts";
import type {
  ReceivedMessage,
  TransactionProducer,
  TransactionState,
} from "../../../../engine/client/index.ts";
import { internTopic } from "../../../../engine/message/topic-name.ts";
import { startBrokerProcess } from "../../../helpers/engine-process.ts";
import { until } from "../engine-fixture.ts";
import { ClientFixture } from "./client-fixture.ts";

const TOPIC = "Trans";
const HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC";
/** Checks within a test's patience. */
const QUICK = { transactionCheckInterval: 100, transactionTimeOut: 150 };

const text = (body: string) => ({ topic: TOPIC, body: Buffer.from(body), keys: [body] });

function asked(answers: (message: ReceivedMessage, times: number) => TransactionState) {
  const checks: ReceivedMessage[] = [];
  const check = (message: ReceivedMessage): TransactionState => {
    checks.push(message);
    const times = checks.filter((other) => other.msgId === message.msgId).length;
    return answers(message, times);
  };
  return { checks, check };
}

describe("transactions", () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await ClientFixture.start();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const never = asked(() => "unknown").check;
  const visible = (broker: RunningBroker, topic = TOPIC): number => {
    const name = internTopic(topic);
    return [0, 1, 2, 3].reduce(
      (sum, queueId) => sum + broker.context.store.maxOffsetInQueue(name, queueId),
      0,
    );
  };
  const half = (producer: TransactionProducer, body: string, state: TransactionState) =>
    producer.sendInTransaction(text(body), () => state);

  it("a committed message is delivered once, a rolled back one never, and nothing before its commit", async () => {
    const broker = await fixture.engine.startBroker();
    const { producer } = await fixture.transactionProducer({ check: never });
    const seenBeforeCommit: number[] = [];
    const results = [];
    for (const body of ["c0", "r0", "c1", "r1", "c2"]) {
      results.push(
        await producer.sendInTransaction(text(body), () => {
          seenBeforeCommit.push(visible(broker));
          return body.startsWith("c") ? "commit" : "rollback";
        }),
      );
      const wanted = Number(body.slice(1)) + 1;
      if (body.startsWith("c")) await until("it is committed", () => visible(broker) === wanted);
    }
    expect(seenBeforeCommit).toEqual([0, 1, 1, 2, 2]);
    const consumer = await fixture.consumer({ topic: TOPIC });
    await until("all are there", () => consumer.got.length === 3);
    expect(consumer.bodies()).toEqual(["c0", "c1", "c2"]);
    const [first] = consumer.got.filter((message) => message.body.toString() === "c0");
    expect(first).toMatchObject({
      msgId: results[0]?.transactionId,
      sysFlag: 8,
      queueId: results[0]?.queue.queueId,
    });
    expect(Object.fromEntries(first?.properties ?? [])).toMatchObject({
      TRAN_MSG: "true",
      PGROUP: "PG_trans",
      REAL_TOPIC: TOPIC,
    });
    expect(visible(broker, HALF_TOPIC)).toBe(5);
  });

  it("commit on the third check: each check goes to the producer with the real topic and the same id", async () => {
    const broker = await fixture.engine.startBroker(QUICK);
    const { checks, check } = asked((_, times) => (times < 3 ? "unknown" : "commit"));
    const { producer } = await fixture.transactionProducer({ check });
    const sent = await half(producer, "slow", "unknown");
    await until("it is committed", () => visible(broker) === 1);
    const consumer = await fixture.consumer({ topic: TOPIC });
    await until("it is delivered", () => consumer.got.length === 1);
    expect(checks).toHaveLength(3);
    expect(new Set(checks.map((message) => message.msgId))).toEqual(new Set([sent.transactionId]));
    expect(checks.map((message) => message.properties.get("TRANSACTION_CHECK_TIMES"))).toEqual([
      "1",
      "2",
      "3",
    ]);
    expect(checks[0]).toMatchObject({
      topic: TOPIC,
      queueId: sent.queue.queueId,
      brokerName: "broker-a",
      body: Buffer.from("slow"),
    });
    const places = checks.map((message) => message.queueOffset);
    expect(places).toEqual([1, 2, 3]);
  });

  it("a check that throws, and a local transaction that throws, count as unknown", async () => {
    const broker = await fixture.engine.startBroker(QUICK);
    const { checks, check } = asked((_, times) => {
      if (times === 1) throw new Error("the database is away");
      return "rollback";
    });
    const { producer } = await fixture.transactionProducer({ check });
    const sent = await producer.sendInTransaction(text("x"), () => {
      throw new Error("deadlock");
    });
    expect(sent).toMatchObject({ state: "unknown", localError: new Error("deadlock") });
    await until("it is asked about twice", () => checks.length === 2);
    const { length } = broker.context.topics.all();
    await half(producer, "other", "commit");
    await until("the other one is there", () => visible(broker) === 1);
    expect(checks).toHaveLength(2);
    expect(length).toBeGreaterThan(0);
  });

  it("is given up after transactionCheckMax checks; a commit that comes later does nothing; an operator can resume it", async () => {
    const broker = await fixture.engine.startBroker({ ...QUICK, transactionCheckMax: 2 });
    let answer: TransactionState = "unknown";
    const { checks, check } = asked(() => answer);
    const { producer } = await fixture.transactionProducer({ check });
    const sent = await half(producer, "lost", "unknown");
    const dead = "TRANS_CHECK_MAX_TIME_TOPIC";
    await until("it is given up", () => visible(broker, dead) === 1);
    expect(checks).toHaveLength(2);
    const peer = await fixture.engine.peer(broker);
    const [entry] = broker.context.store.consumeQueueEntries(internTopic(dead), 0, 0, 1);
    const record = broker.context.store.recordAt(entry?.physicalOffset ?? -1);
    expect(record?.bytes.includes("lost")).toBe(true);
    const late = await peer.ask({ code: 37, ext: endFields(sent, { commitOrRollback: 8 }) });
    expect([late.code, visible(broker)]).toEqual([0, 0]);

    answer = "commit";
    const { hostHex, offset } = {
      hostHex: sent.offsetMsgId.slice(0, 16),
      offset: entry?.physicalOffset ?? 0,
    };
    const msgId = hostHex + offset.toString(16).toUpperCase().padStart(16, "0");
    expect((await peer.ask({ code: 323, ext: { msgId } })).code).toBe(0);
    await until("it is committed after all", () => visible(broker) === 1);
  });

  it("another producer of the group answers when the first is gone", async () => {
    const broker = await fixture.engine.startBroker(QUICK);
    const gone = asked(() => "unknown");
    const first = await fixture.transactionProducer({ check: gone.check });
    const other = asked(() => "commit");
    await half(first.producer, "handed-over", "unknown");
    await first.stop();
    const before = gone.checks.length;
    const second = await fixture.transactionProducer({ check: other.check });
    await until("it is committed", () => visible(broker) === 1);
    expect(other.checks).toHaveLength(1);
    expect(gone.checks).toHaveLength(before);
    await second.stop();
  });

  it("R-25: ended twice, and ended by its first place after a check moved it, it is delivered once", async () => {
    const broker = await fixture.engine.startBroker(QUICK);
    const { checks, check } = asked(() => "unknown");
    const { producer } = await fixture.transactionProducer({ check });
    const sent = await half(producer, "once", "unknown");
    await until("it was moved by a check", () => checks.length > 0);
    const peer = await fixture.engine.peer(broker);
    const ends = [
      { commitOrRollback: 8 },
      { commitOrRollback: 8 },
      { commitOrRollback: 12 },
      { commitOrRollback: 8 },
    ].map((end) => peer.ask({ code: 37, ext: endFields(sent, end) }));
    const codes = (await Promise.all(ends)).map((answer) => answer.code);
    expect(codes).toEqual([0, 0, 0, 0]);
    const known = checks.length;
    // A second transaction has been asked about: the first one would have been, too.
    await half(producer, "next", "unknown");
    await until("the next one is asked about", () => checks.at(-1)?.body.toString() === "next");
    expect(checks.slice(known).filter((message) => message.body.toString() === "once")).toEqual([]);
    expect(visible(broker)).toBe(1);
  });

  it("R-25: refuses an end that does not belong to the half message; 0 is not answered", async () => {
    const broker = await fixture.engine.startBroker();
    const { producer } = await fixture.transactionProducer({ check: never });
    const sent = await half(producer, "mine", "unknown");
    const peer = await fixture.engine.peer(broker);
    const ask = (changes: Record<string, string | number>) =>
      peer.ask({ code: 37, ext: endFields(sent, { commitOrRollback: 8, ...changes }) });
    const plain = await producer.send(text("plain"));
    const plainAt = Number.parseInt(plain.offsetMsgId.slice(-16), 16);
    const answers = await Promise.all([
      ask({ producerGroup: "PG_other" }),
      ask({ tranStateTableOffset: 7 }),
      ask({ commitLogOffset: 1 }),
      ask({ commitLogOffset: plainAt }),
      ask({ transactionId: "AC10000000000000000000000000AAAA" }),
    ]);
    expect(answers.map(({ code, remark }) => [code, remark?.slice(0, 40)])).toEqual([
      [1, "The producer group wrong"],
      [1, "The transaction state table offset wrong"],
      [1, "The commit log offset wrong: no half mes"],
      [1, "The commit log offset wrong: no half mes"],
      [1, "The transaction id wrong"],
    ]);
    const unanswered = peer.tryAsk({ code: 37, ext: endFields(sent, { commitOrRollback: 0 }) });
    const after = await ask({ commitOrRollback: 12 });
    expect(after.code).toBe(0);
    peer[Symbol.dispose]();
    expect(await unanswered).toBeNull();
    expect(visible(broker)).toBe(1);
  });

  it("rejectTransactionMessage refuses with 16, a slave ends nothing", async () => {
    const refusing = await fixture.engine.startBroker({ rejectTransactionMessage: true });
    const peer = await fixture.engine.peer(refusing);
    const i = "TRAN_MSG\u0001true\u0002PGROUP\u0001PG_trans\u0002UNIQ_KEY\u0001U1\u0002";
    const answer = await peer.send("Trans", "x", { i, f: 4 });
    expect([answer.code, answer.remark]).toEqual([
      16,
      "the broker[127.0.0.1] sending transaction message is forbidden",
    ]);
    const slave = await fixture.engine.startBroker({
      brokerName: "broker-b",
      brokerRole: "SLAVE",
      brokerId: 1,
    });
    const toSlave = await fixture.engine.peer(slave);
    const ext = endFields(null, { commitOrRollback: 8 });
    expect((await toSlave.ask({ code: 37, ext })).code).toBe(11);
  });

  it("R-14, R-15: a delay level counts from the commit; a batch is never a half message", async () => {
    const broker = await fixture.engine.startBroker({ messageDelayLevel: "1s 2s" });
    const peer = await fixture.engine.peer(broker);
    const i = `TRAN_MSG\u0001true\u0002PGROUP\u0001PG_trans\u0002UNIQ_KEY\u0001U1\u0002DELAY\u00011\u0002`;
    const sent = await peer.send(TOPIC, "later", { i, f: 4, e: 1 });
    expect([sent.code, sent.ext["queueId"], sent.ext["queueOffset"]]).toEqual([0, "1", "0"]);
    const commitLogOffset = Number.parseInt(sent.ext["msgId"]?.slice(-16) ?? "", 16);
    const ext = endFields(null, { commitLogOffset, tranStateTableOffset: 0, commitOrRollback: 8 });
    expect((await peer.ask({ code: 37, ext })).code).toBe(0);
    const committedAt = Date.now();
    expect(visible(broker)).toBe(0);
    await until("it is delivered when due", () => visible(broker) === 1);
    expect(Date.now() - committedAt).toBeGreaterThan(800);
    expect((await peer.send(TOPIC, "x", { m: true, i })).code).toBe(13);
  });

  it("R-14: a committed message that is retried stays a plain message", async () => {
    const broker = await fixture.engine.startBroker({ messageDelayLevel: "1s 1s 1s 1s" });
    const { producer } = await fixture.transactionProducer({ check: never });
    const consumer = await fixture.consumer({
      topic: TOPIC,
      listener: ([message]) => (message?.reconsumeTimes === 0 ? "later" : "success"),
    });
    await half(producer, "again", "commit");
    await until("it came again", () => consumer.got.length === 2);
    expect(consumer.got.map((message) => message.reconsumeTimes)).toEqual([0, 1]);
    expect(visible(broker, HALF_TOPIC)).toBe(1);
  });

  it("CHECK_IMMUNITY_TIME_IN_SECONDS keeps a message from being asked about, and holds nobody up", async () => {
    const broker = await fixture.engine.startBroker(QUICK);
    const { checks, check } = asked(() => "commit");
    const { producer } = await fixture.transactionProducer({ check });
    const immune = await producer.sendInTransaction(text("immune"), () => "unknown", {
      checkImmunitySeconds: 2,
    });
    await half(producer, "plain", "unknown");
    await until("the plain one is committed", () => visible(broker) === 1);
    expect(checks.map((message) => message.body.toString())).toEqual(["plain"]);
    await until("the other one follows", () => visible(broker) === 2);
    const [, second] = checks;
    expect(second?.msgId).toBe(immune.transactionId);
    expect(Date.now() - (second?.bornTimestamp ?? 0)).toBeGreaterThanOrEqual(2_000);
  });

  it("kill -9 between half and check: after a restart the producer is asked, what had ended is not", async () => {
    const home = join(fixture.engine.home, "killed");
    const properties = {
      ...QUICK,
      namesrvAddr: fixture.engine.namesrvAddr,
      flushDiskType: "SYNC_FLUSH",
      transactionTimeOut: 1_500,
    };
    const first = await startBrokerProcess(home, properties);
    let open = true;
    const { checks, check } = asked(() => (open ? "unknown" : "commit"));
    const { producer, stop } = await fixture.transactionProducer({ check });
    const before = await fixture.consumer({ topic: TOPIC, group: "CG_before" });
    await half(producer, "committed", "commit");
    await half(producer, "rolled-back", "rollback");
    await until("the first one is delivered", () => before.got.length === 1);
    const pending = await half(producer, "pending", "unknown");
    first.child.kill("SIGKILL");
    await first.child.exited;
    expect(checks).toEqual([]);
    open = false;
    await using second = await startBrokerProcess(home, { ...properties, listenPort: first.port });
    const consumer = await fixture.consumer({ topic: TOPIC, group: "CG_after" });
    await until("it is asked about and delivered", () => consumer.got.length === 2, 60_000);
    expect(consumer.bodies()).toEqual(["committed", "pending"]);
    expect(checks.map((message) => message.msgId)).toEqual([pending.transactionId]);
    await stop();
    second.child.kill("SIGTERM");
    await second.child.exited;
  });

  it("writes its progress like 4.9: offsets of CID_RMQ_SYS_TRANS stand at the end when nothing is open", async () => {
    const broker = await fixture.engine.startBroker({ flushConsumerOffsetInterval: 50 });
    const { producer } = await fixture.transactionProducer({ check: never });
    for (const body of ["a", "b", "c"]) await half(producer, body, "commit");
    await half(producer, "d", "rollback");
    const file = join(broker.context.config.storePathRootDir, "config", "consumerOffset.json");
    const progress = (topic: string): number => {
      if (!existsSync(file)) return -1;
      const table = asObject(
        asObject(parseFastjson(readFileSync(file, "utf8"))).get("offsetTable"),
      );
      const queues = table.get(`${topic}@CID_RMQ_SYS_TRANS`);
      return queues === undefined ? -1 : asNumber(asObject(queues).get("0"));
    };
    await until(
      "both are at the end",
      () => progress(HALF_TOPIC) === 4 && progress("RMQ_SYS_TRANS_OP_HALF_TOPIC") === 4,
    );
    const names = broker.context.topics.all().map((topic) => topic.name.text);
    expect(names).toContain(HALF_TOPIC);
    expect(names).not.toContain("RMQ_SYS_TRANS_OP_HALF_TOPIC");
  });
});

/** Header of an end for a sent half message; `changes` win. */
function endFields(
  sent: {
    readonly queueOffset: number;
    readonly offsetMsgId: string;
    readonly msgId: string;
  } | null,
  changes: Readonly<Record<string, string | number>>,
): Record<string, string | number | boolean> {
  const commitLogOffset = sent === null ? 0 : Number.parseInt(sent.offsetMsgId.slice(-16), 16);
  return {
    producerGroup: "PG_trans",
    tranStateTableOffset: sent?.queueOffset ?? 0,
    commitLogOffset,
    msgId: sent?.msgId ?? "U1",
    fromTransactionCheck: false,
    ...changes,
  };
}
