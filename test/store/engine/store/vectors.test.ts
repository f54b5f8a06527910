/** The vectors of store-and-ha 9, which Java 4.9.0 accepted, as whole directories: opened, rebuilt, and compared byte for byte. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { internTopic } from "../../../../engine/message/topic-name.ts";
import { storeConfig, StoreFolder } from "../../../helpers/store-fixture.ts";

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ""), "hex");

const A = hex(`
  0000007b daa320a7 3610a686 00000001 00000000 0000000000000000 0000000000000000 00000000 0000018bcfe56800
  c0a8010a0000d431 0000018bcfe5687b c0a8011400002a9f 00000000 0000000000000000 00000005 68656c6c6f
  09 546f70696354657374 0012 4b455953016b3102 544147530154616741 02`);
const B = hex(`
  000000a8daa320a73a7711430000000100000007000000000000000100000000
  0000007b000000000000018bcfe56fd0c0a8010a0000d4310000018bcfe5704b
  c0a8011400002a9f00000000000000000000000000000005776f726c6409546f
  70696354657374003f4b455953016b31206b3202554e49515f4b455901414331
  3130303031304130423138423441414332303030303030303130303030025441
  4753015461674202`);
const C = hex(`
  000000a5daa320a76c03b2490000000200000000000000000000000000000000
  00000123000000000000018bcfe57160c0a8010a0000d4310000018bcfe571c4
  c0a8011400002a9f000000000000000000000000000000056c61746572135343
  484544554c455f544f5049435f5858585800325245414c5f544f50494301546f
  706963546573740244454c4159013302544147530154616741025245414c5f51
  4944013102`);
const D = hex(`
  00000087daa320a7545457030000000000000000000000000000000000000000
  000001c8000000180000018bcfe573b820010db8000000000000000000000001
  0000c3500000018bcfe5741cc0a8011400002a9f00000001000000000000007b
  00000002747809546f706963546573740015544147530154616754025047524f
  55500154504702`);
const LOG = Buffer.concat([A, B, C, D]);

const LAYOUT = {
  mappedFileSizeCommitLog: 4_096,
  mappedFileSizeConsumeQueue: 2_000,
  messageDelayLevel: "1s 5s 10s 30s",
  brokerRole: "SLAVE",
} as const;

const QUEUES = {
  "TopicTest/1":
    "0000000000000000 0000007b 000000000027a807 000000000000007b 000000a8 000000000027a808",
  "SCHEDULE_TOPIC_XXXX/2": "0000000000000123 000000a5 0000018bcfe598d4",
  "TopicTest/0": "00000000000001c8 00000087 000000000027a81a",
};

function padded(bytes: Buffer, size: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]);
}

function writeLog(root: string): void {
  const { storePathCommitLog } = storeConfig(root);
  mkdirSync(storePathCommitLog, { recursive: true });
  writeFileSync(join(storePathCommitLog, "0".repeat(20)), padded(LOG, 4_096));
}

function queueBytes(root: string, queue: string): Buffer {
  return readFileSync(join(root, "consumequeue", queue, "0".repeat(20)));
}

function indexFiles(root: string): Buffer[] {
  const folder = join(root, "index");
  return readdirSync(folder).map((name) => readFileSync(join(folder, name)));
}

function indexOfVectors(): Buffer {
  const file = Buffer.alloc(8_440);
  hex(`0000018bcfe5687b 0000018bcfe5704b 0000000000000000 000000000000007b 00000003 00000005`).copy(
    file,
  );
  file.writeInt32BE(3, 40 + 4 * 24);
  file.writeInt32BE(4, 40 + 4 * 25);
  file.writeInt32BE(2, 40 + 4 * 45);
  hex(`0029e6a8 0000000000000000 00000000 00000000  1248ba31 000000000000007b 00000002 00000000
       0029e6a8 000000000000007b 00000002 00000001  0029e6a9 000000000000007b 00000002 00000000`).copy(
    file,
    460,
  );
  return file;
}

describe("the vectors of store-and-ha 9", () => {
  it("9.2: a log another broker wrote gives its queues and its index, byte for byte", async () => {
    using folder = new StoreFolder();
    writeLog(folder.root);
    const store = await folder.open(LAYOUT);
    const topic = internTopic("TopicTest");
    expect(store.log.writtenOffset).toBe(591);
    expect(store.maxOffsetInQueue(topic, 1)).toBe(2);
    expect(store.maxOffsetInQueue(topic, 0)).toBe(1);
    expect(store.maxOffsetInQueue(internTopic("SCHEDULE_TOPIC_XXXX"), 2)).toBe(1);
    const range = { beginMs: 0, endMs: Number.MAX_SAFE_INTEGER };
    const { records } = await store.queryMessage("TopicTest", "k1", 32, range);
    expect(records).toEqual([A, B]);
    await store.stop();
    for (const [queue, units] of Object.entries(QUEUES)) {
      expect(queueBytes(folder.root, queue)).toEqual(padded(hex(units), 2_000));
    }
    expect(indexFiles(folder.root)).toEqual([indexOfVectors()]);
    expect(readFileSync(join(folder.root, "commitlog", "0".repeat(20)))).toEqual(
      padded(LOG, 4_096),
    );
  });

  it.each([1, 2, 3, 7, 64, 590])(
    "9.2: the same log replicated in pieces of %i bytes gives the same files",
    async (step) => {
      using folder = new StoreFolder();
      const store = await folder.open(LAYOUT);
      for (let at = 0; at < LOG.length; at += step)
        store.log.appendRaw(at, LOG.subarray(at, at + step));
      await store.stop();
      for (const [queue, units] of Object.entries(QUEUES)) {
        expect(queueBytes(folder.root, queue)).toEqual(padded(hex(units), 2_000));
      }
      expect(indexFiles(folder.root)).toEqual([indexOfVectors()]);
    },
  );

  it("9.4: a queue that begins in its middle is filled with blank units before its first message", async () => {
    using folder = new StoreFolder();
    const store = await folder.open({ ...LAYOUT, mappedFileSizeConsumeQueue: 200 });
    const late = Buffer.from(A);
    late.writeBigInt64BE(16n, 20);
    store.log.appendRaw(0, late);
    const topic = internTopic("TopicTest");
    expect(store.minOffsetInQueue(topic, 1)).toBe(16);
    expect(store.maxOffsetInQueue(topic, 1)).toBe(17);
    await store.stop();
    const blank = hex("0000000000000000 7fffffff 0000000000000000");
    const unit = hex("0000000000000000 0000007b 000000000027a807");
    const path = join(folder.root, "consumequeue", "TopicTest", "1", "00000000000000000200");
    const expected = Buffer.concat([...Array.from({ length: 6 }, () => blank), unit]);
    expect(readFileSync(path)).toEqual(padded(expected, 200));
    const again = await folder.open({ ...LAYOUT, mappedFileSizeConsumeQueue: 200 });
    expect(again.minOffsetInQueue(topic, 1)).toBe(16);
    expect(again.maxOffsetInQueue(topic, 1)).toBe(17);
    await again.stop();
  });

  it.each(["consumequeue/TopicTest/0", "consumequeue/TopicTest", "consumequeue", "index"])(
    "S-15: %s deleted while stopped is back, byte for byte, after the next start",
    async (victim) => {
      using folder = new StoreFolder();
      writeLog(folder.root);
      const first = await folder.open(LAYOUT);
      await first.stop();
      rmSync(join(folder.root, victim), { recursive: true });
      const store = await folder.open(LAYOUT);
      await store.stop();
      for (const [queue, units] of Object.entries(QUEUES)) {
        expect(queueBytes(folder.root, queue)).toEqual(padded(hex(units), 2_000));
      }
      expect(indexFiles(folder.root)).toEqual([indexOfVectors()]);
    },
  );

  it("S-14: places whose records are missing stay blank and are passed over; numbers stay those of the records", async () => {
    using folder = new StoreFolder();
    const store = await folder.open(LAYOUT);
    let end = 0;
    for (const queueOffset of [0, 1, 5]) {
      const record = Buffer.from(A);
      record.writeBigInt64BE(BigInt(queueOffset), 20);
      record.writeBigInt64BE(BigInt(end), 28);
      end = store.log.appendRaw(end, record);
    }
    const topic = internTopic("TopicTest");
    expect(store.maxOffsetInQueue(topic, 1)).toBe(6);
    const offsets: number[] = [];
    for (let next = 0; next < 6;) {
      const found = await store.getMessage(topic, 1, next, { messagesMax: 1, filter: null });
      for (const bytes of found.buffers) offsets.push(Number(bytes.readBigInt64BE(20)));
      expect(found.nextBeginOffset).toBeGreaterThan(next);
      next = found.nextBeginOffset;
    }
    expect(offsets).toEqual([0, 1, 5]);
    await store.stop();
  });

  it("S-14: a topic deleted and made again keeps its new messages when the queues are rebuilt", async () => {
    using folder = new StoreFolder();
    const store = await folder.open(LAYOUT);
    const topic = internTopic("TopicTest");
    let end = 0;
    const add = (queueOffset: number): void => {
      const record = Buffer.from(A);
      record.writeBigInt64BE(BigInt(queueOffset), 20);
      record.writeBigInt64BE(BigInt(end), 28);
      end = store.log.appendRaw(end, record);
    };
    for (let i = 0; i < 5; i += 1) add(i);
    store.maintenance.deleteTopic(topic);
    add(0);
    add(1);
    expect(store.maxOffsetInQueue(topic, 1)).toBe(2);
    await store.stop();
    const path = join(folder.root, "consumequeue");
    const before = queueBytes(folder.root, "TopicTest/1");
    rmSync(path, { recursive: true });
    const again = await folder.open(LAYOUT);
    expect(again.maxOffsetInQueue(topic, 1)).toBe(2);
    await again.stop();
    expect(queueBytes(folder.root, "TopicTest/1")).toEqual(before);
  });
});
