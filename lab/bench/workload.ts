/** What a bench run does, as data. */

export type BenchMode = "sync" | "async" | "oneway";

export interface Workload {
  /** Clients with connections of their own. In sync mode each has one send in flight. */
  readonly producers: number;
  /** 0: messages are counted by queue offsets instead of being read. */
  readonly consumers: number;
  /** Bytes of a body. */
  readonly sizeBytes: number;
  /** Sends a second over all producers (open loop); null: as fast as answers come (closed loop). */
  readonly ratePerSecond: number | null;
  /** Measured time, after the warm-up. */
  readonly durationMs: number;
  /** Excluded from every figure but the count of messages. */
  readonly warmupMs: number;
  readonly topic: string;
  readonly mode: BenchMode;
  /** Async and one-way: sends in flight a producer. */
  readonly window: number;
  /** Queues the topic gets on each master when it is made. */
  readonly queues: number;
}

/** Bodies carry 16 bytes of their own (message-body.ts). */
export const SIZE_BYTES_MIN = 16;
/** 4.9 clients refuse more (maxMessageSize, 4 MiB). */
export const SIZE_BYTES_MAX = 4 * 1_024 * 1_024;
export const PRODUCERS_MAX = 256;
export const CONSUMERS_MAX = 64;
export const WINDOW_MAX = 4_096;
export const RATE_MAX = 1_000_000;
export const DURATION_MS_MAX = 3_600_000;
/** Of one send. A send without an answer after it counts as unknown. */
export const SEND_TIMEOUT_MS = 3_000;

/** @returns how many sends a run has in flight at most */
export function laneCount(workload: Workload): number {
  return workload.producers * (workload.mode === "sync" ? 1 : workload.window);
}
