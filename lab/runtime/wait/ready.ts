/** Ready (DESIGN 4): every broker routed by every name server, slaves in sync, one probe message round through every master. */
import { createAdminClient, type AdminClient } from "../../../engine/admin/index.ts";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { createClient, createProducer } from "../../../engine/client/index.ts";
import type { LabRuntime } from "../runtime.ts";
import { inspectNodes, machineAddress, type NodeFacts } from "./health.ts";
import { pollUntil, type PollOptions } from "./poll.ts";
import { MasterProbe, type ProbeTarget } from "./probe.ts";

/** What to wait for. */
export interface ReadyOptions extends Omit<PollOptions, "intervalMs"> {
  readonly runtime: LabRuntime;
  /** Nodes that must be ready; others may be down. */
  readonly nodes: ReadonlySet<string>;
}

/** How long each part took, milliseconds. */
export interface ReadyReport {
  readonly routedMs: number;
  readonly probedMs: number;
  readonly syncedMs: number;
}

const ADMIN_TIMEOUT_MS = 1_500;
/** Last log lines of a node that failed, as part of the error. */
const LOG_TAIL = 12;

/** @returns `host:port` of the name servers, as the machine reaches them */
export function namesrvEndpoints(runtime: LabRuntime): readonly string[] {
  return runtime
    .endpoints()
    .filter((endpoint) => endpoint.port === "namesrv")
    .map((endpoint) => endpoint.address);
}

/** An admin client of a lab's name servers; the caller closes it. */
export function labAdmin(runtime: LabRuntime): AdminClient {
  return createAdminClient({
    namesrvAddrs: namesrvEndpoints(runtime),
    timeoutMs: ADMIN_TIMEOUT_MS,
  });
}

async function tailOf(runtime: LabRuntime, node: string): Promise<string> {
  const lines: string[] = [];
  const options = { tail: LOG_TAIL, follow: false, signal: new AbortController().signal };
  try {
    for await (const line of runtime.logs(node, options)) lines.push(line);
  } catch {
    return "";
  }
  return lines.length === 0
    ? ""
    : `\nlast lines of ${node}:\n${lines.map((l) => `  ${l}`).join("\n")}`;
}

/** A node whose process has ended will not become ready: say so at once, with its last words. */
async function failOnEnded(runtime: LabRuntime, expected: ReadonlySet<string>): Promise<void> {
  const ended = (await runtime.observe()).filter(
    (seen) => expected.has(seen.node) && (seen.state === "stopped" || seen.state === "missing"),
  );
  if (ended.length === 0) return;
  const names = ended.map((seen) => seen.node);
  const tails = await Promise.all(names.map((name) => tailOf(runtime, name)));
  throw new EngineError("LAB_NODE_FAILED", {
    message: `${names.join(", ")} ended right after the start${tails.join("")}`,
    hint: `see \`lab logs ${names[0] ?? "NODE"}\`, then run \`lab up\` again`,
  });
}

/** Nor will one that is frozen, until somebody wakes it. */
async function failOnPaused(runtime: LabRuntime, expected: ReadonlySet<string>): Promise<void> {
  const paused = (await runtime.observe())
    .filter((seen) => expected.has(seen.node) && seen.state === "paused")
    .map((seen) => seen.node);
  if (paused.length === 0) return;
  throw new EngineError("LAB_NODE_FAILED", {
    message: `${paused.join(", ")} ${paused.length === 1 ? "is" : "are"} paused and will not get ready`,
    hint: `\`lab unpause ${paused.join(" ")}\`, or \`lab heal\` for every fault`,
  });
}

/** A name server that came back knows a broker only when that has told it; clients that ask it before find nobody. */
function missingRoute(options: ReadyOptions, facts: readonly NodeFacts[]): string | null {
  for (const { node, health, routes } of facts) {
    if (health === "down") continue;
    const namesrv = Object.keys(routes).find(
      (name) => options.nodes.has(name) && routes[name] === null,
    );
    if (namesrv !== undefined) return `${namesrv}: ${node} has not told it its routes yet`;
  }
  return null;
}

