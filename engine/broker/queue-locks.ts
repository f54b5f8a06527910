/** Locks of orderly consumers: one owner a group and queue, on the master, in memory (remoting-protocol 4.5). */

/** A lock not renewed for this long may be taken by anyone. */
const LOCK_MS = 60_000;

interface Lock {
  clientId: string;
  renewedMs: number;
}

/** The one owner of queue locks. */
export class QueueLocks {
  private readonly now: () => number;
  private readonly locks = new Map<string, Map<string, Lock>>();

  /** @param now wall clock, ms */
  constructor(now: () => number) {
    this.now = now;
  }

  /** Takes or renews one lock. @param queue any stable name of the queue @returns true when the client holds it now */
  lock(group: string, queue: string, clientId: string): boolean {
    const byQueue = this.locks.get(group) ?? new Map<string, Lock>();
    this.locks.set(group, byQueue);
    const held = byQueue.get(queue);
    const now = this.now();
    if (held !== undefined && held.clientId !== clientId && now - held.renewedMs <= LOCK_MS)
      return false;
    byQueue.set(queue, { clientId, renewedMs: now });
    return true;
  }

  /** Frees a lock its owner gives back; anybody else is ignored. */
  unlock(group: string, queue: string, clientId: string): void {
    const byQueue = this.locks.get(group);
    if (byQueue?.get(queue)?.clientId !== clientId) return;
    byQueue.delete(queue);
    if (byQueue.size === 0) this.locks.delete(group);
  }
}
