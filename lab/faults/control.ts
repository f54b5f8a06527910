/**
 * Injecting and healing. A fault is in the ledger before anything is done; it counts as active when every step reports that it took effect and every
 * proof holds; otherwise it is taken back. Healing works from the ledger alone, so any process can do it, any number of times.
 */
import { existsSync } from "node:fs";
import { EngineError } from "../../engine/base/engine-error.ts";
import { acquireLock, type HeldLock } from "../runtime/lock.ts";
import { findProcess, identify } from "../runtime/process-identity.ts";
import type { LabRuntime } from "../runtime/runtime.ts";
import type { FaultActor, Seen } from "./actor.ts";
import {
  describeFault,
  type FaultPlan,
  type FaultRecord,
  type FaultSpec,
  type FaultStep,
} from "./fault.ts";
import { byNode, healRecord, reapply, stamped, type HealingTools } from "./healing.ts";
import { judge } from "./judge.ts";
import { allLasting, outlivesNode } from "./lasting.ts";
import { FaultLedger } from "./ledger.ts";
import { checkSupported, planFault } from "./plan.ts";
import { ProcessFaultActor } from "./process-actor.ts";

/** Which lab, and who is at work on it. */
export interface ControlOptions {
  readonly runtime: LabRuntime;
  /** The lab's lock: one command at a time changes faults. */
  readonly lockFile: string;
  /** Told to whoever finds the lock held. */
  readonly command: string;
  /** Default: that of the runtime. */
  readonly actor?: FaultActor;
}

/** A fault that starts while another command works waits this long. */
const LOCK_WAIT_MS = 15_000;
async function actorOf(runtime: LabRuntime): Promise<FaultActor> {
  if (runtime.kind === "process") return new ProcessFaultActor(runtime);
  const { createDockerFaultActor } = await import("./docker/docker-actor.ts");
  return createDockerFaultActor(runtime);
}

/** What two faults cannot both hold on one node. */
function claims(step: FaultStep): readonly string[] {
  switch (step.kind) {
    case "rules":
      return step.apply[0]?.[0] === "tc" ? [`the sending speed of ${step.node}`] : [];
    case "relay":
      return [`the delay of ${step.node}`];
    case "limits":
      return [`the ${step.memoryMiB === null ? "CPU" : "memory"} limit of ${step.node}`];
    case "io":
      return [`the disk speed of ${step.node}`];
    case "readonly":
      return [`the disk of ${step.node}`];
    case "ballast":
      return [`the room on the disk of ${step.node}`];
    case "clock":
      return [`the clock of ${step.node}`];
    case "process":
      return [];
  }
}

function isStale(record: FaultRecord, now: number): boolean {
  if (record.owner !== null) return findProcess(record.owner) === null;
  return record.expiresAt !== null && Date.parse(record.expiresAt) <= now;
}

/** Healing one fault after the other, none kept from it by another that fails. */
interface Healed {
  readonly healed: readonly FaultRecord[];
  readonly failed: readonly EngineError[];
}

/** See the file's head. */
export class FaultControl {
  readonly ledger: FaultLedger;
  private readonly options: ControlOptions;
  private actor: Promise<FaultActor> | undefined;

  constructor(options: ControlOptions) {
    this.options = options;
    this.ledger = new FaultLedger(options.runtime.allocation.stateDir);
  }

  private lock(): Promise<HeldLock> {
    const { lockFile, command } = this.options;
    return acquireLock(lockFile, { command, waitMs: LOCK_WAIT_MS });
  }

  private async tools(): Promise<HealingTools> {
    const { runtime } = this.options;
    return { runtime, ledger: this.ledger, actor: await this.getActor() };
  }

  private getActor(): Promise<FaultActor> {
    const { actor, runtime } = this.options;
    this.actor ??= actor === undefined ? actorOf(runtime) : Promise.resolve(actor);
    return this.actor;
  }

  /** @returns what `inject` would do. @throws EngineError LAB_FAULT_UNSUPPORTED | LAB_CONFLICT | CLI_USAGE */
  async plan(spec: FaultSpec): Promise<FaultPlan> {
    const { allocation } = this.options.runtime;
    checkSupported(spec, allocation);
    const capabilities = await (await this.getActor()).capabilities(spec.kind);
    const plan = planFault(this.ledger.nextId(), spec, { allocation, capabilities });
    this.refuseConflicts(plan);
    (await this.getActor()).check?.(plan.steps);
    return plan;
  }

