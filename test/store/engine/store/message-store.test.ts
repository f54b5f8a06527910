import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  PUT_STATUS,
  type MessageStore,
  type PutStatus,
  type ReplicationGate,
} from "../../../../engine/store/store-api.ts";
import { faultyVfs } from "../../../helpers/faulty-vfs.ts";
import { bodies, message, put, StoreFolder, TOPIC } from "../../../helpers/store-fixture.ts";

const EVERY_HOUR = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0")).join(";");

const names = (count: number, prefix = "m"): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

async function putAll(store: MessageStore, texts: readonly string[]): Promise<PutStatus[]> {
  return Promise.all(texts.map((text) => put(store, message(text))));
}

function filesOf(folder: string): Map<string, string> {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    all.map((entry) => [
      join(entry.parentPath, entry.name).slice(folder.length),
      readFileSync(join(entry.parentPath, entry.name)).toString("base64"),
    ]),
  );
}

describe("the message store", () => {
  it("keeps order and offsets over several files and a clean restart, and goes on counting", async () => {
    using folder = new StoreFolder();
    const first = await folder.open();
    expect(new Set(await putAll(first, names(400)))).toEqual(new Set([PUT_STATUS.OK]));
    expect(await bodies(first)).toEqual(names(400));
    await first.stop();
    expect(readdirSync(join(folder.root, "commitlog")).length).toBeGreaterThan(2);
    expect(readdirSync(folder.root)).not.toContain("abort");
    const second = await folder.open();
    expect(second.append(message("next")).queueOffset).toBe(400);
    await expect.poll(() => bodies(second)).toEqual([...names(400), "next"]);
    await second.stop();
  });

  it("every file has exactly its configured size, and the end of a full one is a blank record (9.3)", async () => {
    using folder = new StoreFolder();
    const store = await folder.open();
    await putAll(store, names(300));
    const files = readdirSync(join(folder.root, "commitlog"));
    for (const name of files)
      expect(statSync(join(folder.root, "commitlog", name)).size).toBe(16_384);
    const firstFile = readFileSync(join(folder.root, "commitlog", files[0] ?? ""));
    const blank = firstFile.indexOf(Buffer.from("cbd43194", "hex"));
    expect(firstFile.readInt32BE(blank - 4)).toBe(16_384 - (blank - 4));
    await store.stop();
  });

  it("after a crash at any moment every message answered so far is there, in order", async () => {
    using folder = new StoreFolder();
    const store = await folder.open({ flushDiskType: "SYNC_FLUSH" });
    for (let round = 1; round <= 5; round += 1) {
      await putAll(store, names(40, `r${round}`));
      using crashed = folder.crashCopy();
      const recovered = await crashed.open({ flushDiskType: "SYNC_FLUSH" });
      const expected = Array.from({ length: round }, (_, i) => names(40, `r${i + 1}`)).flat();
      expect(await bodies(recovered)).toEqual(expected);
      await recovered.stop();
    }
    await store.stop();
  });

  it("S-13, S-20: a tail torn anywhere in what the last record can prove is cut, kept in quarantine, and does not come back", async () => {
    using folder = new StoreFolder();
    const store = await folder.open();
    await putAll(store, names(5));
    const last = store.append(message("last"));
    await expect.poll(() => store.stats().writtenOffset).toBe(last.endOffset);
    // 4.9's record has no checksum over its properties: a tear inside them alone cannot be told from a valid record.
    const covered = last.endOffset - message("last").propertiesEnd - 2;
    for (let cut = last.physicalOffset + 8; cut < covered; cut += 7) {
      using crashed = folder.crashCopy();
      const path = join(crashed.root, "commitlog", "00000000000000000000");
      const bytes = readFileSync(path);
      bytes.fill(0, cut, last.endOffset);
      writeFileSync(path, bytes);
      rmSync(join(crashed.root, "checkpoint"), { force: true });
      const recovered = await crashed.open();
      expect(await bodies(recovered)).toEqual(names(5));
      expect(readdirSync(join(crashed.root, "quarantine")).length).toBe(1);
      expect(recovered.append(message("new")).queueOffset).toBe(5);
      await expect.poll(() => bodies(recovered)).toEqual([...names(5), "new"]);
      await recovered.stop();
      const after = readFileSync(path);
      expect(after.subarray(recovered.log.writtenOffset).every((byte) => byte === 0)).toBe(true);
    }
    await store.stop();
  });

  it("S-21: a record damaged below the durable end refuses the start and cuts nothing", async () => {
    using folder = new StoreFolder();
    const store = await folder.open({ flushDiskType: "SYNC_FLUSH" });
    await putAll(store, names(20));
    await store.stop();
    mkdirSync(folder.root, { recursive: true });
    writeFileSync(join(folder.root, "abort"), "");
    const path = join(folder.root, "commitlog", "00000000000000000000");
    const bytes = readFileSync(path);
    const fifth = names(5).reduce(
      (at) => bytes.indexOf(Buffer.from("daa320a7", "hex"), at + 1),
      -1,
    );
    bytes[fifth] = 0;
    writeFileSync(path, bytes);
    await expect(folder.open({ flushDiskType: "SYNC_FLUSH" })).rejects.toMatchObject({
      code: "STORE_CORRUPT",
    });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it("S-15: deleted consume queues are rebuilt byte for byte, and keys are found again", async () => {
    using folder = new StoreFolder();
    const store = await folder.open();
    for (let i = 0; i < 150; i += 1) await put(store, message(`k-${i}`, { queueId: i % 3 }));
    await store.stop();
    const before = filesOf(join(folder.root, "consumequeue"));
    expect(before.size).toBeGreaterThan(2);
    rmSync(join(folder.root, "consumequeue"), { recursive: true });
    rmSync(join(folder.root, "index"), { recursive: true });
    const again = await folder.open();
    const found = await again.queryMessage(TOPIC.text, "k-77", 32, {
      beginMs: 0,
      endMs: Number.MAX_SAFE_INTEGER,
    });
    expect(found.records.length).toBe(1);
    await again.stop();
    expect(filesOf(join(folder.root, "consumequeue"))).toEqual(before);
  });

  it("S-08: a second opener of the same store is refused before it touches a byte", async () => {
    using folder = new StoreFolder();
    const store = await folder.open();
    await expect(folder.open()).rejects.toMatchObject({ code: "STORE_LOCKED" });
    await store.stop();
    await (await folder.open()).stop();
  });

  it("refuses what a record cannot hold, and appends nothing (A-01)", async () => {
    using folder = new StoreFolder();
    const store = await folder.open({ maxMessageSize: 1_000 });
    const properties = Buffer.alloc(40_000, "a");
    expect(await put(store, message("x", { properties, propertiesEnd: properties.length }))).toBe(
      PUT_STATUS.MESSAGE_ILLEGAL,
    );
    expect(await put(store, message("y".repeat(2_000)))).toBe(PUT_STATUS.MESSAGE_ILLEGAL);
    expect(store.stats().writtenOffset).toBe(0);
    await store.stop();
  });

  it("a batch gets consecutive offsets in one place, or nothing at all (A-09)", async () => {
    using folder = new StoreFolder();
    const store = await folder.open();
    const members = names(10).map((text) => ({
      flag: 3,
      body: Buffer.from(text),
      properties: Buffer.alloc(0),
    }));
    const result = store.appendBatch(message("ignored"), members);
    expect(result.memberOffsets.length).toBe(10);
    await expect.poll(() => bodies(store)).toEqual(names(10));
    const huge = [{ flag: 0, body: Buffer.alloc(20_000), properties: Buffer.alloc(0) }];
    expect(store.appendBatch(message("x"), [...members, ...huge]).status).toBe(
      PUT_STATUS.MESSAGE_ILLEGAL,
    );
    expect(store.append(message("after")).queueOffset).toBe(10);
    await store.stop();
  });

  it("answers reads outside the queue with its statuses and corrected offsets (4.7)", async () => {
    using folder = new StoreFolder();
    const store = await folder.open();
    const read = async (queueId: number, offset: number) => {
      const result = await store.getMessage(TOPIC, queueId, offset, {
        messagesMax: 32,
        filter: null,
      });
      return [result.status, result.nextBeginOffset];
    };
    expect(await read(7, 0)).toEqual(["NO_MATCHED_LOGIC_QUEUE", 0]);
    await putAll(store, names(3));
    expect(await read(0, 3)).toEqual(["OFFSET_OVERFLOW_ONE", 3]);
    expect(await read(0, 9)).toEqual(["OFFSET_OVERFLOW_BADLY", 3]);
    const filtered = await store.getMessage(TOPIC, 0, 0, {
      messagesMax: 32,
      filter: { matchesTagsCode: () => false },
    });
    expect([filtered.status, filtered.nextBeginOffset]).toEqual(["NO_MATCHED_MESSAGE", 3]);
    await store.stop();
  });

  it("finds offsets by time, and the time of the first message", async () => {
    using folder = new StoreFolder();
    const store = await folder.open();
    await putAll(store, names(20));
    const time = store.storeTimeAt(TOPIC, 0, 10);
    expect(store.offsetByTime(TOPIC, 0, time)).toBeLessThanOrEqual(10);
    expect(store.offsetByTime(TOPIC, 0, 0)).toBe(0);
    expect(store.offsetByTime(TOPIC, 0, Number.MAX_SAFE_INTEGER)).toBe(19);
    expect(store.earliestStoreTime(TOPIC, 0)).toBe(store.stats().earliestStoreTimestamp);
    await store.stop();
  });
});

describe("how safe an answer is", () => {
  it("SYNC_FLUSH: many waiters share a sync, nobody is answered or visible before it (A-04, C-02)", async () => {
    using folder = new StoreFolder();
    const { vfs, faults } = faultyVfs();
    const store = await folder.open(
      { flushDiskType: "SYNC_FLUSH", mappedFileSizeCommitLog: 1_048_576 },
      vfs,
    );
    faults.holdSync = true;
    let answered = 0;
    const all = Promise.all(
      names(200).map((text) => put(store, message(text)).then(() => (answered += 1))),
    );
    await expect.poll(() => faults.syncs).toBe(1);
    expect([answered, store.maxOffsetInQueue(TOPIC, 0)]).toEqual([0, 0]);
    faults.holdSync = false;
    faults.releaseSyncs();
    await all;
    expect(faults.syncs).toBeLessThanOrEqual(3);
    expect(store.maxOffsetInQueue(TOPIC, 0)).toBe(200);
    await store.stop();
  });

  it("S-03: a failed sync answers 10 to who waits, 14 to who comes, and is never tried again", async () => {
    using folder = new StoreFolder();
    const { vfs, faults } = faultyVfs();
    const store = await folder.open({ flushDiskType: "SYNC_FLUSH" }, vfs);
    expect(await put(store, message("good"))).toBe(PUT_STATUS.OK);
    const failed = new Promise((resolve) => store.onFailed(resolve));
    faults.failSync = true;
    expect(await putAll(store, names(5))).toEqual(
      names(5).map(() => PUT_STATUS.FLUSH_DISK_TIMEOUT),
    );
    await failed;
    const syncs = faults.syncs;
    faults.failSync = false;
    expect(await put(store, message("late"))).toBe(PUT_STATUS.SERVICE_NOT_AVAILABLE);
    expect(faults.syncs).toBe(syncs);
    expect(await bodies(store)).toEqual(["good"]);
    await store.stop();
  });

  it("S-03: a failed write does the same", async () => {
    using folder = new StoreFolder();
    const { vfs, faults } = faultyVfs();
    const store = await folder.open({}, vfs);
    faults.failWrite = true;
    expect(await put(store, message("x"))).toBe(PUT_STATUS.FLUSH_DISK_TIMEOUT);
    expect(store.isWriteable).toBe(false);
    await store.stop();
  });

  function gate(state: { replicated: number; available: boolean }): ReplicationGate {
    return {
      required: true,
      get replicatedOffset() {
        return state.replicated;
      },
      isSlaveAvailable: () => state.available,
    };
  }

  it("SYNC_MASTER: 11 at once without a slave, 0 only when the slave has it, 12 at the deadline", async () => {
    using folder = new StoreFolder();
    const state = { replicated: 0, available: false };
    const store = await folder.open({ brokerRole: "SYNC_MASTER", slaveTimeout: 150 });
    store.setReplicationGate(gate(state));
    expect(await put(store, message("alone"))).toBe(PUT_STATUS.SLAVE_NOT_AVAILABLE);
    expect(await bodies(store)).toEqual(["alone"]);
    state.available = true;
    const waiting = put(store, message("paired"));
    await expect.poll(() => store.stats().writtenOffset).toBeGreaterThan(200);
    expect(await bodies(store)).toEqual(["alone"]);
    state.replicated = store.stats().writtenOffset;
    store.replicationChanged();
    expect(await waiting).toBe(PUT_STATUS.OK);
    expect(await bodies(store)).toEqual(["alone", "paired"]);
    expect(await put(store, message("stuck"))).toBe(PUT_STATUS.FLUSH_SLAVE_TIMEOUT);
    await expect.poll(() => bodies(store)).toEqual(["alone", "paired", "stuck"]);
    await store.stop();
  });

  it("A-06: WAIT=false is answered after the write, whatever the mode", async () => {
    using folder = new StoreFolder();
    const { vfs, faults } = faultyVfs();
    const store = await folder.open({ flushDiskType: "SYNC_FLUSH" }, vfs);
    faults.holdSync = true;
    expect(await put(store, message("fast"), false)).toBe(PUT_STATUS.OK);
    faults.holdSync = false;
    faults.releaseSyncs();
    await store.stop();
  });
});

describe("retention", () => {
  it("S-18: never the last file, and a clock that jumps forward deletes nothing", async () => {
    using folder = new StoreFolder();
    const store = await folder.open({
      fileReservedTime: 0,
      deleteWhen: EVERY_HOUR,
      cleanResourceInterval: 20,
    });
    await putAll(store, names(300));
    await put(store, message("later"));
    await expect.poll(() => store.stats().minOffset, { timeout: 5_000 }).toBeGreaterThan(0);
    expect(readdirSync(join(folder.root, "commitlog")).length).toBeGreaterThan(0);
    expect(store.minOffsetInQueue(TOPIC, 0)).toBeGreaterThan(0);
    const read = await store.getMessage(TOPIC, 0, 0, { messagesMax: 32, filter: null });
    expect(read.status).toBe("OFFSET_TOO_SMALL");
    const rest = await bodies(store);
    expect(rest.at(-1)).toBe("later");
    await store.stop();
  });

  it("4.6: queue files that point below the log's start go at the next start, when a crash came in between", async () => {
    using folder = new StoreFolder();
    const first = await folder.open();
    await putAll(first, names(400));
    await first.stop();
    const queue = join(folder.root, "consumequeue", TOPIC.text, "0");
    const logFiles = readdirSync(join(folder.root, "commitlog")).toSorted();
    const before = readdirSync(queue).toSorted();
    for (const name of logFiles.slice(0, -1)) rmSync(join(folder.root, "commitlog", name));
    const second = await folder.open();
    const after = readdirSync(queue).toSorted();
    expect(after.length).toBeLessThan(before.length);
    expect(after.at(-1)).toBe(before.at(-1));
    expect((await bodies(second)).at(-1)).toBe("m-399");
    await second.stop();
  });

  it("S-18, S-03: a file whose bytes no sync covers yet is kept, so that the sync to come does not fail the store", async () => {
    using folder = new StoreFolder();
    const { vfs, faults } = faultyVfs();
    const store = await folder.open(
      { fileReservedTime: 0, deleteWhen: EVERY_HOUR, cleanResourceInterval: 20 },
      vfs,
    );
    faults.holdSync = true;
    await putAll(store, names(300));
    await put(store, message("later"));
    const logFiles = (): number => readdirSync(join(folder.root, "commitlog")).length;
    const before = logFiles();
    expect(before).toBeGreaterThan(2);
    // Five cleaning passes in which nothing may happen.
    await pause(100);
    expect([store.stats().minOffset, logFiles()]).toEqual([0, before]);
    faults.holdSync = false;
    faults.releaseSyncs();
    await expect.poll(() => store.stats().minOffset, { timeout: 5_000 }).toBeGreaterThan(0);
    expect(await put(store, message("still taken"))).toBe(PUT_STATUS.OK);
    await store.stop();
  });
});
