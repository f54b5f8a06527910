/** Apache's own programs read the property files of conf/ and know every key in them (an unknown key would be kept silently, admin-protocol D.3). */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseProperties } from "../../engine/base/properties-file.ts";
import { presetNames } from "../../lab/topology/presets.ts";
import { runChild } from "../helpers/child.ts";
import { machineHas } from "../helpers/requirements.ts";
import { apacheJars } from "./apache.ts";

const LOGBACK = `<configuration><appender name="C" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%m%n</pattern></encoder></appender>
<root level="INFO"><appender-ref ref="C"/></root></configuration>`;

const files = presetNames().flatMap((preset) =>
  readdirSync(join("conf", preset))
    .filter((name) => name.endsWith(".properties"))
    .map((name) => `${preset}/${name}`),
);

describe.runIf(machineHas("java", "maven"))("property files of the presets", () => {
  const home = mkdtempSync(join(tmpdir(), "lab-conf-"));

  beforeAll(async () => {
    mkdirSync(join(home, "conf"));
    for (const name of ["broker", "namesrv"])
      writeFileSync(join(home, "conf", `logback_${name}.xml`), LOGBACK);
    await apacheJars("4.9.0");
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  /** `-p` has Apache's program print all settings it understood, and end. */
  async function settingsOf(file: string): Promise<ReadonlyMap<string, string>> {
    const program = file.includes("namesrv") ? "namesrv.NamesrvStartup" : "broker.BrokerStartup";
    const { output } = await runChild(
      "java",
      [
        "-Xmx128m",
        `-Drocketmq.home.dir=${home}`,
        `-Duser.home=${home}`,
        "-cp",
        join(await apacheJars("4.9.0"), "*"),
        `org.apache.rocketmq.${program}`,
        "-c",
        resolve("conf", file),
        "-p",
      ],
      { timeoutMs: 30_000 },
    );
    // The name server prints before it has read the logging file, so its lines begin with time and thread.
    const settings = output.split("\n").flatMap((line) => {
      const [, key, value] = /(?:^|- )(\w+)=(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value] as const];
    });
    return new Map(settings);
  }

  it.each(files)("Apache's 4.9.0 understands all of conf/%s", async (file) => {
    const ours = parseProperties(readFileSync(join("conf", file), "utf8"), file);
    const theirs = await settingsOf(file);
    const understood = ours.map(({ key }) => [key, theirs.get(key)]);
    expect(understood).toEqual(ours.map(({ key, value }) => [key, value]));
  });
});
