/** Replication with Apache's broker as the slave and ours as the master, 4.9.0 through a whole life and 4.9.7 through its beginning. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { machineHas } from "../helpers/requirements.ts";
import { apacheNode, lifeOfAPair, ourNode, Pair, sameLogs, sendsUntil } from "./ha-peer.ts";

describe.runIf(machineHas("java", "maven"))("replication, Apache's broker as the slave", () => {
  it("4.9.0: 11, 0 and 12 as they should be; catch-up from scratch and from the middle; restarts of both; ASYNC_MASTER; equal logs", async () => {
    const home = mkdtempSync(join(tmpdir(), "lab-ha-slave-"));
    try {
      await using pair = await Pair.make(home, { slave: apacheNode("4.9.0"), master: ourNode() });
      expect(await lifeOfAPair(pair)).toBeGreaterThan(500_000);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  it("4.9.7: SEND_OK only with the slave, equal logs", async () => {
    const home = mkdtempSync(join(tmpdir(), "lab-ha-slave-"));
    try {
      await using pair = await Pair.make(home, { slave: apacheNode("4.9.7"), master: ourNode() });
      await pair.startMaster("SYNC_MASTER");
      expect(await pair.send(1)).toEqual([11]);
      await pair.startSlave();
      await sendsUntil(pair, 0);
      expect(new Set(await pair.send(200))).toEqual(new Set([0]));
      expect(await sameLogs(pair)).toBeGreaterThan(100_000);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});
