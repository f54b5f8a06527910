/**
 * The name server's configuration: 4.9's NamesrvConfig and NettyServerConfig keys (admin-protocol D.4) and our own. The table is the one list:
 * type, default and whether a key has an effect here.
 */
import { EngineError } from "../base/engine-error.ts";
import type { PropertyEntry } from "../base/properties-file.ts";
import { TLS_CONFIG_FILE, TLS_MODES } from "../remoting/tls-settings.ts";
import { isOneEditAway } from "./one-edit-away.ts";

/** What some defaults depend on. */
export interface NamesrvEnvironment {
  /** `$HOME`. */
  readonly home: string;
  /** `$ROCKETMQ_HOME`, empty when unset. */
  readonly rocketmqHome: string;
}

/** Entries from one place; a later source wins. */
export interface NamesrvConfigSource {
  /** File name or `ROCKETMQ_OVERRIDES`, for messages. */
  readonly name: string;
  readonly entries: readonly PropertyEntry[];
}

type Kind = "text" | "number" | "bool";
type ValueOf<K extends Kind> = K extends "text" ? string : K extends "number" ? number : boolean;
type Value = string | number | boolean;

interface Key<K extends Kind = Kind> {
  readonly kind: K;
  readonly fallback: (environment: NamesrvEnvironment) => ValueOf<K>;
  /** Undefined: honoured. Otherwise why it has no effect here. */
  readonly ignored: string | undefined;
  /** Numbers: largest value. */
  readonly max: number;
  /** Texts: the only values; undefined = any. */
  readonly choices?: readonly string[];
}

const I32_MAX = 2_147_483_647;

function text(
  fallback: (environment: NamesrvEnvironment) => string,
  ignored?: string,
): Key<"text"> {
  return { kind: "text", fallback, ignored, max: I32_MAX };
}

/** One word of a list, the first by default. */
function choice(choices: readonly string[]): Key<"text"> {
  return { ...text(() => choices[0] ?? ""), choices };
}

function number(fallback: number, ignored?: string, max = I32_MAX): Key<"number"> {
  return { kind: "number", fallback: () => fallback, ignored, max };
}

function bool(fallback: boolean, ignored?: string): Key<"bool"> {
  return { kind: "bool", fallback: () => fallback, ignored, max: I32_MAX };
}

const CLUSTER_TEST = "cluster-test mode asks another name server for unknown topics; not served";
const ONE_LOOP = "one event loop does all network work";
const SYSTEM_BUFFERS = "the operating system's socket buffers are left alone";

/** Every key, in the order it is printed. */
const NAMESRV_KEYS = {
  rocketmqHome: text((environment) => environment.rocketmqHome),
  kvConfigPath: text((environment) => `${environment.home}/namesrv/kvConfig.json`),
  configStorePath: text((environment) => `${environment.home}/namesrv/namesrv.properties`),
  productEnvName: text(() => "center", CLUSTER_TEST),
  clusterTest: bool(false, CLUSTER_TEST),
  orderMessageEnable: bool(false),
  listenPort: number(9_876, undefined, 65_535),
  serverWorkerThreads: number(8, ONE_LOOP),
  serverCallbackExecutorThreads: number(0, ONE_LOOP),
  serverSelectorThreads: number(3, ONE_LOOP),
  serverOnewaySemaphoreValue: number(256, ONE_LOOP),
  serverAsyncSemaphoreValue: number(64, ONE_LOOP),
  serverChannelMaxIdleTimeSeconds: number(120, undefined, 86_400),
  serverSocketSndBufSize: number(65_535, SYSTEM_BUFFERS),
  serverSocketRcvBufSize: number(65_535, SYSTEM_BUFFERS),
  serverPooledByteBufAllocatorEnable: bool(true, "Node's buffers are used"),
  useEpollNativeSelector: bool(false, "Node's event loop is used"),
  /** Ours: address to listen on; empty = every interface, as 4.9. */
  bindAddress: text(() => ""),
  /** Ours: the same plain_acl.yml as the brokers' (E-09). */
  aclEnable: bool(false),
  aclMode: choice(["strict", "compat"]),
  /** Ours: below rocketmqHome; in 4.9 a system property of brokers. */
  "rocketmq.acl.plain.file": text(() => "/conf/plain_acl.yml"),
  /** Ours: access key that brokers sign with, besides administrators. */
  aclBrokerAccessKey: text(() => ""),
  /** Ours, as the brokers'; in 4.9 system properties. */
  "tls.server.mode": choice(TLS_MODES),
  "tls.config.file": text(() => TLS_CONFIG_FILE),
  /** Ours: false refuses a registration whose addresses are not the registering connection's own; true is 4.9. */
  allowForeignBrokerAddr: bool(true),
} as const;