  private refuseConflicts(plan: FaultPlan): void {
    const wanted = new Set(plan.steps.flatMap(claims));
    for (const open of this.ledger.open()) {
      const taken = open.steps.flatMap(claims).find((claim) => wanted.has(claim));
      if (taken === undefined) continue;
      throw new EngineError("LAB_CONFLICT", {
        message: `${taken} is changed already by fault ${open.id} (${describeFault(open.spec)})`,
        hint: `\`lab heal ${open.id}\`, then the command again`,
      });
    }
  }

  /**
   * Makes a fault, and proves that it bites.
   * @param spec what is asked for
   * @param forMs the caller heals after this long; the next command does when the caller is dead
   * @returns its entry in the ledger
   * @throws EngineError LAB_FAULT_FAILED when it could not be made or proven: then it is healed again
   */
  async inject(spec: FaultSpec, forMs: number | undefined): Promise<FaultRecord> {
    using _lock = await this.lock();
    const plan = await this.plan(spec);
    const now = Date.now();
    const record: FaultRecord = {
      id: this.ledger.nextId(),
      spec,
      steps: [...plan.steps],
      proofs: [...plan.proofs],
      state: "intended",
      owner: identify(process.pid),
      injectedAt: new Date(now).toISOString(),
      expiresAt: forMs === undefined ? null : new Date(now + forMs).toISOString(),
      healedAt: null,
      evidence: [],
    };
    this.ledger.add(record);
    try {
      return await this.make(record, forMs !== undefined);
    } catch (error) {
      await this.takeBack(record, error);
      throw error;
    }
  }

  /** @throws EngineError LAB_FAULT_FAILED with both reasons when that fails too */
  private async takeBack(record: FaultRecord, cause: unknown): Promise<void> {
    const { failed } = await this.healAll([record]);
    const [first] = failed;
    if (first === undefined) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError("LAB_FAULT_FAILED", {
      message: `${reason}; and then: ${first.message}`,
      hint: first.hint ?? "`lab heal` tries again",
      cause,
    });
  }

  private async make(record: FaultRecord, isHeld: boolean): Promise<FaultRecord> {
    const { id, steps, proofs } = record;
    const actor = await this.getActor();
    const baseline = await actor.measure(id, proofs);
    const made = await byNode(steps, (step) => actor.apply(id, step));
    const measured = judge(proofs, await actor.measure(id, proofs), "during", baseline);
    const evidence = [
      ...stamped("before", judge(proofs, baseline, "before")),
      ...stamped("during", [...made, ...measured]),
    ];
    const wrong = evidence.filter((entry) => entry.holds === false);
    if (wrong.length > 0) {
      throw new EngineError("LAB_FAULT_FAILED", {
        message: `the fault did not take effect and was taken back: ${wrong.map((entry) => entry.what).join("; ")}`,
        hint: "`lab status` shows whether the nodes run; `lab fault list` what else is in effect",
      });
    }
    return this.ledger.put({
      ...record,
      // Healing is proven by what was proven here.
      proofs: proofs.filter((_, index) => measured[index]?.holds === true),
      state: "active",
      owner: isHeld ? record.owner : null,
      evidence,
    });
  }

  /**
   * Takes faults back.
   * @param ids which; undefined: all
   * @returns their entries, newest first
   * @throws EngineError LAB_FAULT_UNKNOWN | LAB_FAULT_FAILED
   */
  async heal(ids?: readonly string[]): Promise<readonly FaultRecord[]> {
    using _lock = await this.lock();
    const open = this.ledger.open();
    const all = new Set(this.ledger.all().map((record) => record.id));
    const unknown = ids?.find((id) => !all.has(id));
    if (unknown !== undefined) {
      throw new EngineError("LAB_FAULT_UNKNOWN", {
        message: `there is no fault "${unknown}"`,
        hint: `in effect: ${open.map((record) => record.id).join(", ") || "none"}; see \`lab fault list\``,
      });
    }
    const chosen = open.filter((record) => ids === undefined || ids.includes(record.id));
    const { healed, failed } = await this.healAll(chosen.toReversed());
    const [first] = failed;
    if (first === undefined) return healed;
    throw new EngineError("LAB_FAULT_FAILED", {
      message: failed.map((error) => error.message).join("; "),
      hint: first.hint ?? "`lab heal` tries again",
      cause: first,
    });
  }

