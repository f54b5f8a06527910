import { describe, expect, it } from "vitest";
import { rewriteDelayed } from "../../../../engine/broker/delay-rewrite.ts";

const LEVELS = 18;

function rewritten(level: string) {
  const properties = new Map([["DELAY", level]]);
  return rewriteDelayed({ topic: "T", queueId: 2, properties }, 0, LEVELS);
}

describe("a message with a delay level", () => {
  it("waits in the queue of its level and remembers where it wants to go", () => {
    const { topic, queueId, properties } = rewritten("3");
    expect([topic, queueId]).toEqual(["SCHEDULE_TOPIC_XXXX", 2]);
    expect(Object.fromEntries(properties)).toEqual({ DELAY: "3", REAL_TOPIC: "T", REAL_QID: "2" });
  });

  it("4.1.8: above the highest level waits as the highest, and is stored with it", () => {
    const { queueId, properties } = rewritten("99");
    expect([queueId, properties.get("DELAY")]).toEqual([17, "18"]);
  });

  it.each(["0", "-1", ""])("level %j does not wait", (level) => {
    expect(rewritten(level).topic).toBe("T");
  });
});
