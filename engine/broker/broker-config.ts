/**
 * The broker's configuration: RocketMQ 4.9's property files with RocketMQ 4.9's keys (admin-protocol D). The tables say type, default
 * and whether a key is honoured; this file reads entries into a value, all problems at once, each with file and line.
 */
import { EngineError } from "../base/engine-error.ts";
import type { PropertyEntry } from "../base/properties-file.ts";
import { closestName } from "./closest-name.ts";
import { BROKER_KEYS } from "./config-keys-broker.ts";
import { INERT_KEYS } from "./config-keys-inert.ts";
import { OWN_KEYS, REMOTING_KEYS } from "./config-keys-remoting.ts";
import { STORE_KEYS } from "./config-keys-store.ts";
import type { ConfigEnvironment, ConfigKey, ConfigOf, NumberKey } from "./config-keys.ts";

/** Every key with an effect or a shown value, in the order they are printed. */
export const CONFIG_KEYS = { ...BROKER_KEYS, ...REMOTING_KEYS, ...STORE_KEYS, ...OWN_KEYS };

/** Effective settings: one member a key, defaults filled in, corrections of D.1 made. Also serves as the store's StoreConfig. */
export type BrokerConfig = ConfigOf<typeof CONFIG_KEYS>;

/** Entries from one place; a later source wins over an earlier one. */
export interface ConfigSource {
  /** File name, `ROCKETMQ_OVERRIDES` or `command line`: stands in error messages. */
  readonly name: string;
  readonly entries: readonly PropertyEntry[];
}

export interface LoadedBrokerConfig {
  readonly config: BrokerConfig;
  /** Lines for the log: keys without effect, corrections made. */
  readonly notices: readonly string[];
}

type Value = string | number | boolean;

interface Reading {
  readonly values: Map<string, Value>;
  readonly problems: string[];
  readonly notices: string[];
}

const NO_TRAILING_COMMENT = "a comment needs a line of its own";

function parseNumber(textValue: string, key: NumberKey): number | string {
  const value = Number(textValue);
  if (!/^-?\d+$/.test(textValue) || !Number.isSafeInteger(value)) {
    return `is not a whole number: ${textValue} (${NO_TRAILING_COMMENT})`;
  }
  const { min, max } = key.range;
  if (value < min || value > max) return `must be ${min} to ${max}, not ${value}`;
  return value;
}

/** @returns the value, or `{ problem }` */
function parseValue(
  textValue: string,
  key: ConfigKey,
): { readonly value: Value } | { readonly problem: string } {
  switch (key.kind) {
    case "text":
      return { value: textValue };
    case "number": {
      const parsed = parseNumber(textValue, key);
      return typeof parsed === "number" ? { value: parsed } : { problem: parsed };
    }
    case "bool": {
      const word = textValue.toLowerCase();
      if (word === "true" || word === "false") return { value: word === "true" };
      return { problem: `is neither true nor false: ${textValue} (${NO_TRAILING_COMMENT})` };
    }
    case "choice":
      if (key.choices.includes(textValue)) return { value: textValue };
      return { problem: `must be one of ${key.choices.join(", ")}, not ${textValue}` };
  }
}

function readEntry(source: string, entry: PropertyEntry, reading: Reading): void {
  const where = `${source}:${entry.line}`;
  const keys: Readonly<Record<string, ConfigKey>> = CONFIG_KEYS;
  const key = Object.hasOwn(keys, entry.key) ? keys[entry.key] : undefined;
  const inert = INERT_KEYS.get(entry.key);
  if (key === undefined && inert !== undefined) {
    reading.notices.push(`${where}: ${entry.key} is ignored: ${inert}`);
  } else if (key === undefined) {
    const close = closestName(entry.key, [...Object.keys(keys), ...INERT_KEYS.keys()]);
    const advice = close === undefined ? "" : `, did you mean ${close}?`;
    reading.problems.push(`${where}: there is no key ${entry.key}${advice}`);
  } else {
    const parsed = parseValue(entry.value, key);
    if ("problem" in parsed) reading.problems.push(`${where}: ${entry.key} ${parsed.problem}`);
    else reading.values.set(entry.key, parsed.value);
    if (key.ignored !== undefined) {
      reading.notices.push(`${where}: ${entry.key} is ignored: ${key.ignored}`);
    }
  }
}

