/** Request-reply with our client on our brokers (remoting-protocol 4.8). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunningBroker } from "../../../../engine/broker/broker.ts";
import {
  createProducer,
  type Producer,
  type ReceivedMessage,
  type SendResult,
} from "../../../../engine/client/index.ts";
import { internTopic } from "../../../../engine/message/topic-name.ts";
import { recordsOf, sendFields } from "../../../helpers/broker-peer.ts";
import { until } from "../engine-fixture.ts";
import { ClientFixture } from "./client-fixture.ts";

const TOPIC = "Ask";
const REPLY_TOPIC = "DefaultCluster_REPLY_TOPIC";
const TIMEOUT_MS = 10_000;

describe("request and reply", () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await ClientFixture.start();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  /** A consumer that answers BODY with "re:BODY"; what its replies came to. */
  async function answerer(
    makeBody: (message: ReceivedMessage) => Buffer = (message) =>
      Buffer.concat([Buffer.from("re:"), message.body]),
  ): Promise<{ readonly sent: SendResult[]; readonly failed: unknown[] }> {
    const producer = await fixture.producer({ group: "PG_answer" });
    const sent: SendResult[] = [];
    const failed: unknown[] = [];
    await fixture.consumer({
      topic: TOPIC,
      listener: (messages) => {
        for (const message of messages) {
          producer.reply(message, { body: makeBody(message), tags: "answer" }).then(
            (result) => sent.push(result),
            (error: unknown) => failed.push(error),
          );
        }
        return "success";
      },
    });
    return { sent, failed };
  }

  const ask = (producer: Producer, body: string, timeoutMs = TIMEOUT_MS) =>
    producer.request({ topic: TOPIC, body: Buffer.from(body), keys: [body] }, { timeoutMs });

  const stored = (broker: RunningBroker): number =>
    broker.context.store.maxOffsetInQueue(internTopic(REPLY_TOPIC), 0);

  it("each of many requests gets its own reply, and the replies are stored in the cluster's reply topic", async () => {
    const broker = await fixture.engine.startBroker();
    const { sent, failed } = await answerer();
    const asker = await fixture.producer({ group: "PG_ask" });
    const bodies = Array.from({ length: 50 }, (_, i) => `q${i}`);
    const replies = await Promise.all(bodies.map((body) => ask(asker, body)));
    expect(replies.map(({ body }) => body.toString())).toEqual(bodies.map((body) => `re:${body}`));
    expect(replies[0]).toMatchObject({ topic: REPLY_TOPIC });
    expect(Object.fromEntries(replies[0]?.properties ?? [])).toMatchObject({
      MSG_TYPE: "reply",
      TAGS: "answer",
      TTL: String(TIMEOUT_MS),
      CORRELATION_ID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      PUSH_REPLY_TIME: expect.stringMatching(/^\d{13}$/),
    });
    await until("every reply was answered", () => sent.length === 50);
    expect([failed, stored(broker)]).toEqual([[], 50]);
    expect(new Set(sent.map(({ queueOffset }) => queueOffset)).size).toBe(50);
    const peer = await fixture.engine.peer(broker);
    const [first] = recordsOf((await peer.pull(REPLY_TOPIC)).body);
    expect(first?.text).toMatch(/^re:q/);
  });

  it("a large reply comes back as it was, although it travels compressed", async () => {
    await fixture.engine.startBroker();
    await answerer((message) => Buffer.alloc(200_000, message.body));
    const asker = await fixture.producer({ group: "PG_ask" });
    const reply = await ask(asker, "abc.");
    expect(reply.body.equals(Buffer.alloc(200_000, "abc."))).toBe(true);
  });

  it("storeReplyMessageEnable=false pushes and stores nothing", async () => {
    const broker = await fixture.engine.startBroker({ storeReplyMessageEnable: false });
    const { sent } = await answerer();
    const asker = await fixture.producer({ group: "PG_ask" });
    expect((await ask(asker, "x")).body.toString()).toBe("re:x");
    await until("the reply was answered", () => sent.length === 1);
    expect(sent[0]).toMatchObject({ offsetMsgId: "0", queueOffset: 0 });
    expect(stored(broker)).toBe(0);
  });

  it("without an answer in time the request fails, says so, and a reply that comes later is nobody's", async () => {
    const broker = await fixture.engine.startBroker();
    const asker = await fixture.producer({ group: "PG_ask" });
    await expect(ask(asker, "slow", 300)).rejects.toMatchObject({
      code: "CLIENT_NO_REPLY",
      message: expect.stringMatching(/^no reply to request/),
    });
    const { sent, failed } = await answerer();
    await until("the late reply was taken all the same", () => sent.length === 1);
    expect([failed, stored(broker)]).toEqual([[], 1]);
    expect((await ask(asker, "next")).body.toString()).toBe("re:next");
  });

  it("a reply to who is gone is answered 1, naming him, and stored", async () => {
    const broker = await fixture.engine.startBroker();
    const client = fixture.client();
    const asker = createProducer(client, { group: "PG_ask" });
    await asker.start();
    const asked = ask(asker, "bye").catch((error: unknown) => error);
    await until("the request is there", () => {
      const store = broker.context.store;
      const name = internTopic(TOPIC);
      return [0, 1, 2, 3].some((queueId) => store.maxOffsetInQueue(name, queueId) > 0);
    });
    await client.close();
    expect(await asked).toMatchObject({ code: "CLIENT_CLOSED" });
    const { failed } = await answerer();
    await until("the reply was refused", () => failed.length === 1);
    expect(failed[0]).toMatchObject({
      responseCode: 1,
      message: expect.stringContaining(`channel of <${client.clientId}> not found`),
    });
    expect(stored(broker)).toBe(1);
  });

  it("codes 324 and 325 pass the checks of a send; a reply that does not say who asked is answered 1", async () => {
    const broker = await fixture.engine.startBroker();
    const peer = await fixture.engine.peer(broker);
    const body = Buffer.from("x");
    const short = sendFields(REPLY_TOPIC, { i: "MSG_TYPE\u0001reply\u0002" });
    const nobody = await peer.ask({ code: 325, ext: short, body });
    expect([nobody.code, nobody.remark]).toEqual([
      1,
      "reply message properties[REPLY_TO_CLIENT] is null",
    ]);
    expect(nobody.ext).toMatchObject({ queueId: "0", queueOffset: "0", TRACE_ON: "true" });
    const long = {
      producerGroup: "PG",
      topic: REPLY_TOPIC,
      defaultTopic: "TBW102",
      defaultTopicQueueNums: 4,
      queueId: 7,
      sysFlag: 0,
      bornTimestamp: Date.now(),
      flag: 0,
      properties: "MSG_TYPE\u0001reply\u0002",
    };
    const badQueue = await peer.ask({ code: 324, ext: long, body });
    expect([badQueue.code, badQueue.remark]).toEqual([
      1,
      expect.stringMatching(/^request queueId\[7\] is illegal/),
    ]);
    const badTopic = await peer.ask({ code: 324, ext: { ...long, topic: "bad topic" }, body });
    expect(badTopic.code).toBe(1);
    const badPair = { ...short, i: "oops" };
    expect((await peer.ask({ code: 325, ext: badPair, body })).code).toBe(13);
    expect(stored(broker)).toBe(1);
  });

  it("a message that is no request cannot be replied to", async () => {
    await fixture.engine.startBroker();
    const { failed } = await answerer();
    const producer = await fixture.producer();
    await producer.send({ topic: TOPIC, body: Buffer.from("plain") });
    await until("the reply was refused", () => failed.length === 1);
    expect(failed[0]).toMatchObject({
      code: "MESSAGE_INVALID",
      message: expect.stringMatching(/is no request/),
    });
  });
});
