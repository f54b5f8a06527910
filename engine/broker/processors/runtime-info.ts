/** GET_BROKER_RUNTIME_INFO (28): the keys of 4.9 (admin-protocol C.1) and the lab's own `lab.*` (exact numbers of one instant). */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { encodeTextTable } from "../../remoting/bodies/simple.ts";
import { VERSION_4_9_0 } from "../../remoting/command.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { SlaveState } from "../../ha/ha-api.ts";
import type { BrokerContext } from "../broker-context.ts";
import type { BrokerCounters } from "../broker-stats.ts";
import type { DelayedMessages } from "../delayed-messages.ts";

/** What the answer is made from besides the context. */
export interface RuntimeInfoParts {
  readonly context: BrokerContext;
  readonly counters: BrokerCounters;
  readonly delayed: DelayedMessages;
  /** Slaves connected to this broker. */
  readonly slaves: () => readonly SlaveState[];
  /** A slave's link to its master; `none` on a master. */
  readonly replicationState: () => string;
  /** Pulls held for new messages. */
  readonly heldPulls: () => number;
  readonly connectionCount: () => number;
}

const TIME_CLASSES =
  "<=0ms 0~10ms 10~50ms 50~100ms 100~200ms 200~500ms 500ms~1s 1~2s 2~3s 3~4s 4~5s 5~10s 10s~".split(
    " ",
  );
const NO_TRANSIENT_POOL = 2_147_483_647;

