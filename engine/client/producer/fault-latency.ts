/** Brokers to leave out for a while because they were slow or failed (remoting-protocol 5.4, sendLatencyFaultEnable). */

/** Slowest first: an attempt that took at least so long keeps its broker out for so long. */
const STEPS: readonly (readonly [latencyMs: number, outMs: number])[] = [
  [15_000, 600_000],
  [3_000, 180_000],
  [2_000, 120_000],
  [1_000, 60_000],
  [550, 30_000],
];
/** What a failed attempt counts as. */
const FAILURE_LATENCY_MS = 30_000;

/** One producer's table: broker name → until when it is left out. */
export class FaultLatency {
  private readonly outUntil = new Map<string, number>();

  /** @param latencyMs of an answered attempt @param nowMs any steady clock */
  answered(brokerName: string, latencyMs: number, nowMs: number): void {
    const step = STEPS.find(([fromMs]) => latencyMs >= fromMs);
    if (step === undefined) this.outUntil.delete(brokerName);
    else this.outUntil.set(brokerName, nowMs + step[1]);
  }

  /** @param nowMs the same clock */
  failed(brokerName: string, nowMs: number): void {
    this.answered(brokerName, FAILURE_LATENCY_MS, nowMs);
  }

  /** @returns true while the broker is to be left out, if there is another one */
  isOut(brokerName: string, nowMs: number): boolean {
    return (this.outUntil.get(brokerName) ?? 0) > nowMs;
  }
}
