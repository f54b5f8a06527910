/** The rest of what Apache's Java and Go clients both can: administration, addresses, and what takes the clients' own time. See shared-features.ts. */
import { expect, it } from "vitest";
import { decodeTrace } from "../../engine/client/index.ts";
import { until } from "../e2e/engine/engine-fixture.ts";
import { machineHas } from "../helpers/requirements.ts";
import { FeatureStage } from "./feature-stage.ts";
import { untilMembers, type Scene } from "./shared-features.ts";

/** What waits for the clients' own timers; beside each other. @param scene made before the first test */
export function itTakesItsTime(scene: () => Scene): void {
  it.concurrent("a message put off comes again at its level, as the topic it was sent to [retry]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_retry`);
    await client.ask("send", { topic, count: 5 });
    await stage.retryTopic(`CG_${topic}`);
    await client.ask("consume", { id: topic, topic, later: "m-3", level: 1 });
    await client.until(topic, (events) => events.some(({ reconsume }) => reconsume === 1));
    const again = client.received(topic).filter(({ reconsume }) => reconsume === 1);
    expect(again.map(({ key, topic: seen }) => [key, seen])).toEqual([["m-3", topic]]);
  });

  it.concurrent("after its last retry a message is a dead letter, which can be read [dlq]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_dlq`);
    await client.ask("send", { topic, count: 3 });
    await stage.retryTopic(`CG_${topic}`);
    const later = { later: "m-1", times: 99, level: 1, max: 1 };
    await client.ask("consume", { id: topic, topic, ...later });
    const dead = `%DLQ%CG_${topic}`;
    await until(
      "the dead letter topic is there",
      async () => (await stage.admin.route(stage.namesrv, dead)) !== null,
      30_000,
    );
    await client.ask("consume", { id: `${topic}_dead`, topic: dead, group: "CG_dead" });
    const [letter] = await client.untilKeys(`${topic}_dead`, 1);
    expect([letter?.key, letter?.reconsume]).toEqual(["m-1", 2]);
    expect(client.received(topic).filter(({ key }) => key === "m-1")).toHaveLength(2);
  });

  it.concurrent("a suspended consumer gets no more than what its pulls in progress bring, until it is resumed [suspend]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_suspend`);
    await client.ask("send", { topic, prefix: "early", count: 4 });
    await client.ask("consume", { id: topic, topic });
    await client.untilKeys(topic, 4);
    await client.ask("suspend", { id: topic });
    await client.ask("send", { topic, prefix: "held", count: 8 });
    await client.ask("send", { topic, prefix: "more", count: 40 });
    const witness = await stage.consume(topic);
    await until("our own consumer has all", () => witness.length >= 52);
    expect(client.received(topic).length).toBeLessThan(52);
    await client.ask("resume", { id: topic });
    await client.untilKeys(topic, 52);
  });

  it.concurrent("an offset reset reaches it while it runs, and it consumes again from there [reset]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_reset`);
    await client.ask("send", { topic, count: 6 });
    await client.ask("consume", { id: topic, topic });
    await client.untilKeys(topic, 6);
    await stage.untilCommitted(`CG_${topic}`, topic, 6);
    await stage.admin.resetOffset(topic, `CG_${topic}`, 0, true);
    await client.until(topic, (events) => events.length >= 12);
    expect(client.received(topic)).toHaveLength(12);
  });
}

