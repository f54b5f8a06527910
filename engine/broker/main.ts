/** Program entry: `mqbroker [-c FILE] [-n ADDRS] [-p] [-m] [-h]` (admin-protocol D.1). */
import { availableParallelism, homedir, hostname, networkInterfaces } from "node:os";
import { parseArgs } from "node:util";
import { EngineError } from "../base/engine-error.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { createLogger, type Logger } from "../base/logger.ts";
import { nodeVfs } from "../base/node-vfs.ts";
import { parseProperties } from "../base/properties-file.ts";
import {
  configEntries,
  IMPORTANT_KEYS,
  loadBrokerConfig,
  type ConfigSource,
  type LoadedBrokerConfig,
} from "./broker-config.ts";
import { startBroker, type RunningBroker } from "./broker.ts";
import type { ConfigEnvironment } from "./config-keys.ts";

const EXIT = {
  FAILED: 1,
  USAGE: 2,
  CORRUPT: 65,
  BUG: 70,
  STORE_FAILED: 74,
  LOCKED: 75,
  /** What was asked for cannot be had, and starting without it would be unsafe. */
  REFUSED: 78,
} as const;

/** Exit codes of errors a start can end with; others are EXIT.FAILED. */
const EXIT_CODES: Partial<Record<ErrorCode, number>> = {
  ACL_FILE_INVALID: EXIT.REFUSED,
  BROKER_CONFIG_INVALID: EXIT.USAGE,
  BROKER_TAIL_UNCHECKED: EXIT.REFUSED,
  STORE_CORRUPT: EXIT.CORRUPT,
  STORE_LAYOUT_INVALID: EXIT.CORRUPT,
  STORE_FAILED: EXIT.STORE_FAILED,
  STORE_LOCKED: EXIT.LOCKED,
  TLS_CONFIG_INVALID: EXIT.REFUSED,
};

/** Answers in progress leave before a failed store ends the process, ms (S-03: within 1 s). */
const LAST_ANSWERS_MS = 500;
/** What an uncaught error leaves for flushing, ms (F-34). */
const LAST_FLUSH_MS = 2_000;
const OVERRIDES = "ROCKETMQ_OVERRIDES";

const USAGE = `usage: mqbroker [-c FILE] [-n ADDRS] [-p] [-m] [-h]
  -c, --configFile FILE        broker property file
  -n, --namesrvAddr ADDRS      name servers, host:port;host:port, instead of the file's
  -p, --printConfigItem        print every setting as key=value and exit
  -m, --printImportantConfig   print the important settings and exit
  -h, --help                   print this text
Environment: ${OVERRIDES} holds key=value lines that win over the file.
Exit codes: 2 configuration, 65 store damaged, 70 a bug, 74 disk failed, 75 store in use,
  78 access control or TLS is not as asked for, or masterRecoverPolicy=strict and no slave answered.
`;

interface CommandLine {
  readonly configFile: string | undefined;
  readonly namesrvAddr: string | undefined;
  readonly print: "all" | "important" | "nothing";
  readonly help: boolean;
}

function parseCommandLine(args: readonly string[]): CommandLine {
  const { values } = parseArgs({
    args: [...args],
    options: {
      configFile: { type: "string", short: "c" },
      namesrvAddr: { type: "string", short: "n" },
      printConfigItem: { type: "boolean", short: "p" },
      printImportantConfig: { type: "boolean", short: "m" },
      help: { type: "boolean", short: "h" },
    },
  });
  const important = values.printImportantConfig === true ? "important" : "nothing";
  return {
    configFile: values.configFile,
    namesrvAddr: values.namesrvAddr,
    print: values.printConfigItem === true ? "all" : important,
    help: values.help ?? false,
  };
}

/** As 4.9: the first IPv4 address that is neither loopback nor 192.168, else any other, else loopback. */
function localAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const reachable = addresses.filter((entry) => !entry.internal && entry.family === "IPv4");
  const wide = reachable.find((entry) => !entry.address.startsWith("192.168."));
  return (wide ?? reachable[0])?.address ?? "127.0.0.1";
}

function environment(): ConfigEnvironment {
  return {
    home: homedir(),
    hostName: hostname(),
    localAddress: localAddress(),
    namesrvAddr: process.env["NAMESRV_ADDR"] ?? "",
    rocketmqHome: process.env["ROCKETMQ_HOME"] ?? "",
    cpus: availableParallelism(),
  };
}

