/** Own topologies, sizes and settings of a lab of local processes, from the command line. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { schemaProblems } from "../../helpers/json-schema.ts";
import { LabHome } from "../../helpers/lab-home.ts";

interface Config {
  readonly running: boolean;
  readonly settings: readonly { key: string; value: string; source: string; where: string }[];
}

describe("an own topology with a size and settings", () => {
  let lab: LabHome;

  const setting = async (node: string, key: string) =>
    (await lab.json<Config>("config", node, key)).settings[0];

  beforeAll(async () => {
    lab = await LabHome.create();
    await lab.run("init", "mine", "--from", "1m");
    const line = "up mine --runtime process --size tiny --set @masters.fileReservedTime=7";
    const up = await lab.run(...line.split(" "));
    if (up.code !== 0) throw new Error(up.stderr);
  });

  afterAll(() => lab[Symbol.asyncDispose]());

  it("the running broker has them, and config says from where", async () => {
    expect(await setting("broker-a-master", "fileReservedTime")).toMatchObject({
      value: "7",
      source: "set",
      where: "--set @masters.fileReservedTime=7",
    });
    expect(await setting("broker-a-master", "mappedFileSizeCommitLog")).toMatchObject({
      value: "16777216",
      source: "size",
    });
    const all = await lab.json<Config>("config", "broker-a-master");
    expect(all.running).toBe(true);
    expect(all.settings.filter((row) => row.source === "runtime")).toEqual([]);
  });

  it("they survive down and up, and --unset takes one back", async () => {
    await lab.run("down");
    expect((await lab.run("up")).code).toBe(0);
    expect((await setting("broker-a-master", "fileReservedTime"))?.value).toBe("7");
    const changed = await lab.run("up", "--unset", "@masters.fileReservedTime");
    expect(changed.stderr).toContain("lab restart broker-a-master");
    expect((await setting("broker-a-master", "fileReservedTime"))?.value).toBe("7");
    expect((await lab.run("restart", "broker-a-master")).code).toBe(0);
    expect(await setting("broker-a-master", "fileReservedTime")).toMatchObject({ source: "file" });
  });

  it("what up, status, bench, start and doctor addresses print is as published", async () => {
    const lines = [
      "up",
      "status",
      "start broker-a-master",
      "bench --duration 200ms --warmup 0s",
      "doctor addresses",
      "logs",
    ];
    for (const line of lines) {
      const run = await lab.run(...line.split(" "), "--json");
      expect(run).toMatchObject({ code: 0 });
      expect(schemaProblems(run.stdout)).toBe("");
    }
  });

  it("doctor addresses finds a node that is down, exit 5", async () => {
    await lab.run("pause", "broker-a-master");
    const run = await lab.run("doctor", "addresses");
    await lab.run("unpause", "broker-a-master");
    expect(run.code).toBe(5);
    expect(run.stdout).toContain("some addresses cannot be reached");
  });

  it("wait sees a node go and come back", async () => {
    expect((await lab.run("wait")).code).toBe(0);
    await lab.run("kill", "broker-a-master");
    expect((await lab.run("wait", "broker-a-master", "--until", "down")).code).toBe(0);
    const waiting = lab.run("wait", "broker-a-master");
    await lab.run("start", "broker-a-master");
    expect((await waiting).code).toBe(0);
  });
});
