import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allot } from "../../../../lab/runtime/allot.ts";
import { writeState } from "../../../../lab/runtime/state.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
import { machineHas } from "../../../helpers/requirements.ts";
import { runCli } from "./run-cli.ts";

let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "lab-complete-"));
  for (const [name, preset] of [
    ["lab", "2m-2s-sync"],
    ["small", "1m"],
  ] as const) {
    const { topology } = loadTopology(preset, home);
    writeState(home, allot({ home, name, topology, runtime: "process", index: undefined }));
  }
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

async function words(line: string): Promise<string[]> {
  const run = await runCli(["__complete", "--", ...line.split(" ")], { env: { LAB_HOME: home } });
  expect(run).toMatchObject({ code: 0, stderr: "" });
  return run.stdout.trim().split("\n");
}

describe("completion", () => {
  it.each([
    ["sta", ["status", "start"]],
    ["kill broker-a", ["broker-a-master", "broker-a-slave"]],
    ["kill @ma", ["@masters"]],
    ["kill broker-a-master broker-a", ["broker-a-slave"]],
    ["--name small kill @ma", ["@masters"]],
    ["kill --name small broker-", ["broker-a-master"]],
    ["up 2m-2s", ["2m-2s-async", "2m-2s-sync"]],
    ["up --siz", ["--size"]],
    ["up --size ", ["tiny", "small", "large"]],
    ["up --runtime p", ["process"]],
    ["status --name s", ["small"]],
    ["init --from 1", ["1m"]],
    ["doctor a", ["addresses"]],
    ["completion ", ["bash", "zsh", "fish"]],
    ["help exit", ["exit-codes"]],
    ["run -- nod", [""]],
  ])("lab %s", async (line, expected) => {
    expect(await words(line)).toEqual(expected);
  });

  it("an unknown shell is exit 2 with the nearest one", async () => {
    const run = await runCli(["completion", "bsh"], { env: { LAB_HOME: home } });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain("did you mean bash");
  });
});

/** Presses tab after `lab kill k` on a terminal of zsh's own. */
const ZSH_TAB = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; autoload -U compinit; compinit -u -D; source $1; print sour''ced"
while zpty -r shell line; do [[ $line == *sourced* ]] && break; done
zpty -n -w shell $'lab kill k\\t'
zpty -r shell seen '*kill-one*'
print -r -- "$seen"
zpty -d shell`;

describe("completion scripts, sourced in their shells", () => {
  let folder: string;

  /** A `lab` that offers one word after what is typed, none after `x`, and notes what it was asked. */
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lab-shells-"));
    const noted = join(folder, "asked");
    const answer = `for last; do :; done; [ "$last" = x ] || echo "$3-one"`;
    writeFileSync(join(folder, "lab"), `#!/bin/sh\nprintf '%s|' "$@" >> ${noted}\n${answer}\n`);
    chmodSync(join(folder, "lab"), 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const asked = (): string => readFileSync(join(folder, "asked"), "utf8");

  /** Writes the script of a shell to a file. @returns its path */
  async function scriptFor(shell: string): Promise<string> {
    const path = join(folder, shell);
    writeFileSync(path, (await runCli(["completion", shell], {})).stdout);
    rmSync(join(folder, "asked"), { force: true });
    return path;
  }

  function inShell(shell: string, args: readonly string[]): string {
    const run = spawnSync(shell, [...args], {
      cwd: folder,
      env: { PATH: `${folder}:${process.env["PATH"] ?? ""}`, HOME: folder, TERM: "dumb" },
      encoding: "utf8",
      timeout: 15_000,
    });
    expect(run.stderr).toBe("");
    return run.stdout;
  }

  it("bash", async () => {
    const tab = `COMP_LINE="lab kill "; COMP_POINT=9; _lab; printf '%s,' "\${COMPREPLY[@]}"`;
    const script = `source ${await scriptFor("bash")}; complete -p lab; ${tab}`;
    expect(inShell("bash", ["--norc", "-c", script])).toBe(
      "complete -o default -F _lab lab\nkill-one,",
    );
    expect(asked()).toBe("__complete|--|kill||");
  });

  it.runIf(machineHas("zsh"))("zsh", async () => {
    const program = join(folder, "tab.zsh");
    writeFileSync(program, ZSH_TAB);
    expect(inShell("zsh", ["-f", program, await scriptFor("zsh")])).toContain("kill kill-one");
    expect(asked()).toBe("__complete|--|kill|k|");
  });

  it.runIf(machineHas("fish"))("fish, and files where the program knows no word", async () => {
    const script = `source ${await scriptFor("fish")}; complete -C "lab kill "; complete -C "lab kill x"`;
    expect(inShell("fish", ["--no-config", "-c", script])).toBe("kill-one\n");
    expect(asked()).toBe("__complete|--|kill||__complete|--|kill|x|");
    writeFileSync(join(folder, "xfile"), "");
    expect(inShell("fish", ["--no-config", "-c", script])).toBe("kill-one\nxfile\n");
  });
});