async function missingHealth(options: ReadyOptions, admin: AdminClient): Promise<string | null> {
  await failOnEnded(options.runtime, options.nodes);
  await failOnPaused(options.runtime, options.nodes);
  const facts = await inspectNodes(options.runtime, admin);
  const missing = facts.filter((entry) => options.nodes.has(entry.node) && entry.health !== "ok");
  const first = missing[0];
  if (first === undefined) return missingRoute(options, facts);
  const others = missing.length === 1 ? "" : `, and ${missing.length - 1} more`;
  return `${first.node}: ${first.reason}${others}`;
}

/** Masters that must be ready, and those whose slave must: that it replicates shows only when a message goes through its master. */
async function probeTargets(options: ReadyOptions): Promise<readonly ProbeTarget[]> {
  const { nodes } = options.runtime.allocation.topology;
  const running = new Set(
    (await options.runtime.observe())
      .filter((seen) => seen.state === "running")
      .map((seen) => seen.node),
  );
  const runningSlaves = nodes.filter(
    (node) => node.role === "broker-slave" && running.has(node.name),
  );
  return nodes.flatMap((node) => {
    if (node.role !== "broker-master") return [];
    const slaves = runningSlaves.filter(
      (slave) => slave.broker?.brokerName === node.broker?.brokerName,
    );
    const isForSlave =
      running.has(node.name) && slaves.some((slave) => options.nodes.has(slave.name));
    if (!options.nodes.has(node.name) && !isForSlave) return [];
    return {
      node: node.name,
      brokerName: node.broker?.brokerName ?? "",
      address: machineAddress(options.runtime, node.name),
      hasSlave: slaves.length > 0,
    };
  });
}

async function probeMasters(options: ReadyOptions, admin: AdminClient): Promise<void> {
  const targets = await probeTargets(options);
  if (targets.length === 0) return;
  const client = createClient({ namesrvAddrs: namesrvEndpoints(options.runtime) });
  try {
    const producer = createProducer(client, { group: "LAB_PROBE_PRODUCER", retries: 0 });
    await producer.start();
    const tools = { client, producer, admin };
    await Promise.all(
      targets.map((target) => {
        const probe = new MasterProbe(tools, target);
        return pollUntil(() => probe.attempt(), {
          ...options,
          say: (missing) => options.say(`waiting for ${missing}`),
        });
      }),
    );
  } finally {
    await client.close();
  }
}

/** Puts the last words of the nodes that are not well under a time-out. */
async function withLogs(
  error: unknown,
  options: ReadyOptions,
  admin: AdminClient,
): Promise<unknown> {
  if (!(error instanceof EngineError) || error.code !== "LAB_NOT_READY") return error;
  const failing = (await inspectNodes(options.runtime, admin)).filter(
    (entry) => options.nodes.has(entry.node) && entry.health !== "ok",
  );
  const tails = await Promise.all(
    failing.slice(0, 3).map((entry) => tailOf(options.runtime, entry.node)),
  );
  return new EngineError("LAB_NOT_READY", {
    message: error.message + tails.join(""),
    hint: error.hint ?? "`lab status` shows each node",
    cause: error.cause,
  });
}

/**
 * Waits until the given nodes are ready.
 * @throws EngineError LAB_NOT_READY (what is missing, first error, last log lines) | LAB_NODE_FAILED (a process ended)
 */
export async function waitUntilReady(options: ReadyOptions): Promise<ReadyReport> {
  const admin = labAdmin(options.runtime);
  const begun = performance.now();
  try {
    const health = (): Promise<string | null> => missingHealth(options, admin);
    const say = (missing: string): void => options.say(`waiting: ${missing}`);
    await pollUntil(health, { ...options, say });
    const routed = performance.now();
    await probeMasters(options, admin);
    const probed = performance.now();
    // Only now is there surely something a slave must have.
    await pollUntil(health, { ...options, say });
    const synced = performance.now();
    return { routedMs: routed - begun, probedMs: probed - routed, syncedMs: synced - probed };
  } catch (error) {
    throw await withLogs(error, options, admin);
  } finally {
    admin.close();
  }
}
