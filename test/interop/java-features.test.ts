/** Apache's unmodified Java client 4.9.0, one JVM, feature after feature on our broker. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  allocateAverage,
  allocateByCircle,
  allocateByConfig,
  allocateByMachineRoom,
  allocateConsistentHash,
  allocateNearby,
  type Allocate,
} from "../../engine/client/index.ts";
import { machineHas } from "../helpers/requirements.ts";
import { until } from "../e2e/engine/engine-fixture.ts";
import { FeatureClient } from "./feature-client.ts";
import { FeatureStage } from "./feature-stage.ts";
import { itConsumes, itSends, type Scene } from "./shared-features.ts";
import { itIsAdministered, itReachesBrokers, itTakesItsTime } from "./shared-care.ts";

describe.runIf(machineHas("java", "maven"))("Apache's Java client, feature by feature", () => {
  let scene: Scene;
  beforeAll(async () => {
    const stage = await FeatureStage.start();
    const client = await FeatureClient.java(stage.home, { namesrv: stage.namesrv });
    scene = { stage, client: stage.use(client) };
  });
  afterAll(async () => scene.stage[Symbol.asyncDispose]());

  itSends(() => scene);
  itConsumes(() => scene);
  itIsAdministered(() => scene);
  itReachesBrokers(() => scene);
  itTakesItsTime(() => scene);

  it("lite pull, subscribed: polls, commits, pauses, resumes; a new one goes on there [lite]", async () => {
    const { stage, client } = scene;
    const topic = await stage.topic("java_lite");
    await client.ask("send", { topic, count: 12 });
    const lite = { id: "lite1", topic, group: "CG_lite", auto: false };
    await client.ask("lite", lite);
    await until("all are polled", async () => {
      await client.ask("poll", { id: "lite1", ms: 500 });
      return client.received("lite1").length >= 12;
    });
    await client.ask("commit", { id: "lite1" });
    const committed = async (queue: number): Promise<number> =>
      (await client.ask("committed", { id: "lite1", topic, queue })).number;
    const offsets = await Promise.all([0, 1, 2, 3].map(committed));
    expect(offsets.reduce((sum, offset) => sum + offset, 0)).toBe(12);
    await client.ask("litePause", { id: "lite1", topic });
    // One to each queue ends the pulls that were held before the pause; what they bring is still polled.
    await client.ask("send", { topic, prefix: "wake", count: 4 });
    await until("nothing is polled any more", async () => {
      return (await client.ask("poll", { id: "lite1", ms: 700 })).number === 0;
    });
    await client.ask("send", { topic, prefix: "held", count: 8 });
    expect((await client.ask("poll", { id: "lite1", ms: 700 })).number).toBe(0);
    await client.ask("liteResume", { id: "lite1", topic });
    const held = (id: string) => client.received(id).filter(({ key }) => key.startsWith("held"));
    await until("the rest is polled", async () => {
      await client.ask("poll", { id: "lite1", ms: 500 });
      return held("lite1").length >= 8;
    });
    await client.ask("liteStop", { id: "lite1" });
    await client.ask("lite", { ...lite, id: "lite2" });
    await until("what was not committed is polled again", async () => {
      await client.ask("poll", { id: "lite2", ms: 500 });
      return held("lite2").length >= 8;
    });
    expect(client.received("lite2").filter(({ key }) => key.startsWith("m-"))).toEqual([]);
    await client.ask("liteStop", { id: "lite2" });
  });

  it("lite pull, assigned: these queues and no others; seek, also by time [lite]", async () => {
    const { stage, client } = scene;
    const topic = await stage.topic("java_assign");
    const { sends } = await client.ask("send", { topic, count: 16 });
    const own = sends.filter(({ queue }) => /\/[02]$/.test(queue)).length;
    const lite = { id: "lite3", topic };
    await client.ask("lite", { ...lite, queues: "0,2" });
    const polled = (what: string, holds: () => boolean): Promise<void> =>
      until(what, async () => {
        await client.ask("poll", { ...lite, ms: 500 });
        return holds();
      });
    await polled("its queues are polled", () => client.received("lite3").length >= own);
    await client.ask("seek", { ...lite, queue: 0, offset: 1 });
    // 4.9.0 lets the held pull end before it goes on from there: one message to each queue ends it.
    await client.ask("send", { topic, prefix: "wake", count: 4 });
    const first = sends.filter(({ queue }) => queue.endsWith("/0")).length;
    const seen = (offset: number): number =>
      client.received("lite3").filter((event) => event.queue === 0 && event.offset === offset)
        .length;
    await polled("the rest of queue 0 again", () => seen(first - 1) === 2);
    expect([0, 1, 2, 3].map(seen)).toEqual([1, 2, 2, 2]);
    expect((await client.ask("offsetAt", { ...lite, queue: 0, time: 0 })).number).toBe(0);
    expect(new Set(client.received("lite3").map(({ queue }) => queue))).toEqual(new Set([0, 2]));
    await client.ask("liteStop", lite);
  });

  it("messages are found by key, unique id, offset id and time [query]", async () => {
    const { stage, client } = scene;
    const topic = await stage.topic("java_query");
    const { sends } = await client.ask("send", { topic, count: 5 });
    const [sent] = sends.slice(2);
    if (sent === undefined) throw new Error("nothing was sent");
    const find = async (how: string, key: string, more: Record<string, number> = {}) =>
      (await client.ask("find", { topic, how, key, ...more })).list;
    await until("the index has it", async () => (await find("key", "m-2")).length === 1);
    expect(await find("unique", sent.msgId)).toEqual(["m-2"]);
    expect(await find("offset", sent.offsetMsgId)).toEqual(["m-2"]);
    expect(await find("key", "m-2", { begin: sent.at - 60_000, end: sent.at + 60_000 })).toEqual([
      "m-2",
    ]);
    await expect(find("key", "m-2", { begin: sent.at + 3_600_000 })).rejects.toThrow(/query/i);
  });

  it("Apache's decoder reads the trace our client writes [trace]", async () => {
    const { stage, client } = scene;
    const topic = await stage.topic("ours_traced");
    const producer = await stage.producer({ trace: true });
    const sent = await producer.send({ topic, body: Buffer.from("x"), keys: ["k1"], tags: "t" });
    await stage.consume(topic, { trace: true });
    const got = await stage.consume("RMQ_SYS_TRACE_TOPIC", { group: "CG_trace_of_ours" });
    const ours = () => got.filter(({ keys }) => keys.includes(sent.msgId));
    const decoded = async (): Promise<string[]> => {
      const answers = await Promise.all(
        ours().map(({ body }) => client.ask("trace", { data: body.toString("base64") })),
      );
      return answers.flatMap(({ list }) => list).filter((record) => record.includes(sent.msgId));
    };
    await until("all three kinds are there", async () => (await decoded()).length >= 3);
    const id = sent.msgId;
    expect((await decoded()).toSorted()).toEqual([
      `Pub|${id}|k1|true`,
      `SubAfter|${id}|k1|true`,
      `SubBefore|${id}|k1|true`,
    ]);
  });

  it("our strategies give every member what Apache's give it [strategies]", async () => {
    const { client } = scene;
    const room = (name: string): string => name.split(/[@-]/)[0] ?? "";
    const ofQueue = ({ brokerName }: { readonly brokerName: string }): string => room(brokerName);
    const ours: Readonly<Record<string, Allocate>> = {
      average: allocateAverage,
      circle: allocateByCircle,
      hash: allocateConsistentHash(),
      config: allocateByConfig([{ topic: "T", brokerName: "r1@a", queueId: 1 }]),
      room: allocateByMachineRoom(["r1", "r2"]),
      nearby: allocateNearby({ ofQueue, ofMember: room }),
    };
    const brokers = ["r1@a", "r1@b", "r2@c", "r3@d"];
    for (const [members, queueNums] of [
      [1, 4],
      [2, 4],
      [3, 5],
      [5, 2],
      [7, 8],
    ] as const) {
      const ids = Array.from(
        { length: members },
        (_, i) => `r${(i % 2) + 1}-10.0.0.${i}@${i}`,
      ).toSorted();
      const queues = brokers.flatMap((brokerName) =>
        Array.from({ length: queueNums }, (_, queueId) => ({ topic: "T", brokerName, queueId })),
      );
      const text = (list: readonly { brokerName: string; queueId: number }[]): string[] =>
        list.map(({ brokerName, queueId }) => `${brokerName}:${queueId}`);
      for (const [strategy, allocate] of Object.entries(ours)) {
        for (const self of ids) {
          const common = { strategy, self, members: ids.join(","), queues: text(queues).join(",") };
          const { list } = await client.ask("allocate", {
            ...common,
            own: "r1@a:1",
            rooms: "r1,r2",
            topic: "T",
          });
          expect([strategy, self, text(allocate(ids, self, queues))]).toEqual([
            strategy,
            self,
            list,
          ]);
        }
      }
    }
  });
});