  /**
   * Heals a fault this command made and held.
   * @returns its entry, and whether this call healed it and not somebody else meanwhile; null when the lab is gone
   * @throws EngineError LAB_FAULT_FAILED
   */
  async release(
    id: string,
  ): Promise<{ readonly record: FaultRecord; readonly isOurs: boolean } | null> {
    if (!existsSync(this.options.runtime.allocation.stateDir)) return null;
    const [healed] = await this.heal([id]);
    const record = healed ?? this.ledger.all().find((entry) => entry.id === id);
    return record === undefined ? null : { record, isOurs: healed !== undefined };
  }

  /** Heals what a dead command left half done or held, and what is past its time. */
  async settle(): Promise<Healed> {
    const isDue = (record: FaultRecord): boolean => isStale(record, Date.now());
    if (!this.ledger.open().some(isDue)) return { healed: [], failed: [] };
    using _lock = await this.lock();
    return this.healAll(this.ledger.open().filter(isDue).toReversed());
  }

  private async healAll(records: readonly FaultRecord[]): Promise<Healed> {
    const tools = await this.tools();
    const healed: FaultRecord[] = [];
    const failed: EngineError[] = [];
    for (const record of records) {
      try {
        healed.push(await healRecord(tools, record));
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        failed.push(error);
      }
    }
    return { healed, failed };
  }

  /**
   * The lab was brought down: rules, relays and limits went with the containers, what lies in the nodes' data is taken back here.
   * The caller holds the lab's lock.
   * @throws EngineError LAB_FAULT_FAILED when some of that cannot be taken back: its fault stays open
   */
  async ended(): Promise<void> {
    const open = this.ledger.openOrSetAside();
    // Nothing is known of a damaged ledger's faults, so everything that could be left is looked for.
    if (open === null) await this.undoLasting("none", allLasting(this.options.runtime.allocation));
    for (const record of open?.toReversed() ?? []) {
      const undone = await this.undoLasting(record.id, record.steps.filter(outlivesNode));
      const gone = [...undone, { what: "the lab was brought down", holds: true }];
      const evidence = [...record.evidence, ...stamped("after", gone)];
      const healedAt = new Date().toISOString();
      this.ledger.put({ ...record, state: "healed", owner: null, healedAt, evidence });
    }
  }

  private async undoLasting(id: string, steps: readonly FaultStep[]): Promise<readonly Seen[]> {
    if (steps.length === 0) return [];
    const actor = await this.getActor();
    const seen = await byNode(steps.toReversed(), (step) => actor.heal(id, step));
    const wrong = seen.filter(({ holds }) => holds === false);
    if (wrong.length === 0) return seen;
    throw new EngineError("LAB_FAULT_FAILED", {
      message: `the lab is down, but ${wrong.map(({ what }) => what).join("; ")}`,
      hint: "`lab heal` tries again",
    });
  }

  /**
   * A node was started or woken by hand: faults of its process are over.
   * @param node that runs again
   * @param isNew its process is a new one: network faults and limits are made again in its new namespace
   */
  async cameBack(node: string, isNew = true): Promise<void> {
    if (this.ledger.open().length === 0) return;
    using _lock = await this.lock();
    for (const record of this.ledger.open()) {
      if (record.state !== "active") continue;
      const steps = record.steps.filter((step) => step.kind !== "process" || step.node !== node);
      if (steps.length === record.steps.length) continue;
      const isOver = steps.length === 0;
      const evidence = [
        ...record.evidence,
        ...stamped("after", [{ what: `${node} runs again, by hand`, holds: true }]),
      ];
      this.ledger.put({
        ...record,
        steps,
        evidence,
        ...(isOver ? { state: "healed", owner: null, healedAt: new Date().toISOString() } : {}),
      });
    }
    if (isNew) await reapply(await this.tools(), node, "");
  }
}
