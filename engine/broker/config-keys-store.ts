/** The 69 keys of 4.9.0's MessageStoreConfig (admin-protocol D.4; store-and-ha appendix A). */
import { bool, choice, ignored, number, text, type ConfigKeys } from "./config-keys.ts";

const NO_POOL = "the log is written from memory slabs, there is no transient store pool";
const NO_PAGES = "whatever is dirty is flushed at the interval, page counts decide nothing";
const NO_EXT = "it only speeds SQL92 filters up, which are evaluated on the records here";
const NO_DLEDGER = "DLedger mode is not supported; use a master and slaves";
const NO_MAPPING = "files are written and read, not mapped";
const INT_MAX = 2_147_483_647;

export const STORE_KEYS = {
  storePathRootDir: text((env) => `${env.home}/store`),
  /** 4.9.0 keeps $HOME/store/commitlog when only the root is changed; ours follows the root as 4.9.4 does (broker-config.ts). */
  storePathCommitLog: text(""),
  mappedFileSizeCommitLog: number(1_073_741_824, { min: 4_096, max: INT_MAX }),
  mappedFileSizeConsumeQueue: number(6_000_000, { min: 20, max: INT_MAX }),
  enableConsumeQueueExt: ignored(bool(false), NO_EXT),
  mappedFileSizeConsumeQueueExt: ignored(number(50_331_648), NO_EXT),
  bitMapLengthConsumeQueueExt: ignored(number(64), NO_EXT),
  flushIntervalCommitLog: number(500, { min: 1, max: 60_000 }),
  commitIntervalCommitLog: ignored(number(200), NO_POOL),
  useReentrantLockWhenPutMessage: ignored(bool(false), "one thread appends, there is no lock"),
  flushCommitLogTimed: ignored(bool(false), "the flusher always keeps to its interval"),
  flushIntervalConsumeQueue: ignored(
    number(1_000),
    "consume queues are rebuilt from the log, their flush follows the checkpoint",
  ),
  cleanResourceInterval: number(10_000, { min: 10, max: 3_600_000 }),
  deleteCommitLogFilesInterval: ignored(
    number(100),
    "deletions are paced by cleanResourceInterval",
  ),
  deleteConsumeQueueFilesInterval: ignored(
    number(100),
    "deletions are paced by cleanResourceInterval",
  ),
  destroyMapedFileIntervalForcibly: ignored(number(120_000), NO_MAPPING),
  redeleteHangedFileInterval: ignored(number(120_000), NO_MAPPING),
  deleteWhen: text("04"),
  diskMaxUsedSpaceRatio: number(75, { min: 10, max: 95 }),
  fileReservedTime: number(72),
  putMsgIndexHightWater: ignored(number(600_000), "4.9 does not use it either"),
  maxMessageSize: number(4_194_304, { min: 1, max: 15_728_640 }),
  checkCRCOnRecover: ignored(bool(true), "recovery always checks every record it reads"),
  flushCommitLogLeastPages: ignored(number(4), NO_PAGES),
  commitCommitLogLeastPages: ignored(number(4), NO_POOL),
  flushLeastPagesWhenWarmMapedFile: ignored(number(4_096), NO_MAPPING),
  flushConsumeQueueLeastPages: ignored(number(2), NO_PAGES),
  flushCommitLogThoroughInterval: ignored(number(10_000), NO_PAGES),
  commitCommitLogThoroughInterval: ignored(number(200), NO_POOL),
  flushConsumeQueueThoroughInterval: ignored(number(60_000), NO_PAGES),
  maxTransferBytesOnMessageInMemory: ignored(
    number(262_144),
    "one answer carries at most 256 KiB from memory",
  ),
  maxTransferCountOnMessageInMemory: ignored(
    number(32),
    "one answer carries at most 32 messages from memory",
  ),
  maxTransferBytesOnMessageInDisk: ignored(
    number(65_536),
    "one answer carries at most 64 KiB from disk",
  ),
  maxTransferCountOnMessageInDisk: ignored(
    number(8),
    "one answer carries at most 8 messages from disk",
  ),
  accessMessageInMemoryMaxRatio: number(40, { min: 0, max: 100 }),
  messageIndexEnable: bool(true),
  maxHashSlotNum: number(5_000_000, { min: 1, max: INT_MAX }),
  maxIndexNum: number(20_000_000, { min: 2, max: INT_MAX }),
  maxMsgsNumBatch: number(64, { min: 1, max: 64 }),
  messageIndexSafe: ignored(
    bool(false),
    "an index that is behind is always completed from the log",
  ),
  haListenPort: number(10_912),
  haSendHeartbeatInterval: number(5_000, { min: 10, max: 3_600_000 }),
  haHousekeepingInterval: number(20_000, { min: 10, max: 3_600_000 }),
  haTransferBatchSize: number(32_768, { min: 1, max: 1_048_576 }),
  haMasterAddress: text(""),
  haSlaveFallbehindMax: number(268_435_456),
  brokerRole: choice(["ASYNC_MASTER", "SYNC_MASTER", "SLAVE"], "ASYNC_MASTER"),
  flushDiskType: choice(["ASYNC_FLUSH", "SYNC_FLUSH"], "ASYNC_FLUSH"),
  syncFlushTimeout: number(5_000, { min: 1, max: 600_000 }),
  messageDelayLevel: text("1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h"),
  flushDelayOffsetInterval: number(10_000, { min: 10, max: 3_600_000 }),
  cleanFileForciblyEnable: ignored(
    bool(true),
    "expired files go early whenever the disk is over its ratio",
  ),
  warmMapedFileEnable: ignored(bool(false), NO_MAPPING),
  offsetCheckInSlave: bool(false),
  debugLockEnable: ignored(bool(false), "one thread appends, there is no lock"),
  duplicationEnable: ignored(bool(false), "4.9 does not use it either"),
  diskFallRecorded: ignored(bool(true), "how far readers lag is always known"),
  osPageCacheBusyTimeOutMills: ignored(
    number(1_000),
    "no lock can be held; a hung disk is noticed by its fdatasync",
  ),
  defaultQueryMaxNum: number(32, { min: 1, max: 64 }),
  transientStorePoolEnable: ignored(bool(false), NO_POOL),
  transientStorePoolSize: ignored(number(5), NO_POOL),
  fastFailIfNoBufferInStorePool: ignored(bool(false), NO_POOL),
  enableDLegerCommitLog: ignored(bool(false), NO_DLEDGER),
  dLegerGroup: ignored(text(""), NO_DLEDGER),
  dLegerPeers: ignored(text(""), NO_DLEDGER),
  dLegerSelfId: ignored(text(""), NO_DLEDGER),
  preferredLeaderId: ignored(text(""), NO_DLEDGER),
  /** 4.9 reads this key and shows it as isEnableBatchPush (admin-protocol D.3). */
  enableBatchPush: ignored(bool(false), "4.9 does not use it either"),
  enableScheduleMessageStats: bool(true),
} as const satisfies ConfigKeys;
