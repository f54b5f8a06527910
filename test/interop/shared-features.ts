/**
 * What Apache's Java and Go clients both can, on our broker. A name in brackets is the row of `npm run interop`'s table (features.ts); the file that
 * calls this is the column.
 */
import { expect, it } from "vitest";
import { until } from "../e2e/engine/engine-fixture.ts";
import type { FeatureClient } from "./feature-client.ts";
import type { FeatureStage } from "./feature-stage.ts";
import type { ReceiveEvent, SendEvent } from "./json-events.ts";

/** What a test works with. */
export interface Scene {
  readonly stage: FeatureStage;
  readonly client: FeatureClient;
}

const keysOf = (events: readonly { readonly key: string }[]): string[] =>
  [...new Set(events.map(({ key }) => key))].toSorted();
const queuesOf = (events: readonly ReceiveEvent[]): number[] =>
  [...new Set(events.map(({ queue }) => queue))].toSorted((a, b) => a - b);
const allOk = (events: readonly SendEvent[]): boolean =>
  events.every(({ status }) => status === "SEND_OK");
const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}-${i}`).toSorted();

/** @param scene made before the first test */
export function itSends(scene: () => Scene): void {
  it.each(["sync", "async", "oneway", "batch"])(
    "sends that arrive once each [%s]",
    async (mode) => {
      const { stage, client } = scene();
      const topic = await stage.topic(`${client.language}_${mode}`);
      const { sends } = await client.ask("send", { topic, count: 30, mode });
      expect(allOk(sends)).toBe(true);
      expect(sends).toHaveLength({ sync: 30, async: 30, oneway: 0, batch: 1 }[mode] ?? -1);
      await client.ask("consume", { id: topic, topic });
      const got = await client.untilKeys(topic, 30);
      expect(keysOf(got)).toEqual(numbered("m", 30));
      expect(got).toHaveLength(30);
      expect(new Set(got.map(({ queue }) => queue)).size).toBe(mode === "batch" ? 1 : 4);
    },
  );

  it("a topic is made by sending to it, with 4 queues [create]", async () => {
    const { stage, client } = scene();
    const topic = `${client.language}_made`;
    const { sends } = await client.ask("send", { topic, count: 8 });
    expect(allOk(sends)).toBe(true);
    await until(
      "it is routed",
      async () => (await stage.admin.route(stage.namesrv, topic)) !== null,
    );
    await client.ask("consume", { id: topic, topic });
    expect(new Set((await client.untilKeys(topic, 8)).map(({ queue }) => queue)).size).toBe(4);
  });

  it("compressed bodies, theirs to us and ours to them [compressed]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_compressed`);
    await client.ask("send", { topic, count: 2, size: 200_000 });
    const producer = await stage.producer();
    const large = Buffer.alloc(100_000, "ours.");
    const sent = await producer.send({ topic, body: large, keys: ["ours-0"] });
    const got = await stage.consume(topic);
    await until("we have all", () => got.length >= 3);
    const theirs = got.filter(({ keys }) => keys[0] !== "ours-0");
    expect(theirs.every(({ sysFlag }) => (sysFlag & 1) === 1)).toBe(true);
    expect(theirs.map(({ body }) => body.length)).toEqual([200_000, 200_000]);
    await client.ask("consume", { id: topic, topic });
    const back = await client.untilKeys(topic, 3);
    const ours = back.find(({ key }) => key === "ours-0");
    expect([ours?.size, ours?.head, ours?.msgId]).toEqual([100_000, "ours", sent.msgId]);
  });

  it("a body just below 4 MiB is stored, one above is refused with code 13 [limit]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_limit`);
    const random = { topic, random: true, limit: 8 * 1_048_576, group: "PG_limit" };
    const fits = await client.ask("send", { ...random, size: 4_190_000 });
    expect(allOk(fits.sends)).toBe(true);
    const { sends } = await client.ask("send", { ...random, size: 4_400_000 });
    expect(sends[0]?.status).toBe("EXCEPTION");
    expect(sends[0]?.error).toMatch(/13|illegal|size/i);
  });

  it("all messages of one key go to one queue, ours too [select]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_select`);
    const queues = new Map<string, Set<string>>();
    for (const prefix of ["red", "green", "blue", "grey", "pink"]) {
      const mode = { mode: "select", select: true, group: "PG_select" };
      const { sends } = await client.ask("send", { topic, prefix, count: 6, ...mode });
      expect(sends).toHaveLength(6);
      queues.set(prefix, new Set(sends.map(({ queue }) => queue)));
    }
    expect([...queues.values()].every((own) => own.size === 1)).toBe(true);
    expect(new Set([...queues.values()].flatMap((own) => [...own])).size).toBeGreaterThan(1);
  });

  it("a delayed message comes when its level is due, not before [delay]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_delay`);
    await client.ask("consume", { id: topic, topic });
    const { sends } = await client.ask("send", { topic, delay: 2 });
    const [got] = await client.untilKeys(topic, 1);
    const waited = (got?.stored ?? 0) - (sends[0]?.at ?? 0);
    expect(waited).toBeGreaterThan(1_800);
    expect(waited).toBeLessThan(6_000);
  });
}

