/** What a push consumer makes of each answer to its pulls: remoting-protocol 5.6 and 5.7. The broker says what the test wants. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createClient, createPushConsumer } from "../../../../engine/client/index.ts";
import { decodeHeartbeat } from "../../../../engine/remoting/bodies/heartbeat.ts";
import { encodeOffsetTable } from "../../../../engine/remoting/bodies/message-queue.ts";
import { encodeConsumerIdList } from "../../../../engine/remoting/bodies/simple.ts";
import type { Channel } from "../../../../engine/remoting/channel.ts";
import type { RemotingCommand, ResponseCommand } from "../../../../engine/remoting/command.ts";
import type { Processor } from "../../../../engine/remoting/processor.ts";
import { REQUEST_CODE } from "../../../../engine/remoting/request-codes.ts";
import { Cleanup } from "../../../helpers/cleanup.ts";
import { storedRecord } from "../../../unit/engine/client/consumer/stored-records.ts";
import { until } from "../engine-fixture.ts";
import { startNameServer, type TestNameServer } from "./name-server.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

const PULL = REQUEST_CODE.PULL_MESSAGE;

interface PullAnswer {
  readonly code: number;
  readonly next: number;
  readonly suggest?: number;
  readonly body?: Buffer;
}

function pullAnswer(answer: PullAnswer): ResponseCommand {
  const { code, next, suggest, body } = answer;
  const extFields = new Map([
    ["suggestWhichBrokerId", String(suggest ?? 0)],
    ["nextBeginOffset", String(next)],
    ["minOffset", "0"],
    ["maxOffset", "100"],
  ]);
  return { code, extFields, body: body ?? null };
}

/** Queue 0 of topic T answers by the script, then holds; every other queue holds. */
class Pulls {
  readonly offsets: number[] = [];
  readonly requests: RemotingCommand[] = [];
  private readonly script: (PullAnswer | { readonly refuse: number })[];

  constructor(script: (PullAnswer | { readonly refuse: number })[]) {
    this.script = script;
  }

  readonly serve: Processor = (request) => {
    const ext = request.extFields;
    if (ext.get("topic") !== "T" || ext.get("queueId") !== "0") return null;
    this.offsets.push(Number(ext.get("queueOffset")));
    this.requests.push(request);
    const next = this.script.shift();
    if (next === undefined) return null;
    return "refuse" in next ? { code: next.refuse, remark: "no" } : pullAnswer(next);
  };
}

