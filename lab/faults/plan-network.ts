/**
 * Network faults as rules inside the nodes' own network namespaces: nothing outside the lab's containers is ever touched, and the Docker API alone
 * is enough (docker-lab 9 b). Each fault has one chain, named after it, in each namespace:
 *
 *   INPUT, OUTPUT → LAB-f1 → DROP | REJECT | count, then DROP at random
 *
 * A cut is made at both ends, so that it holds when the container at one end starts anew.
 */
import type { LabAllocation } from "../runtime/runtime.ts";
import { mainPort } from "../topology/ports.ts";
import type { LabNode } from "../topology/topology.ts";
import { RELAY_USER, type RelayRoute } from "./agent/protocol.ts";
import type { FaultPlan, FaultProof, FaultSpec, FaultStep } from "./fault.ts";
import { linksOf, type Links, type PacketMatch } from "./links.ts";
import type { Capabilities } from "./plan.ts";

const KINDS = ["partition", "reject", "loss", "delay", "bandwidth", "firewall"] as const;

type NetworkKind = (typeof KINDS)[number];
type NetworkSpec = Extract<FaultSpec, { kind: NetworkKind }>;
type SpecOf<Kind extends NetworkKind> = Extract<FaultSpec, { kind: Kind }>;

interface Around {
  readonly allocation: LabAllocation;
  readonly capabilities: Capabilities;
}

/** First port a relay listens on, on the loopback of its node's namespace. */
const RELAY_PORT = 29_000;
/** Shaper: how much may pass at once, and how long a packet may wait. */
const TBF_BURST = "64kb";
const TBF_QUEUE = "50ms";

const IPTABLES = ["iptables", "-w"];

/** @returns whether a fault is one of the network's */
export function isNetworkFault(spec: FaultSpec): spec is NetworkSpec {
  return KINDS.some((kind) => kind === spec.kind);
}

/** Where a rule stands, seen from the node whose namespace it is in. */
type Hook = "INPUT" | "OUTPUT";

interface NodeRule {
  readonly hook: Hook;
  readonly rule: readonly string[];
}

/** @returns name of the fault's chain */
function chainOf(id: string): string {
  return `LAB-${id}`;
}

/** The commands that take a chain away; each may find it gone already. */
function removal(chain: string, hooks: readonly Hook[], table: readonly string[]): string[][] {
  return [
    ...hooks.map((hook) => [...IPTABLES, ...table, "-D", hook, "-j", chain]),
    [...IPTABLES, ...table, "-F", chain],
    [...IPTABLES, ...table, "-X", chain],
  ];
}

function rulesStep(
  node: string,
  chain: string,
  rules: readonly NodeRule[],
  table: readonly string[] = [],
): FaultStep {
  const hooks = (["INPUT", "OUTPUT"] as const).filter((hook) =>
    rules.some((rule) => rule.hook === hook),
  );
  const apply = [
    [...IPTABLES, ...table, "-N", chain],
    ...rules.map(({ rule }) => [...IPTABLES, ...table, "-A", chain, ...rule]),
    ...hooks.map((hook) => [...IPTABLES, ...table, "-I", hook, "1", "-j", chain]),
  ];
  return {
    kind: "rules",
    node,
    apply,
    heal: removal(chain, hooks, table),
    look: [...IPTABLES, ...table, "-S"],
    mark: chain,
  };
}

function collect(
  chain: string,
  rules: ReadonlyMap<string, readonly NodeRule[]>,
): readonly FaultStep[] {
  return [...rules].map(([node, list]) => rulesStep(node, chain, list));
}

function add(rules: Map<string, NodeRule[]>, node: string, entry: NodeRule): void {
  const list = rules.get(node) ?? [];
  list.push(entry);
  rules.set(node, list);
}

const DROP = ["-j", "DROP"];
const RESET = ["-j", "REJECT", "--reject-with", "tcp-reset"];

/** Dropped at both ends. A port is that of either side, so that a cut takes both a connection's requests and its answers. */
function partitionPlan(id: string, spec: SpecOf<"partition">, links: Links): FaultPlan {
  const rules = new Map<string, NodeRule[]>();
  const { port } = spec;
  const words = port === null ? [] : ["-p", "tcp", "-m", "multiport", "--ports", String(port)];
  const match: PacketMatch = { words, port };
  for (const [from, to] of links.pairs(spec)) {
    for (const packets of links.leaving(from, to, match)) {
      add(rules, from, { hook: "OUTPUT", rule: [...packets, ...DROP] });
    }
    for (const packets of links.arriving(from, to, match)) {
      add(rules, to, { hook: "INPUT", rule: [...packets, ...DROP] });
    }
  }
  return { steps: collect(chainOf(id), rules), proofs: cutProofs(spec, links) };
}

