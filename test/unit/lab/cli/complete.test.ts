import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allot } from "../../../../lab/runtime/allot.ts";
import { writeState } from "../../../../lab/runtime/state.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
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

  it("the bash script asks the program and offers what it answers", async () => {
    const { stdout } = await runCli(["completion", "bash"], {});
    const program = join(home, "lab");
    rmSync(program, { recursive: true, force: true });
    writeFileSync(program, '#!/bin/sh\nprintf "%s|" "$@" >&2\necho "$3-one"; echo "$3-two"\n');
    chmodSync(program, 0o755);
    const script = `${stdout}\nCOMP_LINE="lab kill "; COMP_POINT=9; _lab; printf '%s,' "\${COMPREPLY[@]}"`;
    const bash = spawnSync("bash", ["-c", script], {
      env: { PATH: `${home}:${process.env["PATH"] ?? ""}` },
      encoding: "utf8",
    });
    expect(bash.stdout).toBe("kill-one,kill-two,");
  });
});
