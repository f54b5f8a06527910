/** argv → command → exit code. Nothing below ends the process. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command as Commander, CommanderError } from "commander";
import { EngineError } from "../../engine/base/engine-error.ts";
import { installRoot } from "../base/install-root.ts";
import { labHome } from "../runtime/state.ts";
import { COMMANDS } from "./commands/index.ts";
import { COMPLETE, complete } from "./complete.ts";
import type { Command, CommandContext, CommandResult } from "./define-command.ts";
import { suggestion } from "../base/did-you-mean.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { commandHelp, exitCodesHelp, GLOBAL_OPTIONS, rootHelp } from "./help.ts";
import type { CliIo } from "./io.ts";
import type { GivenValue } from "./options.ts";
import { palette, printError, printResult, wantsAnimation, wantsColor } from "./output.ts";
import { createProgress } from "./progress.ts";

const DEFAULT_LAB = "lab";
const EXIT_CODES_TOPIC = "exit-codes";

type Given = Readonly<Record<string, GivenValue>>;

/** What the user asked for, before anything runs. */
type Request =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "command";
      readonly command: Command;
      readonly args: readonly string[];
      readonly given: Given;
    };

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(installRoot(), "package.json"), "utf8"));
  return (manifest as { readonly version: string }).version;
}

function helpTopic(topic: string | undefined): string {
  if (topic === undefined) return rootHelp(COMMANDS);
  if (topic === EXIT_CODES_TOPIC) return exitCodesHelp();
  const command = COMMANDS.find(({ name }) => name === topic);
  if (command !== undefined) return commandHelp(command);
  const topics = [...COMMANDS.map(({ name }) => name), EXIT_CODES_TOPIC];
  throw new EngineError("CLI_USAGE", {
    message: `there is no help on "${topic}"`,
    hint: suggestion(topic, topics, "see `lab help`"),
  });
}

