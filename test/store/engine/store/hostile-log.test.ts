/** Bytes others wrote: a replication stream or an old log may hold anything a record can hold. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { addressBytes } from "../../../../engine/message/message-id.ts";
import { encodeRecord } from "../../../../engine/message/record-encode.ts";
import { recordBytes } from "../../../../engine/message/record-layout.ts";
import { StoreFolder } from "../../../helpers/store-fixture.ts";

function recordOf(topicText: string, queueId: number, physicalOffset = 0): Buffer {
  const topic = Buffer.from(topicText);
  const empty = Buffer.alloc(0);
  const bytes = Buffer.alloc(recordBytes(0, { body: 0, topic: topic.length, properties: 0 }));
  const host = { address: addressBytes("127.0.0.1"), port: 10_911 };
  encodeRecord(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, {
    queueId,
    flag: 0,
    queueOffset: 0,
    physicalOffset,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: host,
    storeTimestamp: 1,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: empty,
    bodyStart: 0,
    bodyEnd: 0,
    topic,
    properties: empty,
    propertiesStart: 0,
    propertiesEnd: 0,
  });
  return bytes;
}

describe("a log with hostile records", () => {
  it.each(["../../escaped", "..", "a/b", "with space", "caf\u00e9"])(
    "N-05, S-11: topic %j stays in the log and gets no queue and no directory",
    async (topic) => {
      using folder = new StoreFolder();
      const slave = await folder.open({ brokerRole: "SLAVE" });
      const raw = recordOf(topic, 0);
      expect(slave.log.appendRaw(0, raw)).toBe(raw.length);
      const next = recordOf("Legal", 0, raw.length);
      slave.log.appendRaw(raw.length, next);
      await slave.stop();
      expect(readdirSync(join(folder.root, "consumequeue"))).toEqual(["Legal"]);
      expect(existsSync(join(folder.root, "escaped"))).toBe(false);
      expect(existsSync(join(folder.root, "..", "escaped"))).toBe(false);
    },
  );

  it.each([-1, 2_147_483_647])("queue id %i gets no queue", async (queueId) => {
    using folder = new StoreFolder();
    const slave = await folder.open({ brokerRole: "SLAVE" });
    slave.log.appendRaw(0, recordOf("Legal", queueId));
    await slave.stop();
    expect(existsSync(join(folder.root, "consumequeue", "Legal"))).toBe(false);
  });
});
