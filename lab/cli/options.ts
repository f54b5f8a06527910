/** Kinds of option and argument values: one declaration gives flag, help, check and type. */
import { EngineError } from "../../engine/base/engine-error.ts";

/** What commander read: nothing, a switch, a text, or the texts of an option that may stand several times. */
export type GivenValue = string | boolean | readonly string[] | undefined;

/** One option of a command. `parse` gets `undefined` when the user gave none. */
export interface OptionSpec<Value> {
  /** As commander reads them: `--size <bytes>`, `-f, --follow`. */
  readonly flags: string;
  readonly help: string;
  readonly parse: (given: GivenValue) => Value;
  /** May stand several times; `parse` gets all texts. */
  readonly repeatable?: true;
  /** Words that may follow, for completion. */
  readonly values?: readonly string[];
}

export type OptionSpecs = Readonly<Record<string, OptionSpec<unknown>>>;

/** Values by option name. */
export type OptionValues<Specs extends OptionSpecs> = {
  readonly [K in keyof Specs]: Specs[K] extends OptionSpec<infer Value> ? Value : never;
};

function usage(message: string, hint: string): EngineError {
  return new EngineError("CLI_USAGE", { message, hint });
}

/** On or off. */
export function switchOption(flags: string, help: string): OptionSpec<boolean> {
  return { flags, help, parse: (given) => given === true };
}

/** On unless the user says `--no-…`. */
export function offOption(flags: string, help: string): OptionSpec<boolean> {
  return { flags, help, parse: (given) => given !== false };
}

/** Any text; undefined when not given. */
export function textOption(flags: string, help: string): OptionSpec<string | undefined> {
  return { flags, help, parse: (given) => (typeof given === "string" ? given : undefined) };
}

/** Any texts, in the order given; the option may stand several times. */
export function listOption(flags: string, help: string): OptionSpec<readonly string[]> {
  const parse = (given: GivenValue): readonly string[] => (Array.isArray(given) ? given : []);
  return { flags, help: `${help}; may stand several times`, repeatable: true, parse };
}

/** One of a few words; `initial` when not given. */
export function choiceOption<const Choice extends string, Initial extends Choice | undefined>(
  flags: string,
  help: string,
  choices: { readonly allowed: readonly Choice[]; readonly initial: Initial },
): OptionSpec<Choice | Initial> {
  return {
    flags,
    help: `${help} (${choices.allowed.join(", ")})`,
    values: choices.allowed,
    parse: (given) => {
      if (typeof given !== "string") return choices.initial;
      const found = choices.allowed.find((choice) => choice === given);
      if (found !== undefined) return found;
      throw usage(`${flags}: "${given}" is not allowed`, `allowed: ${choices.allowed.join(", ")}`);
    },
  };
}

/** Bounds and the value when the user gave none. */
export interface NumberRange<Initial extends number | undefined> {
  readonly min: number;
  readonly max: number;
  readonly initial: Initial;
}

function parsed<Initial extends number | undefined>(
  spec: { readonly flags: string; readonly range: NumberRange<Initial>; readonly example: string },
  convert: (text: string) => number | null,
): (given: GivenValue) => number | Initial {
  return (given) => {
    if (typeof given !== "string") return spec.range.initial;
    const value = convert(given);
    if (value !== null && value >= spec.range.min && value <= spec.range.max) return value;
    const reason = value === null ? "cannot be read" : "is out of range";
    throw usage(`${spec.flags}: "${given}" ${reason}`, spec.example);
  };
}

/** A whole number; `5k` = 5,000. */
export function numberOption<Initial extends number | undefined>(
  flags: string,
  help: string,
  range: NumberRange<Initial>,
): OptionSpec<number | Initial> {
  const example = `a whole number from ${range.min} to ${range.max}, for example 8 or 5k`;
  const convert = (text: string): number | null => {
    const [, digits, unit] = /^(\d{1,12})(k?)$/.exec(text) ?? [];
    return digits === undefined ? null : Number(digits) * (unit === "k" ? 1_000 : 1);
  };
  return { flags, help, parse: parsed({ flags, range, example }, convert) };
}

const TIME_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, "": 1_000 };

/** A time in milliseconds; `90s`, `2m`, `500ms`, plain numbers are seconds. Range in milliseconds. */
export function durationOption<Initial extends number | undefined>(
  flags: string,
  help: string,
  range: NumberRange<Initial>,
): OptionSpec<number | Initial> {
  const example = `a time from ${range.min} ms to ${range.max / 1_000} s, for example 10s, 500ms or 2m`;
  const convert = (text: string): number | null => {
    const [, digits, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|)$/.exec(text) ?? [];
    return digits === undefined ? null : Number(digits) * (TIME_UNITS[unit ?? ""] ?? 1_000);
  };
  return { flags, help, parse: parsed({ flags, range, example }, convert) };
}

const MIB = 1_048_576;
const SIZE_UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1_024, m: MIB };

/** As one would type it. */
function sizeText(bytes: number): string {
  if (bytes >= MIB && bytes % MIB === 0) return `${bytes / MIB}m`;
  return bytes >= 1_024 && bytes % 1_024 === 0 ? `${bytes / 1_024}k` : String(bytes);
}

/** A size in bytes; `1k` = 1,024. */
export function sizeOption<Initial extends number | undefined>(
  flags: string,
  help: string,
  range: NumberRange<Initial>,
): OptionSpec<number | Initial> {
  const [from, to] = [sizeText(range.min), sizeText(range.max)];
  const example = `a size from ${from} to ${to}, for example ${range.min >= MIB ? "512m" : "512, 1k or 4k"}`;
  const convert = (text: string): number | null => {
    const [, digits, unit] = /^(\d{1,9})([bkm]?)$/i.exec(text) ?? [];
    return digits === undefined
      ? null
      : Number(digits) * (SIZE_UNITS[(unit ?? "").toLowerCase()] ?? 1);
  };
  return { flags, help, parse: parsed({ flags, range, example }, convert) };
}
