/** Power cuts, full disks and failing syncs on a simulated disk (faults-and-security 2, 3; X-02 … X-05). Seeds are in the test names. */
import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../../engine/base/logger.ts";
import { openMessageStore } from "../../../../engine/store/message-store.ts";
import { PUT_STATUS, type MessageStore } from "../../../../engine/store/store-api.ts";
import type { StoreConfig } from "../../../../engine/store/store-config.ts";
import { SimDisk } from "../../../helpers/sim-disk.ts";
import { bodies, message, put, storeConfig, TOPIC } from "../../../helpers/store-fixture.ts";

const SYNC = { flushDiskType: "SYNC_FLUSH" } as const;
let machines = 0;

/** A machine is one root path: a crashed store of this very process holds the path of the machine before. */
async function boot(
  disk: SimDisk,
  root: string,
  overrides: Partial<StoreConfig> = {},
): Promise<MessageStore> {
  const store = openMessageStore({
    config: storeConfig(root, overrides),
    vfs: disk.vfs,
    logger: silentLogger,
  });
  await store.start();
  return store;
}

/** Cuts the power; the dead store's lock is gone with its machine. */
function cut(disk: SimDisk, root: string, survival: Parameters<SimDisk["powerCut"]>[0]): SimDisk {
  const after = disk.powerCut(survival);
  after.vfs.remove(`${root}/lock.owner`);
  return after;
}

function newRoot(): string {
  machines += 1;
  return `/machine-${machines}`;
}

/** Sends `count` messages at once. @returns who was answered 0, filled as answers come */
function send(store: MessageStore, names: readonly string[]): Set<string> {
  const safe = new Set<string>();
  for (const name of names) {
    void put(store, message(name)).then((status) => status === PUT_STATUS.OK && safe.add(name));
  }
  return safe;
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a power cut", () => {
  it.each([1, 2, 3, 5, 8, 13, 21, 34, 55, 89])(
    "SYNC_FLUSH, seed %i: nothing answered 0 is lost, what is left is a prefix, a second cut brings nothing back",
    async (seed) => {
      const root = newRoot();
      const disk = new SimDisk();
      const store = await boot(disk, root, SYNC);
      const sent = names("a", 40 + seed);
      const safe = send(store, sent.slice(0, 20));
      for (let i = 0; i <= seed % 5; i += 1) await turn();
      const later = send(store, sent.slice(20));
      for (let i = 0; i <= seed % 3; i += 1) await turn();

      const first = cut(disk, root, { seed });
      const again = await boot(first, root, SYNC);
      const found = await bodies(again);
      expect(found).toEqual(sent.slice(0, found.length));
      for (const name of [...safe, ...later]) expect(found).toContain(name);

      expect(again.maxOffsetInQueue(TOPIC, 0)).toBe(found.length);
      expect(await put(again, message("b"))).toBe(PUT_STATUS.OK);
      const second = cut(first, root, "none");
      const third = await boot(second, root, SYNC);
      expect(await bodies(third)).toEqual([...found, "b"]);
      await third.stop();
    },
  );

  it.each([1, 4, 9])("ASYNC_FLUSH, seed %i: what is lost is a suffix", async (seed) => {
    const root = newRoot();
    const disk = new SimDisk();
    const store = await boot(disk, root);
    const sent = names("a", 300);
    await Promise.all(sent.map((name) => put(store, message(name))));
    const after = cut(disk, root, { seed });
    const again = await boot(after, root);
    const found = await bodies(again);
    expect(found).toEqual(sent.slice(0, found.length));
    await again.stop();
  });

  it("S-10: what only a kill left in memory is made durable before it counts as such", async () => {
    const root = newRoot();
    const disk = new SimDisk();
    const store = await boot(disk, root, { flushIntervalCommitLog: 60_000 });
    await Promise.all(names("a", 10).map((name) => put(store, message(name))));
    const killed = cut(disk, root, "all");
    const again = await boot(killed, root, SYNC);
    expect(await bodies(again)).toHaveLength(10);
    const dark = cut(killed, root, "none");
    const third = await boot(dark, root, SYNC);
    expect(await bodies(third)).toHaveLength(10);
    await third.stop();
    await store.stop();
  });

  it("S-15: queues and index lost with the cut come back byte for byte", async () => {
    const root = newRoot();
    const disk = new SimDisk();
    const store = await boot(disk, root, SYNC);
    await Promise.all(
      names("key", 60).map((name, i) => put(store, message(name, { queueId: i % 3 }))),
    );
    const dark = cut(disk, root, "none");
    expect(dark.paths.some((path) => path.includes("consumequeue"))).toBe(false);
    const again = await boot(dark, root, SYNC);
    await store.stop();
    await again.stop();
    for (const path of disk.paths.filter((file) => file.includes("consumequeue"))) {
      expect(dark.content(path).equals(disk.content(path))).toBe(true);
    }
    const indexOf = (machine: SimDisk): Buffer[] =>
      machine.paths.filter((path) => path.includes("/index/")).map((path) => machine.content(path));
    expect(indexOf(dark)).toEqual(indexOf(disk));
  });
});

