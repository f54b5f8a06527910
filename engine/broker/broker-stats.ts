/** Counters of a broker and their rates over three windows (admin-protocol C.1). Increments are plain additions; sampling is once a second. */
import type { BrokerStats } from "./broker-context.ts";

const WINDOWS_SECONDS = [10, 60, 600] as const;
const SAMPLES_MAX = 601;

interface Sample {
  readonly atMs: number;
  readonly putMessages: number;
  readonly getMessages: number;
}

/** The one owner of the broker's counters. */
export class BrokerCounters implements BrokerStats {
  putMessages = 0;
  putBytes = 0;
  getMessages = 0;
  getBytes = 0;
  ackedOkOffset = 0;
  ackedWeakOffset = 0;
  private readonly samples: Sample[] = [];
  private dayStart = new Date().toDateString();
  private readonly morning = { putMessages: 0, getMessages: 0, putYesterday: 0, getYesterday: 0 };

  /** Called once a second. @param nowMs wall clock */
  sample(nowMs: number): void {
    this.samples.push({
      atMs: nowMs,
      putMessages: this.putMessages,
      getMessages: this.getMessages,
    });
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
    const today = new Date(nowMs).toDateString();
    if (today === this.dayStart) return;
    this.dayStart = today;
    this.morning.putYesterday = this.morning.putMessages;
    this.morning.getYesterday = this.morning.getMessages;
    this.morning.putMessages = this.putMessages;
    this.morning.getMessages = this.getMessages;
  }

  putTps(): readonly [number, number, number] {
    return this.rates((sample) => sample.putMessages);
  }

  getTps(): readonly [number, number, number] {
    return this.rates((sample) => sample.getMessages);
  }

  /** Counters at the last two midnights since the start. */
  mornings(): Readonly<typeof this.morning> {
    return this.morning;
  }

  private rates(value: (sample: Sample) => number): readonly [number, number, number] {
    const last = this.samples.at(-1);
    const rate = (seconds: number): number => {
      const first = this.samples[Math.max(0, this.samples.length - 1 - seconds)];
      if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
      return ((value(last) - value(first)) * 1_000) / (last.atMs - first.atMs);
    };
    return [rate(WINDOWS_SECONDS[0]), rate(WINDOWS_SECONDS[1]), rate(WINDOWS_SECONDS[2])];
  }
}