/** Commander prints nothing by itself: texts are returned, errors are ours to show. */
function quiet(commander: Commander): Commander {
  return commander
    .exitOverride()
    .allowExcessArguments(false)
    .helpOption(false)
    .configureOutput({
      writeOut: () => undefined,
      writeErr: () => undefined,
      outputError: () => undefined,
    });
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

function register(root: Commander, command: Command, accept: (request: Request) => void): void {
  const sub = quiet(root.command(command.name));
  for (const arg of command.args) {
    const name = arg.variadic === true ? `${arg.name}...` : arg.name;
    // With --help nothing is missing, so presence is checked by the action.
    sub.argument(`[${name}]`, arg.help);
  }
  for (const { flags, help, repeatable } of Object.values(command.options)) {
    if (repeatable === true) sub.option(flags, help, collect);
    else sub.option(flags, help);
  }
  sub.action(() => {
    const given = sub.optsWithGlobals<Given>();
    if (given["help"] === true) {
      accept({ kind: "text", text: commandHelp(command) });
      return;
    }
    const missing = command.args.find((arg, index) => arg.required && index >= sub.args.length);
    if (missing !== undefined) {
      throw new EngineError("CLI_USAGE", {
        message: `\`lab ${command.name}\` needs ${missing.name}: ${missing.help}`,
        hint: `for example \`${command.examples[0]?.command ?? ""}\`; see \`lab help ${command.name}\``,
      });
    }
    accept({ kind: "command", command, args: sub.args, given });
  });
}

function parse(argv: readonly string[]): Request {
  const accepted: Request[] = [];
  const accept = (request: Request): void => void accepted.push(request);
  // Words it does not know reach the action below, which tells an unknown command from an unknown option.
  const root = quiet(new Commander("lab"))
    .helpCommand(false)
    .allowUnknownOption()
    .allowExcessArguments();
  root.option("-h, --help", "help").option("-V, --version", "version");
  for (const [flags, help] of GLOBAL_OPTIONS) root.option(flags, help);
  for (const command of COMMANDS) register(root, command, accept);
  quiet(root.command("help"))
    .argument("[topic]")
    .action((topic?: string) => accept({ kind: "text", text: helpTopic(topic) }));
  root.action(() => {
    const text = root.opts()["version"] === true ? `${version()}\n` : rootHelp(COMMANDS);
    const [word] = root.args.toSorted(
      (a, b) => Number(a.startsWith("-")) - Number(b.startsWith("-")),
    );
    if (word !== undefined) throw word.startsWith("-") ? unknownOption(word) : unknownCommand(word);
    accept({ kind: "text", text });
  });
  try {
    root.parse([...argv], { from: "user" });
  } catch (error) {
    throw usageError(error, argv);
  }
  return accepted[0] ?? { kind: "text", text: rootHelp(COMMANDS) };
}

function unknownCommand(word: string): EngineError {
  const names = [...COMMANDS.map(({ name }) => name), "help"];
  return new EngineError("CLI_USAGE", {
    message: `there is no command "${word}"`,
    hint: suggestion(word, names, "see `lab help` for all commands"),
  });
}

function unknownOption(word: string): EngineError {
  const flags = GLOBAL_OPTIONS.flatMap(([text]) => text.match(/--?[a-z-]+/g) ?? []);
  return new EngineError("CLI_USAGE", {
    message: `unknown option '${word}'`,
    hint: suggestion(word, [...flags, "--help", "--version"], "see `lab help`"),
  });
}

function usageError(error: unknown, argv: readonly string[]): unknown {
  if (!(error instanceof CommanderError)) return error;
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  if (error.code === "commander.unknownCommand") return unknownCommand(argv[0] ?? "");
  const near = /Did you mean (.+?)\?/.exec(rest.join(" "))?.[1];
  const command = argv.find((word) => COMMANDS.some(({ name }) => name === word));
  const help = command === undefined ? "`lab help`" : `\`lab help ${command}\``;
  return new EngineError("CLI_USAGE", {
    message: first,
    hint: near === undefined ? `see ${help}` : `did you mean ${near}? See ${help}`,
  });
}

/** Flags that matter even when the rest cannot be parsed. */
function presentFlags(argv: readonly string[]): {
  readonly json: boolean;
  readonly color: boolean;
} {
  const end = argv.indexOf("--");
  const flags = end === -1 ? argv : argv.slice(0, end);
  return { json: flags.includes("--json"), color: !flags.includes("--no-color") };
}

function contextFor(io: CliIo, given: Given): CommandContext {
  const fromEnv = io.env["LAB_NAME"];
  const name = given["name"];
  const wantsColorAtAll = given["color"] !== false;
  const isQuiet = given["quiet"] === true;
  return {
    io,
    labName:
      typeof name === "string"
        ? name
        : fromEnv === undefined || fromEnv === ""
          ? DEFAULT_LAB
          : fromEnv,
    home: labHome(io.env, io.cwd),
    json: given["json"] === true,
    quiet: isQuiet,
    yes: given["yes"] === true,
    color: palette(wantsColor(io.env, io.isTTY.stdout, wantsColorAtAll)),
    progress: createProgress(io, { quiet: isQuiet, ansi: wantsAnimation(io) }),
    signal: io.signal,
  };
}

/** Called by the shells' scripts on every press of the tab key. */
function completion(io: CliIo, words: readonly string[]): CommandResult {
  const { home, labName } = contextFor(io, { quiet: true });
  const found = complete(words, { commands: COMMANDS, home, labName });
  return { schema: "lab.complete/1", data: { words: found }, text: found.join("\n") };
}

async function execute(io: CliIo, argv: readonly string[]): Promise<CommandResult> {
  if (argv[0] === COMPLETE) return completion(io, argv.slice(argv[1] === "--" ? 2 : 1));
  const request = parse(argv);
  if (request.kind === "text") {
    const text = request.text.trimEnd();
    return { schema: "lab.help/1", data: { text }, text };
  }
  return request.command.invoke(contextFor(io, request.given), request.args, request.given);
}

/** @returns the exit code of an end by signal, or undefined when none came */
function interruption(io: CliIo): ExitCode | undefined {
  if (!io.signal.aborted) return undefined;
  if (io.signal.reason === "EPIPE") return EXIT.done;
  return io.signal.reason === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
}

/**
 * Runs one command line.
 * @param argv without program and script
 * @param io streams, environment and signals
 * @returns the exit code (lab-and-drills 5.1)
 */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  const flags = presentFlags(argv);
  const color = wantsColor(io.env, io.isTTY.stderr, flags.color);
  try {
    const result = await execute(io, argv);
    const exitCode = printResult(io, result, flags.json);
    return interruption(io) ?? exitCode;
  } catch (error) {
    const code = interruption(io);
    if (code === undefined) return printError(io, error, { json: flags.json, color });
    const isForeign = !(error instanceof EngineError);
    const shown = new EngineError("LAB_INTERRUPTED", {
      message: isForeign ? "interrupted" : error.message,
      hint: (isForeign ? undefined : error.hint) ?? "run the same command again to go on",
    });
    printError(io, shown, { json: flags.json, color });
    return code;
  }
}
