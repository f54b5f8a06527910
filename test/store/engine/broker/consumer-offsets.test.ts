/** C-01: after a recovery no consumer group stands past what its queue holds. */
import { describe, expect, it } from "vitest";
import { SimDisk } from "../../../helpers/sim-disk.ts";
import { cut, Machine, newRoot } from "./machine.ts";

describe("consumer offsets after a recovery", () => {
  it("past a tail that a power cut took are brought back to the queue's end; others stay", async () => {
    const root = newRoot();
    const disk = new SimDisk();
    const properties = "flushIntervalCommitLog=10000\nvisibility=appended\n";
    const first = await Machine.boot(disk, root, { properties });
    for (const body of ["a", "b", "c"]) await first.plain(body);
    const { offsets } = first.context;
    offsets.commit("CG_ahead", "Late", 0, 3);
    offsets.commit("CG_ahead", "bad topic", 0, 7);
    first.persist();
    const again = await Machine.boot(cut(disk, root, "none"), root);
    expect(again.bodies("Late")).toEqual([]);
    const after = again.context.offsets;
    expect(after.query("CG_ahead", "Late", 0)).toBe(0);
    expect(after.query("CG_ahead", "bad topic", 0)).toBe(0);
    await again.stop();
  });

  it("that a queue does hold stay over a stop", async () => {
    const root = newRoot();
    const disk = new SimDisk();
    const first = await Machine.boot(disk, root);
    for (const body of ["a", "b", "c"]) await first.plain(body);
    first.context.offsets.commit("CG", "Late", 0, 2);
    await first.stop();
    const again = await Machine.boot(disk, root);
    expect(again.context.offsets.query("CG", "Late", 0)).toBe(2);
    await again.stop();
  });

  it("stay on a slave, whose log may be behind its master's table", async () => {
    const root = newRoot();
    const disk = new SimDisk();
    const properties = "brokerRole=SLAVE\nbrokerId=1\n";
    const first = await Machine.boot(disk, root, { properties });
    first.context.offsets.commit("CG", "Late", 0, 9);
    await first.stop();
    const again = await Machine.boot(disk, root, { properties });
    expect(again.context.offsets.query("CG", "Late", 0)).toBe(9);
    await again.stop();
  });
});
