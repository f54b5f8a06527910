/** Which half messages are open, as numbers, against a slow model (store-and-ha 6.5, R-25). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TransactionTable } from "../../../../../engine/broker/transactions/transaction-table.ts";

function tableAt(progress: number): TransactionTable {
  const table = new TransactionTable();
  table.reset(progress);
  return table;
}

describe("the table of open transactions", () => {
  it("moves its progress over what is done without a gap, and no further", () => {
    const table = tableAt(10);
    table.finish(11, 0);
    table.finish(13, 1);
    expect(table.progress).toBe(10);
    table.finish(10, 2);
    expect(table.progress).toBe(12);
    table.finish(12, -1);
    expect(table.progress).toBe(14);
  });

  it("keeps the first op message that is still needed", () => {
    const table = tableAt(0);
    table.finish(2, 5);
    table.finish(1, 7);
    expect(table.opProgress(9)).toBe(5);
    table.finish(0, 8);
    expect(table.opProgress(9)).toBe(9);
  });

  it("an op message is not overwritten by a later, weaker reason", () => {
    const table = tableAt(0);
    table.finish(1, 4);
    table.finish(1, -1);
    expect(table.opProgress(9)).toBe(4);
  });

  it("a transaction stands at its newest copy; its older places are closed", () => {
    const table = tableAt(0);
    expect(table.isOpen(0, 0)).toBe(true);
    table.moved(0, 0, 3);
    table.moved(0, 3, 8);
    expect(table.placeOf(0, 0)).toBe(8);
    expect([0, 3, 8].map((at) => table.isOpen(0, at))).toEqual([false, false, true]);
    table.finish(8, 0);
    expect(table.isOpen(0, table.placeOf(0, 0))).toBe(false);
  });

  it("a copy that is passed is forgotten, and its transaction is not open again", () => {
    const table = tableAt(0);
    table.moved(0, 0, 1);
    table.finish(1, 0);
    expect(table.progress).toBe(2);
    expect(table.isOpen(0, table.placeOf(0, 0))).toBe(false);
    expect(table.isOpen(0, table.placeOf(0, 1))).toBe(false);
  });

  it("read back in any order, the newest copy counts", () => {
    const table = tableAt(5);
    for (const at of [9, 7, 12]) table.noteCopy(5, at);
    expect(table.placeOf(5, 5)).toBe(12);
    expect([5, 7, 9, 12].map((at) => table.isOpen(5, at))).toEqual([false, false, false, true]);
  });

  it("agrees with a model that keeps everything, seed 20261128", () => {
    const step = fc.record({ kind: fc.constantFrom("add", "end", "move"), pick: fc.nat(1_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const model = new Model();
        for (const { kind, pick } of steps) model[kind](pick);
        expect(model.seen).toEqual(model.wanted);
      }),
      { seed: 20_261_128, numRuns: 300 },
    );
  });
});

/** Every place of every transaction, and the table that must say the same. */
class Model {
  private readonly table = tableAt(0);
  private readonly transactions: { readonly places: number[]; isEnded: boolean }[] = [];
  private readonly done = new Set<number>();
  private next = 0;

  add(): void {
    this.transactions.push({ places: [this.next], isEnded: false });
    this.next += 1;
  }

  end(pick: number): void {
    const chosen = this.open(pick);
    const at = chosen?.places.at(-1);
    if (chosen === undefined || at === undefined) return;
    this.table.finish(at, this.next);
    chosen.isEnded = true;
    this.done.add(at);
  }

  move(pick: number): void {
    const places = this.open(pick)?.places ?? [];
    const [root] = places;
    const at = places.at(-1);
    if (root === undefined || at === undefined) return;
    this.table.moved(root, at, this.next);
    places.push(this.next);
    this.next += 1;
    this.done.add(at);
  }

  /** What the table says. */
  get seen() {
    const open = this.transactions.flatMap(({ places }) =>
      places.filter((at) => this.table.isOpen(places[0] ?? -1, at)),
    );
    return { progress: this.table.progress, open };
  }

  /** What it should say. */
  get wanted() {
    let progress = 0;
    while (this.done.has(progress)) progress += 1;
    const open = this.transactions.flatMap(({ places, isEnded }) =>
      isEnded ? [] : places.slice(-1),
    );
    return { progress, open };
  }

  private open(pick: number) {
    const chosen = this.transactions[pick % Math.max(1, this.transactions.length)];
    return chosen === undefined || chosen.isEnded ? undefined : chosen;
  }
}
