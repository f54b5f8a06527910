/** The order of things around a fault, with an actor that notes what it is asked to do. */
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FaultActor, Measure, Seen } from "../../../../lab/faults/actor.ts";
import { FaultControl } from "../../../../lab/faults/control.ts";
import {
  nodesBack,
  nodesHit,
  type Evidence,
  type FaultSpec,
  type FaultStep,
} from "../../../../lab/faults/fault.ts";
import { FaultLedger } from "../../../../lab/faults/ledger.ts";
import { createProcessRuntime } from "../../../../lab/runtime/process-runtime.ts";
import type { LabAllocation } from "../../../../lab/runtime/runtime.ts";
import { recordOf, withAllocation } from "./fault-fixture.ts";

class NotingActor implements FaultActor {
  readonly calls: string[] = [];
  readonly stateDir: string;
  applied: Seen = { what: "done", holds: true };
  /** Fault that cannot be healed. */
  failing: string | undefined;

  constructor(stateDir: string) {
    this.stateDir = stateDir;
  }

  capabilities(): Promise<{ netem: boolean; cpusMax: number }> {
    return Promise.resolve({ netem: false, cpusMax: 2 });
  }

  apply(id: string, step: FaultStep): Promise<Seen> {
    const [record] = new FaultLedger(this.stateDir).open();
    this.calls.push(`apply ${id} ${step.node} (${record?.state ?? "nothing written"})`);
    return Promise.resolve(this.applied);
  }

  heal(id: string, step: FaultStep): Promise<Seen> {
    this.calls.push(`heal ${id} ${step.node}`);
    if (this.failing === id) return Promise.reject(new Error("no room"));
    return Promise.resolve({ what: "gone", holds: true });
  }

  measure(): Promise<readonly Measure[]> {
    return Promise.resolve([]);
  }

  sweep(id: string): Promise<void> {
    this.calls.push(`sweep ${id}`);
    return Promise.resolve();
  }
}

const KILL: FaultSpec = { kind: "kill", nodes: ["namesrv-1"], signal: "SIGKILL" };
const STEP: FaultStep = { kind: "process", node: "namesrv-1", act: "kill", signal: "SIGKILL" };

const DURING: Evidence = {
  when: "during",
  at: "2026-01-01T00:00:00.000Z",
  what: "done",
  holds: true,
};

/** A process that has ended: nobody is at work any more. */
function deadOwner(): { pid: number; started: string } {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  return { pid, started: "long ago" };
}

async function around(
  work: (parts: {
    control: FaultControl;
    actor: NotingActor;
    ledger: FaultLedger;
    allocation: LabAllocation;
  }) => Promise<void>,
): Promise<void> {
  await withAllocation("process", async (allocation) => {
    const actor = new NotingActor(allocation.stateDir);
    const control = new FaultControl({
      runtime: createProcessRuntime(allocation),
      lockFile: join(allocation.stateDir, "lock"),
      command: "test",
      actor,
    });
    await work({ control, actor, ledger: control.ledger, allocation });
  });
}

