/** The newest entries of a queue are in memory only; a read must never take the file's blank place for them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeVfs } from "../../../../engine/base/node-vfs.ts";
import { ConsumeQueue, readUnit, UNIT_BYTES } from "../../../../engine/store/consume-queue.ts";

const RECORD_BYTES = 133;

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lab-queue-"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = () =>
  new ConsumeQueue({ vfs: nodeVfs, directory: join(directory, "T", "0"), fileSize: 4_000 });

function put(queue: ConsumeQueue, from: number, to: number): void {
  for (let n = from; n < to; n += 1) {
    const unit = { physicalOffset: n * RECORD_BYTES, size: RECORD_BYTES, tagsHigh: 0, tagsLow: n };
    queue.put(unit, n);
  }
}

/** Reads on from `offset` until nothing comes. @returns the tags, which count the entries */
function readAll(queue: ConsumeQueue, offset: number): number[] {
  const tags: number[] = [];
  for (;;) {
    const bytes = queue.read(offset + tags.length, 800);
    if (bytes.length === 0) return tags;
    for (let at = 0; at < bytes.length; at += UNIT_BYTES) tags.push(readUnit(bytes, at).tagsLow);
  }
}

describe("ConsumeQueue", () => {
  it("after a restart, reads over the border between its file and the entries only in memory", () => {
    const first = open();
    put(first, 0, 100);
    first.flush();
    first.close();
    const second = open();
    second.recover(100 * RECORD_BYTES);
    put(second, 100, 150);
    expect(second.pendingUnits).toBe(50);
    expect(readAll(second, 90)).toEqual(Array.from({ length: 60 }, (_, n) => 90 + n));
    expect(readAll(second, 0)).toHaveLength(150);
    second.close();
  });

  it("reads over the border of its window while that moves on", () => {
    const queue = open();
    put(queue, 0, 5_000);
    expect(readAll(queue, 0)).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
    queue.close();
  });
});
