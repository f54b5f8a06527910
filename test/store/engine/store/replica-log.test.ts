/** The log as a slave fills it: raw bytes in pieces of any size, across slabs and files. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EngineError } from "../../../../engine/base/engine-error.ts";
import type { MessageStore } from "../../../../engine/store/store-api.ts";
import { faultyVfs } from "../../../helpers/faulty-vfs.ts";
import { bodies, message, put, StoreFolder } from "../../../helpers/store-fixture.ts";

const SLAVE = { brokerRole: "SLAVE", mappedFileSizeCommitLog: 4_194_304 } as const;
const MASTER = { mappedFileSizeCommitLog: 4_194_304 } as const;

/** The raw log of a master with `count` messages of `size` bytes. */
async function rawLog(count: number, size: number): Promise<Buffer> {
  using folder = new StoreFolder();
  const master = await folder.open(MASTER);
  for (let i = 0; i < count; i += 1) {
    await put(
      master,
      message(`${i}`.padEnd(size, "x"), { properties: Buffer.alloc(0), propertiesEnd: 0 }),
    );
  }
  const parts: Buffer[] = [];
  for (let at = 0; at < master.log.writtenOffset;) {
    const raw = master.log.readRaw(at, 65_536);
    parts.push(Buffer.from(raw.bytes));
    at += raw.bytes.length;
    raw.release();
  }
  await master.stop();
  return Buffer.concat(parts);
}

function feed(slave: MessageStore, raw: Buffer, step: number): void {
  for (let at = 0; at < raw.length; at += step) {
    slave.log.appendRaw(at, raw.subarray(at, at + step));
  }
}

describe("the log of a slave", () => {
  it("H-05: dispatches records that straddle its memory slabs as soon as they are whole", async () => {
    const raw = await rawLog(120, 20_011);
    using folder = new StoreFolder();
    const slave = await folder.open(SLAVE);
    feed(slave, raw, 32_768);
    expect(slave.stats().dispatchedOffset).toBe(raw.length);
    expect(await bodies(slave)).toHaveLength(120);
    await slave.stop();
  });

  it("H-06: bytes that replace a dropped record are not flushed because the dropped ones were", async () => {
    const raw = await rawLog(2, 1_000);
    const size = raw.length / 2;
    using folder = new StoreFolder();
    const { vfs, faults } = faultyVfs();
    const slave = await folder.open({ ...SLAVE, flushDiskType: "SYNC_FLUSH" }, vfs);
    slave.log.appendRaw(0, raw.subarray(0, size + 500));
    await expect.poll(() => slave.log.flushedOffset).toBe(size + 500);
    expect(slave.log.dropPartialRecord()).toBe(size);
    expect(slave.log.flushedOffset).toBe(size);
    faults.holdSync = true;
    slave.log.appendRaw(size, raw.subarray(size));
    expect(slave.log.flushedOffset).toBe(size);
    faults.holdSync = false;
    faults.releaseSyncs();
    await expect.poll(() => slave.log.flushedOffset).toBe(raw.length);
    await slave.stop();
  });

  it("a slave killed with half a record flushed starts again at the record's begin", async () => {
    const raw = await rawLog(3, 1_000);
    const size = raw.length / 3;
    using folder = new StoreFolder();
    const slave = await folder.open({ ...SLAVE, flushDiskType: "SYNC_FLUSH" });
    slave.log.appendRaw(0, raw.subarray(0, 2 * size + 700));
    await expect.poll(() => slave.log.flushedOffset).toBe(2 * size + 700);
    await expect
      .poll(() => existsSync(join(folder.root, "checkpoint")), { timeout: 5_000 })
      .toBe(true);
    using crashed = folder.crashCopy();
    await slave.stop();
    const again = await crashed.open(SLAVE);
    expect(again.log.writtenOffset).toBe(2 * size);
    expect(again.log.appendRaw(2 * size, raw.subarray(2 * size))).toBe(raw.length);
    await again.stop();
  });

  it("S-11: a record that is none cuts the log back to the last good one, in the file too", async () => {
    const raw = await rawLog(3, 1_000);
    const size = raw.length / 3;
    const bad = Buffer.from(raw);
    bad[2 * size + 200] = (bad[2 * size + 200] ?? 0) ^ 1;
    using folder = new StoreFolder();
    const slave = await folder.open(SLAVE);
    expect(() => slave.log.appendRaw(0, bad)).toThrow(EngineError);
    expect(slave.log.writtenOffset).toBe(2 * size);
    expect(await bodies(slave)).toHaveLength(2);
    expect(slave.log.appendRaw(2 * size, raw.subarray(2 * size))).toBe(raw.length);
    await slave.stop();
  });
});
