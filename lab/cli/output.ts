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

/**
 * @param header column titles
 * @param rows cells; colours allowed
 * @returns columns padded to equal width, two blanks apart, no blanks at line ends
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) =>
    Math.max(...all.map((row) => visibleLength(row[column] ?? ""))),
  );
  const line = (row: readonly string[]): string =>
    row
      .map(
        (cell, column) =>
          cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - visibleLength(cell))),
      )
      .join("  ")
      .trimEnd();
  return all.map(line).join("\n");
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
