/**
 * What the store alone does: append, write, dispatch, and with SYNC_FLUSH the sync, for 64 messages in flight.
 *
 *   node test/bench/run.mjs test/bench/store-append.ts [seconds a row]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeVfs } from "../../engine/base/node-vfs.ts";
import { silentLogger } from "../../engine/base/logger.ts";
import { openMessageStore } from "../../engine/store/message-store.ts";
import type { MessageStore, PutWaiter } from "../../engine/store/store-api.ts";
import { message, storeConfig } from "../helpers/store-fixture.ts";

const IN_FLIGHT = 64;
const QUEUES = 8;
const seconds = Number(process.argv[2] ?? 3);

interface Row {
  readonly flush: "ASYNC_FLUSH" | "SYNC_FLUSH";
  readonly bytes: number;
}

const properties = Buffer.from(
  "KEYS\u0001order-4711\u0002UNIQ_KEY\u0001AC1201010A0018B4AAC2000000000000\u0002CLUSTER\u0001DefaultCluster\u0002TAGS\u0001TagA\u0002",
);

/** Keeps IN_FLIGHT messages on their way until the time is over. @returns messages that were answered */
function run(store: MessageStore, bytes: number): Promise<number> {
  const body = Buffer.alloc(bytes, 0x61);
  const input = message("", { body, bodyEnd: bytes, properties, propertiesEnd: properties.length });
  const until = performance.now() + seconds * 1_000;
  let sent = 0;
  let answered = 0;
  return new Promise((done) => {
    const send = (): void => {
      input.queueId = sent % QUEUES;
      sent += 1;
      const { status, endOffset } = store.append(input);
      if (status !== 0) throw new Error(`append was refused with ${status}`);
      const waiter: PutWaiter = { endOffset, complete };
      store.whenSafe(waiter, true);
    };
    const complete = (): void => {
      answered += 1;
      if (performance.now() < until) send();
      else if (answered === sent) done(answered);
    };
    for (let i = 0; i < IN_FLIGHT; i += 1) send();
  });
}

async function measure({ flush, bytes }: Row): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "lab-store-bench-"));
  try {
    const config = storeConfig(root, {
      flushDiskType: flush,
      flushIntervalCommitLog: 500,
      mappedFileSizeCommitLog: 1024 ** 3,
      mappedFileSizeConsumeQueue: 6_000_000,
      maxHashSlotNum: 5_000_000,
      maxIndexNum: 20_000_000,
    });
    const opening = performance.now();
    const store = openMessageStore({ config, vfs: nodeVfs, logger: silentLogger });
    await store.start();
    const openedMs = performance.now() - opening;
    const cpu = process.cpuUsage();
    const began = performance.now();
    const count = await run(store, bytes);
    const elapsed = (performance.now() - began) / 1_000;
    const used = process.cpuUsage(cpu);
    const { fdatasyncCount } = store.stats();
    await store.stop();
    const again = performance.now();
    const second = openMessageStore({ config, vfs: nodeVfs, logger: silentLogger });
    await second.start();
    const reopenedMs = performance.now() - again;
    await second.stop();
    const micros = ((used.user + used.system) / count).toFixed(2);
    const fields = [
      flush.padEnd(11),
      `${bytes} B`.padStart(7),
      `${Math.round(count / elapsed)} msg/s`.padStart(14),
      `${micros} us CPU each`.padStart(19),
      `${fdatasyncCount} syncs`.padStart(12),
      `open ${Math.round(openedMs)} ms, again ${Math.round(reopenedMs)} ms`,
    ];
    process.stdout.write(`${fields.join("  ")}\n`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

for (const flush of ["ASYNC_FLUSH", "SYNC_FLUSH"] as const) {
  for (const bytes of [128, 1_024]) await measure({ flush, bytes });
}
