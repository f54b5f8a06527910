/** A real store in a temporary folder, small files, and the few calls tests need. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../engine/base/logger.ts";
import { nodeVfs } from "../../engine/base/node-vfs.ts";
import type { Vfs } from "../../engine/base/vfs.ts";
import { addressBytes } from "../../engine/message/message-id.ts";
import { readRecord } from "../../engine/message/record-decode.ts";
import { internTopic } from "../../engine/message/topic-name.ts";
import { openMessageStore } from "../../engine/store/message-store.ts";
import type { MessageInput, MessageStore, PutStatus } from "../../engine/store/store-api.ts";
import type { StoreConfig } from "../../engine/store/store-config.ts";

export const TOPIC = internTopic("StoreTopic");

/** Small files so that tests roll over quickly. */
export function storeConfig(root: string, overrides: Partial<StoreConfig> = {}): StoreConfig {
  return {
    storePathRootDir: root,
    storePathCommitLog: join(root, "commitlog"),
    mappedFileSizeCommitLog: 16_384,
    mappedFileSizeConsumeQueue: 2_000,
    maxHashSlotNum: 100,
    maxIndexNum: 400,
    messageIndexEnable: true,
    maxMessageSize: 4_194_304,
    flushDiskType: "ASYNC_FLUSH",
    flushIntervalCommitLog: 20,
    syncFlushTimeout: 5_000,
    slaveTimeout: 3_000,
    brokerRole: "ASYNC_MASTER",
    fileReservedTime: 72,
    deleteWhen: "04",
    diskMaxUsedSpaceRatio: 95,
    cleanResourceInterval: 10_000,
    accessMessageInMemoryMaxRatio: 40,
    messageDelayLevel: "1s 5s 10s",
    visibility: "appended",
    offsetCheckInSlave: false,
    ...overrides,
  };
}

/** A folder that goes when the test ends. */
export class StoreFolder implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), "lab-store-"));

  async open(overrides: Partial<StoreConfig> = {}, vfs: Vfs = nodeVfs): Promise<MessageStore> {
    const store = openMessageStore({
      config: storeConfig(this.root, overrides),
      vfs,
      logger: silentLogger,
    });
    await store.start();
    return store;
  }

  /** What a machine that lost power now would find: a copy of the folder, nothing stopped cleanly, nobody holding it. */
  crashCopy(): StoreFolder {
    const copy = new StoreFolder();
    cpSync(this.root, copy.root, { recursive: true });
    rmSync(join(copy.root, "lock.owner"), { force: true });
    return copy;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** @returns a message whose body is the text */
export function message(text: string, overrides: Partial<MessageInput> = {}): MessageInput {
  const body = Buffer.from(text);
  const properties = Buffer.from(`KEYS\u0001${text}\u0002TAGS\u0001TagA\u0002`);
  const host = { address: addressBytes("127.0.0.1"), port: 10_911 };
  return {
    topic: TOPIC,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: host,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body,
    bodyStart: 0,
    bodyEnd: body.length,
    properties,
    propertiesStart: 0,
    propertiesEnd: properties.length,
    ...overrides,
  };
}

/** Appends and waits until the store says how safe it is. */
export function put(store: MessageStore, input: MessageInput, waits = true): Promise<PutStatus> {
  const result = store.append(input);
  if (result.status !== 0) return Promise.resolve(result.status);
  return new Promise((complete) =>
    store.whenSafe({ endOffset: result.endOffset, complete }, waits),
  );
}

/** Bodies of a queue from its start to its end, as a consumer would get them. */
export async function bodies(store: MessageStore, queueId = 0): Promise<string[]> {
  const found: string[] = [];
  let offset = store.minOffsetInQueue(TOPIC, queueId);
  for (;;) {
    const result = await store.getMessage(TOPIC, queueId, offset, {
      messagesMax: 32,
      filter: null,
    });
    if (result.status !== "FOUND") return found;
    const bytes = Buffer.concat(result.buffers);
    for (let at = 0; at < bytes.length;) {
      const record = readRecord(bytes, at, bytes.length);
      if (typeof record === "string")
        throw new Error(`a pull sent bytes that are no record: ${record}`);
      found.push(bytes.toString("utf8", record.bodyStart, record.bodyEnd));
      at += record.totalSize;
    }
    result.release();
    offset = result.nextBeginOffset;
  }
}