/** @param bytes a size @returns `3.1 KiB` as 4.9 prints it */
function humanBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes / 1_024;
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit] ?? "TiB"}`;
}

function runtimeText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  return `[ ${days} days, ${hours} hours, ${minutes} minutes, ${seconds % 60} seconds ]`;
}

function rates(values: readonly number[]): string {
  return values
    .map((value) => (Number.isInteger(value) ? value.toFixed(1) : String(value)))
    .join(" ");
}

/** 4.9 leaves a space behind the last one. */
function distribution(counts: readonly number[]): string {
  return TIME_CLASSES.map((name, i) => `[${name}]:${counts[i] ?? 0} `).join("");
}

type Table = [string, string | number][];

function identity(context: BrokerContext): Table {
  return [
    ["brokerVersionDesc", "V4_9_0"],
    ["brokerVersion", VERSION_4_9_0],
    ["bootTimestamp", context.bootTimestamp],
    ["runtime", runtimeText(context.now() - context.bootTimestamp)],
    ["startAcceptSendRequestTimeStamp", context.config.startAcceptSendRequestTimeStamp],
  ];
}

/** What the store counted, and what readers got. */
function traffic({ context, counters }: RuntimeInfoParts): Table {
  const mornings = counters.mornings();
  const { messages, bytes, longestMs, timeClasses } = context.store.traffic;
  return [
    ["putMessageTimesTotal", Math.max(1, messages)],
    ["putMessageSizeTotal", bytes],
    ["putMessageAverageSize", rates([bytes / Math.max(1, messages)])],
    ["putMessageEntireTimeMax", longestMs],
    ["putMessageDistributeTime", distribution(timeClasses)],
    ["getMessageEntireTimeMax", counters.getLongestMs],
    ["putTps", rates(counters.rates("putMessages"))],
    ["getFoundTps", rates(counters.rates("getFound"))],
    ["getMissTps", rates(counters.rates("getMiss"))],
    ["getTotalTps", rates(counters.totalRates())],
    ["getTransferedTps", rates(counters.rates("getMessages"))],
    ["msgPutTotalTodayNow", messages],
    ["msgPutTotalTodayMorning", mornings.putMessages],
    ["msgPutTotalYesterdayMorning", mornings.putYesterday],
    ["msgGetTotalTodayNow", counters.getMessages],
    ["msgGetTotalTodayMorning", mornings.getMessages],
    ["msgGetTotalYesterdayMorning", mornings.getYesterday],
  ];
}

/** One event loop serves everything: no request waits in a pool's queue. */
function queues({ config }: BrokerContext): Table {
  return [
    ["dispatchMaxBuffer", 0],
    ["sendThreadPoolQueueSize", 0],
    ["sendThreadPoolQueueCapacity", config.sendThreadPoolQueueCapacity],
    ["pullThreadPoolQueueSize", 0],
    ["pullThreadPoolQueueCapacity", config.pullThreadPoolQueueCapacity],
    ["queryThreadPoolQueueSize", 0],
    ["queryThreadPoolQueueCapacity", config.queryThreadPoolQueueCapacity],
    ["EndTransactionQueueSize", 0],
    ["EndTransactionThreadPoolQueueCapacity", config.endTransactionPoolQueueCapacity],
    ["sendThreadPoolQueueHeadWaitTimeMills", 0],
    ["pullThreadPoolQueueHeadWaitTimeMills", 0],
    ["queryThreadPoolQueueHeadWaitTimeMills", 0],
    ["pageCacheLockTimeMills", 0],
    ["remainTransientStoreBufferNumbs", NO_TRANSIENT_POOL],
  ];
}

function storage(context: BrokerContext): Table {
  const stats = context.store.stats();
  const space = context.vfs.space(context.config.storePathRootDir);
  const ratio = rates([stats.diskUsedRatio]);
  return [
    ["commitLogDiskRatio", ratio],
    ["consumeQueueDiskRatio", ratio],
    ["commitLogMinOffset", stats.minOffset],
    ["commitLogMaxOffset", stats.writtenOffset],
    ["dispatchBehindBytes", Math.max(0, stats.writtenOffset - stats.dispatchedOffset)],
    ["earliestMessageTimeStamp", stats.earliestStoreTimestamp],
    [
      "remainHowManyDataToFlush",
      humanBytes(Math.max(0, stats.writtenOffset - stats.flushedOffset)),
    ],
    ...(space === null
      ? []
      : ([
          [
            "commitLogDirCapacity",
            `Total : ${humanBytes(space.total)}, Free : ${humanBytes(space.available)}.`,
          ],
        ] as Table)),
    ["lab.log.end", stats.writtenOffset],
    ["lab.log.flushed", stats.flushedOffset],
    ["lab.log.ackedOk", context.stats.ackedOkOffset],
    ["lab.log.ackedWeak", Math.max(context.stats.ackedOkOffset, context.stats.ackedWeakOffset)],
    ["lab.log.visible", stats.confirmOffset],
    ["lab.log.dispatched", stats.dispatchedOffset],
    ["lab.put.failed", stats.putFailures],
    ["lab.disk.syncs", stats.fdatasyncCount],
    ["lab.disk.longestSyncMs", stats.fdatasyncLongestMs],
  ];
}

function replication(parts: RuntimeInfoParts): Table {
  const { context } = parts;
  const slaves = parts.slaves().map((slave) => ({ ...slave }));
  return [
    ["lab.ha.role", context.config.brokerRole],
    ["lab.ha.state", parts.replicationState()],
    ["lab.ha.conns", JSON.stringify(slaves)],
  ];
}

/** @returns the processor for code 28 */
export function createRuntimeInfoProcessor(parts: RuntimeInfoParts): Processor {
  const loopDelay = monitorEventLoopDelay({ resolution: 20 });
  loopDelay.enable();
  const process_ = (): Table => [
    ["lab.at", parts.context.now()],
    ["lab.mono", Math.round(performance.now() * 1_000_000)],
    ["lab.boot", parts.context.bootTimestamp],
    ["lab.rss", process.memoryUsage.rss()],
    ["lab.loop.delayP99", (loopDelay.percentile(99) / 1_000_000).toFixed(2)],
    ["lab.pull.held", parts.heldPulls()],
    ["lab.conn.count", parts.connectionCount()],
  ];
  return () => {
    const { context } = parts;
    const delays = [...parts.delayed.progress()].map(
      ([level, [offset, max]]) =>
        [`scheduleMessageOffset_${level}`, `${offset},${max}`] as [string, string],
    );
    const all = [
      ...identity(context),
      ...traffic(parts),
      ...queues(context),
      ...storage(context),
      ...replication(parts),
      ...process_(),
      ...delays,
    ];
    return {
      code: RESPONSE_CODE.SUCCESS,
      body: encodeTextTable(new Map(all.map(([key, value]) => [key, String(value)] as const))),
    };
  };
}