/** Refused where a connection begins: the reset must not meet a rule on its way back. */
function rejectPlan(id: string, spec: SpecOf<"reject">, links: Links): FaultPlan {
  const rules = new Map<string, NodeRule[]>();
  const { port } = spec;
  const words = ["-p", "tcp", ...(port === null ? [] : ["--dport", String(port)])];
  for (const [from, to] of links.pairs(spec)) {
    for (const packets of links.leaving(from, to, { words, port })) {
      add(rules, from, { hook: "OUTPUT", rule: [...packets, ...RESET] });
    }
  }
  return { steps: collect(chainOf(id), rules), proofs: cutProofs(spec, links) };
}

/** A connection from every `from` to every `to`; the other way too unless the cut is one way. */
function cutProofs(spec: SpecOf<"partition" | "reject">, links: Links): readonly FaultProof[] {
  return links.pairs(spec).flatMap(([from, to]): FaultProof[] => {
    const ports = links.node(to).ports.map((port) => port.inner);
    const port = spec.port === null ? mainPort(links.node(to)).inner : spec.port;
    if (!ports.includes(port)) return [];
    const expect = spec.kind === "reject" ? "refused" : "blocked";
    return [{ kind: "connect", from, to, host: links.internet(to), port, expect }];
  });
}

/** Lost on arrival: a packet dropped where it is sent would be told to the sender's TCP. */
function lossPlan(id: string, spec: SpecOf<"loss">, links: Links): FaultPlan {
  const rules = new Map<string, NodeRule[]>();
  const chain = chainOf(id);
  const probability = String(spec.percent / 100);
  const random = ["-m", "statistic", "--mode", "random", "--probability", probability];
  for (const [from, to] of links.pairs(spec)) {
    for (const address of links.seen(to, from)) {
      // The first rule only counts.
      add(rules, to, { hook: "INPUT", rule: ["-s", address] });
      add(rules, to, { hook: "INPUT", rule: ["-s", address, ...random, ...DROP] });
    }
  }
  const proofs = links.pairs(spec).map(([from, to]): FaultProof => ({
    kind: "loss",
    from,
    to,
    host: links.internet(to),
    source: links.internet(from),
    chain,
    percent: spec.percent,
  }));
  return { steps: collect(chain, rules), proofs };
}

function delayProof(
  from: string,
  to: LabNode,
  host: string,
  addedMs: number,
): readonly FaultProof[] {
  const role = to.broker === undefined ? to.role : "broker";
  if (role !== "broker" && role !== "namesrv") return [];
  const port = mainPort(to).inner;
  return [{ kind: "delay", from, to: to.name, host, port, role, addedMs }];
}

/** The kernel delays everything the node sends to the other hosts. */
function netemSteps(spec: SpecOf<"delay">, links: Links): readonly FaultStep[] {
  const nodes = spec.oneWay ? spec.from : [...new Set([...spec.from, ...spec.to])];
  return nodes.map((node): FaultStep => {
    const { device } = links.cable(node);
    return {
      kind: "rules",
      node,
      apply: [["tc", "qdisc", "add", "dev", device, "root", "netem", "delay", `${spec.delayMs}ms`]],
      heal: [["tc", "qdisc", "del", "dev", device, "root"]],
      look: ["tc", "qdisc", "show", "dev", device],
      mark: "netem",
    };
  });
}

/**
 * Connections of `node` to the others go through a relay in its namespace. The relay is known by its user; what goes out by another
 * user to the real address is a connection from before the fault: it is reset, and comes back through the relay.
 */
