/** A command is a declared object: help, parsing and types come from the one declaration (style habit 21). */
import type { ChalkInstance } from "chalk";
import type { CliIo } from "./io.ts";
import type { GivenValue, OptionSpecs, OptionValues } from "./options.ts";
import type { Progress } from "./progress.ts";

/** One positional argument. */
export interface ArgumentSpec {
  readonly name: string;
  readonly help: string;
  readonly required: boolean;
  /** Takes all that follow; only the last argument may. */
  readonly variadic?: boolean;
  /** Words that may stand here, for completion. */
  readonly values?: readonly string[];
}

export interface CommandExample {
  readonly command: string;
  readonly what: string;
}

/** What every command gets besides its own arguments and options. */
export interface CommandContext {
  readonly io: CliIo;
  /** `--name`, else `$LAB_NAME`, else `lab`. */
  readonly labName: string;
  /** Folder of all labs. */
  readonly home: string;
  readonly json: boolean;
  readonly quiet: boolean;
  /** `--yes`: questions are answered with yes. */
  readonly yes: boolean;
  /** Colours for standard output. */
  readonly color: ChalkInstance;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What a command found or did; main prints it as text or as JSON. */
export interface CommandResult {
  /** `lab.status/1`. */
  readonly schema: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** 0 unless the command has a verdict to give, or passes on that of a program it ran. */
  readonly exitCode?: number;
}

/** Arguments by position (a variadic one spreads over the rest) and options by name. */
export interface CommandInput<Specs extends OptionSpecs> {
  readonly args: readonly string[];
  readonly options: OptionValues<Specs>;
}

export interface CommandDefinition<Specs extends OptionSpecs> {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What it does and does not do, shown below the examples. */
  readonly description: string;
  /** Most used first. */
  readonly examples: readonly CommandExample[];
  readonly args: readonly ArgumentSpec[];
  readonly options: Specs;
  run(context: CommandContext, input: CommandInput<Specs>): Promise<CommandResult>;
}

/** A command whose option types are settled: what main registers. */
export interface Command extends Omit<CommandDefinition<OptionSpecs>, "run"> {
  /** @param given option values as commander read them, by name */
  invoke(
    context: CommandContext,
    args: readonly string[],
    given: Readonly<Record<string, GivenValue>>,
  ): Promise<CommandResult>;
}

/**
 * @param definition the command
 * @returns the same, ready to be registered; its options are checked before `run` sees them
 */
export function defineCommand<const Specs extends OptionSpecs>(
  definition: CommandDefinition<Specs>,
): Command {
  const { name, summary, description, examples, args, options } = definition;
  return {
    name,
    summary,
    description,
    examples,
    args,
    options,
    invoke: (context, values, given) => {
      const parsed = Object.entries(options).map(([key, spec]) => [key, spec.parse(given[key])]);
      return definition.run(context, {
        args: values,
        options: Object.fromEntries(parsed) as OptionValues<Specs>,
      });
    },
  };
}
