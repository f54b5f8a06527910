/** The program as a person starts it: bundled as docker/build.mjs bundles it, run as a child process. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runChild, startChild } from "../../../helpers/child.ts";

const WAIT_MS = 5_000;
const home = mkdtempSync(join(tmpdir(), "lab-mqnamesrv-"));
const program = join(home, "mqnamesrv.mjs");

beforeAll(async () => {
  await build({
    entryPoints: [resolve("engine/namesrv/main.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "silent",
  });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function environment(overrides: string): NodeJS.ProcessEnv {
  return { HOME: home, ROCKETMQ_OVERRIDES: overrides };
}

function run(args: readonly string[], overrides = ""): ReturnType<typeof runChild> {
  const options = { env: environment(overrides), timeoutMs: WAIT_MS };
  return runChild(process.execPath, [program, ...args], options);
}

function propertyFile(text: string): string {
  const file = join(home, "namesrv.properties");
  writeFileSync(file, text);
  return file;
}

describe("mqnamesrv (admin-protocol D.1)", () => {
  it("-h explains itself and exits 0", async () => {
    const { code, output } = await run(["-h"]);
    expect(code).toBe(0);
    expect(output).toContain("usage: mqnamesrv");
  });

  it("-p prints the effective settings, overrides included, and exits 0", async () => {
    const file = propertyFile("listenPort=4711\norderMessageEnable=true\n");
    const { code, output } = await run(["-c", file, "-p"], "listenPort=4712");
    expect(code).toBe(0);
    const lines = output.split("\n");
    expect(lines).toContain("listenPort=4712");
    expect(lines).toContain("orderMessageEnable=true");
    expect(lines).toContain(`configStorePath=${file}`);
  });

  it("a bad value, a missing file and an unknown option exit 2 and say what is wrong", async () => {
    const file = propertyFile("# c\nlistenPort=soon\n");
    const bad = await run(["-c", file]);
    expect(bad.code).toBe(2);
    expect(bad.output).toContain(`${file}:2: listenPort must be a whole number`);
    const missing = await run(["-c", join(home, "none")]);
    expect(missing.code).toBe(2);
    expect(missing.output).toContain("there is no such file");
    expect((await run(["--nonsense"])).code).toBe(2);
  });

  it("says boot success as Apache's does, names what it ignores, and stops on SIGTERM with 0", async () => {
    const file = propertyFile("listenPort=0\nbindAddress=127.0.0.1\nlistenPrt=1\n");
    await using child = startChild(process.execPath, [program, "-c", file], {
      env: environment(""),
    });
    await child.waitForLine(
      (line) => line === "The Name Server boot success. serializeType=JSON",
      WAIT_MS,
    );
    expect(child.lines).toContain(`load config properties file OK, ${file}`);
    expect(child.lines.join("\n")).toContain(
      "there is no key listenPrt, it is ignored; did you mean listenPort?",
    );
    child.kill("SIGTERM");
    expect((await child.exited).code).toBe(0);
  });

  it("a taken port exits 1 and names it", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const address = holder.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { code, output } = await run([], `listenPort=${port}\nbindAddress=127.0.0.1`);
    holder.close();
    expect(code).toBe(1);
    expect(output).toContain(`127.0.0.1:${port}`);
  });
});
