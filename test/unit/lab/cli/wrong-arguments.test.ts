/** Whatever is mistyped, for every command there is: exit 2, one error that names the next command, nothing done. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMANDS } from "../../../../lab/cli/commands/index.ts";
import type { Command } from "../../../../lab/cli/define-command.ts";
import { runCli, type CliRun } from "./run-cli.ts";

const NONSENSE = "no-such-thing~";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-wrong-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function lab(argv: readonly string[]): Promise<CliRun> {
  return runCli(argv, { cwd: home, env: { LAB_HOME: home } });
}

/** Every argument a command needs, filled with something. */
function needed(command: Command): string[] {
  return command.args.filter((arg) => arg.required).map((arg) => arg.values?.[0] ?? "thing");
}

function refuses(value: string, parse: (given: string) => unknown): boolean {
  try {
    parse(value);
    return false;
  } catch {
    return true;
  }
}

interface Row {
  readonly argv: readonly string[];
  readonly says: string;
}

/** What can be mistyped, from the declaration: an option, too few words, too many, a value that cannot be. */
function rowsOf(command: Command): readonly Row[] {
  const { name, args, options } = command;
  const words = needed(command);
  const rows: Row[] = [
    { argv: [name, ...words, "--no-such-option"], says: "unknown option '--no-such-option'" },
  ];
  if (words.length > 0) rows.push({ argv: [name], says: `\`lab ${name}\` needs` });
  if (args.at(-1)?.variadic !== true) {
    const many = Array.from({ length: args.length + 1 }, () => "thing");
    rows.push({ argv: [name, ...many], says: "too many arguments" });
  }
  for (const { flags, parse } of Object.values(options)) {
    const [long = ""] = flags.match(/--[a-z-]+/) ?? [];
    if (!flags.includes("<")) continue;
    rows.push({ argv: [name, ...words, long], says: "argument missing" });
    if (refuses(NONSENSE, parse)) {
      rows.push({ argv: [name, ...words, long, NONSENSE], says: `"${NONSENSE}"` });
    }
  }
  return rows;
}

const ROWS = COMMANDS.flatMap(rowsOf).map((row): [string, Row] => [row.argv.join(" "), row]);

describe("wrong arguments", () => {
  it("there are rows for every command", () => {
    const named = new Set(ROWS.map(([, row]) => row.argv[0]));
    expect(named).toEqual(new Set(COMMANDS.map(({ name }) => name)));
    expect(ROWS.length).toBeGreaterThan(2 * COMMANDS.length);
  });

  it.each(ROWS)("lab %s", async (_line, { argv, says }) => {
    const run = await lab(argv);
    expect(run.stderr).toContain(says);
    expect(run.stderr).toMatch(/^next {2}\S/m);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(readdirSync(home)).toEqual([]);
    const asJson = await lab(["--json", ...argv]);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ schema: "lab.error/1" });
    expect(asJson).toMatchObject({ code: 2, stderr: "" });
  });
});
