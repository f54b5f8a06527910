/** Replication with Apache's broker as the master and ours as the slave, 4.9.0 through a whole life and 4.9.7 through its beginning. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { machineHas } from "../helpers/requirements.ts";
import { apacheNode, lifeOfAPair, ourNode, Pair, sameLogs, sendsUntil } from "./ha-peer.ts";

describe.runIf(machineHas("java", "maven"))("replication, Apache's broker as the master", () => {
  it("4.9.0: 11, 0 and 12 as they should be; catch-up from scratch and from the middle; restarts of both; ASYNC_MASTER; equal logs", async () => {
    const home = mkdtempSync(join(tmpdir(), "lab-ha-master-"));
    try {
      await using pair = await Pair.make(home, { master: apacheNode("4.9.0"), slave: ourNode() });
      expect(await lifeOfAPair(pair)).toBeGreaterThan(500_000);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  it("4.9.7: SEND_OK only with the slave, equal logs", async () => {
    const home = mkdtempSync(join(tmpdir(), "lab-ha-master-"));
    try {
      await using pair = await Pair.make(home, { master: apacheNode("4.9.7"), slave: ourNode() });
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
