/** Taking one fault back and showing that it is gone. Works from the ledger alone, so any process can do it, any number of times. */
import { EngineError } from "../../engine/base/engine-error.ts";
import { identify } from "../runtime/process-identity.ts";
import type { LabRuntime } from "../runtime/runtime.ts";
import type { FaultActor, Seen } from "./actor.ts";
import type { Evidence, FaultProof, FaultRecord, FaultStep, StepOf } from "./fault.ts";
import { judge } from "./judge.ts";
import type { FaultLedger } from "./ledger.ts";

const AFTER_TRIES = 8;
const AFTER_GAP_MS = 400;

/** What healing works with. */
export interface HealingTools {
  readonly runtime: LabRuntime;
  readonly ledger: FaultLedger;
  readonly actor: FaultActor;
}

/** @returns evidence of now */
export function stamped(when: Evidence["when"], seen: readonly Seen[]): readonly Evidence[] {
  return seen.map((entry) => ({ when, at: new Date().toISOString(), ...entry }));
}

/** Steps of one node in order, different nodes at once. */
export async function byNode(
  steps: readonly FaultStep[],
  work: (step: FaultStep) => Promise<Seen>,
): Promise<readonly Seen[]> {
  const nodes = [...new Set(steps.map((step) => step.node))];
  const seen = await Promise.all(
    nodes.map(async (node) => {
      const own: Seen[] = [];
      for (const step of steps.filter((candidate) => candidate.node === node)) {
        own.push(await work(step));
      }
      return own;
    }),
  );
  return seen.flat();
}

/**
 * Rules and limits of a node that started anew went with its namespace or its container: they are made again.
 * @param node that is back
 * @param except fault that is being healed
 */
export async function reapply(tools: HealingTools, node: string, except: string): Promise<void> {
  for (const { id, state, steps } of tools.ledger.open()) {
    if (state !== "active" || id === except) continue;
    for (const step of steps) {
      if (step.node === node && step.kind !== "process") await tools.actor.apply(id, step);
    }
  }
}

/** Another fault that keeps this node's process down or frozen: only the last one to be healed brings it back. */
function alsoHeldBy(tools: HealingTools, node: string, id: string): FaultRecord | undefined {
  return tools.ledger
    .open()
    .find(
      (other) =>
        other.id !== id &&
        other.steps.some((step) => step.kind === "process" && step.node === node),
    );
}

/** A wipe that was cut short is finished first: half a store is neither a lost disk nor a whole one. */
async function finishWipe(tools: HealingTools, id: string, step: FaultStep): Promise<void> {
  const seen = (await tools.runtime.observe()).find((entry) => entry.node === step.node);
  if (seen?.state === "running" || seen?.state === "paused") return;
  await tools.actor.apply(id, step);
}

/** A disk is repaired while its node is down, which then comes back unless another fault keeps it down. */
async function repairDisk(
  tools: HealingTools,
  record: FaultRecord,
  step: StepOf<"readonly">,
): Promise<Seen> {
  const repaired = await tools.actor.heal(record.id, step);
  if (repaired.holds === false) return repaired;
  const back: FaultStep = { kind: "process", node: step.node, act: "stop", signal: "" };
  const seen = await healStep(tools, record, back);
  return { what: `${repaired.what}; ${seen.what}`, holds: seen.holds ?? repaired.holds };
}

async function healStep(tools: HealingTools, record: FaultRecord, step: FaultStep): Promise<Seen> {
  if (step.kind === "readonly") return repairDisk(tools, record, step);
  if (step.kind !== "process") return tools.actor.heal(record.id, step);
  const { node } = step;
  const wasMade = record.evidence.some((entry) => entry.when === "during");
  if (step.act === "wipe" && !wasMade) await finishWipe(tools, record.id, step);
  const other = alsoHeldBy(tools, node, record.id);
  if (other !== undefined) {
    return { what: `${node} stays as it is: ${other.spec.kind} ${other.id} holds it`, holds: null };
  }
  const seen = await tools.actor.heal(record.id, step);
  await reapply(tools, node, record.id);
  return seen;
}

async function proveHealed(tools: HealingTools, record: FaultRecord): Promise<readonly Seen[]> {
  const { runtime, ledger, actor } = tools;
  const running = new Set(
    (await runtime.observe()).filter((seen) => seen.state === "running").map((seen) => seen.node),
  );
  const ends = (proof: FaultProof): readonly string[] =>
    "to" in proof ? [proof.from, proof.to] : [proof.from];
  const proofs = record.proofs.filter((proof) => ends(proof).every((node) => running.has(node)));
  const isAlone = ledger.open().every((open) => open.id === record.id);
  let seen: readonly Seen[] = [];
  for (let attempt = 0; attempt < AFTER_TRIES; attempt += 1) {
    seen = judge(proofs, await actor.measure(record.id, proofs), "after");
    if (!isAlone || seen.every((entry) => entry.holds !== false)) break;
    await new Promise((resolve) => setTimeout(resolve, AFTER_GAP_MS));
  }
  // While other faults are in effect, a connection that fails says nothing about this one.
  return isAlone
    ? seen
    : seen.map((entry) => ({ ...entry, holds: entry.holds === true ? true : null }));
}

/**
 * Takes every step back, in reverse. The caller holds the lab's lock.
 * @param given entry of the ledger, in whatever state a command left it
 * @returns the healed entry
 * @throws EngineError LAB_FAULT_FAILED; the entry stays open and is tried again by the next command
 */
export async function healRecord(tools: HealingTools, given: FaultRecord): Promise<FaultRecord> {
  const { ledger, actor } = tools;
  const record = ledger.put({
    ...given,
    state: "healing",
    owner: identify(process.pid),
    // What an earlier try saw no longer counts.
    evidence: given.evidence.filter((entry) => entry.when !== "after"),
  });
  // A helper of a command that was killed may still be at work, and would undo what is done here.
  if (given.state !== "active") await actor.sweep(record.id);
  const errors: string[] = [];
  const seen = await byNode(record.steps.toReversed(), async (step) => {
    try {
      const gone = await healStep(tools, record, step);
      if (gone.holds === false) errors.push(gone.what);
      return gone;
    } catch (error) {
      const what = `${step.node}: ${error instanceof Error ? error.message : String(error)}`;
      errors.push(what);
      return { what, holds: false };
    }
  });
  await actor.sweep(record.id);
  const proven = errors.length === 0 ? await proveHealed(tools, record) : [];
  const evidence = [...record.evidence, ...stamped("after", [...seen, ...proven])];
  if (errors.length > 0) {
    ledger.put({ ...record, evidence });
    throw new EngineError("LAB_FAULT_FAILED", {
      message: `fault ${record.id} could not be healed: ${errors.join("; ")}`,
      hint: `repair that, then \`lab heal ${record.id}\`; \`lab down\` ends every fault with its container`,
    });
  }
  const healedAt = new Date().toISOString();
  return ledger.put({ ...record, state: "healed", owner: null, healedAt, evidence });
}
