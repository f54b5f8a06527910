import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMANDS } from "../../../../lab/cli/commands/index.ts";
import { allot } from "../../../../lab/runtime/allot.ts";
import { writeState } from "../../../../lab/runtime/state.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
import { runCli, type CliRun, type CliSurroundings } from "./run-cli.ts";

const ESCAPE = "\u001b";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-cli-"));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function lab(line: string, around: CliSurroundings = {}): Promise<CliRun> {
  const argv = line.split(" ").filter((word) => word !== "");
  return runCli(argv, { cwd: home, ...around, env: { LAB_HOME: home, ...around.env } });
}

/** A lab that exists and whose nodes were never started. */
function makeLab(name: string): void {
  const { topology } = loadTopology("2m-2s-sync", home);
  writeState(home, allot({ home, name, topology, runtime: "process", index: 20 }));
}

describe("help", () => {
  it.each(["", "help", "--help", "-h"])(
    "`lab %s` prints the program's help to stdout, exit 0",
    async (line) => {
      const run = await lab(line);
      expect(run).toMatchObject({ code: 0, stderr: "" });
      for (const command of COMMANDS) expect(run.stdout).toContain(`  ${command.name}`);
      expect(run.stdout.indexOf("Examples:")).toBeLessThan(run.stdout.indexOf("Commands:"));
    },
  );

  it.each(COMMANDS.map(({ name }) => name))(
    "`lab %s --help` shows examples first",
    async (name) => {
      const run = await lab(`${name} --help`);
      expect(run).toMatchObject({ code: 0, stderr: "" });
      const examples = run.stdout.indexOf("Examples:");
      expect(examples).toBeGreaterThan(0);
      expect(examples).toBeLessThan(run.stdout.indexOf("Usage:"));
      expect(run.stdout).toContain("--json");
      expect((await lab(`help ${name}`)).stdout).toBe(run.stdout);
      expect((await lab(`--help ${name}`)).stdout).toBe(run.stdout);
    },
  );

  it("`lab help exit-codes` lists every documented code", async () => {
    const run = await lab("help exit-codes");
    const codes = run.stdout.match(/^\d+/gm)?.map(Number);
    expect(codes).toEqual([0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 20, 27, 130, 143]);
  });

  it("`lab --version` prints the version", async () => {
    expect((await lab("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("is one JSON document with --json", async () => {
    const run = await lab("help up --json");
    expect(JSON.parse(run.stdout)).toMatchObject({ schema: "lab.help/1" });
  });
});

describe("bad usage is exit 2 with a next step", () => {
  it.each([
    ["staus", 'no command "staus"', "did you mean status"],
    ["frobnicate", 'no command "frobnicate"', "lab help"],
    ["staus --json-ish", 'no command "staus"', "did you mean status"],
    ["--vresion", "unknown option '--vresion'", "did you mean --version"],
    ["up --runtme process", "unknown option '--runtme'", "did you mean --runtime"],
    ["up --runtime podman", '"podman" is not allowed', "docker, process"],
    ["up 2m-2s-snyc", "2m-2s-snyc", "did you mean 2m-2s-sync"],
    ["up a b", "too many arguments", "lab help up"],
    ["up 1m --topology .", "exclude each other", "leave one"],
    ["up --topology ./nowhere", "topology.yaml", "conf/"],
    ["up --timeout soon", '"soon" cannot be read', "10s"],
    ["up --name ../x", "no lab name", "--name lab-2"],
    ["kill", "needs NODE", "lab kill broker-a-master"],
    ["kill x --signal SIGFOO", '"SIGFOO" is not allowed', "SIGKILL"],
    ["bench --producers 0", "out of range", "from 1 to 256"],
    ["bench --producers many", "cannot be read", "from 1 to 256"],
    ["bench --size 9m", "out of range", "1k"],
    ["bench --topic a/b", "no topic name", "letters"],
    ["help nonsense", 'no help on "nonsense"', "lab help"],
  ])("lab %s", async (line, what, next) => {
    makeLab("lab");
    const run = await lab(line);
    expect(run.stderr).toContain(what);
    expect(run.stderr).toContain(next);
    expect(run).toMatchObject({ code: 2, stdout: "" });
  });

  it("is one JSON document on stdout with --json, wherever the flag stands", async () => {
    for (const line of ["--json staus", "up --runtme x --json", "kill --json"]) {
      const run = await lab(line);
      const { error, schema } = JSON.parse(run.stdout) as {
        schema: string;
        error: Record<string, unknown>;
      };
      expect(schema).toBe("lab.error/1");
      expect(Object.keys(error)).toEqual(["code", "message", "hint", "exitCode"]);
      expect(error).toMatchObject({ code: "CLI_USAGE", exitCode: 2 });
      expect(run).toMatchObject({ code: 2, stderr: "" });
    }
  });
});

it("following logs never ends and --json is one document: exit 2", async () => {
  makeLab("lab");
  const run = await lab("logs -f --json");
  expect(run.code).toBe(2);
  expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: "CLI_USAGE" } });
});

describe("what does not exist is exit 6", () => {
  it.each(["status", "down", "logs", "kill broker-a-master", "bench", "destroy --yes"])(
    "lab %s without a lab says how to make one",
    async (line) => {
      const run = await lab(line);
      expect(run.code).toBe(6);
      expect(run.stderr).toContain("LAB_NOT_FOUND");
      expect(run.stderr).toContain("lab up 2m-2s-sync");
    },
  );

  it("names the labs there are", async () => {
    makeLab("other");
    expect((await lab("status")).stderr).toContain("labs here: other");
  });

  it("suggests the nearest node, or lists nodes and groups", async () => {
    makeLab("lab");
    const near = await lab("kill broker-a-mastr");
    expect(near).toMatchObject({ code: 6, stdout: "" });
    expect(near.stderr).toContain("did you mean broker-a-master");
    expect((await lab("logs @nowhere-at-all")).stderr).toContain("@masters");
  });
});

