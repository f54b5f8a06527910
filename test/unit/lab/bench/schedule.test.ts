import { describe, expect, it } from "vitest";
import { closedSchedule, openSchedule } from "../../../../lab/bench/schedule.ts";

describe("open schedule", () => {
  it("gives out exactly rate x time slots, evenly spaced, whatever the senders do", async () => {
    const startMs = Math.floor(performance.now());
    const schedule = openSchedule({ startMs, endMs: startMs + 200 }, 500);
    const times: number[] = [];
    for (let slot = await schedule.next(); slot !== null; slot = await schedule.next()) {
      times.push(slot.intendedMs);
    }
    expect(times).toHaveLength(100);
    times.forEach((time, index) => expect(time).toBeCloseTo(startMs + index * 2, 6));
    expect(schedule.unsent()).toEqual([]);
  });

  it("never hands a slot out before its time", async () => {
    const startMs = performance.now();
    const schedule = openSchedule({ startMs, endMs: startMs + 100 }, 200);
    for (let slot = await schedule.next(); slot !== null; slot = await schedule.next()) {
      expect(performance.now()).toBeGreaterThanOrEqual(slot.intendedMs);
    }
  });

  it("gives everything that is due at once to senders that come late", () => {
    const startMs = performance.now() - 1_000;
    const schedule = openSchedule({ startMs, endMs: startMs + 100 }, 100);
    const slots = Array.from({ length: 11 }, () => schedule.next());
    expect(slots.filter((slot) => slot !== null)).toHaveLength(10);
    expect(slots[0]).toEqual({ intendedMs: startMs, senderWasFree: false });
    expect(slots[10]).toBeNull();
  });

  it("reports the due slots nobody sent, and frees waiting senders, when it is stopped", async () => {
    const startMs = performance.now() - 50;
    const schedule = openSchedule({ startMs, endMs: startMs + 1_000 }, 100);
    void schedule.next();
    schedule.stop();
    const unsent = schedule.unsent();
    expect(unsent.length).toBeGreaterThanOrEqual(4);
    expect(unsent[0]).toBeCloseTo(startMs + 10, 6);

    const future = openSchedule({ startMs: performance.now() + 10_000, endMs: Infinity }, 1);
    const waiting = future.next();
    future.stop();
    expect(await waiting).toBeNull();
    expect(future.unsent()).toEqual([]);
  });
});

describe("closed schedule", () => {
  it("is due at once until its end or its stop", () => {
    const now = performance.now();
    expect(closedSchedule({ startMs: now - 10, endMs: now - 1 }).next()).toBeNull();
    const schedule = closedSchedule({ startMs: now, endMs: now + 60_000 });
    expect(schedule.next()).not.toBeNull();
    schedule.stop();
    expect(schedule.next()).toBeNull();
  });
});
