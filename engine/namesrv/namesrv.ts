import { openServerAcl } from "../acl/server-acl.ts";
import { isLoopback } from "../base/cidr.ts";
import type { Logger } from "../base/logger.ts";
import type { Vfs } from "../base/vfs.ts";
import { createRemotingServer } from "../remoting/server.ts";
import { readTlsSettings, TLS_MODES } from "../remoting/tls-settings.ts";
import { openTls } from "../remoting/tls.ts";
import { NAMESRV_ACCESS_RULES } from "./access-rules.ts";
import { BrokerRegistry } from "./broker-registry.ts";
import { KvConfig } from "./kv-config.ts";
import { LiveConfig } from "./live-config.ts";
import type { NamesrvConfig } from "./namesrv-config.ts";
import { namesrvProcessors } from "./processors/index.ts";

/** First look for silent brokers, then every so often, ms (remoting-protocol 3.5). */
const SCAN_DELAY_MS = 5_000;
const SCAN_PERIOD_MS = 10_000;
/** Answers in progress have this long to leave when the server stops, ms. */
const DRAIN_MS = 3_000;

/** Wiring of one name server. */
export interface NamesrvOptions {
  readonly config: NamesrvConfig;
  readonly vfs: Vfs;
  readonly logger: Logger;
  /** Monotonic clock, ms. Default `performance.now`. */
  readonly now?: () => number;
}

/** A name server that listens. Dispose stops it: answers in progress leave, then every connection closes. */
export interface RunningNamesrv extends AsyncDisposable {
  /** The port it listens on. */
  readonly port: number;
}

function startScan(scan: () => void): () => void {
  let timer = setTimeout(() => {
    scan();
    timer = setInterval(scan, SCAN_PERIOD_MS);
    timer.unref();
  }, SCAN_DELAY_MS);
  timer.unref();
  return () => clearTimeout(timer);
}

/**
 * Starts a name server: its own tables, its own port.
 * @param options settings and surroundings
 * @returns once it accepts connections
 * @throws EngineError ACL_FILE_INVALID, TLS_CONFIG_INVALID, STORE_LAYOUT_INVALID (damaged kvConfig.json), or the system error of listen
 */
export async function startNamesrv(options: NamesrvOptions): Promise<RunningNamesrv> {
  const { config, vfs, logger } = options;
  const now = options.now ?? (() => performance.now());
  const isOpen = !isLoopback(config.bindAddress);
  const tlsSettings = readTlsSettings(vfs, {
    mode: TLS_MODES.find((mode) => mode === config["tls.server.mode"]) ?? "auto",
    // A name server calls nobody.
    enable: "false",
    configFile: config["tls.config.file"],
    isLoopback: !isOpen,
  });
  const acl = openServerAcl({
    settings: { ...config, aclMode: config.aclMode === "compat" ? "compat" : "strict" },
    vfs,
    logger,
    // Asked anew each time: the clock may be set while the process runs.
    now: () => Date.now(),
    isOpen,
    isEncrypted: tlsSettings.mode === "enforcing",
  });
  const tls = openTls(vfs, tlsSettings, logger.child("tls"));
  const registry = new BrokerRegistry(logger);
  const kv = new KvConfig(vfs, config.kvConfigPath, logger);
  const liveConfig = new LiveConfig(vfs, config);
  const table = namesrvProcessors({ registry, kv, config: liveConfig, logger, now });
  const server = createRemotingServer({
    name: "namesrv",
    host: config.bindAddress === "" ? undefined : config.bindAddress,
    port: config.listenPort,
    table: acl?.guard(table, NAMESRV_ACCESS_RULES, config.aclBrokerAccessKey) ?? table,
    logger,
    tls: tls?.server,
    idleTimeoutMs: config.serverChannelMaxIdleTimeSeconds * 1_000,
    onClose: (channel) => registry.channelClosed(channel),
  });
  const port = await server.start();
  const stopScan = startScan(() => registry.expire(now()));
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      stopScan();
      acl?.file.close();
      tls?.close();
      await server.stop(DRAIN_MS);
    },
  };
}
