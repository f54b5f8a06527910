/** What must fit together in a topology: names, ports, property files, broker sets. All problems at once. */
import { join } from "node:path";
import type { BrokerFile } from "./broker-file.ts";
import type { ParsedTopology } from "./parse.ts";
import type { TopologyProblem } from "./problem.ts";
import { NODES_PER_HOST_MAX, type NodeEntry } from "./schema.ts";
import { hostName, serverEntries } from "./servers.ts";

/** Everything the checks look at. */
export interface TopologyDraft extends ParsedTopology {
  /** Folder of the topology, for naming property files. */
  readonly dir: string;
  /** By node name; a broker whose file could not be read is not in it. */
  readonly brokers: ReadonlyMap<string, BrokerFile>;
}

export interface Findings {
  readonly errors: readonly TopologyProblem[];
  /** Allowed, and worth a word. */
  readonly warnings: readonly TopologyProblem[];
}

type Check = (draft: TopologyDraft) => readonly TopologyProblem[];

function at(
  draft: TopologyDraft,
  path: readonly PropertyKey[],
  message: string,
): readonly TopologyProblem[] {
  return [{ file: draft.source.file, line: draft.source.lineOf(path), message }];
}

function eachNode(
  draft: TopologyDraft,
  check: (node: NodeEntry, index: number) => readonly TopologyProblem[],
): readonly TopologyProblem[] {
  return draft.file.nodes.flatMap(check);
}

/** @returns true for both roles that run mqbroker */
export function isBroker(node: { readonly role: NodeEntry["role"] }): boolean {
  return node.role === "broker-master" || node.role === "broker-slave";
}

const uniqueNames: Check = (draft) =>
  (["name", "alias"] as const).flatMap((key) => {
    const first = new Map<string, string>();
    return eachNode(draft, (node, index) => {
      const owner = first.get(node[key]);
      if (owner === undefined) {
        first.set(node[key], node.name);
        return [];
      }
      return at(
        draft,
        ["nodes", index, key],
        `${key} "${node[key]}" is taken: ${owner} has it already`,
      );
    });
  });

const hostsExist: Check = (draft) => {
  const hosts: readonly string[] = draft.file.hosts.map(hostName);
  return eachNode(draft, (node, index) => {
    if (hosts.includes(node.host)) return [];
    const message = `${node.name} is on ${node.host}, but hosts has only ${hosts.join(", ")}`;
    return at(draft, ["nodes", index, "host"], message);
  });
};

/** Two networks of this machine, or two servers: each with an engine and an address of its own. */
const serversAreApart: Check = (draft) => {
  const { hosts } = draft.file;
  const servers = serverEntries(hosts);
  if (servers.length === 0) return [];
  const plain = hosts.findIndex((host) => typeof host === "string");
  if (plain !== -1) {
    const message = `${hostName(hosts[plain] ?? "host-1")} names no engine, but another host does: every host names one, or none`;
    return at(draft, ["hosts", plain], message);
  }
  return (["engine", "address"] as const).flatMap((key) => {
    const [first, second] = servers;
    if (first === undefined || second === undefined || first[key] !== second[key]) return [];
    const message = `${key} ${second[key]} belongs to ${first.name} already: two servers differ in engine and address`;
    return at(draft, ["hosts", hosts.indexOf(second), key], message);
  });
};

const hostsHaveRoom: Check = (draft) =>
  draft.file.hosts.map(hostName).flatMap((host) => {
    const count = draft.file.nodes.filter((node) => node.host === host).length;
    if (count <= NODES_PER_HOST_MAX) return [];
    return at(draft, ["hosts"], `${host} has ${count} nodes; at most ${NODES_PER_HOST_MAX} fit`);
  });

/** Offsets of a node's ports from its main one: fast channel two below, replication one above (admin-protocol D.1). */
function portsOf(node: NodeEntry, main: number): readonly number[] {
  return isBroker(node) ? [main, main - 2, main + 1] : [main];
}

/** The first clash of each port; a broker's other two clash with it. */
const portsDoNotClash: Check = (draft) => {
  const owners = new Map<string, string>();
  return eachNode(draft, (node, index) =>
    (["port", "publish"] as const).flatMap((key) => {
      const scope = key === "port" ? node.host : "127.0.0.1";
      const ports = portsOf(node, node[key]);
      const taken = ports.find((port) => owners.has(`${scope}:${port}`));
      if (taken === undefined) {
        for (const port of ports) owners.set(`${scope}:${port}`, node.name);
        return [];
      }
      const range = isBroker(node) ? " (a broker takes port - 2, port and port + 1)" : "";
      const owner = owners.get(`${scope}:${taken}`) ?? "";
      const message = `${key} ${node[key]} of ${node.name} needs ${taken} on ${scope}, which ${owner} has${range}`;
      return at(draft, ["nodes", index, key], message);
    }),
  );
};

const limitsAreSane: Check = (draft) =>
  eachNode(draft, (node, index) => {
    const { heapMiB, memoryMiB } = node.resources;
    if (heapMiB * 1.25 <= memoryMiB) return [];
    const message = `heapMiB ${heapMiB} leaves too little of memoryMiB ${memoryMiB}: at most ${Math.floor(memoryMiB / 1.25)}`;
    return at(draft, ["nodes", index, "resources", "heapMiB"], message);
  });

const neededNodesExist: Check = (draft) =>
  (["namesrv", "broker-master"] as const).flatMap((role) =>
    draft.file.nodes.some((node) => node.role === role)
      ? []
      : at(draft, ["nodes"], `there is no node with role ${role}`),
  );

