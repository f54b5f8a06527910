/** `lab up 2m-2s-sync` as processes, Apache's Java client on the machine, `lab kill broker-a-master` in mid-stream. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../helpers/cleanup.ts";
import { masterDiesInMidStream } from "../helpers/failover-scenario.ts";
import { labJson, labOk } from "../helpers/lab-command.ts";
import { machineHas } from "../helpers/requirements.ts";
import { startJava } from "./apache.ts";

const labName = "javafail";

describe.runIf(machineHas("java", "maven"))(
  "2m-2s-sync in the process runtime with Apache's Java client",
  () => {
    const cleanup = new Cleanup();
    let home = "";
    let namesrv = "";

    beforeAll(async () => {
      home = mkdtempSync(join(tmpdir(), "lab-failover-"));
      cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
      cleanup.defer(async () => void (await labOk(home, ["destroy", "--name", labName, "--yes"])));
      const up = await labJson<{ namesrvAddr: string }>(home, [
        "up",
        "2m-2s-sync",
        "--name",
        labName,
        "--runtime",
        "process",
        "--index",
        "4",
      ]);
      namesrv = up.namesrvAddr;
    });
    afterAll(() => cleanup[Symbol.asyncDispose]());

    it("loses nothing acknowledged and reads the dead master's unread messages from its slave", async () => {
      expect(namesrv).toMatch(/^127\.0\.0\.1:\d+;127\.0\.0\.1:\d+$/);
      await masterDiesInMidStream({
        home,
        labName,
        java: (program, args) =>
          startJava(program, { version: "4.9.0", home }, [`namesrv=${namesrv}`, ...args]),
      });
    });
  },
);
