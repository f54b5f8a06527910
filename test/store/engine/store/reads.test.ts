/** What a pull may get: limits, ranges from memory and from the file, damage, time. */
import { openSync, readSync, writeSync, closeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readRecord } from "../../../../engine/message/record-decode.ts";
import {
  PUT_STATUS,
  type GetMessageResult,
  type MessageInput,
  type MessageStore,
} from "../../../../engine/store/store-api.ts";
import { openMessageStore } from "../../../../engine/store/message-store.ts";
import { silentLogger } from "../../../../engine/base/logger.ts";
import { nodeVfs } from "../../../../engine/base/node-vfs.ts";
import {
  bodies,
  message,
  put,
  storeConfig,
  StoreFolder,
  TOPIC,
} from "../../../helpers/store-fixture.ts";

const LARGE = { mappedFileSizeCommitLog: 16 * 1024 * 1024 } as const;

async function fill(store: MessageStore, count: number, size: number): Promise<void> {
  const body = Buffer.alloc(size, 0x62);
  for (let i = 0; i < count; i += 1) {
    expect(await put(store, message("", { body, bodyEnd: size, queueId: i % 3 }))).toBe(
      PUT_STATUS.OK,
    );
  }
}

function pull(store: MessageStore, offset: number, messagesMax: number): GetMessageResult {
  const result = store.getMessage(TOPIC, 0, offset, { messagesMax, filter: null });
  if (result instanceof Promise) throw new Error("expected an answer at once");
  return result;
}

function flip(path: string, position: number): void {
  const fd = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, position);
  byte[0] = (byte[0] ?? 0) ^ 0x01;
  writeSync(fd, byte, 0, 1, position);
  closeSync(fd);
}

describe("limits of a read (4.7)", () => {
  it("gives at most 32 messages, at most what was asked for, and at least one", async () => {
    using folder = new StoreFolder();
    const store = await folder.open(LARGE);
    await fill(store, 150, 100);
    expect(pull(store, 0, 1_000).messageCount).toBe(32);
    expect(pull(store, 0, 5).messageCount).toBe(5);
    expect(pull(store, 0, 1).nextBeginOffset).toBe(1);
    await store.stop();
  });

  it("gives at most 256 KiB from memory, and a longer message alone", async () => {
    using folder = new StoreFolder();
    const store = await folder.open(LARGE);
    await fill(store, 60, 30_000);
    const found = pull(store, 0, 32);
    expect(found.messageCount).toBe(Math.floor(262_144 / (found.bodyBytes / found.messageCount)));
    const body = Buffer.alloc(300_000);
    await put(store, message("", { body, bodyEnd: body.length, queueId: 7 }));
    const alone = await store.getMessage(TOPIC, 7, 0, { messagesMax: 32, filter: null });
    expect(alone.messageCount).toBe(1);
    await store.stop();
  });

  it("gives 8 messages and 64 KiB at most from what counts as disk", async () => {
    using folder = new StoreFolder();
    const store = await folder.open({ ...LARGE, accessMessageInMemoryMaxRatio: 0 });
    await fill(store, 90, 100);
    expect(pull(store, 0, 32).messageCount).toBe(8);
    expect(pull(store, 0, 32).suggestPullingFromSlave).toBe(true);
    await store.stop();
  });

  it("passes over what a filter does not want, and says how far it looked", async () => {
    using folder = new StoreFolder();
    const store = await folder.open(LARGE);
    await fill(store, 30, 10);
    const limits = { messagesMax: 32, filter: { matchesTagsCode: () => false } };
    const found = await store.getMessage(TOPIC, 0, 0, limits);
    expect(found).toMatchObject({
      status: "NO_MATCHED_MESSAGE",
      nextBeginOffset: 10,
      messageCount: 0,
    });
    await store.stop();
  });
});