describe("push consumer", () => {
  let cleanup = new Cleanup();
  let nameServer: TestNameServer;
  const got: string[] = [];
  const commits = new Map<string, number>();
  let members: string[] = [];
  let storedOffset: number | null = 5;
  let channel: Channel | undefined;

  beforeEach(async () => {
    nameServer = cleanup.use(await startNameServer());
    got.length = 0;
    commits.clear();
    members = [];
    storedOffset = 5;
  });
  afterEach(async () => {
    await cleanup[Symbol.asyncDispose]();
    cleanup = new Cleanup();
  });

  const heartbeat: Processor = (request, context) => {
    channel = context.channel;
    const { clientId } = decodeHeartbeat(request.body ?? Buffer.alloc(0));
    if (!members.includes(clientId)) members = [...members, clientId];
    return { code: 0 };
  };

  function broker(pull: Processor, more: Partial<{ brokerId: number; list: Processor }> = {}) {
    const processors = new Map<number, Processor>([
      [REQUEST_CODE.HEART_BEAT, heartbeat],
      [PULL, pull],
      [
        REQUEST_CODE.GET_CONSUMER_LIST_BY_GROUP,
        more.list ?? (() => ({ code: 0, body: encodeConsumerIdList(members) })),
      ],
      [
        REQUEST_CODE.QUERY_CONSUMER_OFFSET,
        () =>
          storedOffset === null
            ? { code: 22 }
            : { code: 0, extFields: new Map([["offset", String(storedOffset)]]) },
      ],
      [REQUEST_CODE.GET_MAX_OFFSET, () => ({ code: 0, extFields: new Map([["offset", "70"]]) })],
      [
        REQUEST_CODE.UPDATE_CONSUMER_OFFSET,
        ({ extFields }) => {
          if (extFields.get("topic") === "T")
            commits.set(extFields.get("queueId") ?? "", Number(extFields.get("commitOffset")));
          return { code: 0 };
        },
      ],
    ]);
    return ScriptedBroker.start({
      namesrvAddr: nameServer.address,
      brokerName: "broker-a",
      topics: ["T"],
      processors,
      ...(more.brokerId === undefined ? {} : { brokerId: more.brokerId }),
    }).then((started) => cleanup.use(started));
  }

  async function consume(expression = "*") {
    const client = createClient({ namesrvAddrs: [nameServer.address] });
    cleanup.defer(() => client.close());
    const consumer = createPushConsumer(client, {
      group: "CG",
      listener: (messages) => {
        got.push(...messages.map((message) => message.body.toString()));
        return "success";
      },
    });
    consumer.subscribe("T", expression);
    await consumer.start();
    return { client, consumer };
  }

  const record = (queueOffset: number, tags?: string): Buffer =>
    storedRecord({
      queueOffset,
      body: Buffer.from(`m${queueOffset}`),
      properties: tags === undefined ? {} : { TAGS: tags },
    });

  it("begins at the stored offset, goes on with nextBeginOffset after found, none and no match", async () => {
    const pulls = new Pulls([
      { code: 0, next: 7, body: Buffer.concat([record(5), record(6)]) },
      { code: 20, next: 30 },
      { code: 19, next: 31 },
      { code: 0, next: 32, body: record(31) },
    ]);
    await broker(pulls.serve);
    await consume();
    await until("it holds", () => pulls.offsets.length === 5);
    expect(pulls.offsets).toEqual([5, 7, 30, 31, 32]);
    expect(got).toEqual(["m5", "m6", "m31"]);
  });

  it("commits through the pull what is consumed, and on close through 15", async () => {
    const pulls = new Pulls([
      { code: 0, next: 7, body: Buffer.concat([record(5), record(6)]) },
      { code: 20, next: 8 },
    ]);
    await broker(pulls.serve);
    const { consumer } = await consume();
    await until("it holds", () => pulls.offsets.length === 3);
    const flags = pulls.requests.map(({ extFields }) => Number(extFields.get("sysFlag")));
    expect([flags[0], pulls.requests[0]?.extFields.get("commitOffset")]).toEqual([3, "5"]);
    expect([flags[2], pulls.requests[2]?.extFields.get("commitOffset")]).toEqual([3, "8"]);
    await consumer.close();
    expect(commits.get("0")).toBe(8);
  });

  it("drops messages whose tag only has the same hash", async () => {
    const body = Buffer.concat([record(5, "Aa"), record(6, "BB"), record(7)]);
    const pulls = new Pulls([{ code: 0, next: 8, body }]);
    await broker(pulls.serve);
    await consume("Aa");
    await until("it holds", () => pulls.offsets.length === 2);
    expect(got).toEqual(["m5"]);
  });

  it("21: stores the offset the broker names and begins again there", async () => {
    const pulls = new Pulls([{ code: 21, next: 40 }]);
    await broker(async (request, context) => {
      const answer = await pulls.serve(request, context);
      if (answer?.code === 21) storedOffset = 40;
      return answer;
    });
    await consume();
    await until("it pulls again", () => pulls.offsets.length === 2);
    expect(pulls.offsets).toEqual([5, 40]);
    expect(commits.get("0")).toBe(40);
  });

  it("5.7: asks the broker that was suggested, a slave without committing, and comes back", async () => {
    const master = new Pulls([
      { code: 0, next: 7, suggest: 1, body: Buffer.concat([record(5), record(6)]) },
    ]);
    const slave = new Pulls([{ code: 0, next: 8, suggest: 0, body: record(7) }]);
    await broker(master.serve);
    await broker(slave.serve, { brokerId: 1 });
    await consume();
    await until("it is back at the master", () => master.offsets.length === 2);
    expect([master.offsets, slave.offsets]).toEqual([[5, 8], [7]]);
    expect(slave.requests[0]?.extFields.get("sysFlag")).toBe("2");
    expect(got).toEqual(["m5", "m6", "m7"]);
  });

  it("a master that dies: its slave is asked well under a second later", async () => {
    const master = new Pulls([{ code: 0, next: 6, body: record(5) }]);
    const slave = new Pulls([
      { code: 0, next: 7, body: record(6) },
      { code: 0, next: 8, body: record(7) },
    ]);
    const first = await broker(master.serve);
    await broker(slave.serve, { brokerId: 1 });
    await consume();
    await until("it holds", () => master.offsets.length === 2);
    const began = performance.now();
    await first.kill();
    await until("it goes on", () => got.length === 3);
    expect(performance.now() - began).toBeLessThan(900);
    expect(slave.offsets.slice(0, 2)).toEqual([6, 7]);
  });

  it("refusals are tried again, not at full speed; a broker that forgot the group is told of it", async () => {
    const pulls = new Pulls([{ refuse: 1 }, { refuse: 24 }, { code: 0, next: 6, body: record(5) }]);
    const a = await broker(pulls.serve);
    const began = performance.now();
    await consume();
    const beats = a.requests(REQUEST_CODE.HEART_BEAT).length;
    await until("it goes on", () => got.length === 1);
    expect(performance.now() - began).toBeGreaterThan(100);
    expect(a.requests(REQUEST_CODE.HEART_BEAT).length).toBeGreaterThan(beats);
  });

  it("an answer 19 that was not held is not asked again at full speed", async () => {
    const pulls = new Pulls(Array.from({ length: 1_000 }, () => ({ code: 19, next: 5 })));
    await broker(pulls.serve);
    await consume();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(pulls.offsets.length).toBeLessThan(10);
  });

  it.each([
    ["last", 70],
    ["first", 0],
  ] as const)("22 on the first offset: consumeFrom %s begins at %i", async (consumeFrom, first) => {
    storedOffset = null;
    const pulls = new Pulls([]);
    await broker(pulls.serve);
    const client = createClient({ namesrvAddrs: [nameServer.address] });
    cleanup.defer(() => client.close());
    const consumer = createPushConsumer(client, {
      group: "CG",
      consumeFrom,
      listener: () => "success",
    });
    consumer.subscribe("T");
    await consumer.start();
    await until("it pulls", () => pulls.offsets.length === 1);
    expect(pulls.offsets).toEqual([first]);
    await consumer.close();
    // Kept although nothing came: the next member must not begin at a later end.
    expect(commits.get("0")).toBe(first);
  });

  it("40: takes its new share at once", async () => {
    const pulls = new Pulls([]);
    await broker(pulls.serve);
    const { consumer } = await consume();
    const ids = (): number[] =>
      consumer.assignment().flatMap((queue) => (queue.topic === "T" ? [queue.queueId] : []));
    expect(ids()).toEqual([0, 1]);
    // In whatever order the broker lists them: every member sorts for itself.
    members = ["zzz@other", ...members];
    const extFields = new Map([["consumerGroup", "CG"]]);
    channel?.sendOneway({ code: REQUEST_CODE.NOTIFY_CONSUMER_IDS_CHANGED, extFields });
    await until("half is left", () => ids().length === 1, 1_000);
    expect(ids()).toEqual([0]);
  });

  it("38 that fails keeps the share; a list without us empties it", async () => {
    let answer: "fail" | "list" | "others" = "list";
    const list: Processor = () => {
      if (answer === "fail") return { code: 1, remark: "no" };
      return {
        code: 0,
        body: encodeConsumerIdList(answer === "others" ? ["aaa@other"] : members),
      };
    };
    await broker(new Pulls([]).serve, { list });
    const { consumer } = await consume();
    const notify = (): void => {
      const extFields = new Map([["consumerGroup", "CG"]]);
      channel?.sendOneway({ code: REQUEST_CODE.NOTIFY_CONSUMER_IDS_CHANGED, extFields });
    };
    const share = (): number => consumer.assignment().filter((queue) => queue.topic === "T").length;
    answer = "fail";
    notify();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(share()).toBe(2);
    answer = "others";
    notify();
    await until("nothing is left", () => share() === 0, 2_000);
  });

  it("220: goes on from the offsets it is given", async () => {
    const pulls = new Pulls([{ code: 0, next: 6, body: record(5) }]);
    await broker(pulls.serve);
    await consume();
    await until("it holds", () => pulls.offsets.length === 2);
    storedOffset = 2;
    const queue = { topic: "T", brokerName: "broker-a", queueId: 0 };
    channel?.sendOneway({
      code: REQUEST_CODE.RESET_CONSUMER_CLIENT_OFFSET,
      extFields: new Map([
        ["topic", "T"],
        ["group", "CG"],
        ["timestamp", "0"],
        ["isForce", "true"],
      ]),
      body: encodeOffsetTable([[queue, 2]]),
    });
    await until("it pulls from there", () => pulls.offsets.length === 3, 2_000);
    expect(pulls.offsets[2]).toBe(2);
    expect(commits.get("0")).toBe(2);
  });

  it("221, 307 and 309 are answered for a known group, with code 1 for another", async () => {
    const pulls = new Pulls([{ code: 0, next: 6, body: record(5) }]);
    await broker(pulls.serve);
    await consume();
    await until("it consumed", () => got.length === 1);
    const ask = (code: number, ext: Record<string, string>, body?: Buffer) =>
      channel?.invoke({ code, extFields: new Map(Object.entries(ext)), body: body ?? null }, 1_000);
    const status = await ask(221, { topic: "T", group: "CG" });
    expect(status?.body?.toString()).toContain(
      '{"brokerName":"broker-a","queueId":0,"topic":"T"}:6',
    );
    const info = await ask(307, { consumerGroup: "CG", clientId: "c" });
    expect(info?.body?.toString()).toContain('"PROP_CONSUME_TYPE":"CONSUME_PASSIVELY"');
    const direct = await ask(309, { consumerGroup: "CG", brokerName: "broker-a" }, record(9));
    expect(direct?.body?.toString()).toContain('"consumeResult":"CR_SUCCESS"');
    expect(got).toEqual(["m5", "m9"]);
    expect((await ask(307, { consumerGroup: "other" }))?.code).toBe(1);
  });
});
