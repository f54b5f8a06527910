/** The package as somebody else has it: packed, installed into a project of its own, type-checked there, and its example run by vitest. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runChild } from "../../helpers/child.ts";

const COMMAND_MS = 100_000;
const TSCONFIG = {
  compilerOptions: {
    target: "ES2023",
    module: "NodeNext",
    lib: ["ES2023", "ESNext.Disposable", "DOM"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  },
  files: ["use.ts"],
};
const USE = `import { RocketMQLab, type RocketMQLabOptions } from "rocketmq-lab";
const options: RocketMQLabOptions = { size: "small", log: (line: string) => line };
export async function use(): Promise<string> {
  await using lab = await RocketMQLab.start("1m", options);
  await lab.kill(["@masters", "broker-a-slave"], { signal: "SIGTERM" });
  return lab.container?.network ?? lab.namesrvAddr;
}
// @ts-expect-error an option that does not exist
void RocketMQLab.start("1m", { sise: "small" });
`;

describe("the package in a project of its own", () => {
  let project: string;

  const run = async (command: string, ...args: readonly string[]): Promise<string> => {
    const env = { NO_COLOR: "1", LAB_HOME: "", TMPDIR: join(project, "tmp") };
    const { code, output } = await runChild(command, args, {
      cwd: project,
      env,
      timeoutMs: COMMAND_MS,
    });
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${output}`);
    return output;
  };

  beforeAll(async () => {
    project = mkdtempSync(join(tmpdir(), "lab-package-"));
    mkdirSync(join(project, "tmp"));
    const manifest = { name: "shop", version: "1.0.0", private: true, type: "module" };
    writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
    await run("npm", "pack", resolve("."), "--pack-destination", project, "--ignore-scripts");
    const quiet = ["--offline", "--no-audit", "--no-fund", "--ignore-scripts"];
    await run("npm", "install", ...quiet, "./rocketmq-lab-0.1.0.tgz");
    symlinkSync(resolve("node_modules/vitest"), join(project, "node_modules/vitest"));
    cpSync(
      resolve("test/examples/vitest/master-loss.test.ts"),
      join(project, "master-loss.test.ts"),
    );
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(TSCONFIG));
    writeFileSync(join(project, "use.ts"), USE);
  });

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it("its types are whole, with no package but itself", async () => {
    const tsc = resolve("node_modules/typescript/bin/tsc");
    expect(await run(process.execPath, tsc, "-p", "tsconfig.json")).toBe("");
  });

  it("the example of test/examples/vitest passes", async () => {
    const output = await run(process.execPath, resolve("node_modules/vitest/vitest.mjs"), "run");
    expect(output).toMatch(/Tests {2}3 passed/);
  });

  it("its lab runs from there, with presets and schemas", async () => {
    expect(await run("node_modules/.bin/lab", "show", "2m-2s-sync")).toContain("broker-a-slave");
    expect(await run("node_modules/.bin/lab", "schema", "status")).toContain("lab.status/1");
  });
});