function fileSource(file: string): ConfigSource {
  const text = nodeVfs.readText(file);
  if (text === null) {
    throw new EngineError("BROKER_CONFIG_INVALID", {
      message: `${file}: there is no such file`,
      hint: "check the path after -c",
    });
  }
  return { name: file, entries: parseProperties(text, file) };
}

function loadConfig(commandLine: CommandLine): LoadedBrokerConfig {
  const { configFile, namesrvAddr } = commandLine;
  const sources: ConfigSource[] = [];
  if (configFile !== undefined) sources.push(fileSource(configFile));
  const overrides = process.env[OVERRIDES] ?? "";
  sources.push({ name: OVERRIDES, entries: parseProperties(overrides, OVERRIDES) });
  if (namesrvAddr !== undefined) {
    sources.push({ name: "-n", entries: [{ key: "namesrvAddr", value: namesrvAddr, line: 1 }] });
  }
  return loadBrokerConfig(sources, environment());
}

function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof EngineError ? error.hint : undefined;
  return hint === undefined ? `${message}\n` : `${message}\n${hint}\n`;
}

function exitCodeOf(error: unknown): number {
  return (error instanceof EngineError ? EXIT_CODES[error.code] : undefined) ?? EXIT.FAILED;
}

function stopOnSignals(running: RunningBroker, logger: Logger): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    // A second signal does not wait; the store recovers as after a crash.
    if (isStopping) process.exit(EXIT.FAILED);
    isStopping = true;
    logger.info("stopping", { signal });
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error("the broker could not stop cleanly", { reason: explain(error).trim() });
        process.exit(exitCodeOf(error));
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

/** S-03: answers in progress leave, then the process ends; nothing is written any more. */
function exitOnFailedStore(running: RunningBroker, logger: Logger): void {
  running.onStoreFailed((error) => {
    logger.error("the store failed; nothing is written any more, the process ends", {
      reason: error.message,
    });
    setTimeout(() => process.exit(EXIT.STORE_FAILED), LAST_ANSWERS_MS);
  });
}

/** F-34: an error nobody caught is a bug. What was accepted is flushed, then the process ends. */
function exitOnBug(running: RunningBroker, logger: Logger): void {
  let isEnding = false;
  const end = (error: unknown): void => {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    logger.error("a bug ended the broker; please report it with these lines", { stack });
    if (isEnding) return;
    isEnding = true;
    const exit = (): never => process.exit(EXIT.BUG);
    setTimeout(exit, LAST_FLUSH_MS);
    running.context.store.stop().then(exit, exit);
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

async function serve(loaded: LoadedBrokerConfig, configFile: string | undefined): Promise<void> {
  const logger = createLogger("broker");
  for (const notice of loaded.notices) logger.warn(notice);
  const { config } = loaded;
  const running = await startBroker({ config, vfs: nodeVfs, logger, configFile });
  stopOnSignals(running, logger);
  exitOnFailedStore(running, logger);
  exitOnBug(running, logger);
  const nameServers = config.namesrvAddr === "" ? "" : ` and name server is ${config.namesrvAddr}`;
  process.stdout.write(
    `The broker[${config.brokerName}, ${running.brokerAddr}] boot success. serializeType=JSON${nameServers}\n`,
  );
}

function printConfig(loaded: LoadedBrokerConfig, which: "all" | "important"): void {
  const important: ReadonlySet<string> = new Set(IMPORTANT_KEYS);
  const lines = configEntries(loaded.config)
    .filter(([key]) => which === "all" || important.has(key))
    .map(([key, value]) => `${key}=${value}\n`);
  process.stdout.write(lines.join(""));
}

async function main(args: readonly string[]): Promise<void> {
  try {
    const commandLine = parseCommandLine(args);
    if (commandLine.help) {
      process.stdout.write(USAGE);
      return;
    }
    const loaded = loadConfig(commandLine);
    if (commandLine.print !== "nothing") printConfig(loaded, commandLine.print);
    else await serve(loaded, commandLine.configFile);
  } catch (error) {
    const isUsage = error instanceof TypeError && "code" in error;
    process.stderr.write(isUsage ? `${error.message}\n${USAGE}` : explain(error));
    process.exitCode = isUsage ? EXIT.USAGE : exitCodeOf(error);
  }
}

await main(process.argv.slice(2));
