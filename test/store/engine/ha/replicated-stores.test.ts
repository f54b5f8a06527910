/** A master and a slave with real stores on a real file system, replicating over real sockets. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../../engine/base/logger.ts";
import { nodeVfs } from "../../../../engine/base/node-vfs.ts";
import { createHaClient } from "../../../../engine/ha/ha-client.ts";
import { createHaService } from "../../../../engine/ha/ha-service.ts";
import type { HaClient, HaService } from "../../../../engine/ha/ha-api.ts";
import { internTopic } from "../../../../engine/message/topic-name.ts";
import { openMessageStore } from "../../../../engine/store/message-store.ts";
import {
  PUT_STATUS,
  type MessageStore,
  type PutStatus,
} from "../../../../engine/store/store-api.ts";
import type { StoreConfig } from "../../../../engine/store/store-config.ts";
import { Cleanup } from "../../../helpers/cleanup.ts";

const WAIT = { timeout: 20_000, interval: 10 };
const FILE_SIZE = 524_288;
const TOPIC = internTopic("Replicated");
const HOST = { address: new Uint8Array([127, 0, 0, 1]), port: 10_911 };

let home = "";
let cleanup = new Cleanup();
beforeEach(() => {
  cleanup = new Cleanup();
  home = mkdtempSync(join(tmpdir(), "lab-ha-"));
});
afterEach(async () => {
  await cleanup[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

function config(name: string, changes: Partial<StoreConfig>): StoreConfig {
  return {
    storePathRootDir: join(home, name),
    storePathCommitLog: join(home, name, "commitlog"),
    mappedFileSizeCommitLog: FILE_SIZE,
    mappedFileSizeConsumeQueue: 60_000,
    maxHashSlotNum: 1_000,
    maxIndexNum: 4_000,
    messageIndexEnable: true,
    maxMessageSize: 65_536,
    flushDiskType: "ASYNC_FLUSH",
    flushIntervalCommitLog: 50,
    syncFlushTimeout: 5_000,
    slaveTimeout: 3_000,
    brokerRole: "ASYNC_MASTER",
    fileReservedTime: 72,
    deleteWhen: "04",
    diskMaxUsedSpaceRatio: 95,
    cleanResourceInterval: 10_000,
    accessMessageInMemoryMaxRatio: 40,
    messageDelayLevel: "1s 5s",
    visibility: "appended",
    offsetCheckInSlave: true,
    ...changes,
  };
}

async function openStore(name: string, changes: Partial<StoreConfig> = {}): Promise<MessageStore> {
  const store = openMessageStore({
    config: config(name, changes),
    vfs: nodeVfs,
    logger: silentLogger,
  });
  await store.start();
  return store;
}

/** Appends messages of 1 to 400 bytes; the content depends on the number only. */
function append(store: MessageStore, from: number, to: number): number {
  let end = 0;
  for (let n = from; n < to; n += 1) {
    const body = Buffer.alloc(1 + ((n * 37) % 400), n & 0xff);
    const properties = Buffer.from(`KEYS\u0001k${n}\u0002`);
    const result = store.append({
      topic: TOPIC,
      queueId: n % 4,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 1_700_000_000_000 + n,
      bornHost: HOST,
      storeHost: HOST,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body,
      bodyStart: 0,
      bodyEnd: body.length,
      properties,
      propertiesStart: 0,
      propertiesEnd: properties.length,
    });
    expect(result.status).toBe(PUT_STATUS.OK);
    end = result.endOffset;
  }
  return end;
}

/** Lets the tick end, and with it everything that is written once a tick. */
function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Appends in many ticks, so that the stream meets half-full slabs. */
async function appendInTicks(store: MessageStore, from: number, to: number): Promise<number> {
  let end = 0;
  for (let n = from; n < to; n += 100) {
    end = append(store, n, Math.min(to, n + 100));
    await tick();
  }
  return end;
}

function safe(store: MessageStore, endOffset: number): Promise<PutStatus> {
  return new Promise((complete) => store.whenSafe({ endOffset, complete }, true));
}

async function serve(store: MessageStore, required = false): Promise<[HaService, string]> {
  const service = createHaService({
    host: "127.0.0.1",
    port: 0,
    log: store.log,
    required,
    logger: silentLogger,
    onGateChanged: () => store.replicationChanged(),
  });
  store.setReplicationGate(service.gate);
  const port = await service.start();
  return [service, `127.0.0.1:${port}`];
}

function follow(store: MessageStore, address: string, ackFlushed = false): HaClient {
  const client = createHaClient({
    log: store.log,
    logger: silentLogger,
    ackFlushed,
    retry: { firstMs: 5, maxMs: 50 },
  });
  client.setMaster(address);
  return client;
}