const brokersHaveFiles: Check = (draft) =>
  eachNode(draft, (node, index) => {
    if (isBroker(node) === (node.properties !== undefined)) return [];
    const message = isBroker(node)
      ? `${node.name} needs "properties": the property file of the broker`
      : `${node.name} is no broker and takes no "properties"`;
    return at(draft, ["nodes", index], message);
  });

/** Problems of one broker's file, told where the file says it. */
function fileProblems(
  draft: TopologyDraft,
  node: NodeEntry,
  broker: BrokerFile,
): readonly TopologyProblem[] {
  const problems: TopologyProblem[] = [];
  const wrong = (key: string, message: string): void => {
    const file = join(draft.dir, broker.settings.propertiesFile);
    problems.push({ file, line: broker.lineOf(key), message });
  };
  const { brokerRole, brokerId } = broker.settings;
  const isSlave = node.role === "broker-slave";
  if ((brokerRole === "SLAVE") !== isSlave)
    wrong("brokerRole", `brokerRole is ${brokerRole}, but ${node.name} has role ${node.role}`);
  if (isSlave && brokerId === 0)
    wrong("brokerId", `brokerId is 0, but ${node.name} is a slave: 1 or more`);
  if (!isSlave && brokerId !== 0)
    wrong("brokerId", `brokerId is ${brokerId}, but ${node.name} is a master: 0`);
  if (broker.listenPort !== node.port)
    wrong(
      "listenPort",
      `listenPort is ${broker.listenPort}, but topology.yaml says port ${node.port} for ${node.name}`,
    );
  const known = draft.file.nodes
    .filter((other) => other.role === "namesrv")
    .map((other) => `${other.alias}:${other.port}`);
  const strangers = broker.namesrvAddrs.filter((address) => !known.includes(address));
  if (strangers.length > 0)
    wrong("namesrvAddr", `${strangers.join(", ")} is no name server here: ${known.join(";")}`);
  return problems;
}

const filesAgree: Check = (draft) =>
  eachNode(draft, (node) => {
    const broker = draft.brokers.get(node.name);
    return broker === undefined ? [] : fileProblems(draft, node, broker);
  });

/** Nodes of one brokerName, with their files. */
function brokerSets(
  draft: TopologyDraft,
): ReadonlyMap<string, readonly (readonly [NodeEntry, BrokerFile])[]> {
  const sets = new Map<string, (readonly [NodeEntry, BrokerFile])[]>();
  for (const node of draft.file.nodes) {
    const broker = draft.brokers.get(node.name);
    if (broker === undefined) continue;
    const { brokerName } = broker.settings;
    sets.set(brokerName, [...(sets.get(brokerName) ?? []), [node, broker]]);
  }
  return sets;
}

const setsAreWhole: Check = (draft) =>
  [...brokerSets(draft)].flatMap(([brokerName, members]) => {
    const [first] = members;
    if (first === undefined) return [];
    const line = (key: string, broker: BrokerFile, message: string): readonly TopologyProblem[] => [
      {
        file: join(draft.dir, broker.settings.propertiesFile),
        line: broker.lineOf(key),
        message,
      },
    ];
    const masters = members.filter(([node]) => node.role === "broker-master");
    if (masters.length !== 1)
      return line(
        "brokerName",
        first[1],
        `${brokerName} has ${masters.length} masters instead of one`,
      );
    const ids = new Map<number, string>();
    return members.flatMap(([node, broker]) => {
      const { brokerId } = broker.settings;
      const owner = ids.get(brokerId);
      ids.set(brokerId, node.name);
      if (owner === undefined || brokerId === 0) return [];
      return line(
        "brokerId",
        broker,
        `brokerId ${brokerId} of ${brokerName} belongs to ${owner} already`,
      );
    });
  });

const oneCluster: Check = (draft) => {
  const names = new Map<string, string>();
  for (const [node, broker] of draft.brokers) names.set(broker.settings.clusterName, node);
  if (names.size <= 1) return [];
  const list = [...names].map(([cluster, node]) => `${cluster} (${node})`).join(", ");
  return at(draft, ["nodes"], `the brokers belong to different clusters: ${list}`);
};

const slavesAreApart: Check = (draft) =>
  [...brokerSets(draft)].flatMap(([brokerName, members]) => {
    const master = members.find(([node]) => node.role === "broker-master")?.[0];
    return members
      .filter(([node]) => node.role === "broker-slave" && node.host === master?.host)
      .flatMap(([node]) => {
        const message = `${node.name} is on ${node.host} like its master: losing that host loses both copies of ${brokerName}`;
        return at(draft, ["nodes", draft.file.nodes.indexOf(node), "host"], message);
      });
  });

const syncMastersHaveSlaves: Check = (draft) =>
  [...brokerSets(draft)].flatMap(([, members]) => {
    const master = members.find(([, broker]) => broker.settings.brokerRole === "SYNC_MASTER");
    if (master === undefined || members.length > 1) return [];
    const message = `${master[0].name} is a SYNC_MASTER without a slave: it answers every send SLAVE_NOT_AVAILABLE`;
    return at(draft, ["nodes", draft.file.nodes.indexOf(master[0])], message);
  });

const ERRORS: readonly Check[] = [
  uniqueNames,
  hostsExist,
  serversAreApart,
  hostsHaveRoom,
  portsDoNotClash,
  limitsAreSane,
  neededNodesExist,
  brokersHaveFiles,
  filesAgree,
  setsAreWhole,
  oneCluster,
];
const WARNINGS: readonly Check[] = [slavesAreApart, syncMastersHaveSlaves];

/** @returns everything that must not be, and everything worth a warning */
export function validate(draft: TopologyDraft): Findings {
  return {
    errors: ERRORS.flatMap((check) => check(draft)),
    warnings: WARNINGS.flatMap((check) => check(draft)),
  };
}
