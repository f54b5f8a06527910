/** What one collector round brought home: raw answers and failures, no judgement. */
export interface BrokerReading {
  readonly node: string;
  readonly at: number;
  /** The runtime information table (code 28), or null with `error`. */
  readonly table: ReadonlyMap<string, string> | null;
  readonly error: string;
}

export interface NamesrvReading {
  readonly node: string;
  readonly at: number;
  /** `brokerName:brokerId` of every registered broker, or null with `error`. */
  readonly registered: ReadonlySet<string> | null;
  readonly error: string;
}

export interface Round {
  readonly at: number;
  readonly brokers: ReadonlyMap<string, BrokerReading>;
  readonly namesrvs: ReadonlyMap<string, NamesrvReading>;
}

/** @returns the number under a key of the runtime table, or null when it is missing or no number */
export function numberOf(reading: BrokerReading | undefined, key: string): number | null {
  const text = reading?.table?.get(key);
  if (text === undefined || text.trim() === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
