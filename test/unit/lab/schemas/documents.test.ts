import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allot } from "../../../../lab/runtime/allot.ts";
import { writeState } from "../../../../lab/runtime/state.ts";
import { DOCUMENTS, jsonSchemaOf } from "../../../../lab/schemas/documents.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
import { schemaFile, schemaProblems } from "../../../helpers/json-schema.ts";
import { runCli } from "../cli/run-cli.ts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-schema-"));
  const { topology } = loadTopology("2m-2s-sync", home);
  writeState(home, allot({ home, name: "lab", topology, runtime: "process", index: 20 }));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

describe("published schemas", () => {
  it.each(DOCUMENTS)("%s is published as it is declared", async (document) => {
    const text = `${JSON.stringify(jsonSchemaOf(document), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(resolve(schemaFile(document)));
  });

  it.each([
    "status",
    "presets",
    "show",
    "show 1m",
    "init mine",
    "config broker-a-master",
    "config namesrv-1",
    "env",
    "export compose out",
    "endpoints",
    "run -- true",
    "mqadmin -- clusterList",
    "wait --until down",
    "doctor --runtime process",
    "doctor addresses",
    "doctor ports",
    "completion zsh",
    "schema status",
    "schema",
    "kill @masters",
    "stop @slaves",
    "kill @masters --plan",
    "fault list",
    "firewall show",
    "firewall open host-1 10912",
    "host down host-1 --plan",
    "heal",
    "logs",
    "down",
    "destroy --yes",
    "help up",
    "staus",
    "wait --timeout 100ms",
  ])("lab %s --json prints what is published", async (line) => {
    const around = { cwd: home, env: { LAB_HOME: home } };
    const run = await runCli(["--json", ...line.split(" ")], around);
    expect(schemaProblems(run.stdout)).toBe("");
  });

  it("the check itself finds a member that is missing, and one that is too many", () => {
    expect(schemaProblems('{"schema":"lab.help/1"}')).toContain("text");
    expect(schemaProblems('{"schema":"lab.help/1","text":"","more":1}')).toContain("additional");
  });

  it("lab schema prints one, and knows the nearest name", async () => {
    const { stdout } = await runCli(["schema", "doctor", "addresses"]);
    expect(JSON.parse(stdout)).toEqual(jsonSchemaOf("lab.doctor.addresses/1"));
    const wrong = await runCli(["schema", "staus"]);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr).toContain("did you mean status");
  });
});