/** @param scene made before the first test */
export function itIsAdministered(scene: () => Scene): void {
  it("trace records of its sends and deliveries are in the trace topic [trace]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_trace`);
    const traced = { topic, trace: true };
    const { sends } = await client.ask("send", { ...traced, group: "PG_traced", count: 1 });
    await client.ask("consume", { id: topic, ...traced });
    await client.untilKeys(topic, 1);
    const group = `CG_trace_of_${client.language}`;
    const got = await stage.consume("RMQ_SYS_TRACE_TOPIC", { group });
    const records = () =>
      got.flatMap(({ body }) => decodeTrace(body)).filter(({ msgId }) => msgId === sends[0]?.msgId);
    await until(
      "all three kinds are there",
      () => new Set(records().map(({ type }) => type)).size === 3,
      30_000,
    );
    const [pub] = records().filter((record) => record.type === "Pub");
    expect(pub).toMatchObject({ topic, keys: "m-0", tags: "TagA", success: true });
    expect(records().find(({ type }) => type === "SubAfter")).toMatchObject({ success: true });
  });

  it("a group may be forbidden to consume, or to broadcast, and allowed again [group-settings]", async () => {
    const { stage, client } = scene();
    const topic = await stage.topic(`${client.language}_settings`);
    const [closed, shout] = [`CG_closed_${client.language}`, `CG_shout_${client.language}`];
    await stage.group(closed, { consumeEnable: false });
    await stage.group(shout, { consumeBroadcastEnable: false });
    await client.ask("send", { topic, count: 6 });
    await client.ask("consume", { id: closed, topic, group: closed });
    await client.ask("consume", { id: shout, topic, group: shout, model: "BROADCASTING" });
    await untilMembers(scene(), closed, 1);
    await untilMembers(scene(), shout, 1);
    const witness = await stage.consume(topic);
    await until("our own consumer has all", () => witness.length >= 6);
    expect([...client.received(closed), ...client.received(shout)]).toEqual([]);
    await stage.group(closed, {});
    await stage.group(shout, {});
    await client.untilKeys(closed, 6);
    await client.untilKeys(shout, 6);
    await client.ask("stop", { id: closed });
    await client.ask("stop", { id: shout });
  });
}

/** On brokers of their own. @param scene made before the first test */
export function itReachesBrokers(scene: () => Scene): void {
  it.runIf(machineHas("ipv6"))(
    "brokers and clients on [::1]: ids of 56 digits, hosts of 16 bytes [ipv6]",
    async () => {
      const { client } = scene();
      await using six = await FeatureStage.start({ host: "::1" });
      const topic = await six.topic("Six");
      const own = { topic, namesrv: six.namesrv };
      const { sends } = await client.ask("send", { ...own, group: "PG_six", count: 4 });
      expect(sends.map(({ offsetMsgId }) => offsetMsgId.length)).toEqual([56, 56, 56, 56]);
      await client.ask("consume", { ...own, id: "six", orderly: true, later: "m-1", suspend: 50 });
      const got = await client.untilKeys("six", 4);
      const loopback = /::1|(0:){7}1|(0000:){7}0001|\[0{31}1\]/;
      for (const { bornHost, storeHost } of got) {
        // The Go client prints the first four bytes of any address.
        if (client.language === "go") continue;
        expect(bornHost).toMatch(loopback);
        expect(storeHost).toMatch(loopback);
      }
      const [first] = sends;
      const seen = await six.admin.viewMessage(first?.offsetMsgId ?? "");
      expect(seen?.msgId).toBe(first?.msgId);
      await client.ask("stop", { id: "six" });
    },
  );

  it("a reader far behind is sent to the slave and gets everything [slave]", async () => {
    const { client } = scene();
    await using pair = await FeatureStage.start({ hasSlave: true });
    const topic = await pair.topic("Behind");
    const own = { topic, namesrv: pair.namesrv };
    await client.ask("send", { ...own, group: "PG_pair", count: 300 });
    await until("the slave is routed and has it all", async () => {
      const route = await pair.admin.route(pair.namesrv, topic);
      if (route?.brokers[0]?.brokerAddrs.size !== 2) return false;
      const stats = await pair.admin.topicStats(pair.slave, topic).catch(() => []);
      return stats.reduce((sum, queue) => sum + queue.maxOffset, 0) === 300;
    });
    await client.ask("consume", { ...own, id: "behind" });
    expect(await client.untilKeys("behind", 300)).toHaveLength(300);
    const info = await pair.admin.runtimeInfo(pair.slave);
    expect(Number(info.get("msgGetTotalTodayNow"))).toBeGreaterThan(0);
    await client.ask("stop", { id: "behind" });
  });
}