/** Effective settings, defaults filled in. */
export type NamesrvConfig = {
  readonly [Name in keyof typeof NAMESRV_KEYS]: ValueOf<(typeof NAMESRV_KEYS)[Name]["kind"]>;
};

/** A configuration and what the log should say about how it came to be. */
export interface LoadedNamesrvConfig {
  readonly config: NamesrvConfig;
  readonly notices: readonly string[];
}

const KEYS: ReadonlyMap<string, Key> = new Map<string, Key>(Object.entries(NAMESRV_KEYS));

/** @returns the value, or `{ problem }` */
function parseValue(
  entry: PropertyEntry,
  key: Key,
): { readonly value: Value } | { readonly problem: string } {
  const { value } = entry;
  switch (key.kind) {
    case "text":
      if (key.choices?.includes(value) !== false) return { value };
      return { problem: `${entry.key} must be one of ${key.choices.join(", ")}, not ${value}` };
    case "bool": {
      const word = value.toLowerCase();
      if (word === "true" || word === "false") return { value: word === "true" };
      return { problem: `${entry.key} is neither true nor false: ${value}` };
    }
    case "number": {
      const parsed = Number(value);
      if (/^\d+$/.test(value) && parsed <= key.max) return { value: parsed };
      return { problem: `${entry.key} must be a whole number from 0 to ${key.max}, not ${value}` };
    }
  }
}

function unknownNotice(where: string, name: string): string {
  const close = [...KEYS.keys()].find((known) => isOneEditAway(name, known));
  const advice = close === undefined ? "" : `; did you mean ${close}?`;
  return `${where}: there is no key ${name}, it is ignored${advice}`;
}

interface Reading {
  readonly values: Map<string, Value>;
  readonly problems: string[];
  readonly notices: string[];
}

function readEntry(where: string, entry: PropertyEntry, reading: Reading): void {
  const key = KEYS.get(entry.key);
  if (key === undefined) {
    reading.notices.push(unknownNotice(where, entry.key));
    return;
  }
  if (key.ignored !== undefined) {
    reading.notices.push(`${where}: ${entry.key} has no effect: ${key.ignored}`);
  }
  const parsed = parseValue(entry, key);
  if ("problem" in parsed) reading.problems.push(`${where}: ${parsed.problem}`);
  else reading.values.set(entry.key, parsed.value);
}

/**
 * @param sources lowest precedence first
 * @param environment what defaults depend on
 * @returns settings and notices (keys that are unknown or have no effect)
 * @throws EngineError NAMESRV_CONFIG_INVALID with every bad value, file and line, one a line (4.9 takes the default without a word)
 */
export function loadNamesrvConfig(
  sources: readonly NamesrvConfigSource[],
  environment: NamesrvEnvironment,
): LoadedNamesrvConfig {
  const reading: Reading = { values: new Map(), problems: [], notices: [] };
  for (const { name, entries } of sources) {
    for (const entry of entries) readEntry(`${name}:${entry.line}`, entry, reading);
  }
  if (reading.problems.length > 0) {
    throw new EngineError("NAMESRV_CONFIG_INVALID", {
      message: reading.problems.join("\n"),
      hint: "correct these lines and start again; `mqnamesrv -p` prints every key with its value",
    });
  }
  const config = [...KEYS].map(
    ([name, key]) => [name, reading.values.get(name) ?? key.fallback(environment)] as const,
  );
  return {
    config: Object.fromEntries(config) as unknown as NamesrvConfig,
    notices: reading.notices,
  };
}

/** @returns `key=value` lines, as 319 and `-p` show them */
export function namesrvConfigText(config: NamesrvConfig): string {
  const values: Readonly<Record<string, Value>> = config;
  return [...KEYS.keys()].map((name) => `${name}=${values[name]}\n`).join("");
}

/** D-15: what UPDATE_NAMESRV_CONFIG may change. Never a path, an address or a port. */
const CHANGEABLE: ReadonlySet<string> = new Set(["orderMessageEnable"]);

/** @returns the first key of an update that may not be changed at run time, or undefined */
export function forbiddenKey(entries: readonly PropertyEntry[]): string | undefined {
  return entries.find((entry) => !CHANGEABLE.has(entry.key))?.key;
}

/**
 * @param config present settings
 * @param entries checked with forbiddenKey
 * @returns settings with the entries applied
 * @throws EngineError NAMESRV_CONFIG_INVALID on a bad value
 */
export function updatedConfig(
  config: NamesrvConfig,
  entries: readonly PropertyEntry[],
): NamesrvConfig {
  const reading: Reading = { values: new Map(), problems: [], notices: [] };
  for (const entry of entries) readEntry(`line ${entry.line}`, entry, reading);
  if (reading.problems.length > 0) {
    throw new EngineError("NAMESRV_CONFIG_INVALID", { message: reading.problems.join("\n") });
  }
  return { ...config, ...Object.fromEntries(reading.values) };
}