/** Wants messages whose property string contains the text. */
function wanting(text: string) {
  return {
    matchesTagsCode: () => true,
    matchesProperties: (bytes: Buffer, start: number, end: number) =>
      bytes.toString("utf8", start, end).includes(text),
  };
}

function properties(text: string): Partial<MessageInput> {
  const bytes = Buffer.from(text);
  return { properties: bytes, propertiesEnd: bytes.length };
}

describe("a filter that looks at properties (remoting-protocol 4.2.7)", () => {
  it("sees exactly each record's property string, from memory and from the file", async () => {
    using folder = new StoreFolder();
    const store = await folder.open(LARGE);
    for (let i = 0; i < 40; i += 1)
      await put(store, message(`m${i}`, properties(`n\u0001${i % 4 === 0 ? "four" : i}\u0002`)));
    const limits = { messagesMax: 32, filter: wanting("four") };
    const fresh = await store.getMessage(TOPIC, 0, 0, limits);
    expect(fresh).toMatchObject({ status: "FOUND", messageCount: 10, nextBeginOffset: 40 });
    const seen = Buffer.concat(fresh.buffers);
    await store.stop();
    const again = await folder.open(LARGE);
    const cold = await again.getMessage(TOPIC, 0, 0, limits);
    expect(Buffer.concat(cold.buffers).equals(seen)).toBe(true);
    const strings: string[] = [];
    const all = {
      matchesTagsCode: () => true,
      matchesProperties: (bytes: Buffer, start: number, end: number) =>
        strings.push(bytes.toString("utf8", start, end)) > 0,
    };
    await again.getMessage(TOPIC, 0, 1, { messagesMax: 2, filter: all });
    expect(strings.slice(0, 2)).toEqual(["n\u00011\u0002", "n\u00012\u0002"]);
    await again.stop();
  });

  it("ends an answer after 1 MiB read from files for nothing, and the next one goes on there", async () => {
    using folder = new StoreFolder();
    const store = await folder.open(LARGE);
    const body = Buffer.alloc(100_000, 0x62);
    for (let i = 0; i < 30; i += 1)
      await put(
        store,
        message("", { body, bodyEnd: body.length, ...properties("n\u0001x\u0002") }),
      );
    await put(store, message("last", properties("n\u0001found\u0002")));
    await store.stop();
    const again = await folder.open(LARGE);
    const limits = { messagesMax: 32, filter: wanting("found") };
    let offset = 0;
    const steps: number[] = [];
    for (;;) {
      const result = await again.getMessage(TOPIC, 0, offset, limits);
      steps.push(result.nextBeginOffset - offset);
      offset = result.nextBeginOffset;
      if (result.status !== "NO_MATCHED_MESSAGE") break;
    }
    expect(steps).toEqual([11, 11, 9]);
    await again.stop();
  });

  it("S-24: a record whose bytes are damaged is not judged", async () => {
    using folder = new StoreFolder();
    const store = await folder.open(LARGE);
    await put(store, message("first", properties("n\u0001x\u0002")));
    await put(store, message("second", properties("n\u0001x\u0002")));
    await store.stop();
    const again = await folder.open(LARGE);
    const log = join(folder.root, "commitlog", "00000000000000000000");
    flip(log, 90);
    const limits = { messagesMax: 32, filter: wanting("nothing") };
    const result = await again.getMessage(TOPIC, 0, 0, limits);
    expect(result).toMatchObject({ messageCount: 0, nextBeginOffset: 0 });
    await again.stop();
  });
});

