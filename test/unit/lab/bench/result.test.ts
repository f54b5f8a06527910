import { describe, expect, it } from "vitest";
import { Latency } from "../../../../lab/bench/latency.ts";
import { OutcomeCounter } from "../../../../lab/bench/outcome.ts";
import { judgeRun, renderResult, type BenchResult } from "../../../../lab/bench/result.ts";
import { verifyByOffsets } from "../../../../lab/bench/verify.ts";
import type { Workload } from "../../../../lab/bench/workload.ts";

const WORKLOAD: Workload = {
  producers: 8,
  consumers: 0,
  sizeBytes: 1_024,
  ratePerSecond: 1_000,
  durationMs: 1_000,
  warmupMs: 0,
  topic: "LAB_BENCH",
  mode: "sync",
  window: 64,
  queues: 8,
};

function resultWith(options: {
  readonly stored: number;
  readonly latenessMs: number;
  readonly workload?: Partial<Workload>;
}): BenchResult {
  const counter = new OutcomeCounter();
  const lateness = new Latency();
  const answered = new Latency();
  for (let i = 0; i < 100; i += 1) {
    counter.add("SEND_OK");
    lateness.record(options.latenessMs);
    answered.record(2);
  }
  const counts = counter.read();
  const workload = { ...WORKLOAD, ...options.workload };
  const load = {
    counts,
    completedInTime: 100,
    service: answered.summary(),
    response: answered.summary(),
    lateness: lateness.summary(),
    waitedForSender: 0,
    unsent: 0,
  };
  const generator = { loopUtilization: 0.5, loopDelayP99Ms: 1, cpuCores: 0.5, rssBytes: 1 };
  const verification = verifyByOffsets(counts, options.stored);
  return {
    schema: "lab.bench/1",
    startedAt: "2026-11-24T10:00:00.000Z",
    endedEarly: false,
    workload,
    environment: {
      lab: "lab",
      preset: "2m-2s-sync",
      runtime: "process",
      version: "0.1.0",
      node: "v20.20.2",
      cpu: "a processor",
      cores: 2,
      memoryBytes: 1,
      kernel: "Linux 6",
      brokerConfig: {},
    },
    measuredSeconds: 1,
    messagesPerSecond: 100,
    bytesPerSecond: 102_400,
    load,
    totals: counts,
    generator,
    verification,
    errors: {},
    verdict: judgeRun({ workload, load, generator, verification }),
    series: [],
  };
}

describe("verdict of a bench", () => {
  it("is valid when all is accounted for and the generator kept its times", () => {
    expect(resultWith({ stored: 100, latenessMs: 1 }).verdict).toEqual({
      verdict: "valid",
      reasons: [],
    });
  });

  it("is lost when acknowledged messages are missing, whatever else holds", () => {
    expect(resultWith({ stored: 99, latenessMs: 100 }).verdict.verdict).toBe("lost");
  });

  it("is invalid, with the reason, when the generator of an open loop was late", () => {
    const { verdict } = resultWith({ stored: 100, latenessMs: 100 });
    expect(verdict.verdict).toBe("invalid");
    expect(verdict.reasons.join()).toContain("generator was too slow");
  });

  it("does not ask a closed loop to keep times", () => {
    const closed = { ratePerSecond: null };
    expect(resultWith({ stored: 100, latenessMs: 100, workload: closed }).verdict.verdict).toBe(
      "valid",
    );
  });
});

describe("text of a bench", () => {
  it("names the response time of an open loop and the service time of a closed one", () => {
    const open = renderResult(resultWith({ stored: 100, latenessMs: 1 }));
    expect(open).toContain("response (from due time)");
    const closed = renderResult(
      resultWith({ stored: 100, latenessMs: 1, workload: { ratePerSecond: null } }),
    );
    expect(closed).toContain("service time at saturation");
    expect(closed).not.toContain("response");
  });

  it("prints p99.9 only where there are samples enough", () => {
    expect(renderResult(resultWith({ stored: 100, latenessMs: 1 }))).not.toContain("p99.9");
  });
});
