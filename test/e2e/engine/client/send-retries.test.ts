/** The producer's rules against brokers that fail on purpose: remoting-protocol 5.4, faults-and-security 1 and 11. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createClient,
  createProducer,
  SendFailedError,
  type ClientOptions,
  type Producer,
  type ProducerOptions,
} from "../../../../engine/client/index.ts";
import type { ResponseCommand } from "../../../../engine/remoting/command.ts";
import type { Processor } from "../../../../engine/remoting/processor.ts";
import { REQUEST_CODE } from "../../../../engine/remoting/request-codes.ts";
import { Cleanup } from "../../../helpers/cleanup.ts";
import { startNameServer, type TestNameServer } from "./name-server.ts";
import { ScriptedBroker, stored } from "./scripted-broker.ts";

const SEND = REQUEST_CODE.SEND_MESSAGE_V2;
const message = { topic: "T", body: Buffer.from("hello") };

const refuse =
  (code: number): Processor =>
  () => ({ code, remark: `refused ${code}` });
const accept: Processor = (request) => stored(0, 7, Number(request.extFields.get("e")));
const silent: Processor = () => new Promise<ResponseCommand>(() => undefined);

describe("producer", () => {
  let cleanup = new Cleanup();
  let nameServer: TestNameServer;
  beforeEach(async () => {
    nameServer = cleanup.use(await startNameServer());
  });
  afterEach(async () => {
    await cleanup[Symbol.asyncDispose]();
    cleanup = new Cleanup();
  });

  async function broker(
    brokerName: string,
    onSend: Processor,
    topics = ["T"],
  ): Promise<ScriptedBroker> {
    const processors = new Map([
      [SEND, onSend],
      [REQUEST_CODE.SEND_BATCH_MESSAGE, onSend],
    ]);
    const namesrvAddr = nameServer.address;
    return cleanup.use(await ScriptedBroker.start({ namesrvAddr, brokerName, topics, processors }));
  }

  async function producer(
    options: Partial<ProducerOptions> = {},
    client: Partial<ClientOptions> = {},
  ): Promise<Producer> {
    const made = createClient({ namesrvAddrs: [nameServer.address], ...client });
    cleanup.defer(() => made.close());
    const started = createProducer(made, { group: "PG", ...options });
    await started.start();
    return started;
  }

  it("puts the message on the wire as 4.9's client does", async () => {
    const a = await broker("broker-a", accept);
    const sender = await producer();
    const result = await sender.send({ ...message, tags: "TagA", keys: ["k"] });
    const [request] = a.requests(SEND);
    expect(result).toMatchObject({ status: "SEND_OK", queueOffset: 7, attempts: 1 });
    expect(result.queue.brokerName).toBe("broker-a");
    expect(Object.fromEntries(request?.extFields ?? [])).toMatchObject({
      a: "PG",
      b: "T",
      c: "TBW102",
      d: "4",
      e: String(result.queue.queueId),
      f: "0",
      h: "0",
      i: `UNIQ_KEY\u0001${result.msgId}\u0002WAIT\u0001true\u0002KEYS\u0001k\u0002TAGS\u0001TagA\u0002`,
      j: "0",
      k: "false",
      m: "false",
    });
    expect(request?.body?.toString()).toBe("hello");
  });

  it.each([
    [0, "SEND_OK"],
    [10, "FLUSH_DISK_TIMEOUT"],
    [11, "SLAVE_NOT_AVAILABLE"],
    [12, "FLUSH_SLAVE_TIMEOUT"],
  ])("A-02: code %i is a stored message with status %s, not retried", async (code, status) => {
    const a = await broker("broker-a", () => stored(code, 1));
    expect(await (await producer()).send(message)).toMatchObject({ status, attempts: 1 });
    expect(a.requests(SEND)).toHaveLength(1);
  });

  it.each([1, 14, 16, 17])("code %i: the next attempt goes to another broker", async (code) => {
    const a = await broker("broker-a", refuse(code));
    const b = await broker("broker-b", accept);
    const sender = await producer({ retries: 1 });
    for (let i = 0; i < 6; i += 1) {
      expect((await sender.send(message)).queue.brokerName).toBe("broker-b");
    }
    expect(b.requests(SEND)).toHaveLength(6);
    expect(a.requests(SEND).length).toBeGreaterThan(0);
    expect(a.requests(SEND).length).toBeLessThanOrEqual(6);
  });

  it.each([2, 13, 26])("code %i ends the send at once", async (code) => {
    const a = await broker("broker-a", refuse(code));
    await expect((await producer()).send(message)).rejects.toMatchObject({
      code: "CLIENT_BROKER_REFUSED",
      outcome: "not-stored",
      responseCode: code,
    });
    expect(a.requests(SEND)).toHaveLength(1);
  });

  it("gives up after 1 + retries attempts; 0 retries leave every attempt to the caller", async () => {
    const a = await broker("broker-a", refuse(14));
    for (const retries of [0, 1, 2]) {
      const before = a.requests(SEND).length;
      const error = await (await producer({ retries })).send(message).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(SendFailedError);
      expect((error as SendFailedError).attempts).toHaveLength(1 + retries);
      expect(a.requests(SEND).length - before).toBe(1 + retries);
    }
  });

  it("a queue of the caller's choice gets one attempt, there", async () => {
    const a = await broker("broker-a", refuse(14));
    const b = await broker("broker-b", accept);
    const queue = { topic: "T", brokerName: "broker-a", queueId: 1 };
    await expect((await producer()).send(message, { queue })).rejects.toMatchObject({
      outcome: "not-stored",
    });
    expect([a.requests(SEND).length, b.requests(SEND).length]).toEqual([1, 0]);
  });

  it("the budget is over all attempts, and silence is an unknown outcome", async () => {
    const a = await broker("broker-a", silent);
    const sender = await producer({ sendTimeoutMs: 300 });
    const began = performance.now();
    await expect(sender.send(message)).rejects.toMatchObject({
      code: "REMOTING_TIMEOUT",
      outcome: "unknown",
    });
    expect(performance.now() - began).toBeLessThan(800);
    expect(a.requests(SEND)).toHaveLength(1);
  });

  it("A-03: a connection that breaks under a send is retried, and without success is unknown", async () => {
    const a = await broker("broker-a", silent);
    const sender = await producer({ retries: 0 });
    const sent = sender.send(message).catch((error: unknown) => error);
    await expect.poll(() => a.requests(SEND).length).toBe(1);
    await a.kill();
    expect(await sent).toMatchObject({ code: "REMOTING_CONNECTION_CLOSED", outcome: "unknown" });
  });

  it("an unknown attempt keeps the whole send unknown, even when the next one is refused", async () => {
    const a = await broker("broker-a", silent);
    const sender = await producer({ retries: 1 });
    const sent = sender.send(message).catch((error: unknown) => error);
    await expect.poll(() => a.requests(SEND).length).toBe(1);
    const b = await broker("broker-b", refuse(13));
    await a.kill();
    expect(await sent).toMatchObject({ outcome: "unknown" });
    expect(b.requests(SEND).length).toBeLessThanOrEqual(1);
  });

  it("sends go on through the other broker at once when a master dies, and all of them there soon after", async () => {
    const a = await broker("broker-a", accept);
    const b = await broker("broker-b", accept);
    const sender = await producer();
    await Promise.all(Array.from({ length: 8 }, () => sender.send(message)));
    expect(a.requests(SEND).length).toBeGreaterThan(0);
    await a.kill();
    const began = performance.now();
    const first = await sender.send(message);
    expect(first.queue.brokerName).toBe("broker-b");
    expect(performance.now() - began).toBeLessThan(500);
    await expect
      .poll(async () => (await sender.publishQueues("T")).map((queue) => queue.brokerName), {
        interval: 10,
        timeout: 1_000,
      })
      .toEqual(["broker-b", "broker-b"]);
    const after = await Promise.all(Array.from({ length: 8 }, () => sender.send(message)));
    expect(after.map((result) => result.attempts)).toEqual(Array.from({ length: 8 }, () => 1));
    expect(b.requests(SEND).length).toBeGreaterThanOrEqual(9);
  });

  it("an idle client's routes know of a dead master well under a second later", async () => {
    const a = await broker("broker-a", accept);
    await broker("broker-b", accept);
    const client = createClient({ namesrvAddrs: [nameServer.address] });
    cleanup.defer(() => client.close());
    const sender = createProducer(client, { group: "PG" });
    await sender.start();
    const queue = { topic: "T", brokerName: "broker-a", queueId: 0 };
    await sender.send(message, { queue });
    const began = performance.now();
    await a.kill();
    await expect
      .poll(async () => (await client.route("T"))?.brokers.length, { interval: 5, timeout: 900 })
      .toBe(1);
    expect(performance.now() - began).toBeLessThan(900);
  });

  it("no connection at all is surely not stored", async () => {
    const a = await broker("broker-a", accept);
    const sender = await producer({ retries: 0 });
    await sender.publishQueues("T");
    await a.kill();
    const error: unknown = await sender.send(message).catch((e: unknown) => e);
    expect(error).toMatchObject({ outcome: "not-stored" });
    expect(["REMOTING_CONNECT_FAILED", "CLIENT_NO_ROUTE"]).toContain(
      (error as SendFailedError).code,
    );
  });

  it("4.1.5: a topic nobody has goes by TBW102's route, at most 4 queues of each broker", async () => {
    const a = await broker("broker-a", accept, ["TBW102"]);
    const sender = await producer({ defaultTopicQueueNums: 1 });
    const results = await Promise.all(
      Array.from({ length: 3 }, () => sender.send({ ...message, topic: "New" })),
    );
    expect(results.map(({ queue }) => queue)).toEqual(
      Array.from({ length: 3 }, () => ({ topic: "New", brokerName: "broker-a", queueId: 0 })),
    );
    expect(a.requests(SEND)[0]?.extFields.get("d")).toBe("1");
  });

  it("without a route the send fails with CLIENT_NO_ROUTE, nothing sent", async () => {
    await broker("broker-a", accept, ["Other"]);
    await expect((await producer()).send(message)).rejects.toMatchObject({
      code: "CLIENT_NO_ROUTE",
      outcome: "not-stored",
    });
  });

  it("a second name server answers when the first is gone", async () => {
    const second = cleanup.use(await startNameServer());
    const processors = new Map([[SEND, accept]]);
    const parts = { brokerName: "broker-a", topics: ["T"], processors };
    cleanup.use(await ScriptedBroker.start({ namesrvAddr: second.address, ...parts }));
    const gone = nameServer.address;
    await nameServer[Symbol.asyncDispose]();
    const sender = await producer({}, { namesrvAddrs: [gone, second.address] });
    expect((await sender.send(message)).status).toBe("SEND_OK");
  });

  it("trustRefusals=false: code 1 of another broker is unknown, 14 is not", async () => {
    const a = await broker("broker-a", (request) => ({ code: Number(request.body?.toString()) }));
    const sender = await producer({ retries: 0 }, { trustRefusals: false });
    const outcome = async (code: string): Promise<unknown> =>
      sender.send({ topic: "T", body: Buffer.from(code) }).catch((e: unknown) => e);
    expect(await outcome("1")).toMatchObject({ outcome: "unknown" });
    expect(await outcome("14")).toMatchObject({ outcome: "not-stored" });
    expect(a.requests(SEND)).toHaveLength(2);
  });

  it("a one-way send is marked as such and waits for nothing", async () => {
    const a = await broker("broker-a", silent);
    await (await producer()).sendOneway(message);
    await expect.poll(() => a.requests(SEND).length).toBe(1);
    expect((a.requests(SEND)[0]?.flag ?? 0) & 2).toBe(2);
  });

  it("a batch is one request with code 320 and batch=true", async () => {
    const a = await broker("broker-a", accept);
    const result = await (await producer()).sendBatch([message, message]);
    const [request] = a.requests(REQUEST_CODE.SEND_BATCH_MESSAGE);
    expect(request?.extFields.get("m")).toBe("true");
    expect(result.queueOffset).toBe(7);
  });

  it("closing fails what is in flight as unknown, and later sends with CLIENT_CLOSED", async () => {
    const a = await broker("broker-a", silent);
    const client = createClient({ namesrvAddrs: [nameServer.address] });
    const sender = createProducer(client, { group: "PG" });
    await sender.start();
    const sent = sender.send(message).catch((error: unknown) => error);
    await expect.poll(() => a.requests(SEND).length).toBe(1);
    await client.close();
    expect(await sent).toMatchObject({ outcome: "unknown" });
    await expect(sender.send(message)).rejects.toMatchObject({ code: "CLIENT_CLOSED" });
  });
});