describe("a queue that a broker with enableConsumeQueueExt wrote (3.4)", () => {
  it("keeps no message back for its tag where the entry has an address instead of a hash", async () => {
    using folder = new StoreFolder();
    const store = await folder.open(LARGE);
    for (const text of ["first", "second"]) await put(store, message(text));
    await store.stop();
    const queue = join(folder.root, "consumequeue", TOPIC.text, "0", "00000000000000000000");
    const fd = openSync(queue, "r+");
    const address = Buffer.alloc(8);
    address.writeBigInt64BE(-(2n ** 63n) + 20n);
    writeSync(fd, address, 0, 8, 20 + 12);
    closeSync(fd);
    const again = await folder.open(LARGE);
    const limits = { messagesMax: 32, filter: { matchesTagsCode: () => false } };
    const found = await again.getMessage(TOPIC, 0, 0, limits);
    expect(found).toMatchObject({ status: "FOUND", messageCount: 1, nextBeginOffset: 2 });
    const record = readRecord(Buffer.concat(found.buffers), 0, found.bodyBytes);
    expect(record).toMatchObject({ queueOffset: 1 });
    await again.stop();
  });
});

describe("reads from the file", () => {
  it("are the same bytes as from memory, whole records of this queue only", async () => {
    using folder = new StoreFolder();
    const store = await folder.open(LARGE);
    await fill(store, 600, 900);
    const fresh = Buffer.concat(pull(store, 20, 32).buffers);
    await store.stop();
    const again = await folder.open(LARGE);
    const cold = pull(again, 20, 32);
    expect(Buffer.concat(cold.buffers).equals(fresh)).toBe(true);
    expect(cold.messageCount).toBe(32);
    await again.stop();
  });

  it("S-24: a damaged record is never sent: try again once, then an error; its neighbours are", async () => {
    using folder = new StoreFolder();
    const store = await folder.open(LARGE);
    await fill(store, 30, 1_000);
    const [first] = pull(store, 3, 1).buffers;
    const record = readRecord(first ?? Buffer.alloc(0), 0, first?.length ?? 0);
    if (typeof record === "string") throw new Error(record);
    await store.stop();
    const again = await folder.open(LARGE);
    flip(
      join(folder.root, "commitlog", "0".repeat(20)),
      record.physicalOffset + record.totalSize - 200,
    );
    expect(pull(again, 0, 32)).toMatchObject({
      status: "FOUND",
      messageCount: 3,
      nextBeginOffset: 3,
    });
    expect(pull(again, 3, 32)).toMatchObject({
      status: "MESSAGE_WAS_REMOVING",
      nextBeginOffset: 3,
    });
    const limits = { messagesMax: 32, filter: null };
    await expect(again.getMessage(TOPIC, 0, 3, limits)).rejects.toMatchObject({
      code: "STORE_CORRUPT",
    });
    expect(pull(again, 4, 32)).toMatchObject({ status: "FOUND", messageCount: 6 });
    expect(again.recordAt(record.physicalOffset)).toBeNull();
    await again.stop();
  });
});

describe("many large messages in one tick", () => {
  it("all reach the file, however much memory they take until it is written", async () => {
    using folder = new StoreFolder();
    const store = await folder.open({ mappedFileSizeCommitLog: 64 * 1024 * 1024 });
    const body = Buffer.alloc(2_000_000, 0x63);
    const answers = Array.from({ length: 20 }, () =>
      put(store, message("", { body, bodyEnd: body.length })),
    );
    expect(new Set(await Promise.all(answers))).toEqual(new Set([PUT_STATUS.OK]));
    expect(await bodies(store)).toHaveLength(20);
    await store.stop();
  });
});

describe("store timestamps (S-19)", () => {
  it("do not go back when the clock does, not even over a restart", async () => {
    using folder = new StoreFolder();
    let now = 1_800_000_000_000;
    const openAt = async (): Promise<MessageStore> => {
      const store = openMessageStore({
        config: storeConfig(folder.root),
        vfs: nodeVfs,
        logger: silentLogger,
        now: () => now,
      });
      await store.start();
      return store;
    };
    const store = await openAt();
    expect(store.append(message("a")).storeTimestamp).toBe(now);
    await store.stop();
    now -= 3_600_000;
    const again = await openAt();
    expect(again.append(message("b")).storeTimestamp).toBe(1_800_000_000_000);
    await again.stop();
  });
});
