/** Program entry: `mqnamesrv [-c FILE] [-p] [-h]` (admin-protocol D.1). */
import { homedir } from "node:os";
import { parseArgs } from "node:util";
import { EngineError } from "../base/engine-error.ts";
import { createLogger } from "../base/logger.ts";
import { nodeVfs } from "../base/node-vfs.ts";
import { parseProperties } from "../base/properties-file.ts";
import {
  loadNamesrvConfig,
  namesrvConfigText,
  type LoadedNamesrvConfig,
  type NamesrvConfigSource,
} from "./namesrv-config.ts";
import { startNamesrv, type RunningNamesrv } from "./namesrv.ts";

const EXIT_FAILED = 1;
/** Wrong command line or configuration. */
const EXIT_USAGE = 2;
/** Access control or TLS cannot be had as it was asked for. */
const EXIT_SECURITY = 78;
const SECURITY_ERRORS: ReadonlySet<string> = new Set(["ACL_FILE_INVALID", "TLS_CONFIG_INVALID"]);
const OVERRIDES = "ROCKETMQ_OVERRIDES";

const USAGE = `usage: mqnamesrv [-c FILE] [-p] [-h]
  -c, --configFile FILE    name server property file; runtime changes are written back to it
  -p, --printConfigItem    print every setting as key=value and exit
  -n, --namesrvAddr LIST   accepted as Apache's program does, without effect
  -h, --help               print this text
Environment: ${OVERRIDES} holds key=value lines that win over the file.
`;

interface CommandLine {
  readonly configFile: string | undefined;
  readonly printOnly: boolean;
  readonly help: boolean;
}

function parseCommandLine(args: readonly string[]): CommandLine {
  const { values } = parseArgs({
    args: [...args],
    options: {
      configFile: { type: "string", short: "c" },
      printConfigItem: { type: "boolean", short: "p" },
      namesrvAddr: { type: "string", short: "n" },
      help: { type: "boolean", short: "h" },
    },
  });
  return {
    configFile: values.configFile,
    printOnly: values.printConfigItem ?? false,
    help: values.help ?? false,
  };
}

function fileSource(file: string): NamesrvConfigSource {
  const text = nodeVfs.readText(file);
  if (text === null) {
    throw new EngineError("NAMESRV_CONFIG_INVALID", {
      message: `${file}: there is no such file`,
      hint: "check the path after -c",
    });
  }
  return { name: file, entries: parseProperties(text, file) };
}

function loadConfig(file: string | undefined): LoadedNamesrvConfig {
  const overrides = process.env[OVERRIDES] ?? "";
  const sources = [
    ...(file === undefined ? [] : [fileSource(file)]),
    { name: OVERRIDES, entries: parseProperties(overrides, OVERRIDES) },
  ];
  const environment = { home: homedir(), rocketmqHome: process.env["ROCKETMQ_HOME"] ?? "" };
  const loaded = loadNamesrvConfig(sources, environment);
  if (file === undefined) return loaded;
  // As Apache's: what is changed at run time goes back to the file it came from.
  return { ...loaded, config: { ...loaded.config, configStorePath: file } };
}

function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof EngineError ? error.hint : undefined;
  return hint === undefined ? `${message}\n` : `${message}\n${hint}\n`;
}

function stopOnSignals(running: RunningNamesrv): void {
  let isStopping = false;
  const stop = (): void => {
    // A second signal does not wait for answers in progress.
    if (isStopping) process.exit(EXIT_FAILED);
    isStopping = true;
    running[Symbol.asyncDispose]().then(
      () => process.exit(0),
      () => process.exit(EXIT_FAILED),
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

async function serve(loaded: LoadedNamesrvConfig): Promise<void> {
  const logger = createLogger("namesrv");
  for (const notice of loaded.notices) logger.warn(notice);
  stopOnSignals(await startNamesrv({ config: loaded.config, vfs: nodeVfs, logger }));
  process.stdout.write("The Name Server boot success. serializeType=JSON\n");
}

async function main(args: readonly string[]): Promise<void> {
  let commandLine: CommandLine;
  let loaded: LoadedNamesrvConfig;
  try {
    commandLine = parseCommandLine(args);
    if (commandLine.help) {
      process.stdout.write(USAGE);
      return;
    }
    loaded = loadConfig(commandLine.configFile);
  } catch (error) {
    process.stderr.write(explain(error));
    process.exitCode = EXIT_USAGE;
    return;
  }
  if (commandLine.configFile !== undefined && !commandLine.printOnly) {
    process.stdout.write(`load config properties file OK, ${commandLine.configFile}\n`);
  }
  if (commandLine.printOnly) {
    process.stdout.write(namesrvConfigText(loaded.config));
    return;
  }
  try {
    await serve(loaded);
  } catch (error) {
    process.stderr.write(explain(error));
    const isSecurity = error instanceof EngineError && SECURITY_ERRORS.has(error.code);
    process.exitCode = isSecurity ? EXIT_SECURITY : EXIT_FAILED;
  }
}

await main(process.argv.slice(2));
