/** Latencies in an HDR histogram: microseconds, three significant digits, one hour at most (lab-and-drills 4.2, 5). */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

const HIGHEST_US = 3_600_000_000;
/** Below these counts a tail percentile is chance, and is not given. */
const SAMPLES_FOR_999 = 10_000;
const SAMPLES_FOR_9999 = 100_000;

/** Microseconds. Null where there are too few samples to say. */
export interface LatencySummary {
  readonly count: number;
  readonly min: number | null;
  readonly p50: number | null;
  readonly p75: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly p9999: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly stddev: number | null;
}

const EMPTY: LatencySummary = {
  count: 0,
  min: null,
  p50: null,
  p75: null,
  p90: null,
  p95: null,
  p99: null,
  p999: null,
  p9999: null,
  max: null,
  mean: null,
  stddev: null,
};

/** One distribution. */
export class Latency {
  private readonly histogram: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: HIGHEST_US,
    figures: 3,
  });

  /** @param elapsedMs of `performance.now()`; less than a microsecond counts as one */
  record(elapsedMs: number): void {
    const micros = Math.round(elapsedMs * 1_000);
    this.histogram.record(Math.min(HIGHEST_US, Math.max(1, micros)));
  }

  /** Forgets everything. */
  reset(): void {
    this.histogram.reset();
  }

  get count(): number {
    return Number(this.histogram.count);
  }

  /** @returns microseconds at this percentile, or null without samples */
  at(percentile: number): number | null {
    return this.count === 0 ? null : this.histogram.percentile(percentile);
  }

  /** @returns the figures of a report */
  summary(): LatencySummary {
    const { histogram, count } = this;
    if (count === 0) return EMPTY;
    return {
      count,
      min: histogram.min,
      p50: this.at(50),
      p75: this.at(75),
      p90: this.at(90),
      p95: this.at(95),
      p99: this.at(99),
      p999: count >= SAMPLES_FOR_999 ? this.at(99.9) : null,
      p9999: count >= SAMPLES_FOR_9999 ? this.at(99.99) : null,
      max: histogram.max,
      mean: histogram.mean,
      stddev: histogram.stddev,
    };
  }
}
