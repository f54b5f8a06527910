import type { Measured } from "../api.ts";
import { numberOf, type BrokerReading } from "./readings.ts";

/**
 * One broker's figures over time: turns counters into rates and keeps the last good value of everything, so that a silent broker
 * shows "unknown since …" instead of zero.
 */
export class BrokerFigures {
  private previous: BrokerReading | undefined;
  private readonly last = new Map<string, { value: number; at: number }>();
  private readonly current = new Map<string, Measured<number>>();

  /** Takes one round's answer in. */
  add(reading: BrokerReading): void {
    this.keep(
      "inRate",
      this.rate(reading, "msgPutTotalTodayNow"),
      reading,
      "the counter has no earlier value yet",
    );
    this.keep(
      "outRate",
      this.rate(reading, "msgGetTotalTodayNow"),
      reading,
      "the counter has no earlier value yet",
    );
    this.keep(
      "logEnd",
      numberOf(reading, "lab.log.end") ?? numberOf(reading, "commitLogMaxOffset"),
      reading,
      "not reported",
    );
    this.keep(
      "unflushed",
      this.difference(reading, "lab.log.end", "lab.log.flushed"),
      reading,
      "only our engine reports it",
    );
    this.keep(
      "ackedOk",
      numberOf(reading, "lab.log.ackedOk"),
      reading,
      "only our engine reports it",
    );
    this.keep("diskRatio", numberOf(reading, "commitLogDiskRatio"), reading, "not reported");
    this.keep("rssBytes", numberOf(reading, "lab.rss"), reading, "only our engine reports it");
    if (reading.table !== null) this.previous = reading;
  }

  /** @returns the figure of the last round */
  get(name: string): Measured<number> {
    return this.current.get(name) ?? { unknown: true, why: "not asked yet" };
  }

  private keep(name: string, value: number | null, reading: BrokerReading, why: string): void {
    if (value !== null) {
      this.last.set(name, { value, at: reading.at });
      this.current.set(name, { value, at: reading.at });
      return;
    }
    const last = this.last.get(name);
    const reason = reading.table === null ? reading.error : why;
    const kept = last === undefined ? {} : { lastValue: last.value, lastAt: last.at };
    this.current.set(name, { unknown: true, why: reason, ...kept });
  }

  private rate(reading: BrokerReading, key: string): number | null {
    const before = numberOf(this.previous, key);
    const now = numberOf(reading, key);
    const elapsedMs = reading.at - (this.previous?.at ?? reading.at);
    if (before === null || now === null || elapsedMs <= 0) return null;
    // Counters start again at midnight and when the broker restarts: the next round knows better.
    return now < before ? null : ((now - before) * 1_000) / elapsedMs;
  }

  private difference(reading: BrokerReading, high: string, low: string): number | null {
    const above = numberOf(reading, high);
    const below = numberOf(reading, low);
    return above === null || below === null ? null : Math.max(0, above - below);
  }
}

/** Seconds a slave is behind: how long ago the master's log ended where the slave's ends now. */
export class LagClock {
  private readonly ends: { at: number; end: number }[] = [];

  /** Notes where the master's log ended. Keeps 15 minutes. */
  note(at: number, end: number): void {
    this.ends.push({ at, end });
    if (this.ends.length > 900) this.ends.shift();
  }

  /** @returns seconds, 0 when the slave has all the master had; null before the first note */
  secondsBehind(at: number, slaveEnd: number): number | null {
    const missing = this.ends.find((note) => note.end > slaveEnd);
    if (this.ends.length === 0) return null;
    return missing === undefined ? 0 : Math.max(0, (at - missing.at) / 1_000);
  }
}