describe("a lab that is down", () => {
  it("has a status, exit 0; with --check exit 5", async () => {
    makeLab("lab");
    const run = await lab("status --json");
    const view = JSON.parse(run.stdout) as { schema: string; healthy: boolean; nodes: unknown[] };
    expect(view).toMatchObject({ schema: "lab.status/1", healthy: false, runtime: "process" });
    expect(view.nodes).toHaveLength(7);
    expect(run.code).toBe(0);
    expect((await lab("status --check")).code).toBe(5);
  });

  it("cannot be measured, and the error says what to do", async () => {
    makeLab("lab");
    const run = await lab("bench");
    expect(run.code).toBe(5);
    expect(run.stderr).toContain("lab up");
  });

  it("is chosen by --name, or by LAB_NAME", async () => {
    makeLab("second");
    expect((await lab("status --name second")).code).toBe(0);
    expect((await lab("status", { env: { LAB_NAME: "second" } })).code).toBe(0);
    expect((await lab("status --name lab", { env: { LAB_NAME: "second" } })).code).toBe(6);
  });

  it("pausing a node that does not run is a conflict, exit 4", async () => {
    makeLab("lab");
    const run = await lab("pause broker-a-master");
    expect(run.code).toBe(4);
    expect(run.stderr).toContain("lab start broker-a-master");
  });

  it("killing and stopping what does not run is done already, exit 0", async () => {
    makeLab("lab");
    expect(await lab("kill @masters")).toMatchObject({ code: 0 });
    expect((await lab("stop broker-a-slave")).stdout).toContain("was not running");
  });
});

describe("a damaged state file", () => {
  function damage(): void {
    mkdirSync(join(home, "lab"), { recursive: true });
    writeFileSync(join(home, "lab", "state.json"), '{"schema": "lab.st');
  }

  it.each(["status", "up", "down", "kill @all"])("lab %s names the file, exit 2", async (line) => {
    damage();
    const run = await lab(line);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(join(home, "lab", "state.json"));
    expect(run.stderr).toContain("lab destroy");
  });

  it("can still be destroyed", async () => {
    damage();
    expect((await lab("destroy --yes")).code).toBe(0);
    expect((await lab("status")).code).toBe(6);
  });
});

describe("destroy", () => {
  it("without a terminal needs --yes", async () => {
    makeLab("lab");
    const run = await lab("destroy");
    expect(run.code).toBe(2);
    expect(run.stderr).toContain("lab destroy --yes");
    expect(readdirSync(home)).toContain("lab");
  });

  it("on a terminal goes on only when the lab's name is typed", async () => {
    makeLab("lab");
    expect((await lab("destroy", { isTTY: true, input: "yes\n" })).code).toBe(2);
    expect(readdirSync(home)).toContain("lab");
    expect((await lab("destroy -q", { isTTY: true, input: "lab\n" })).code).toBe(0);
    expect((await lab("status")).code).toBe(6);
  });

  it("leaves other labs alone", async () => {
    makeLab("lab");
    const { topology } = loadTopology("1m", home);
    writeState(home, allot({ home, name: "other", topology, runtime: "process", index: 19 }));
    await lab("destroy --yes");
    expect((await lab("status --name other")).code).toBe(0);
  });
});

describe("colours", () => {
  it.each([
    ["a pipe", {}, false],
    ["a terminal", { isTTY: true }, true],
    ["NO_COLOR on a terminal", { isTTY: true, env: { NO_COLOR: "1" } }, false],
    ["an empty NO_COLOR on a terminal", { isTTY: true, env: { NO_COLOR: "" } }, true],
    ["TERM=dumb", { isTTY: true, env: { TERM: "dumb" } }, false],
    ["FORCE_COLOR on a pipe", { env: { FORCE_COLOR: "1" } }, true],
    ["FORCE_COLOR=0 on a terminal", { isTTY: true, env: { FORCE_COLOR: "0" } }, false],
    ["NO_COLOR against FORCE_COLOR", { env: { NO_COLOR: "1", FORCE_COLOR: "1" } }, false],
  ])("with %s", async (_case, around, expected) => {
    const run = await lab("presets", around);
    expect(run.code).toBe(0);
    expect(run.stdout.includes(ESCAPE)).toBe(expected);
    const failure = await lab("staus", around);
    expect(failure.stderr.includes(ESCAPE)).toBe(expected);
  });

  it("--no-color wins on a terminal", async () => {
    const run = await lab("presets --no-color", { isTTY: true });
    expect(run.stdout).not.toContain(ESCAPE);
  });
});

describe("presets", () => {
  it("lists all four modes with their promises, as text and as JSON", async () => {
    const text = (await lab("presets")).stdout;
    for (const name of ["1m", "2m-noslave", "2m-2s-async", "2m-2s-sync"])
      expect(text).toContain(name);
    const { schema, presets } = JSON.parse((await lab("presets --json")).stdout) as {
      schema: string;
      presets: { name: string; promises: string[] }[];
    };
    expect(schema).toBe("lab.presets/1");
    expect(presets).toHaveLength(4);
    for (const preset of presets) expect(preset.promises.length).toBeGreaterThan(0);
  });
});

describe("signals", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])("an end by %s is exit %i and leaves no lab behind", async (signal, code) => {
    const run = await lab("up 1m --runtime process", { signal: AbortSignal.abort(signal) });
    expect(run.code).toBe(code);
    expect(readdirSync(home).filter((name) => !name.startsWith("."))).toEqual([]);
  });
});
