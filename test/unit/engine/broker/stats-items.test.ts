import { describe, expect, it } from "vitest";
import { StatsItems } from "../../../../engine/broker/stats-items.ts";
import { internTopic } from "../../../../engine/message/topic-name.ts";

const topic = internTopic("StatsTopic");
const pull = { queueId: 2, messages: 4, bytes: 400, ms: 3 };

describe("statistics by name and key", () => {
  it("counts sum, rate and average of a minute from the first sample on", () => {
    const items = new StatsItems("C1");
    items.sample(0);
    items.put(topic, 1, 100);
    items.put(topic, 3, 300);
    items.sample(10_000);
    expect(items.find("TOPIC_PUT_NUMS", "StatsTopic")?.statsMinute).toEqual({
      sum: 4,
      tps: 0.4,
      avgpt: 2,
    });
    expect(items.find("TOPIC_PUT_SIZE", "StatsTopic")?.statsMinute.avgpt).toBe(200);
    expect(items.find("BROKER_PUT_NUMS", "C1")?.statsMinute).toEqual({
      sum: 4,
      tps: 0.4,
      avgpt: 0,
    });
    expect(items.find("TOPIC_PUT_NUMS", "StatsTopic")?.statsHour.sum).toBe(0);
    expect(items.find("TOPIC_PUT_NUMS", "Other")).toBeUndefined();
    expect(items.find("NO_SUCH_NAME", "StatsTopic")).toBeUndefined();
  });

  it("forgets what is older than a minute in the minute, and keeps it in the hour", () => {
    const items = new StatsItems("C1");
    items.put(topic, 6, 60);
    for (let tick = 0; tick <= 60; tick += 1) items.sample(tick * 10_000);
    const item = items.find("TOPIC_PUT_NUMS", "StatsTopic");
    expect(item?.statsMinute).toEqual({ sum: 0, tps: 0, avgpt: 0 });
    expect(item?.statsHour.sum).toBe(6);
    expect(item?.statsDay.sum).toBe(6);
  });

  it("keys what groups got by topic@group, and latency by queue", () => {
    const items = new StatsItems("C1");
    items.get("CG", topic, pull);
    items.sentBack("CG", "StatsTopic");
    items.sample(10_000);
    expect(items.find("GROUP_GET_NUMS", "StatsTopic@CG")?.statsMinute.sum).toBe(4);
    expect(items.find("GROUP_GET_SIZE", "StatsTopic@CG")?.statsMinute.sum).toBe(400);
    expect(items.find("GROUP_GET_LATENCY", "2@StatsTopic@CG")?.statsMinute.sum).toBe(3);
    expect(items.find("SNDBCK_PUT_NUMS", "StatsTopic@CG")?.statsMinute.sum).toBe(1);
    expect(items.find("BROKER_GET_NUMS", "C1")?.statsMinute.sum).toBe(4);
    expect(items.groupGetTps("CG", "StatsTopic")).toBeCloseTo(0.4);
    expect(items.groupGetTps("CG", "Other")).toBe(0);
  });

  it("drops a topic or a group, and starts it anew when it comes back", () => {
    const items = new StatsItems("C1");
    items.put(topic, 1, 1);
    items.get("CG", topic, pull);
    items.get("CG2", topic, pull);
    items.dropGroup("CG");
    expect(items.find("GROUP_GET_NUMS", "StatsTopic@CG")).toBeUndefined();
    expect(items.find("GROUP_GET_LATENCY", "2@StatsTopic@CG")).toBeUndefined();
    expect(items.find("GROUP_GET_NUMS", "StatsTopic@CG2")).toBeDefined();
    items.dropTopic(topic);
    expect(items.find("TOPIC_PUT_NUMS", "StatsTopic")).toBeUndefined();
    expect(items.find("GROUP_GET_NUMS", "StatsTopic@CG2")).toBeUndefined();
    expect(items.find("BROKER_PUT_NUMS", "C1")).toBeDefined();
    items.put(topic, 2, 2);
    items.sample(10_000);
    expect(items.find("TOPIC_PUT_NUMS", "StatsTopic")?.statsMinute.sum).toBe(2);
  });
});
