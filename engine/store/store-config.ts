/** Settings of one store. Names and defaults are those of 4.9's MessageStoreConfig (store-and-ha, appendix A). */
export interface StoreConfig {
  readonly storePathRootDir: string;
  readonly storePathCommitLog: string;
  readonly mappedFileSizeCommitLog: number;
  /** Rounded up to a multiple of 20. */
  readonly mappedFileSizeConsumeQueue: number;
  readonly maxHashSlotNum: number;
  readonly maxIndexNum: number;
  readonly messageIndexEnable: boolean;
  readonly maxMessageSize: number;
  readonly flushDiskType: "ASYNC_FLUSH" | "SYNC_FLUSH";
  readonly flushIntervalCommitLog: number;
  readonly syncFlushTimeout: number;
  readonly slaveTimeout: number;
  readonly brokerRole: "ASYNC_MASTER" | "SYNC_MASTER" | "SLAVE";
  readonly fileReservedTime: number;
  /** `04` or `04;05`: hours of the day. */
  readonly deleteWhen: string;
  readonly diskMaxUsedSpaceRatio: number;
  readonly cleanResourceInterval: number;
  readonly accessMessageInMemoryMaxRatio: number;
  readonly messageDelayLevel: string;
  /** Ours: `appended` as 4.9 (default), `flushed` shows ASYNC_FLUSH messages only once durable (C-02, DESIGN 5). */
  readonly visibility: "appended" | "flushed";
  readonly offsetCheckInSlave: boolean;
}
