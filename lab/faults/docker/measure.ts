/** Proofs measured from inside the nodes' network namespaces. */
import type { Measure } from "../actor.ts";
import type { AgentOp, AgentResult } from "../agent/protocol.ts";
import type { FaultProof } from "../fault.ts";

/** Does operations in a node's namespace; null when the node does not run. */
export type RunIn = (
  node: string,
  ops: readonly AgentOp[],
) => Promise<readonly AgentResult[] | null>;

type ProofOf<Kind extends FaultProof["kind"]> = Extract<FaultProof, { kind: Kind }>;

const BURST = 600;

function missing(node: string): Measure {
  return { value: null, what: `not measured: ${node} does not run` };
}

/** All connections from one node are tried at once, by one helper. */
async function connects(
  run: RunIn,
  proofs: readonly ProofOf<"connect">[],
): Promise<ReadonlyMap<FaultProof, Measure>> {
  const measures = new Map<FaultProof, Measure>();
  const senders = [...new Set(proofs.map((proof) => proof.from))];
  await Promise.all(
    senders.map(async (from) => {
      const own = proofs.filter((proof) => proof.from === from);
      const ops = own.map(({ host, port }): AgentOp => ({ op: "connect", host, port }));
      const results = await run(from, ops);
      for (const [index, proof] of own.entries()) {
        const outcome = results?.[index]?.text;
        const what = `${from} → ${proof.to} port ${proof.port}: ${outcome ?? ""}`;
        measures.set(proof, outcome === undefined ? missing(from) : { value: outcome, what });
      }
    }),
  );
  return measures;
}

/** Packets by the counters of the fault's own rules: one that only counts, then one that drops. */
function counters(
  listing: string,
  source: string,
): { readonly seen: number; readonly dropped: number } {
  const rows = listing
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((row) => row.includes(source));
  const sum = (isDrop: boolean): number =>
    rows
      .filter((row) => row.includes("DROP") === isDrop)
      .reduce((total, row) => total + Number(row[0]), 0);
  return { seen: sum(false), dropped: sum(true) };
}

async function loss(run: RunIn, proof: ProofOf<"loss">): Promise<Measure> {
  const list: AgentOp = { op: "run", argv: ["iptables", "-w", "-nvxL", proof.chain] };
  const before = await run(proof.to, [list]);
  if (before === null) return missing(proof.to);
  // Without the chain there is nothing that could drop.
  if (before[0]?.code !== 0) return { value: 0, what: `${proof.to} drops nothing` };
  const sent = await run(proof.from, [{ op: "burst", host: proof.host, count: BURST }]);
  if (sent === null) return missing(proof.from);
  const after = await run(proof.to, [list]);
  const source = proof.source;
  const first = counters(before[0].text, source);
  const last = counters(after?.[0]?.text ?? "", source);
  const seen = last.seen - first.seen;
  const percent = seen === 0 ? 0 : ((last.dropped - first.dropped) / seen) * 100;
  const what = `${proof.from} → ${proof.to}: ${percent.toFixed(1)} % of ${seen} packets lost`;
  return { value: percent, what };
}

async function delay(run: RunIn, proof: ProofOf<"delay">): Promise<Measure> {
  const { from, to, host, port, role } = proof;
  const results = await run(from, [{ op: "ask", host, port, role }]);
  if (results === null) return missing(from);
  const ms = results[0]?.value ?? null;
  if (ms === null)
    return { value: null, what: `${from} → ${to}: no answer: ${results[0]?.text ?? ""}` };
  return { value: ms, what: `${from} → ${to}: ${ms.toFixed(1)} ms a round trip` };
}

async function rate(run: RunIn, proof: ProofOf<"rate">): Promise<Measure> {
  const { from, host, device } = proof;
  const results = await run(from, [{ op: "pour", host, device }]);
  if (results === null) return missing(from);
  const bits = results[0]?.value ?? null;
  if (bits === null)
    return { value: null, what: `${from}: not measured: ${results[0]?.text ?? ""}` };
  return { value: bits, what: `${from} sends ${(bits / 1e6).toFixed(1)} Mbit/s` };
}

/**
 * @param run does operations in a node's namespace
 * @param proofs what to measure
 * @returns one measure a proof, in order
 */
export async function measureProofs(
  run: RunIn,
  proofs: readonly FaultProof[],
): Promise<readonly Measure[]> {
  const tried = await connects(
    run,
    proofs.filter((proof) => proof.kind === "connect"),
  );
  const measures: Measure[] = [];
  // One after the other: two measurements at once would disturb each other.
  for (const proof of proofs) {
    if (proof.kind === "loss") measures.push(await loss(run, proof));
    else if (proof.kind === "delay") measures.push(await delay(run, proof));
    else if (proof.kind === "rate") measures.push(await rate(run, proof));
    else measures.push(tried.get(proof) ?? missing(proof.from));
  }
  return measures;
}
