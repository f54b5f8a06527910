import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RebalanceLoop } from "../../../../../engine/client/consumer/rebalance.ts";

describe("rebalance loop", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("runs at its interval and on request, never two rounds at once", async () => {
    let running = 0;
    let rounds = 0;
    const loop = new RebalanceLoop(async () => {
      running += 1;
      expect(running).toBe(1);
      rounds += 1;
      await Promise.resolve();
      running -= 1;
      return true;
    }, 20_000);
    await Promise.all([loop.run(), loop.run(), loop.run()]);
    expect(rounds).toBeLessThanOrEqual(2);
    const before = rounds;
    await vi.advanceTimersByTimeAsync(40_000);
    expect(rounds).toBe(before + 2);
    await loop.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(rounds).toBe(before + 2);
  });

  it("a request during a round has another round begin after it", async () => {
    let release = (): void => undefined;
    let rounds = 0;
    const loop = new RebalanceLoop(() => {
      rounds += 1;
      return rounds > 1
        ? Promise.resolve(true)
        : new Promise((done) => (release = () => done(true)));
    }, 20_000);
    const first = loop.run();
    const second = loop.run();
    release();
    await Promise.all([first, second]);
    expect(rounds).toBe(2);
    await loop.stop();
  });

  it("repeats an incomplete round soon, less and less often", async () => {
    const at: number[] = [];
    const began = Date.now();
    const loop = new RebalanceLoop(() => {
      at.push(Date.now() - began);
      return Promise.resolve(at.length === 5);
    }, 1_000_000);
    await loop.run();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(at).toEqual([0, 200, 600, 1_400, 3_000]);
    await loop.stop();
  });
});
