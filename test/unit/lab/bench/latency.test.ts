import { describe, expect, it } from "vitest";
import { Latency } from "../../../../lab/bench/latency.ts";

function recorded(...elapsedMs: readonly number[]): Latency {
  const latency = new Latency();
  for (const value of elapsedMs) latency.record(value);
  return latency;
}

describe("Latency", () => {
  it("keeps three significant digits from a microsecond to an hour", () => {
    for (const ms of [0.001, 0.123, 1.234, 12.34, 1_234, 60_000, 3_599_000]) {
      const measured = recorded(ms).at(50) ?? 0;
      expect(Math.abs(measured / (ms * 1_000) - 1)).toBeLessThan(0.001);
    }
  });

  it("counts what is shorter than a microsecond as one, and what is longer than an hour as an hour", () => {
    const latency = recorded(0, -5, 7_200_000);
    expect(latency.count).toBe(3);
    expect(latency.summary().min).toBe(1);
    expect(latency.summary().max).toBeGreaterThan(3_590_000_000);
  });

  it("gives p99.9 from 10,000 samples on and p99.99 from 100,000 on", () => {
    const latency = new Latency();
    for (let i = 0; i < 9_999; i += 1) latency.record(1);
    expect(latency.summary().p999).toBeNull();
    latency.record(1);
    expect(latency.summary().p999).not.toBeNull();
    expect(latency.summary().p9999).toBeNull();
    for (let i = 0; i < 90_000; i += 1) latency.record(1);
    expect(latency.summary().p9999).not.toBeNull();
  });

  it("says nothing without samples", () => {
    expect(new Latency().summary()).toMatchObject({ count: 0, p50: null, p99: null, max: null });
  });
});
