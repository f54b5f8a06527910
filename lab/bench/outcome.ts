/** How one send ended. Only SEND_OK keeps the mode's promise; no answer is not the same as lost. */
import { sendOutcomeOf, type SendStatus } from "../../engine/client/index.ts";

/** A status the broker answered; FAILED: surely not stored; UNKNOWN: no answer; HANDED: one-way, nobody answers. */
export type SendOutcome = SendStatus | "FAILED" | "UNKNOWN" | "HANDED";

/** Sends by how they ended. */
export interface OutcomeCounts {
  readonly attempted: number;
  readonly ok: number;
  /** Stored on the master, but not as safe as the mode promises; by status. */
  readonly weak: Readonly<Record<Exclude<SendStatus, "SEND_OK">, number>>;
  readonly failed: number;
  readonly unknown: number;
  readonly handed: number;
}

/** @returns FAILED when the message is surely not stored, else UNKNOWN */
export function outcomeOfError(error: unknown): SendOutcome {
  return sendOutcomeOf(error) === "not-stored" ? "FAILED" : "UNKNOWN";
}

/** @returns true for the three statuses that promise less than the mode */
export function isWeak(outcome: SendOutcome): boolean {
  return (
    outcome === "FLUSH_DISK_TIMEOUT" ||
    outcome === "FLUSH_SLAVE_TIMEOUT" ||
    outcome === "SLAVE_NOT_AVAILABLE"
  );
}

/** Counts outcomes; every send is counted exactly once. */
export class OutcomeCounter {
  private readonly counts: Record<SendOutcome, number> = {
    SEND_OK: 0,
    FLUSH_DISK_TIMEOUT: 0,
    FLUSH_SLAVE_TIMEOUT: 0,
    SLAVE_NOT_AVAILABLE: 0,
    FAILED: 0,
    UNKNOWN: 0,
    HANDED: 0,
  };

  add(outcome: SendOutcome): void {
    this.counts[outcome] += 1;
  }

  /** @returns the counts now */
  read(): OutcomeCounts {
    const { SEND_OK, FAILED, UNKNOWN, HANDED, ...weak } = this.counts;
    const weakSum = weak.FLUSH_DISK_TIMEOUT + weak.FLUSH_SLAVE_TIMEOUT + weak.SLAVE_NOT_AVAILABLE;
    return {
      attempted: SEND_OK + weakSum + FAILED + UNKNOWN + HANDED,
      ok: SEND_OK,
      weak,
      failed: FAILED,
      unknown: UNKNOWN,
      handed: HANDED,
    };
  }
}

/** @returns sends with a weak acknowledgement */
export function weakTotal(counts: OutcomeCounts): number {
  return Object.values(counts.weak).reduce((sum, count) => sum + count, 0);
}
