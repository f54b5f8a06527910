/** A bench run as data, and as text for people. */
import type { GeneratorFigures } from "./generator-audit.ts";
import type { LatencySummary } from "./latency.ts";
import { weakTotal, type OutcomeCounts } from "./outcome.ts";
import type { LoadFigures, SecondSample } from "./send-load.ts";
import type { Verification } from "./verify.ts";
import type { Workload } from "./workload.ts";

/** Where and on what it ran (lab-and-drills 4.2, 9). */
export interface BenchEnvironment {
  readonly lab: string;
  readonly preset: string;
  readonly runtime: string;
  readonly version: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  /** Effective settings of every master, by node. */
  readonly brokerConfig: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Whether the figures may be believed. */
export interface BenchVerdict {
  /** `valid`; `lost`: acknowledged messages are missing; `invalid`: see reasons. */
  readonly verdict: "valid" | "lost" | "invalid";
  readonly reasons: readonly string[];
}

export interface BenchResult {
  readonly schema: "lab.bench/1";
  readonly startedAt: string;
  readonly endedEarly: boolean;
  readonly workload: Workload;
  readonly environment: BenchEnvironment;
  /** Seconds really measured. */
  readonly measuredSeconds: number;
  /** Acknowledged (one-way: stored) messages a second inside the measured time. */
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly load: LoadFigures;
  /** Every send of the run, warm-up included: what `verification` balances. */
  readonly totals: OutcomeCounts;
  readonly generator: GeneratorFigures;
  readonly verification: Verification;
  readonly errors: Readonly<Record<string, number>>;
  readonly verdict: BenchVerdict;
  readonly series: readonly SecondSample[];
}

/** An open loop whose own lateness passes this at p99 measured itself, not the cluster. */
const LATENESS_P99_MAX_US = 20_000;
const LOOP_BUSY = 0.95;

/**
 * @param run what was measured
 * @returns whether the run says something about the cluster, and why not
 */
export function judgeRun(run: {
  readonly workload: Workload;
  readonly load: LoadFigures;
  readonly generator: GeneratorFigures;
  readonly verification: Verification;
}): BenchVerdict {
  const { load, verification } = run;
  if (verification.verdict === "lost") {
    return { verdict: "lost", reasons: [`acknowledged messages are missing: ${verification.why}`] };
  }
  const reasons: string[] = [];
  const lateness = load.lateness.p99 ?? 0;
  if (run.workload.ratePerSecond !== null && lateness > LATENESS_P99_MAX_US) {
    const busy = Math.round(run.generator.loopUtilization * 100);
    reasons.push(
      `the generator was too slow: p99 of its own lateness is ${milliseconds(lateness)} (event loop ${busy} % busy); lower --rate`,
    );
  }
  if (verification.verdict === "unexpected") {
    reasons.push(`somebody else wrote to ${run.workload.topic}: ${verification.why}`);
  }
  if (verification.verdict === "unknown") {
    reasons.push(`messages could not be accounted for: ${verification.why}`);
  }
  if (load.counts.attempted === 0) reasons.push("nothing was sent in the measured time");
  return { verdict: reasons.length === 0 ? "valid" : "invalid", reasons };
}

function milliseconds(micros: number): string {
  return micros < 10_000
    ? `${(micros / 1_000).toFixed(2)} ms`
    : `${(micros / 1_000).toFixed(1)} ms`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function latencyLine(name: string, latency: LatencySummary): string {
  const cell = (label: string, value: number | null): string =>
    value === null ? "" : `  ${label} ${milliseconds(value)}`;
  return (
    `${name.padEnd(26)}` +
    cell("p50", latency.p50) +
    cell("p90", latency.p90) +
    cell("p99", latency.p99) +
    cell("p99.9", latency.p999) +
    cell("p99.99", latency.p9999) +
    cell("max", latency.max)
  );
}

function workloadLine(workload: Workload): string {
  const rate = workload.ratePerSecond === null ? "max" : `${count(workload.ratePerSecond)}/s`;
  const window = workload.mode === "sync" ? "1" : String(workload.window);
  return `${workload.producers} producers, ${workload.mode}, ${window} in flight each, ${workload.consumers} consumers, ${count(workload.sizeBytes)} bytes, rate ${rate}, topic ${workload.topic}`;
}

function outcomeLine(counts: OutcomeCounts): string {
  const parts = [`ok ${count(counts.ok)}`];
  if (counts.handed > 0) parts.push(`handed over ${count(counts.handed)}`);
  for (const [status, weak] of Object.entries(counts.weak)) {
    if (weak > 0) parts.push(`${status} ${count(weak)}`);
  }
  parts.push(`failed ${count(counts.failed)}`, `unknown ${count(counts.unknown)}`);
  return parts.join(", ");
}

/** Loops of either kind need other words for the same two distributions. */
function latencyLines(result: BenchResult): readonly string[] {
  const { load, workload } = result;
  if (workload.mode === "oneway")
    return ["latency                     none: one-way sends have no answer"];
  if (workload.ratePerSecond === null) {
    return [latencyLine("service time at saturation", load.service)];
  }
  const lines = [
    latencyLine("response (from due time)", load.response),
    latencyLine("service (from real send)", load.service),
  ];
  if (load.waitedForSender > 0 || load.unsent > 0) {
    lines.push(
      `                            ${count(load.waitedForSender)} sends waited for a free sender, ${count(load.unsent)} never went out (both are in the response time)`,
    );
  }
  return lines;
}

function verdictLines(result: BenchResult): readonly string[] {
  const { verdict, verification, generator, workload } = result;
  const lines = [
    `accounted for               ${verification.verdict} (${verification.method}): ${verification.why}; lost ${verification.lost}, duplicates ${verification.duplicates}`,
  ];
  if (workload.ratePerSecond === null && generator.loopUtilization > LOOP_BUSY) {
    const busy = Math.round(generator.loopUtilization * 100);
    lines.push(
      `note                        the generator was ${busy} % busy: the cluster may be able to do more`,
    );
  }
  const weak = weakTotal(result.load.counts);
  if (weak > 0) {
    lines.push(
      `note                        ${count(weak)} weak acknowledgements: stored, but less safe than the mode promises`,
    );
  }
  const reasons = verdict.reasons.map((reason) => `; ${reason}`).join("");
  lines.push(`verdict                     ${verdict.verdict}${reasons}`);
  return lines;
}

/** @returns the summary a person reads and pastes into a pull request */
export function renderResult(result: BenchResult): string {
  const { environment } = result;
  const mib = result.bytesPerSecond / 1_024 / 1_024;
  const early = result.endedEarly ? " (ended early)" : "";
  return [
    `bench of ${environment.preset} (${environment.runtime}), lab ${environment.lab}`,
    workloadLine(result.workload),
    `${environment.cores} x ${environment.cpu}, Node ${environment.node}, ${environment.kernel}`,
    "",
    `throughput                  ${count(result.messagesPerSecond)} messages/s, ${mib.toFixed(1)} MiB/s over ${result.measuredSeconds.toFixed(1)} s${early}`,
    ...latencyLines(result),
    `sends                       ${outcomeLine(result.load.counts)}`,
    ...verdictLines(result),
  ].join("\n");
}
