/** `--engine` as a person types it: `ts`, `apache-dist:DIR` or `apache:IMAGE`, for all nodes or after `NODE=`. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";
import { suggestion } from "../base/did-you-mean.ts";
import { readDistribution } from "../apache/distribution.ts";
import { memoryMinMiB } from "../apache/program.ts";
import { resolveSelector, selectorNames } from "../topology/selectors.ts";
import type { LabNode, NodeEngine, Topology } from "../topology/topology.ts";

/** One wish, taken apart. */
interface EngineText {
  readonly selector: string;
  /** Null: our own engine. */
  readonly engine: NodeEngine | null;
}

const EVERYWHERE = "@all";
const EXAMPLE =
  "for example `--engine broker-b=apache-dist:/opt/rocketmq-4.9.7`, `--engine apache:apache/rocketmq:4.9.7` or `--engine ts`";
const SHAPE = /^(?:([^=:\s]+)=)?(?:(ts)|(apache-dist|apache):(\S.*))$/s;

function parseEngine(text: string): EngineText {
  const [, selector = EVERYWHERE, own, kind, from] = SHAPE.exec(text) ?? [];
  if (own !== undefined) return { selector, engine: null };
  if (from !== undefined && (kind === "apache" || kind === "apache-dist"))
    return { selector, engine: { kind, from } };
  throw new EngineError("CLI_USAGE", {
    message: `--engine "${text}" is none of ts, apache-dist:DIR, apache:IMAGE, or one of them after NODE=`,
    hint: EXAMPLE,
  });
}

/** @returns `apache-dist:/opt/rocketmq` */
export function engineName(engine: NodeEngine | undefined): string {
  return engine === undefined ? "ts" : `${engine.kind}:${engine.from}`;
}

/**
 * @param kept what a lab was told so far
 * @param added what is new, as typed; a folder is made absolute and looked into
 * @param cwd folder a relative path starts from
 * @returns what the lab has from now on; one for all nodes replaces everything before it
 * @throws EngineError CLI_USAGE
 */
export function mergeEngines(
  kept: readonly string[],
  added: readonly string[],
  cwd: string,
): readonly string[] {
  let merged = new Map(kept.map((text) => [parseEngine(text).selector, text]));
  for (const text of added) {
    const { selector, engine } = parseEngine(text);
    if (selector === EVERYWHERE) merged = new Map();
    if (engine?.kind === "apache-dist") {
      const dir = resolve(cwd, engine.from);
      readDistribution(dir);
      merged.delete(selector);
      merged.set(selector, `${selector}=apache-dist:${dir}`);
    } else {
      merged.delete(selector);
      merged.set(selector, `${selector}=${engineName(engine ?? undefined)}`);
    }
  }
  // Our own engine everywhere is what a lab has anyway.
  if (parseEngine(merged.get(EVERYWHERE) ?? "ts").engine === null) merged.delete(EVERYWHERE);
  return [...merged.values()];
}

/** `broker-b` may stand for `@broker-b`, `host-1` for `@host-1`. */
function nodesOf(topology: Topology, selector: string): readonly LabNode[] {
  const exact = resolveSelector(topology, selector);
  const nodes = exact.length > 0 ? exact : resolveSelector(topology, `@${selector}`);
  if (nodes.length > 0) return nodes;
  const known = [...topology.nodes.map((node) => node.name), ...selectorNames(topology)];
  throw new EngineError("LAB_NODE_UNKNOWN", {
    message: `--engine: this lab has no node or group "${selector}"`,
    hint: suggestion(selector, known, `there are ${known.join(", ")}`),
  });
}

/**
 * @param topology as loaded
 * @param engines of the lab, oldest first
 * @returns the topology with each node's engine; the dashboard is always ours
 * @throws EngineError CLI_USAGE | LAB_NODE_UNKNOWN
 */
export function withEngines(topology: Topology, engines: readonly string[]): Topology {
  const chosen = new Map<string, NodeEngine | null>();
  for (const { selector, engine } of engines.map(parseEngine)) {
    const nodes = nodesOf(topology, selector);
    const takers = nodes.filter((node) => node.role !== "dashboard");
    if (takers.length === 0) {
      throw new EngineError("CLI_USAGE", {
        message: `--engine ${selector}: the dashboard is always the lab's own`,
        hint: "name a broker or name server",
      });
    }
    for (const node of takers) chosen.set(node.name, engine);
  }
  return {
    ...topology,
    nodes: topology.nodes.map(({ engine: _old, ...node }) => {
      const engine = chosen.get(node.name);
      if (engine === undefined || engine === null) return node;
      // A size made for Node's heap is too tight around a Java virtual machine.
      const { resources } = node;
      const memoryMiB = Math.max(resources.memoryMiB, memoryMinMiB(resources.heapMiB));
      return { ...node, engine, resources: { ...resources, memoryMiB } };
    }),
  };
}

/** @returns the version of a node's Apache engine as its files tell it, else where it comes from; `ts` for ours */
export function engineTitle(engine: NodeEngine | undefined): string {
  if (engine === undefined) return "ts";
  if (engine.kind === "apache" || !existsSync(engine.from)) return `Apache (${engine.from})`;
  return `Apache ${readDistribution(engine.from).version}`;
}