/** @param scene made before the first test */
export function itConsumes(scene: () => Scene): void {
  it("only the subscribed tags arrive [tags]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_tags`);
    for (const tag of ["red", "blue", "green"])
      await client.ask("send", { topic, tag, prefix: tag, count: 5 });
    await client.ask("consume", { id: topic, topic, tags: "red || green" });
    const got = await client.untilKeys(topic, 10);
    expect(keysOf(got)).toEqual([...numbered("green", 5), ...numbered("red", 5)]);
  });

  it("only what its SQL92 filter is true for arrives [sql]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_sql`);
    for (const colour of ["red", "blue", "green"])
      await client.ask("send", { topic, colour, prefix: colour, count: 4 });
    await client.ask("consume", { id: topic, topic, sql: "colour IN ('red', 'green')" });
    const got = await client.untilKeys(topic, 8);
    expect(keysOf(got)).toEqual([...numbered("green", 4), ...numbered("red", 4)]);
  });

  it("two consumers of one process share the queues; each message reaches one of them [cluster]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_cluster`);
    const [one, two] = [`${topic}_1`, `${topic}_2`];
    for (const id of [one, two])
      await client.ask("consume", { id, topic, group: "CG_cluster", strategy: "average" });
    await untilMembers(scene(), "CG_cluster", 2);
    await until("both get messages", async () => {
      await client.ask("send", { topic, prefix: "warm", count: 8 });
      return queuesOf(client.received(one)).length > 0 && queuesOf(client.received(two)).length > 0;
    });
    await client.ask("send", { topic, prefix: "real", count: 40 });
    const real = (id: string): ReceiveEvent[] =>
      client.received(id).filter(({ key }) => key.startsWith("real"));
    await until("all are consumed", () => real(one).length + real(two).length >= 40, 30_000);
    expect(keysOf([...real(one), ...real(two)])).toEqual(numbered("real", 40));
    expect([real(one).length, real(two).length]).toEqual([20, 20]);
    for (const id of [one, two]) await client.ask("stop", { id });
  });

  it("in order, with a suspended queue: what was put off comes again before anything else of its queue [orderly]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_orderly`);
    const mode = { mode: "select", select: true, group: "PG_select" };
    for (const prefix of ["a", "b", "c"])
      await client.ask("send", { topic, prefix, count: 8, ...mode });
    const orderly = { orderly: true, later: "a-3", times: 2, suspend: 100 };
    await client.ask("consume", { id: topic, topic, ...orderly });
    await client.untilKeys(topic, 24);
    await client.until(topic, (events) => events.length >= 26);
    const got = client.received(topic);
    for (const prefix of ["b", "c"]) {
      const own = got.filter(({ key }) => key.startsWith(prefix)).map(({ key }) => key);
      expect(own).toEqual(numbered(prefix, 8));
    }
    const queue = got.find(({ key }) => key === "a-3")?.queue;
    const line = got.filter((event) => event.queue === queue).map(({ key }) => key);
    const at = line.indexOf("a-3");
    expect(line.slice(at, at + 4)).toEqual(["a-3", "a-3", "a-3", "a-4"]);
    await client.ask("stop", { id: topic });
  });

  it("broadcast: everybody gets everything, and goes on from its own file [broadcast]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_broadcast`);
    await client.ask("send", { topic, prefix: "first", count: 10 });
    const ids = [`${topic}_1`, `${topic}_2`];
    const options = { topic, group: "CG_broadcast", model: "BROADCASTING" };
    for (const id of ids) await client.ask("consume", { id, ...options });
    for (const id of ids) expect(await client.untilKeys(id, 10)).toHaveLength(10);
    const [one = ""] = ids;
    await client.ask("stop", { id: one });
    await client.ask("send", { topic, prefix: "second", count: 10 });
    await client.ask("consume", { id: one, ...options });
    const got = await client.untilKeys(one, 20);
    expect(got.filter(({ key }) => key.startsWith("first"))).toHaveLength(10);
    for (const id of ids) await client.ask("stop", { id });
  });

  it("a new group begins at the first message, at the end, or at a time [from]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_from`);
    const { sends } = await client.ask("send", { topic, prefix: "old", count: 12 });
    const nextSecond = (Math.floor((sends.at(-1)?.at ?? 0) / 1_000) + 1) * 1_000;
    await until("the clock has gone on", () => Date.now() > nextSecond + 50);
    await client.ask("send", { topic, prefix: "new", count: 12 });
    const timestamp = stampOf(nextSecond);
    await client.ask("consume", { id: `${topic}_f`, topic });
    await client.ask("consume", { id: `${topic}_t`, topic, from: "TIMESTAMP", timestamp });
    await client.ask("consume", { id: `${topic}_l`, topic, from: "LAST_OFFSET" });
    expect(await client.untilKeys(`${topic}_f`, 24)).toHaveLength(24);
    expect(keysOf(await client.untilKeys(`${topic}_t`, 12))).toEqual(numbered("new", 12));
    await until("the one at the end gets what comes", async () => {
      await client.ask("send", { topic, prefix: "late", count: 4 });
      return client.received(`${topic}_l`).length > 0;
    });
    const late = client.received(`${topic}_l`);
    expect(late.filter(({ key }) => !key.startsWith("late"))).toEqual([]);
  });

  it("queues go by the strategy the group was given: in a circle [strategies]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_circle`);
    const ids = [`${topic}_1`, `${topic}_2`];
    for (const id of ids)
      await client.ask("consume", { id, topic, group: "CG_circle", strategy: "circle" });
    await untilMembers(scene(), "CG_circle", 2);
    const circle = [
      [0, 2],
      [1, 3],
    ];
    let round = 0;
    let shares: number[][] = [];
    const isCircle = async (): Promise<boolean> => {
      round += 1;
      const prefix = `r${round}`;
      await client.ask("send", { topic, prefix, count: 8 });
      const own = (id: string): number[] =>
        queuesOf(client.received(id).filter(({ key }) => key.startsWith(`${prefix}-`)));
      await until("the round is consumed", () => ids.flatMap(own).length >= 4);
      shares = ids.map(own);
      return String(shares) === String(circle);
    };
    await until("each gets every other queue", isCircle, 45_000);
    expect(shares).toEqual(circle);
    for (const id of ids) await client.ask("stop", { id });
  });
}

/** Java's consumer timestamp: local time to the second. */
function stampOf(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  return `${day}${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
}

/** Resolves when that many members of a group are connected. */
export async function untilMembers({ stage }: Scene, group: string, count: number): Promise<void> {
  await until(`${group} has ${count} members`, async () => {
    const members = await stage.admin.consumerConnections(stage.broker, group);
    return members.length === count;
  });
}
