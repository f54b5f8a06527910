/** Delayed delivery on a real store with a clock of the test's own (store-and-ha 6.1): every level, other levels, restarts, power cuts. */
import { describe, expect, it } from "vitest";
import { DelayedMessages } from "../../../../engine/broker/delayed-messages.ts";
import { parseDelayLevels } from "../../../../engine/message/delay-levels.ts";
import { SimDisk } from "../../../helpers/sim-disk.ts";
import { cut, Machine, newRoot } from "./machine.ts";

const SYNC = { properties: "flushDiskType=SYNC_FLUSH\n" };
const DEFAULT_LEVELS = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";

/** A machine that delivers. */
async function boot(disk: SimDisk, root: string, options: Parameters<typeof Machine.boot>[2]) {
  const machine = await Machine.boot(disk, root, options);
  const delayed = new DelayedMessages(machine.context);
  delayed.start();
  const stop = async (): Promise<void> => {
    delayed.stop();
    await machine.stop();
  };
  return { machine, delayed, stop };
}

/** Long enough for a delivery that must not happen to happen: several of its turns. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 250));

const arrived = (machine: Machine, count: number) =>
  expect.poll(() => machine.bodies("Late").length, { timeout: 5_000, interval: 10 }).toBe(count);

describe("delay levels", () => {
  it.each([
    ["the 18 of 4.9", "", parseDelayLevels(DEFAULT_LEVELS)],
    ["others", "messageDelayLevel=2s 3m 1h 1d\n", [2_000, 180_000, 3_600_000, 86_400_000]],
  ])(
    "%s: each message comes when its level is due and not a millisecond before",
    async (...args) => {
      const [, properties, levels] = args;
      const root = newRoot();
      const { machine, stop } = await boot(new SimDisk(), root, { properties });
      const begin = machine.now;
      for (const level of levels.keys())
        await machine.plain(`level-${level + 1}`, { DELAY: String(level + 1) });
      expect(machine.bodies("Late")).toEqual([]);
      for (const [index, delayMs] of levels.entries()) {
        machine.now = begin + delayMs - 1;
        await settle();
        expect(machine.bodies("Late")).toHaveLength(index);
        machine.now = begin + delayMs;
        await arrived(machine, index + 1);
      }
      expect(machine.bodies("Late")).toEqual(levels.map((_, index) => `level-${index + 1}`));
      await stop();
    },
    30_000,
  );

  it("a level above the last counts as the last", async () => {
    const { machine, stop } = await boot(new SimDisk(), newRoot(), {
      properties: "messageDelayLevel=1s 2s\n",
    });
    await machine.plain("x", { DELAY: "9" });
    machine.now += 1_999;
    await settle();
    expect(machine.bodies("Late")).toEqual([]);
    machine.now += 1;
    await arrived(machine, 1);
    await stop();
  });
});

describe("what waits", () => {
  it("survives a stop: what was delivered is not delivered again, what is due meanwhile comes at once", async () => {
    const root = newRoot();
    const disk = new SimDisk();
    const first = await boot(disk, root, SYNC);
    await first.machine.plain("early", { DELAY: "1" });
    await first.machine.plain("late", { DELAY: "3" });
    first.machine.now += 1_000;
    await arrived(first.machine, 1);
    // The pass that delivered must have noted it.
    await expect.poll(() => first.delayed.progress().get(1)?.[0], { interval: 10 }).toBe(1);
    await first.stop();
    const second = await boot(disk, root, SYNC);
    second.machine.now = first.machine.now + 9_000;
    await arrived(second.machine, 2);
    await settle();
    expect(second.machine.bodies("Late")).toEqual(["early", "late"]);
    await second.stop();
  });

  it.each([3, 7, 31])(
    "survives a power cut, seed %i: nothing stored is forgotten",
    async (seed) => {
      const root = newRoot();
      const disk = new SimDisk();
      const first = await boot(disk, root, SYNC);
      const sent = Array.from({ length: 12 }, (_, i) => `m${String(i).padStart(2, "0")}`);
      for (const [i, body] of sent.entries())
        await first.machine.plain(body, { DELAY: String(1 + (i % 3)) });
      first.machine.now += 1_000;
      await arrived(first.machine, 4);
      first.delayed.persist();
      const second = await boot(cut(disk, root, { seed }), root, SYNC);
      second.machine.now = first.machine.now + 20_000;
      await expect
        .poll(() => [...new Set(second.machine.bodies("Late"))].toSorted(), { timeout: 5_000 })
        .toEqual(sent);
      await second.stop();
      first.delayed.stop();
    },
  );

  it("C-01: its progress is written down only when the deliveries are flushed", async () => {
    const root = newRoot();
    const disk = new SimDisk();
    const properties = "flushIntervalCommitLog=10000\nvisibility=appended\n";
    const first = await boot(disk, root, { properties });
    await first.machine.plain("x", { DELAY: "1" });
    first.machine.now += 1_000;
    await arrived(first.machine, 1);
    await expect.poll(() => first.delayed.progress().get(1)?.[0], { interval: 10 }).toBe(1);
    await settle();
    expect(first.machine.store.log.flushedOffset).toBeLessThan(
      first.machine.store.log.writtenOffset,
    );
    expect(first.delayed.toJson()).toBe('{"offsetTable":{}}');
    await first.stop();
    expect(first.delayed.toJson()).toBe('{"offsetTable":{1:1}}');
  });

  it("A-07: a delivery the disk has no room for is not counted as done", async () => {
    const properties = "flushDiskType=SYNC_FLUSH\nmappedFileSizeCommitLog=67108864\n";
    const disk = new SimDisk();
    const { machine, stop } = await boot(disk, newRoot(), { properties });
    const body = "b".repeat(1_000_000);
    await machine.plain(body, { DELAY: "1" });
    disk.capacity = 0;
    machine.now += 1_000;
    await settle();
    disk.capacity = Number.MAX_SAFE_INTEGER;
    await arrived(machine, 1);
    expect(machine.bodies("Late")).toEqual([body]);
    await stop();
  });
});
