/** How results and errors are shown: text for people, one JSON document for programs. */
import { Chalk, type ChalkInstance, type ColorSupportLevel } from "chalk";
import { EngineError } from "../../engine/base/engine-error.ts";
import type { CommandResult } from "./define-command.ts";
import { EXIT, exitCodeFor, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";

/** Where a bug is to be reported is in package.json; the text only says that it is one. */
const BUG_HINT = "this is a bug of the lab; run again with LAB_DEBUG=1 for its stack";

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}

/**
 * Colour rules of lab-and-drills 5.1: NO_COLOR (non-empty), `--no-color`, TERM=dumb and pipes switch it off, FORCE_COLOR on.
 * @param isTTY whether the stream is a terminal
 * @param flag false when the user said `--no-color`
 */
export function wantsColor(env: NodeJS.ProcessEnv, isTTY: boolean, flag: boolean): boolean {
  if (!flag || isSet(env["NO_COLOR"])) return false;
  const forced = env["FORCE_COLOR"];
  if (isSet(forced)) return forced !== "0" && forced !== "false";
  return isTTY && env["TERM"] !== "dumb";
}

/** @returns whether standard error may be redrawn in place: a terminal that is not dumb, and no CI */
export function wantsAnimation(io: CliIo): boolean {
  return io.isTTY.stderr && io.env["TERM"] !== "dumb" && !isSet(io.env["CI"]);
}

/** @returns chalk with colours on or off */
export function palette(enabled: boolean): ChalkInstance {
  const level: ColorSupportLevel = enabled ? 1 : 0;
  return new Chalk({ level });
}

/** Text without the colour codes chalk puts in, to measure its width. */
function visibleLength(text: string): number {
  // oxlint-disable-next-line no-control-regex -- colour codes begin with the escape character
  return text.replace(/\u001b\[[0-9;]*m/g, "").length;
}

/** How wide a table may be. */
export interface TableFit {
  /** Of the terminal; null: a pipe, which has room for everything. */
  readonly columns: number | null;
  /** Titles of columns that may be left out, least needed first. */
  readonly drop?: readonly string[];
}

const GAP = 2;
/** The last column is broken into lines, but not narrower than this. */
const LAST_MIN = 24;

type Row = readonly string[];

function widthsOf(all: readonly Row[]): readonly number[] {
  const header = all[0] ?? [];
  return header.map((_, column) => Math.max(...all.map((row) => visibleLength(row[column] ?? ""))));
}

/** Columns a table needs when its last one is broken into lines. */
function neededWidth(all: readonly Row[]): number {
  const widths = widthsOf(all);
  const last = Math.min(widths.at(-1) ?? 0, LAST_MIN);
  return widths.slice(0, -1).reduce((sum, width) => sum + width + GAP, last);
}

function withoutColumn(all: readonly Row[], title: string): readonly Row[] {
  const index = all[0]?.indexOf(title) ?? -1;
  return index === -1 ? all : all.map((row) => row.filter((_, column) => column !== index));
}

/** Words of a text, as many to a line as fit. A colour that is on stays on: lines are only indented. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    const joined = last === undefined ? word : `${last} ${word}`;
    if (last === undefined || visibleLength(joined) > width) lines.push(word);
    else lines[lines.length - 1] = joined;
  }
  return lines;
}

/**
 * @param header column titles
 * @param rows cells; colours allowed
 * @param fit how wide it may be: columns that may go are left out, least needed first, then the last column is broken into lines
 * @returns columns padded to equal width, two blanks apart, no blanks at line ends
 */
export function table(
  header: Row,
  rows: readonly Row[],
  fit: TableFit = { columns: null },
): string {
  const room = fit.columns ?? Number.POSITIVE_INFINITY;
  let all: readonly Row[] = [header, ...rows];
  for (const title of fit.drop ?? []) {
    if (neededWidth(all) > room) all = withoutColumn(all, title);
  }
  const widths = widthsOf(all).slice(0, -1);
  const indent = widths.reduce((sum, width) => sum + width + GAP, 0);
  const padded = (cell: string, width: number): string =>
    cell + " ".repeat(Math.max(0, width - visibleLength(cell)) + GAP);
  const line = (row: Row): string => {
    const lead = widths.map((width, column) => padded(row[column] ?? "", width)).join("");
    const last = wrap(row.at(-1) ?? "", Math.max(LAST_MIN, room - indent));
    return `${lead}${last.join(`\n${" ".repeat(indent)}`)}`.trimEnd();
  };
  return all.map(line).join("\n");
}

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB"];

/** @returns `12 MiB` */
export function bytesText(bytes: number): string {
  const power = Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1_024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${BYTE_UNITS[power] ?? "B"}`;
}

/** An error as both forms show it. */
interface ErrorView {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

function viewOf(error: unknown, env: NodeJS.ProcessEnv): ErrorView {
  if (error instanceof EngineError) {
    return { code: error.code, message: error.message, hint: error.hint ?? "see `lab help`" };
  }
  const stack = error instanceof Error && isSet(env["LAB_DEBUG"]) ? (error.stack ?? "") : "";
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (exitCodeFor(error) !== EXIT.bug) {
    return { code: String(code), message, hint: "check the owner and mode of that path" };
  }
  return { code: "UNEXPECTED", message: stack === "" ? message : stack, hint: BUG_HINT };
}

/** Prints a result. @returns its exit code */
export function printResult(io: CliIo, result: CommandResult, json: boolean): number {
  if (json) {
    io.stdout.write(`${JSON.stringify({ schema: result.schema, ...result.data }, null, 2)}\n`);
  } else if (result.text !== "") {
    io.stdout.write(`${result.text}\n`);
  }
  return result.exitCode ?? EXIT.done;
}

/**
 * Prints an error: what and why, then the next command. With `--json` the same as one document on standard output.
 * @returns its exit code
 */
export function printError(
  io: CliIo,
  error: unknown,
  options: { readonly json: boolean; readonly color: boolean },
): ExitCode {
  const view = viewOf(error, io.env);
  const exitCode = exitCodeFor(error);
  if (options.json) {
    io.stdout.write(
      `${JSON.stringify({ schema: "lab.error/1", error: { ...view, exitCode } }, null, 2)}\n`,
    );
    return exitCode;
  }
  const paint = palette(options.color);
  io.stderr.write(`${paint.red("error")} ${paint.bold(view.code)}: ${view.message}\n`);
  io.stderr.write(`${paint.cyan("next")}  ${view.hint}\n`);
  return exitCode;
}