/**
 * @param entry one setting whose key is in CONFIG_KEYS
 * @returns its value
 * @throws EngineError BROKER_CONFIG_INVALID naming what is wrong
 */
export function configValue(entry: PropertyEntry): Value {
  const keys: Readonly<Record<string, ConfigKey>> = CONFIG_KEYS;
  const key = Object.hasOwn(keys, entry.key) ? keys[entry.key] : undefined;
  const parsed = key === undefined ? { problem: "is no key" } : parseValue(entry.value, key);
  if ("value" in parsed) return parsed.value;
  throw new EngineError("BROKER_CONFIG_INVALID", { message: `${entry.key} ${parsed.problem}` });
}

function withDefaults(
  values: ReadonlyMap<string, Value>,
  environment: ConfigEnvironment,
): BrokerConfig {
  const config: Record<string, Value> = {};
  for (const [name, key] of Object.entries(CONFIG_KEYS) as [string, ConfigKey][]) {
    const { fallback } = key;
    config[name] =
      values.get(name) ?? (typeof fallback === "function" ? fallback(environment) : fallback);
  }
  return config as unknown as BrokerConfig;
}

const NAMESRV_ADDRESS = /^\s*(\[[0-9a-fA-F:.]+\]|[^\s:;[\]]+):\d{1,5}\s*$/;

/** What cannot be judged key by key. */
function crossProblems(config: BrokerConfig): string[] {
  const problems: string[] = [];
  if (config.brokerRole === "SLAVE" && config.brokerId <= 0) {
    problems.push("Slave's brokerId must be > 0");
  }
  const addresses = config.namesrvAddr === "" ? [] : config.namesrvAddr.split(";");
  if (addresses.some((address) => address.trim() !== "" && !NAMESRV_ADDRESS.test(address))) {
    problems.push(
      `The Name Server Address[${config.namesrvAddr}] illegal, please set it as follows, "127.0.0.1:9876;192.168.0.1:9876"`,
    );
  }
  for (const name of ["brokerName", "brokerClusterName"] as const) {
    if (!/^[%|a-zA-Z0-9_.-]{1,127}$/.test(config[name])) {
      problems.push(
        `${name} must be 1 to 127 of the characters %|a-zA-Z0-9_.-, not ${config[name]}`,
      );
    }
  }
  if (config.enableDLegerCommitLog) {
    problems.push(
      "enableDLegerCommitLog=true: DLedger mode is not served; use a master and slaves",
    );
  }
  return problems;
}

/** Corrections 4.9 makes after reading (admin-protocol D.1, store-and-ha 7.1). */
function corrected(config: BrokerConfig, set: ReadonlyMap<string, Value>): LoadedBrokerConfig {
  const notices: string[] = [];
  const isMaster = config.brokerRole !== "SLAVE";
  if (isMaster && config.brokerId !== 0) {
    notices.push(`brokerId is 0, not ${config.brokerId}: the role is ${config.brokerRole}`);
  }
  const haListenPort = config.listenPort + 1;
  if (set.has("haListenPort") && config.haListenPort !== haListenPort) {
    notices.push(
      `haListenPort is ${haListenPort}, not ${config.haListenPort}: always listenPort + 1`,
    );
  }
  // 4.9.0 would use $HOME/store/commitlog here, outside the root that was asked for. 4.9.4 and later follow the root, and so do we:
  // two brokers on one machine that only set their roots must not share a commit log.
  const storePathCommitLog = config.storePathCommitLog || `${config.storePathRootDir}/commitlog`;
  return {
    config: {
      ...config,
      brokerId: isMaster ? 0 : config.brokerId,
      haListenPort,
      storePathCommitLog,
      registerNameServerPeriod: Math.min(60_000, Math.max(10_000, config.registerNameServerPeriod)),
      // Rounded up to whole entries (store-and-ha appendix A).
      mappedFileSizeConsumeQueue: Math.ceil(config.mappedFileSizeConsumeQueue / 20) * 20,
      slaveTimeout: config.slaveTimeout || config.syncFlushTimeout,
    },
    notices,
  };
}