/** Bytes of all files of a commit log, up to `end`. */
function logBytes(name: string, end: number): Buffer {
  const directory = join(home, name, "commitlog");
  const files = readdirSync(directory).filter((file) => /^\d{20}$/.test(file));
  const bytes = files.toSorted().map((file) => readFileSync(join(directory, file)));
  return Buffer.concat(bytes).subarray(0, end);
}

describe("replicated stores", () => {
  it("10,000 messages over file ends, a slave restart in mid-stream: logs byte-equal, queues too", async () => {
    const master = await openStore("master");
    cleanup.defer(() => master.stop());
    const [service, address] = await serve(master);
    cleanup.defer(() => service.stop());
    // From its first byte: a slave that came later would start with the master's last file (7.4).
    let slave = await openStore("slave", { brokerRole: "SLAVE" });
    let client = follow(slave, address);
    await expect.poll(() => service.slaves()[0]?.ackedOffset, WAIT).toBe(0);

    const streaming = appendInTicks(master, 0, 6_000);
    await expect.poll(() => slave.log.writtenOffset, WAIT).toBeGreaterThan(FILE_SIZE);
    await client.stop();
    await slave.stop();
    await streaming;
    slave = await openStore("slave", { brokerRole: "SLAVE" });
    client = follow(slave, address);
    const end = await appendInTicks(master, 6_000, 10_000);

    await expect.poll(() => service.gate.replicatedOffset, WAIT).toBe(end);
    await client.stop();
    expect(end).toBeGreaterThan(4 * FILE_SIZE);
    expect(logBytes("slave", end).equals(logBytes("master", end))).toBe(true);
    for (let queueId = 0; queueId < 4; queueId += 1) {
      await expect.poll(() => slave.maxOffsetInQueue(TOPIC, queueId), WAIT).toBe(2_500);
    }
    await slave.stop();
  });

  it("a slave that comes late catches up from the files, from the start of the last one", async () => {
    const master = await openStore("master");
    cleanup.defer(() => master.stop());
    const end = await appendInTicks(master, 0, 3_000);
    const [service, address] = await serve(master);
    cleanup.defer(() => service.stop());
    const slave = await openStore("slave", { brokerRole: "SLAVE" });
    cleanup.defer(() => slave.stop());
    const client = follow(slave, address);
    cleanup.defer(() => client.stop());
    await expect.poll(() => slave.log.writtenOffset, WAIT).toBe(end);
    const start = end - (end % FILE_SIZE);
    expect(slave.log.minOffset).toBe(start);
    const mine = logBytes("slave", end - start);
    expect(mine.equals(logBytes("master", end).subarray(start))).toBe(true);
  });

  it("what a slave catches up on from a restarted master's files is visible on it, to the last message", async () => {
    const large = { mappedFileSizeCommitLog: 8 * FILE_SIZE };
    const before = await openStore("master", large);
    const end = await appendInTicks(before, 0, 8_000);
    await before.stop();
    const master = await openStore("master", large);
    cleanup.defer(() => master.stop());
    const [service, address] = await serve(master);
    cleanup.defer(() => service.stop());
    const slave = await openStore("slave", { ...large, brokerRole: "SLAVE" });
    cleanup.defer(() => slave.stop());
    const client = follow(slave, address);
    cleanup.defer(() => client.stop());
    await expect.poll(() => service.gate.replicatedOffset, WAIT).toBe(end);
    expect(logBytes("slave", end).equals(logBytes("master", end))).toBe(true);
    expect(slave.stats().dispatchedOffset).toBe(end);
    expect(slave.maxOffsetInQueue(TOPIC, 0)).toBe(2_000);
  });

  it("SYNC_MASTER: OK when a durable slave has it, SLAVE_NOT_AVAILABLE without a slave", async () => {
    const master = await openStore("master", { brokerRole: "SYNC_MASTER" });
    cleanup.defer(() => master.stop());
    const [service, address] = await serve(master, true);
    cleanup.defer(() => service.stop());
    const alone = append(master, 0, 1);
    expect(await safe(master, alone)).toBe(PUT_STATUS.SLAVE_NOT_AVAILABLE);

    const slave = await openStore("slave", { brokerRole: "SLAVE", flushDiskType: "SYNC_FLUSH" });
    cleanup.defer(() => slave.stop());
    const client = follow(slave, address, true);
    await expect.poll(() => service.gate.isSlaveAvailable(alone), WAIT).toBe(true);
    for (let n = 1; n <= 20; n += 1) {
      const end = append(master, n, n + 1);
      expect(await safe(master, end)).toBe(PUT_STATUS.OK);
      expect(slave.log.flushedOffset).toBeGreaterThanOrEqual(end);
    }
    await client.stop();
    await expect.poll(() => service.slaves(), WAIT).toEqual([]);
    const end = append(master, 21, 22);
    expect(await safe(master, end)).toBe(PUT_STATUS.SLAVE_NOT_AVAILABLE);
  });
});
