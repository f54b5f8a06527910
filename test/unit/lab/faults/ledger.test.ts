import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FaultLedger } from "../../../../lab/faults/ledger.ts";
import { recordOf, withAllocation } from "./fault-fixture.ts";

const KILL = { kind: "kill", nodes: ["namesrv-1"], signal: "SIGKILL" } as const;
const SPEC = { ...KILL, nodes: [...KILL.nodes] };

describe("fault ledger", () => {
  it("another process finds what was written, and never a half file", () =>
    withAllocation("process", ({ stateDir }) => {
      const ledger = new FaultLedger(stateDir);
      expect(ledger.open()).toEqual([]);
      ledger.add(recordOf(ledger.nextId(), SPEC, { state: "intended" }));
      const [found] = new FaultLedger(stateDir).open();
      expect(found).toMatchObject({ id: "f1", state: "intended", spec: SPEC });
      expect(readdirSync(stateDir)).toEqual(["faults.json"]);
    }));

  it("an id is never given twice, also when its fault is healed", () =>
    withAllocation("process", ({ stateDir }) => {
      const ledger = new FaultLedger(stateDir);
      for (let round = 0; round < 3; round += 1) {
        ledger.add(recordOf(ledger.nextId(), SPEC, { state: "healed" }));
      }
      expect(ledger.all().map(({ id }) => id)).toEqual(["f1", "f2", "f3"]);
      expect(ledger.open()).toEqual([]);
    }));

  it("keeps every open fault and the newest healed ones", () =>
    withAllocation("process", ({ stateDir }) => {
      const ledger = new FaultLedger(stateDir);
      ledger.add(recordOf(ledger.nextId(), SPEC));
      for (let round = 0; round < 60; round += 1) {
        ledger.add(recordOf(ledger.nextId(), SPEC, { state: "healed" }));
      }
      const ids = ledger.all().map(({ id }) => id);
      expect(ids[0]).toBe("f1");
      expect(ids).toHaveLength(51);
      expect(ids.at(-1)).toBe("f61");
    }));

  it("a damaged file is refused by name, not overwritten", () =>
    withAllocation("process", ({ stateDir }) => {
      const path = join(stateDir, "faults.json");
      writeFileSync(path, "{ broken");
      expect(() => new FaultLedger(stateDir).open()).toThrow(/faults\.json is damaged/);
      expect(readFileSync(path, "utf8")).toBe("{ broken");
    }));
});
