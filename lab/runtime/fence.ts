/**
 * A broker that was master while another of its set was promoted may hold messages the new master never had (H-08, H-14). Its log is compared
 * with the master's before each of its starts as a slave; one that went another way is not started: replication would go on from its end as if
 * nothing were wrong, and the two would differ for ever.
 */
import { EngineError } from "../../engine/base/engine-error.ts";
import type { LabNode } from "../topology/topology.ts";
import type { LabRuntime } from "./runtime.ts";

/** A node that is looked at before it starts. */
export interface Fence {
  readonly node: string;
  /** Where the promoted node's log ended when it became master. */
  readonly logEnd: number;
  /** When that was. */
  readonly at: string;
}

const NEVER = new AbortController().signal;

/** @returns the master of a broker's set; undefined when there is none */
export function masterOf(nodes: readonly LabNode[], node: LabNode): LabNode | undefined {
  return nodes.find(
    (other) =>
      other.role === "broker-master" && other.broker?.brokerName === node.broker?.brokerName,
  );
}

async function check(runtime: LabRuntime, fence: Fence, master: LabNode): Promise<void> {
  const stores = runtime.stores();
  const work = { signal: NEVER, say: () => undefined };
  const own = stores.data(fence.node);
  const [compared, log] = await stores.run(
    [
      { do: "compare", data: own, with: stores.data(master.name) },
      { do: "log", data: own, since: fence.logEnd },
    ],
    work,
  );
  if (compared === undefined || log === undefined || !log.found) return;
  if (compared.found && compared.value <= compared.other) return;
  const surplus =
    compared.value > fence.logEnd
      ? `${compared.value - fence.logEnd} bytes (${log.other} records) behind offset ${fence.logEnd}`
      : "bytes";
  throw new EngineError("LAB_CONFLICT", {
    message: `${fence.node} is not started: its log holds ${surplus} that ${master.name}, master since ${fence.at}, never had, so it cannot follow it`,
    hint: `\`lab restore ${fence.node} --from ${master.name}\` sets its store aside and copies the master's; then \`lab start ${fence.node}\``,
  });
}

/**
 * @param runtime of the lab
 * @param names nodes that are about to be started
 * @throws EngineError LAB_CONFLICT naming what a node has that its master has not
 */
export async function checkFences(runtime: LabRuntime, names: readonly string[]): Promise<void> {
  const { topology, fences = [] } = runtime.allocation;
  for (const fence of fences.filter(({ node }) => names.includes(node))) {
    const node = topology.nodes.find(({ name }) => name === fence.node);
    if (node?.role !== "broker-slave") continue;
    const master = masterOf(topology.nodes, node);
    if (master !== undefined) await check(runtime, fence, master);
  }
}
