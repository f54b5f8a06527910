/** Help texts, made from the declarations: examples first, then what the command does, then arguments and options. */
import type { Command, CommandExample } from "./define-command.ts";
import { EXIT_MEANINGS } from "./exit-codes.ts";
import { table } from "./output.ts";

/** Options every command takes. Parsed once, at the root, so they may stand before or after the command. */
export const GLOBAL_OPTIONS: readonly (readonly [string, string])[] = [
  ["--name <lab>", "which lab; default: $LAB_NAME, else `lab`"],
  ["--json", "one JSON document on standard output, also for errors"],
  ["-q, --quiet", "no talk on standard error"],
  ["--no-color", "no colours (also: NO_COLOR=1)"],
  ["--yes", "answer every question with yes"],
];

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? "" : `  ${line}`))
    .join("\n");
}

function pairs(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return indent(rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`).join("\n"));
}

function examplesText(examples: readonly CommandExample[]): string {
  return pairs(examples.map(({ command, what }) => [command, what]));
}

function usage(command: Command): string {
  const args = command.args.map((arg) => {
    const name = arg.variadic === true ? `${arg.name}...` : arg.name;
    return arg.required ? ` ${name}` : ` [${name}]`;
  });
  return `lab ${command.name}${args.join("")} [options]`;
}

/** @returns the help of one command */
export function commandHelp(command: Command): string {
  const parts = [
    command.summary,
    `Examples:\n${examplesText(command.examples)}`,
    `Usage:\n  ${usage(command)}`,
    command.description,
  ];
  if (command.args.length > 0) {
    parts.push(`Arguments:\n${pairs(command.args.map((arg) => [arg.name, arg.help]))}`);
  }
  const options = Object.values(command.options).map(({ flags, help }) => [flags, help] as const);
  if (options.length > 0) parts.push(`Options:\n${pairs(options)}`);
  parts.push(`For every command:\n${pairs(GLOBAL_OPTIONS)}`);
  return `${parts.join("\n\n")}\n`;
}

const ROOT_EXAMPLES: readonly CommandExample[] = [
  { command: "lab up 2m-2s-sync", what: "two masters, two slaves, two name servers, a dashboard" },
  { command: "lab status", what: "what runs where, and how it is" },
  { command: "lab kill broker-a-master", what: "break it" },
  { command: "lab start broker-a-master", what: "and bring it back" },
  { command: "lab bench --producers 8", what: "what this mode costs" },
  { command: "lab down", what: "stop it, keep the data" },
];

/** @returns the help of the program */
export function rootHelp(commands: readonly Command[]): string {
  return `${[
    "lab: a RocketMQ cluster you can break on your laptop",
    `Examples:\n${examplesText(ROOT_EXAMPLES)}`,
    "Usage:\n  lab COMMAND [arguments] [options]",
    `Commands:\n${pairs(commands.map(({ name, summary }) => [name, summary]))}`,
    `For every command:\n${pairs(GLOBAL_OPTIONS)}`,
    "More: `lab help COMMAND`, `lab help exit-codes`, `lab --version`",
  ].join("\n\n")}\n`;
}

/** @returns the table of exit codes */
export function exitCodesHelp(): string {
  return `${table(
    ["CODE", "MEANING"],
    EXIT_MEANINGS.map(([code, meaning]) => [String(code), meaning]),
  )}\n`;
}
