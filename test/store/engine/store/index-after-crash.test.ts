import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { message, put, StoreFolder, TOPIC } from "../../../helpers/store-fixture.ts";

/** Begin and end of a file as its header on the disk has them: timestamps, then physical offsets (store-and-ha 3.5). */
function headerOf(path: string): number[] {
  const bytes = readFileSync(path);
  return [0, 8, 16, 24].map((at) => Number(bytes.readBigInt64BE(at)));
}

const ANY_TIME = { beginMs: 0, endMs: Number.MAX_SAFE_INTEGER };

describe("index files after a crash", () => {
  it("3.5: the file in use begins with its predecessor's end, so that a 4.9 broker does not index twice; ours loses and doubles nothing", async () => {
    using folder = new StoreFolder();
    const store = await folder.open();
    const keys = Array.from({ length: 500 }, (_, index) => `key-${index}`);
    await Promise.all(keys.map((key) => put(store, message(key))));
    await expect.poll(() => readdirSync(join(folder.root, "index")).length).toBe(2);
    using crashed = folder.crashCopy();
    await store.stop();

    const [first = "", second = ""] = readdirSync(join(crashed.root, "index")).toSorted();
    const [, endTime = 0, , endOffset = 0] = headerOf(join(crashed.root, "index", first));
    expect(endOffset).toBeGreaterThan(0);
    const preset = [endTime, endTime, endOffset, endOffset];
    expect(headerOf(join(crashed.root, "index", second))).toEqual(preset);

    const again = await crashed.open();
    for (const key of ["key-0", "key-398", "key-399", "key-499"]) {
      const found = await again.queryMessage(TOPIC.text, key, 32, ANY_TIME);
      expect([key, found.records.length]).toEqual([key, 1]);
    }
    await again.stop();
  });
});