describe("a failing disk", () => {
  it("S-03: no false answer: what was answered 0 before a lost sync is there after the restart", async () => {
    const root = newRoot();
    const disk = new SimDisk();
    const store = await boot(disk, root, SYNC);
    const safe = send(store, names("a", 20));
    await expect.poll(() => safe.size).toBe(20);
    disk.failSyncOf = "commitlog";
    const status = await put(store, message("lost"));
    expect(status).toBe(PUT_STATUS.FLUSH_DISK_TIMEOUT);
    expect(store.append(message("late")).status).toBe(PUT_STATUS.SERVICE_NOT_AVAILABLE);
    await store.stop();
    const after = cut(disk, root, "none");
    const again = await boot(after, root, SYNC);
    expect(await bodies(again)).toEqual(names("a", 20));
    await again.stop();
  });

  it("S-26: a full disk refuses sends, shows no partial record, and takes them again when there is room", async () => {
    const root = newRoot();
    const disk = new SimDisk();
    const store = await boot(disk, root, { ...SYNC, cleanResourceInterval: 20 });
    await put(store, message("before"));
    disk.capacity = 0;
    disk.reportedUse = 0.99;
    const statuses = new Set<number>();
    for (let i = 0; i < 2_000 && !statuses.has(PUT_STATUS.SERVICE_NOT_AVAILABLE); i += 1) {
      statuses.add(await put(store, message(`full${i}`)));
      await turn();
    }
    expect(statuses.has(PUT_STATUS.SERVICE_NOT_AVAILABLE)).toBe(true);
    const full = await bodies(store);
    expect(full[0]).toBe("before");

    disk.capacity = Number.MAX_SAFE_INTEGER;
    disk.reportedUse = 0.5;
    await expect.poll(() => store.isWriteable, { timeout: 2_000 }).toBe(true);
    expect(await put(store, message("after"))).toBe(PUT_STATUS.OK);
    const found = await bodies(store);
    expect(found).toEqual([...full, "after"]);
    expect(store.maxOffsetInQueue(TOPIC, 0)).toBe(found.length);
    const again = await boot(cut(disk, root, "none"), root, SYNC);
    expect(await bodies(again)).toEqual(found);
    await again.stop();
    await store.stop();
  });

  it("S-26: a write refused for want of room fails nobody for good", async () => {
    const root = newRoot();
    const disk = new SimDisk();
    const big = { ...SYNC, mappedFileSizeCommitLog: 64 * 1024 * 1024, cleanResourceInterval: 20 };
    const store = await boot(disk, root, big);
    await put(store, message("before"));
    disk.capacity = 0;
    const body = Buffer.alloc(4_000_000, 0x61);
    const many = Array.from({ length: 5 }, () =>
      put(store, message("big", { body, bodyStart: 0, bodyEnd: body.length })),
    );
    expect(new Set(await Promise.all(many))).toEqual(new Set([PUT_STATUS.FLUSH_DISK_TIMEOUT]));
    disk.capacity = Number.MAX_SAFE_INTEGER;
    await expect.poll(() => store.isWriteable, { timeout: 2_000 }).toBe(true);
    expect(await put(store, message("after"))).toBe(PUT_STATUS.OK);
    expect(await bodies(store)).toEqual(["before", "after"]);
    expect(store.maxOffsetInQueue(TOPIC, 0)).toBe(2);
    await store.stop();
  });
});
