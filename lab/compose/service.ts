/** One node of the topology as one compose service (docker-lab 6, K-rules of faults-and-security 9). */
import { mainPort } from "../topology/ports.ts";
import { bindHost } from "../topology/servers.ts";
import { NAMESRV_PROPERTIES, type LabNode } from "../topology/topology.ts";
import {
  CONF_DIR,
  DATA_DIR,
  addressSeenFrom,
  nodeEnvironment,
  type NodePlan,
} from "./node-environment.ts";
import { addressesOf, networksOfHost } from "./subnets.ts";

/** Labels by which everything of a lab is found, and nothing else is touched. */
export const LABEL = {
  lab: "lab.name",
  node: "lab.node",
  role: "lab.role",
  host: "lab.host",
  /** State folder of the lab: two labs of one name in two folders are two labs. */
  state: "lab.state",
  /** Image of a node that runs Apache's programs. */
  engine: "lab.engine",
} as const;

/** Key of the volume with the property files, where an engine cannot mount the folder. */
export const CONF_VOLUME = "conf";

/** User and group of the image (K-02). */
export const CONTAINER_USER = "10001:10001";

/** What a service is made from, besides its node. */
export interface ServicePlan extends NodePlan {
  readonly image: string;
  /** Images of the nodes that run Apache's programs, by node. */
  readonly apacheImages?: ReadonlyMap<string, string>;
  /** Folder with the property files, relative to the compose file; or a volume with them. */
  readonly confSource: string;
  /** State folder of the lab, or undefined for a compose file that stands alone. */
  readonly stateDir: string | undefined;
  /** What a node's data volume mounts, when it has a disk of its own. */
  readonly diskOf?: (node: string) => string;
  /** The engine refuses a limit above what the machine has. */
  readonly cpusMax: number;
}

type Yaml = Readonly<Record<string, unknown>>;

/** Compose would take `$` for the start of a variable. */
function literal(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/** @returns labels of everything that belongs to the lab */
export function labLabels(plan: Pick<ServicePlan, "labName" | "stateDir">): Yaml {
  const state = plan.stateDir === undefined ? {} : { [LABEL.state]: literal(plan.stateDir) };
  return { [LABEL.lab]: plan.labName, ...state };
}

/** @returns name of a node's container */
export function containerName(labName: string, node: string): string {
  return `${labName}-${node}`;
}

/** @returns name of a node's data volume inside the compose file */
export function volumeKey(node: string): string {
  return `${node}-data`;
}

function command(node: LabNode): readonly string[] {
  if (node.role === "dashboard") return ["dashboard"];
  const program = node.role === "namesrv" ? "mqnamesrv" : "mqbroker";
  const file =
    node.engine === undefined
      ? (node.broker?.propertiesFile ?? NAMESRV_PROPERTIES)
      : apacheFile(node.name);
  return [program, "-c", `${CONF_DIR}/${file}`];
}

/** @returns the property file of an Apache node, below the folder of the property files */
export function apacheFile(node: string): string {
  return `apache/${node}.properties`;
}

/** @returns whether a node keeps anything on a disk */
export function hasData(node: LabNode): boolean {
  return node.role !== "dashboard";
}

function healthcheck(node: LabNode): Yaml {
  // Apache's images have no Node to ask with; the lab asks from outside anyway.
  if (node.engine !== undefined) return { disable: true };
  const kind = node.broker === undefined ? node.role : "broker";
  return {
    test: ["CMD", "node", "/app/health.mjs", kind, String(mainPort(node).inner)],
    interval: "10s",
    timeout: "3s",
    retries: 3,
    start_period: "5s",
  };
}

/** `/etc/hosts` is asked before Docker's DNS, which would give either of a name's two addresses. */
function extraHosts(plan: ServicePlan, node: LabNode): readonly string[] {
  return plan.topology.nodes.map((other) => `${other.alias}:${addressSeenFrom(plan, node, other)}`);
}

function networks(plan: ServicePlan, node: LabNode): Yaml {
  const { host, internet } = addressesOf(plan.addresses, node);
  return Object.fromEntries(
    networksOfHost(plan.topology, node.host).map((network) => {
      const address = network === node.host ? host : internet;
      return [network, { ipv4_address: address, aliases: [node.alias] }];
    }),
  );
}

function hardening(): Yaml {
  return {
    init: true,
    // A node that a drill has killed stays dead until somebody starts it.
    restart: "no",
    user: CONTAINER_USER,
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
    tmpfs: ["/tmp:size=16m,mode=1777,noexec,nosuid,nodev"],
  };
}

function limits(plan: ServicePlan, node: LabNode): Yaml {
  const memory = `${node.resources.memoryMiB}m`;
  return {
    mem_limit: memory,
    memswap_limit: memory,
    cpus: Math.min(node.resources.cpus, plan.cpusMax),
    // A thread counts: Apache's brokers have hundreds.
    pids_limit: node.engine === undefined ? 256 : 1_024,
    // Not every engine may raise it further (docker-lab 3); a node needs one for each connection and open file.
    ulimits: { nofile: { soft: 16_384, hard: 16_384 }, core: 0 },
    // A stop must flush first (K-05).
    stop_grace_period: "60s",
    logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
  };
}

/** @returns the service of one node */
export function renderService(plan: ServicePlan, node: LabNode): Yaml {
  const published = node.ports.flatMap(({ inner, published: port }) =>
    port === null ? [] : [`${bindHost(plan.topology, node)}:${port}:${inner}`],
  );
  const conf = `${literal(plan.confSource)}:${CONF_DIR}:ro,z`;
  const apache = node.engine === undefined ? undefined : plan.apacheImages?.get(node.name);
  return {
    image: apache ?? plan.image,
    container_name: containerName(plan.labName, node.name),
    hostname: node.name,
    command: command(node),
    ...hardening(),
    ...limits(plan, node),
    environment: Object.fromEntries(
      Object.entries(nodeEnvironment(plan, node)).map(([key, value]) => [key, literal(value)]),
    ),
    ...(hasData(node) ? { volumes: [`${volumeKey(node.name)}:${DATA_DIR}`, conf] } : {}),
    ports: published,
    healthcheck: healthcheck(node),
    extra_hosts: extraHosts(plan, node),
    networks: networks(plan, node),
    labels: {
      ...labLabels(plan),
      [LABEL.node]: node.name,
      [LABEL.role]: node.role,
      [LABEL.host]: node.host,
      ...(apache === undefined ? {} : { [LABEL.engine]: apache }),
    },
  };
}

/** @returns a node's data volume */
export function renderVolume(plan: ServicePlan, node: string): Yaml {
  const labels = labLabels(plan);
  if (plan.diskOf === undefined) return { labels };
  const device = literal(plan.diskOf(node));
  return { labels, driver: "local", driver_opts: { type: "ext4", device } };
}
