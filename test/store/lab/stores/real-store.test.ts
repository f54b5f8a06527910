/** What the lab reads and copies, held against the store that writes it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareLogs, readLog } from "../../../../lab/stores/log-end.ts";
import { operate } from "../../../../lab/stores/operations.ts";
import { StoreFolder, bodies, message, put, storeConfig } from "../../../helpers/store-fixture.ts";
import { silentLogger } from "../../../../engine/base/logger.ts";
import { nodeVfs } from "../../../../engine/base/node-vfs.ts";
import { openMessageStore } from "../../../../engine/store/message-store.ts";

const NEVER = new AbortController().signal;

async function fill(folder: StoreFolder, texts: readonly string[]): Promise<number> {
  const store = await folder.open();
  for (const text of texts) await put(store, message(text));
  const end = store.stats().writtenOffset;
  await store.stop();
  return end;
}

const texts = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `message ${at}`);

describe("a log at rest and while it is written", () => {
  it.each([0, 1, 40, 300])("%i messages: the same end as the store's own", async (count) => {
    using folder = new StoreFolder();
    const end = await fill(folder, texts(count));
    expect((await readLog(join(folder.root, "commitlog"))).end).toBe(end);
  });

  it("is read while its store runs, and counts what came since", async () => {
    using folder = new StoreFolder();
    const store = await folder.open();
    await put(store, message("before"));
    const since = store.stats().writtenOffset;
    for (const text of texts(7)) await put(store, message(text));
    const log = await readLog(join(folder.root, "commitlog"), since);
    expect(log).toMatchObject({ end: store.stats().writtenOffset, recordsSince: 7 });
    await store.stop();
  });

  it("a crash copy agrees with what it was taken from, until one of the two goes on alone", async () => {
    using folder = new StoreFolder();
    const store = await folder.open();
    for (const text of texts(20)) await put(store, message(text));
    using copy = folder.crashCopy();
    const logs = [folder, copy].map(({ root }) => join(root, "commitlog")) as [string, string];
    expect((await compareLogs(...logs)).same).toBe(true);
    await put(store, message("here"));
    await store.stop();
    const other = await copy.open();
    await put(other, message("there"));
    await other.stop();
    expect((await compareLogs(...logs)).same).toBe(false);
  });
});

describe("a copy of a store", () => {
  it.each(["stopped", "standing still as after a crash"])(
    "%s: opens with every message",
    async (how) => {
      using folder = new StoreFolder();
      const data = mkdtempSync(join(tmpdir(), "lab-data-"));
      try {
        const store = await folder.open();
        for (const text of texts(100)) await put(store, message(text));
        if (how === "stopped") await store.stop();
        const from = folder.root;
        await operate(
          { do: "copy", from, to: join(data, "store"), without: ["lock.owner"] },
          NEVER,
        );
        const copy = openMessageStore({
          config: storeConfig(join(data, "store")),
          vfs: nodeVfs,
          logger: silentLogger,
        });
        await copy.start();
        expect(await bodies(copy)).toEqual(texts(100));
        await copy.stop();
        if (how !== "stopped") await store.stop();
      } finally {
        rmSync(data, { recursive: true, force: true });
      }
    },
  );
});