/**
 * @param sources lowest precedence first (file, overrides, command line)
 * @param environment what defaults depend on
 * @returns the effective configuration and what the log should say
 * @throws EngineError BROKER_CONFIG_INVALID naming every problem, one a line
 */
export function loadBrokerConfig(
  sources: readonly ConfigSource[],
  environment: ConfigEnvironment,
): LoadedBrokerConfig {
  const reading: Reading = { values: new Map(), problems: [], notices: [] };
  for (const source of sources) {
    for (const entry of source.entries) readEntry(source.name, entry, reading);
  }
  const config = withDefaults(reading.values, environment);
  const problems = [...reading.problems, ...crossProblems(config)];
  if (problems.length > 0) {
    throw new EngineError("BROKER_CONFIG_INVALID", {
      message: problems.join("\n"),
      hint: "correct these lines and start again; `mqbroker -p` prints every key with its value",
    });
  }
  const result = corrected(config, reading.values);
  return { config: result.config, notices: [...reading.notices, ...result.notices] };
}

/** @returns the address the broker's ports bind, undefined for every interface */
export function bindHost(config: BrokerConfig): string | undefined {
  return config.bindAddress === "" ? undefined : config.bindAddress;
}

/** @returns name server addresses of the configuration, `host:port` each */
export function namesrvAddresses(config: BrokerConfig): readonly string[] {
  return config.namesrvAddr
    .split(";")
    .map((address) => address.trim())
    .filter((address) => address !== "");
}

/**
 * `key=value` pairs as code 26 and `mqbroker -p` show them (admin-protocol C.2): every key of 4.9.0 and ours, with live values.
 */
export function configEntries(config: BrokerConfig): readonly (readonly [string, string])[] {
  return Object.keys(CONFIG_KEYS).map((name) => [
    name === "enableBatchPush" ? "isEnableBatchPush" : name,
    String(config[name as keyof BrokerConfig]),
  ]);
}

/** The 34 keys 4.9.0 marks as important, for `mqbroker -m`. */
export const IMPORTANT_KEYS: readonly (keyof BrokerConfig)[] = [
  "namesrvAddr",
  "brokerIP1",
  "brokerName",
  "brokerClusterName",
  "brokerId",
  "autoCreateTopicEnable",
  "autoCreateSubscriptionGroup",
  "msgTraceTopicName",
  "traceTopicEnable",
  "rejectTransactionMessage",
  "fetchNamesrvAddrByAddressServer",
  "transactionTimeOut",
  "transactionCheckMax",
  "transactionCheckInterval",
  "aclEnable",
  "storePathRootDir",
  "storePathCommitLog",
  "flushIntervalCommitLog",
  "commitIntervalCommitLog",
  "flushCommitLogTimed",
  "deleteWhen",
  "fileReservedTime",
  "maxTransferBytesOnMessageInMemory",
  "maxTransferCountOnMessageInMemory",
  "maxTransferBytesOnMessageInDisk",
  "maxTransferCountOnMessageInDisk",
  "accessMessageInMemoryMaxRatio",
  "messageIndexEnable",
  "messageIndexSafe",
  "haMasterAddress",
  "brokerRole",
  "flushDiskType",
  "cleanFileForciblyEnable",
  "transientStorePoolEnable",
];