function relaySteps(
  id: string,
  delayMs: number,
  link: { readonly node: string; readonly peers: readonly string[] },
  links: Links,
): readonly FaultStep[] {
  const chain = chainOf(id);
  const targets = link.peers.flatMap((peer) =>
    links
      .seen(link.node, peer)
      .flatMap((host) => links.node(peer).ports.map(({ inner }) => ({ host, port: inner }))),
  );
  const routes = targets.map((target, index): RelayRoute => ({
    ...target,
    listen: RELAY_PORT + index,
  }));
  const foreign = ["-m", "owner", "!", "--uid-owner", String(RELAY_USER)];
  const match = (route: RelayRoute): string[] => [
    "-p",
    "tcp",
    "-d",
    route.host,
    "--dport",
    String(route.port),
    ...foreign,
  ];
  const redirects = routes.map((route): NodeRule => ({
    hook: "OUTPUT",
    rule: [...match(route), "-j", "REDIRECT", "--to-ports", String(route.listen)],
  }));
  const resets = routes.map((route): NodeRule => ({
    hook: "OUTPUT",
    rule: [...match(route), ...RESET],
  }));
  return [
    { kind: "relay", node: link.node, delayMs, routes },
    rulesStep(link.node, chain, redirects, ["-t", "nat"]),
    rulesStep(link.node, chain, resets),
  ];
}

function delayPlan(id: string, spec: SpecOf<"delay">, links: Links, netem: boolean): FaultPlan {
  const pairs = links.pairs(spec);
  const addedMs = netem && spec.oneWay ? spec.delayMs : 2 * spec.delayMs;
  const proofs = pairs.flatMap(([from, to]) =>
    delayProof(from, links.node(to), links.internet(to), addedMs),
  );
  if (netem) return { steps: netemSteps(spec, links), proofs };
  const senders = [...new Set(pairs.map(([from]) => from))];
  const steps = senders.flatMap((node) => {
    const peers = pairs.filter(([from]) => from === node).map(([, to]) => to);
    return relaySteps(id, spec.delayMs, { node, peers }, links);
  });
  return { steps, proofs };
}

function bandwidthPlan(spec: SpecOf<"bandwidth">, links: Links): FaultPlan {
  const rate = `${Math.round(spec.bitsPerSecond)}bit`;
  const steps = spec.nodes.map((node): FaultStep => {
    const { device } = links.cable(node);
    const shape = ["tbf", "rate", rate, "burst", TBF_BURST, "latency", TBF_QUEUE];
    return {
      kind: "rules",
      node,
      apply: [["tc", "qdisc", "add", "dev", device, "root", ...shape]],
      heal: [["tc", "qdisc", "del", "dev", device, "root"]],
      look: ["tc", "qdisc", "show", "dev", device],
      mark: "tbf",
    };
  });
  const proofs = spec.nodes.map((from): FaultProof => ({
    kind: "rate",
    from,
    // The bridge answers there: packets leave by the shaped interface and end on the engine's machine.
    host: links.cable(from).gateway,
    device: links.cable(from).device,
    bitsPerSecond: spec.bitsPerSecond,
  }));
  return { steps, proofs };
}

/** What comes from the host itself passes; everything else to that port is dropped, as a cloud's security group does. */
function firewallPlan(
  id: string,
  spec: SpecOf<"firewall">,
  links: Links,
  allocation: LabAllocation,
): FaultPlan {
  const { nodes } = allocation.topology;
  const closed = ["-p", "tcp", "--dport", String(spec.port), ...DROP];
  const { inside, outside: seeming } = links.local(spec.host);
  const passes = [
    ["-i", "lo", "-j", "RETURN"],
    ...seeming.map((source) => ["-s", source, ...closed]),
    ...inside.map((source) => ["-s", source, "-j", "RETURN"]),
  ];
  const steps = spec.nodes.map((node) =>
    rulesStep(
      node,
      chainOf(id),
      [...passes, closed].map((rule): NodeRule => ({ hook: "INPUT", rule })),
    ),
  );
  const outside = nodes.filter((node) => node.host !== spec.host).slice(0, 1);
  const proofs = outside.flatMap(({ name: from }) =>
    spec.nodes.map((to): FaultProof => ({
      kind: "connect",
      from,
      to,
      host: links.internet(to),
      port: spec.port,
      expect: "blocked",
    })),
  );
  return { steps, proofs };
}

/**
 * @param id of the fault: names its chain
 * @param spec a network fault
 * @param around the lab, and whether its kernel has netem
 */
export function planNetwork(id: string, spec: NetworkSpec, around: Around): FaultPlan {
  const { allocation, capabilities } = around;
  const links = linksOf(allocation);
  switch (spec.kind) {
    case "partition":
      return partitionPlan(id, spec, links);
    case "reject":
      return rejectPlan(id, spec, links);
    case "loss":
      return lossPlan(id, spec, links);
    case "delay":
      return delayPlan(id, spec, links, capabilities.netem);
    case "bandwidth":
      return bandwidthPlan(spec, links);
    case "firewall":
      return firewallPlan(id, spec, links, allocation);
  }
}