describe("fault control", () => {
  it("the intent is on disk before anything is done", () =>
    around(async ({ control, actor, ledger }) => {
      const made = await control.inject(KILL, undefined);
      expect(actor.calls).toEqual(["apply f1 namesrv-1 (intended)"]);
      expect(made).toMatchObject({ id: "f1", state: "active", owner: null, expiresAt: null });
      expect(ledger.open()).toEqual([made]);
    }));

  it("what did not take effect is taken back and told", () =>
    around(async ({ control, actor, ledger }) => {
      actor.applied = { what: "namesrv-1 still runs", holds: false };
      await expect(control.inject(KILL, undefined)).rejects.toThrow(/namesrv-1 still runs/);
      expect(actor.calls).toContain("heal f1 namesrv-1");
      expect(ledger.open()).toEqual([]);
    }));

  it("healing twice changes nothing; an unknown id is told", () =>
    around(async ({ control, actor }) => {
      await control.inject(KILL, undefined);
      expect(await control.heal(["f1"])).toHaveLength(1);
      const calls = actor.calls.length;
      expect(await control.heal(["f1"])).toEqual([]);
      expect(await control.heal()).toEqual([]);
      expect(actor.calls).toHaveLength(calls);
      await expect(control.heal(["f9"])).rejects.toMatchObject({ code: "LAB_FAULT_UNKNOWN" });
    }));

  it("what cannot be healed stays in the ledger and is tried again", () =>
    around(async ({ control, actor, ledger }) => {
      await control.inject(KILL, undefined);
      actor.failing = "f1";
      await expect(control.heal()).rejects.toMatchObject({ code: "LAB_FAULT_FAILED" });
      expect(ledger.open()).toMatchObject([{ id: "f1", state: "healing" }]);
      actor.failing = undefined;
      expect(await control.heal()).toMatchObject([{ id: "f1", state: "healed" }]);
    }));

  it.each(["intended", "active", "healing"] as const)(
    "the next command heals a fault that a dead one left %s",
    (state) =>
      around(async ({ control, actor, ledger }) => {
        ledger.add(recordOf("f1", KILL, { state, steps: [STEP], owner: deadOwner() }));
        const { healed } = await control.settle();
        expect(healed).toMatchObject([{ id: "f1", state: "healed" }]);
        // What the dead command had started and is still at work must not undo the healing.
        const swept = state === "active" ? [] : ["sweep f1"];
        expect(actor.calls).toEqual([...swept, "heal f1 namesrv-1", "sweep f1"]);
      }),
  );

  it("a fault without --for is left alone, one past its time is healed", () =>
    around(async ({ control, ledger }) => {
      ledger.add(recordOf("f1", KILL, { steps: [STEP] }));
      expect((await control.settle()).healed).toEqual([]);
      ledger.add(recordOf("f2", KILL, { steps: [STEP], expiresAt: "2026-01-01T00:00:00.000Z" }));
      expect((await control.settle()).healed.map(({ id }) => id)).toEqual(["f2"]);
    }));

  it("a fault that a living command holds is left to it", () =>
    around(async ({ control }) => {
      const held = await control.inject(KILL, 1);
      expect(held.owner?.pid).toBe(process.pid);
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect((await control.settle()).healed).toEqual([]);
    }));

  it("a node that was started by hand ends the fault of its process", () =>
    around(async ({ control, actor, ledger }) => {
      await control.inject(KILL, undefined);
      await control.cameBack("namesrv-1");
      expect(ledger.open()).toEqual([]);
      expect(actor.calls).not.toContain("heal f1 namesrv-1");
    }));

  it("a fault of two nodes ends only with the second one started by hand", () =>
    around(async ({ control, ledger }) => {
      const spec: FaultSpec = { ...KILL, nodes: ["namesrv-1", "namesrv-2"] };
      await control.inject(spec, undefined);
      await control.cameBack("namesrv-2");
      expect(ledger.open().map(nodesHit)).toEqual([["namesrv-1"]]);
      await control.cameBack("namesrv-1");
      expect(ledger.open()).toEqual([]);
    }));

  it("rules and limits of a node that started anew are made again, those of a woken one stand", () =>
    around(async ({ control, actor, ledger }) => {
      const limits: FaultStep = {
        kind: "limits",
        node: "namesrv-1",
        memoryMiB: { to: 64, back: 128 },
        cpus: null,
      };
      ledger.add(
        recordOf("f1", { kind: "memory", nodes: ["namesrv-1"], mib: 64 }, { steps: [limits] }),
      );
      await control.cameBack("namesrv-1", false);
      expect(actor.calls).toEqual([]);
      await control.cameBack("namesrv-1");
      expect(actor.calls).toEqual(["apply f1 namesrv-1 (active)"]);
      expect(ledger.open()).toHaveLength(1);
    }));

  it("of two faults that hold a node the one healed last brings it back", () =>
    around(async ({ control, actor, ledger }) => {
      await control.inject(KILL, undefined);
      await control.inject({ kind: "host-down", host: "host-1", nodes: ["namesrv-1"] }, undefined);
      const [second] = await control.heal(["f2"]);
      expect(second?.evidence.at(-1)).toMatchObject({
        what: "namesrv-1 stays as it is: kill f1 holds it",
        holds: null,
      });
      expect(actor.calls).not.toContain("heal f2 namesrv-1");
      await control.heal(["f1"]);
      expect(actor.calls).toContain("heal f1 namesrv-1");
      expect(ledger.open()).toEqual([]);
    }));

  it("one fault that cannot be healed keeps no other from it", () =>
    around(async ({ control, actor, ledger }) => {
      await control.inject(KILL, undefined);
      await control.inject({ ...KILL, nodes: ["namesrv-2"] }, undefined);
      actor.failing = "f2";
      await expect(control.heal()).rejects.toThrow(/f2 could not be healed: namesrv-2: no room/);
      expect(ledger.open().map(({ id }) => id)).toEqual(["f2"]);
      actor.failing = undefined;
      const [again] = await control.heal();
      expect(again?.evidence.map((entry) => entry.holds)).not.toContain(false);
    }));

  it("a fault that neither took effect nor could be taken back tells both", () =>
    around(async ({ control, actor, ledger }) => {
      actor.applied = { what: "namesrv-1 still runs", holds: false };
      actor.failing = "f1";
      await expect(control.inject(KILL, undefined)).rejects.toThrow(/still runs.*no room/s);
      expect(ledger.open()).toMatchObject([{ id: "f1", state: "healing" }]);
    }));

  it.each([
    ["intended", [], ["sweep f1", "apply f1 namesrv-1 (healing)", "heal f1 namesrv-1", "sweep f1"]],
    ["active", [DURING], ["heal f1 namesrv-1", "sweep f1"]],
  ] as const)("a wipe left %s is finished only when it was cut short", (state, evidence, calls) =>
    around(async ({ control, actor, ledger }) => {
      const spec: FaultSpec = { kind: "disk-lost", nodes: ["namesrv-1"] };
      const steps: FaultStep[] = [{ ...STEP, act: "wipe" }];
      ledger.add(
        recordOf("f1", spec, { state, steps, evidence: [...evidence], owner: deadOwner() }),
      );
      await control.settle();
      expect(actor.calls).toEqual(calls);
    }),
  );

  it("a command that held a fault finds it healed by another, or the lab gone", () =>
    around(async ({ control, allocation }) => {
      await control.inject(KILL, 60_000);
      await control.heal();
      expect(await control.release("f1")).toMatchObject({
        record: { id: "f1", state: "healed" },
        isOurs: false,
      });
      rmSync(allocation.stateDir, { recursive: true });
      expect(await control.release("f1")).toBeNull();
      expect(existsSync(allocation.stateDir)).toBe(false);
    }));

  it("the lab goes down also when the ledger is damaged; the file is set aside", () =>
    around(async ({ control, actor, ledger, allocation }) => {
      const file = join(allocation.stateDir, "faults.json");
      writeFileSync(file, '{"schema": "lab.fau');
      expect(() => ledger.open()).toThrow(/damaged/);
      await control.ended();
      expect(ledger.open()).toEqual([]);
      expect(existsSync(`${file}.damaged`)).toBe(true);
      // It may have known of shifted clocks, which would come back with the nodes.
      expect(actor.calls).toContain("heal none broker-b-slave");
    }));

  it("the lab going down ends every fault without starting anything", () =>
    around(async ({ control, actor, ledger }) => {
      await control.inject(KILL, undefined);
      await control.ended();
      expect(ledger.open()).toEqual([]);
      expect(actor.calls).toEqual(["apply f1 namesrv-1 (intended)"]);
    }));

  it("what lies in a node's data is taken back when the lab goes down, or stays open", () =>
    around(async ({ control, actor, ledger }) => {
      const spec: FaultSpec = { kind: "clock", nodes: ["namesrv-1"], offsetMs: 5_000 };
      await control.inject(spec, undefined);
      actor.failing = "f1";
      await expect(control.ended()).rejects.toThrow(/no room/);
      expect(ledger.open()).toMatchObject([{ id: "f1" }]);
      actor.failing = undefined;
      await control.ended();
      expect(actor.calls.at(-1)).toBe("heal f1 namesrv-1");
      expect(ledger.open()).toEqual([]);
    }));

  it("a node is started when its disk is repaired, and stays down while another fault holds it", () =>
    around(async ({ control, actor, ledger }) => {
      const spec: FaultSpec = { kind: "disk-readonly", nodes: ["namesrv-1"] };
      const steps: FaultStep[] = [{ kind: "readonly", node: "namesrv-1" }];
      ledger.add(recordOf("f1", spec, { steps }));
      ledger.add(recordOf("f2", KILL, { steps: [STEP] }));
      const [held] = await control.heal(["f1"]);
      expect(held?.evidence.at(-1)).toMatchObject({
        what: "gone; namesrv-1 stays as it is: kill f2 holds it",
        holds: true,
      });
      expect(actor.calls.filter((call) => call.startsWith("heal"))).toEqual(["heal f1 namesrv-1"]);
      await control.heal(["f2"]);
      ledger.add(recordOf("f3", spec, { steps }));
      expect(nodesBack(ledger.open(), [])).toEqual(new Set(["namesrv-1"]));
      await control.heal(["f3"]);
      // First the disk, then the process.
      expect(actor.calls.slice(-3)).toEqual(["heal f3 namesrv-1", "heal f3 namesrv-1", "sweep f3"]);
    }));

  it("two commands at once are done one after the other", () =>
    around(async ({ control, ledger }) => {
      await Promise.all([1, 2, 3].map(() => control.inject(KILL, undefined)));
      expect(ledger.open().map(({ id }) => id)).toEqual(["f1", "f2", "f3"]);
    }));
});
