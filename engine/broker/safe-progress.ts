/**
 * Progress that must not run ahead of what it counts (C-01): it may be written down, and told to slaves, only when the log is flushed and every
 * connected slave has it up to where the progress was made. Otherwise a power cut or a slave that takes over would pass over messages.
 */
import type { ReplicaLog } from "../store/store-api.ts";

/** A slave as far as progress must wait for it. */
export interface FollowingSlave {
  readonly ackedOffset: number;
  /** It cannot follow any more and must be set up anew: nobody waits for it. */
  readonly isBehindMinimum: boolean;
}

/** One kind of progress. */
export class SafeProgress<Value> {
  private readonly log: Pick<ReplicaLog, "flushedOffset" | "writtenOffset">;
  private readonly slaves: () => readonly FollowingSlave[];
  private waiting: { readonly value: Value; readonly logEnd: number } | null = null;

  /** @param log of this broker @param slaves connected now */
  constructor(
    log: Pick<ReplicaLog, "flushedOffset" | "writtenOffset">,
    slaves: () => readonly FollowingSlave[],
  ) {
    this.log = log;
    this.slaves = slaves;
  }

  /**
   * Called again and again while there is progress.
   * @param value progress as it stands now; must not change afterwards
   * @returns the newest progress offered so far that is safe, or null when none has become so
   */
  offer(value: Value): Value | null {
    const before = this.takeSafe();
    this.waiting ??= { value, logEnd: this.log.writtenOffset };
    return this.takeSafe() ?? before;
  }

  private takeSafe(): Value | null {
    const { waiting } = this;
    if (waiting === null || !this.isSafe(waiting.logEnd)) return null;
    this.waiting = null;
    return waiting.value;
  }

  private isSafe(logEnd: number): boolean {
    const isCopied = this.slaves().every(
      (slave) => slave.isBehindMinimum || slave.ackedOffset >= logEnd,
    );
    return isCopied && this.log.flushedOffset >= logEnd;
  }
}
