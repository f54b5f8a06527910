/** What may come next on a command line: from the declared commands, and from the labs, nodes and presets that are here. Asks no engine. */
import { EngineError } from "../../engine/base/engine-error.ts";
import { labNames, readState } from "../runtime/state.ts";
import { presetNames } from "../topology/presets.ts";
import { selectorNames } from "../topology/selectors.ts";
import type { Topology } from "../topology/topology.ts";
import type { Command } from "./define-command.ts";
import { GLOBAL_OPTIONS } from "./help.ts";

/** Hidden command the shells' scripts call. */
export const COMPLETE = "__complete";

/** What completion draws from. */
export interface CompletionSources {
  readonly commands: readonly Command[];
  readonly home: string;
  readonly labName: string;
}

interface Flag {
  readonly names: readonly string[];
  readonly takesValue: boolean;
  readonly values: readonly string[];
}

function flagOf(flags: string, values: readonly string[] = []): Flag {
  const names = flags.match(/--?[A-Za-z][\w-]*/g) ?? [];
  return { names, takesValue: flags.includes("<"), values };
}

function topologyOf(home: string, labName: string): Topology | null {
  try {
    return readState(home, labName)?.topology ?? null;
  } catch (error) {
    if (error instanceof EngineError) return null;
    throw error;
  }
}

/** The flags that may stand here; `--name` and the sources of topologies have values only known now. */
function flagsFor(command: Command | undefined, sources: CompletionSources): readonly Flag[] {
  const globals = GLOBAL_OPTIONS.map(([flags]) =>
    flagOf(flags, flags.startsWith("--name") ? labNames(sources.home) : []),
  );
  const own = Object.values(command?.options ?? {}).map(({ flags, values }) =>
    flagOf(flags, flags.includes("<preset>") ? presetNames() : values),
  );
  return [...own, ...globals, flagOf("-h, --help")];
}

interface Line {
  readonly command: Command | undefined;
  /** Words so far that are neither flags nor their values, without the command. */
  readonly positionals: readonly string[];
  readonly labName: string;
  /** The flag whose value is being typed. */
  readonly open: Flag | undefined;
}

function readLine(words: readonly string[], sources: CompletionSources): Line {
  let command: Command | undefined;
  let hasCommand = false;
  let open: Flag | undefined;
  let labName = sources.labName;
  const positionals: string[] = [];
  for (const word of words) {
    if (open !== undefined) {
      if (open.names.includes("--name")) labName = word;
      open = undefined;
    } else if (word.startsWith("-")) {
      const flag = flagsFor(command, sources).find(({ names }) => names.includes(word));
      open = flag?.takesValue === true ? flag : undefined;
    } else if (hasCommand) {
      positionals.push(word);
    } else {
      hasCommand = true;
      command = sources.commands.find(({ name }) => name === word);
      if (command === undefined) positionals.push(word);
    }
  }
  return { command, positionals, labName, open };
}

function nodeWords(home: string, labName: string): readonly string[] {
  const topology = topologyOf(home, labName);
  if (topology === null) return [];
  return [...topology.nodes.map((node) => node.name), ...selectorNames(topology)];
}

function commandWords(line: Line, sources: CompletionSources): readonly string[] {
  const names = sources.commands.map(({ name }) => name);
  if (line.positionals.length === 0) return [...names, "help"];
  return line.positionals[0] === "help" ? [...names, "exit-codes"] : [];
}

function argumentWords(line: Line, sources: CompletionSources): readonly string[] {
  if (line.command === undefined) return commandWords(line, sources);
  const { args } = line.command;
  const last = args.at(-1);
  const spec = args[line.positionals.length] ?? (last?.variadic === true ? last : undefined);
  const byName: Readonly<Record<string, () => readonly string[]>> = {
    PRESET: presetNames,
    NODE: () => nodeWords(sources.home, line.labName),
  };
  return spec?.values ?? byName[spec?.name ?? ""]?.() ?? [];
}

/**
 * @param words after `lab`; the last one is being typed and may be empty
 * @param sources what there is
 * @returns what it may become, in the order help has it; nothing when files or anything else may follow
 */
export function complete(words: readonly string[], sources: CompletionSources): readonly string[] {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  if (before.includes("--")) return [];
  const line = readLine(before, sources);
  const candidates = (): readonly string[] => {
    if (line.open !== undefined) return line.open.values;
    if (!typed.startsWith("-")) return argumentWords(line, sources);
    return flagsFor(line.command, sources).flatMap(({ names }) =>
      names.filter((name) => name.startsWith("--")),
    );
  };
  return candidates().filter((word) => word.startsWith(typed) && !line.positionals.includes(word));
}
