/**
 * Which half messages are open. Pure: what the half queue and the op queue say, kept as numbers.
 *
 *   half queue   0 … progress-1 are done │ progress … max-1: open, or ended ahead of an older one that is still open
 *
 * A transaction is named by the place of its first half message (its root). When it is checked a copy goes to the end of the queue, and the
 * transaction stands there from then on.
 */

/** The one owner of what is known of open transactions. */
export class TransactionTable {
  private first = 0;
  /** Places at or behind `first` that are done → place of the op message that says so, -1 for none. */
  private readonly done = new Map<number, number>();
  /** Root → newest copy, and back; only copies at or behind `first`. */
  private readonly newest = new Map<number, number>();
  private readonly roots = new Map<number, number>();

  /** First place in the half queue that is not done. */
  get progress(): number {
    return this.first;
  }

  /** Starts from what was stored; everything before `progress` is done. */
  reset(progress: number): void {
    this.first = progress;
    this.done.clear();
    this.newest.clear();
    this.roots.clear();
  }

  /**
   * @param root of a transaction
   * @param seenAt where a message of it was found
   * @returns where it stands now
   */
  placeOf(root: number, seenAt: number): number {
    return this.newest.get(root) ?? seenAt;
  }

  /** @returns true when nothing has ended or replaced the half message at that place */
  isOpen(root: number, at: number): boolean {
    return at >= this.first && !this.done.has(at) && this.placeOf(root, at) === at;
  }

  /** A copy of the half message stands at `at` and is the transaction's place now; the older place is done. */
  moved(root: number, from: number, at: number): void {
    this.noteCopy(root, at);
    this.finish(from, -1);
  }

  /** Read back at start: a copy stands at `at`. Older copies of it are done. */
  noteCopy(root: number, at: number): void {
    const before = this.newest.get(root);
    if (before !== undefined && before >= at) return;
    this.newest.set(root, at);
    this.roots.set(at, root);
  }

  /**
   * @param at place in the half queue that is done
   * @param opOffset place in the op queue that says so, -1 when only the progress will
   */
  finish(at: number, opOffset: number): void {
    if (at < this.first || this.done.has(at)) return;
    this.done.set(at, opOffset);
    while (this.done.delete(this.first)) {
      this.forget(this.first);
      this.first += 1;
    }
  }

  /**
   * @param end of the op queue
   * @returns first op message that still counts: those before it speak of places that are done
   */
  opProgress(end: number): number {
    let first = end;
    for (const opOffset of this.done.values())
      if (opOffset >= 0 && opOffset < first) first = opOffset;
    return first;
  }

  private forget(at: number): void {
    const root = this.roots.get(at);
    if (root === undefined) return;
    this.roots.delete(at);
    if (this.newest.get(root) === at) this.newest.delete(root);
  }
}
