/**
 * What should exist, as data: the parsed, checked form of a `topology.yaml`. Everything else of the lab reads this.
 */

/** The name servers' property file in a topology's folder. */
export const NAMESRV_PROPERTIES = "namesrv.properties";

export type NodeRole = "namesrv" | "broker-master" | "broker-slave" | "dashboard";

/** Memory and CPU a node may use. */
export interface NodeResources {
  readonly memoryMiB: number;
  readonly cpus: number;
  /** Node's old-space limit; must be below memoryMiB. */
  readonly heapMiB: number;
}

/** One setting that is not in the node's property file. */
export interface NodeSetting {
  readonly key: string;
  readonly value: string;
  /** `--size tiny` or `--set @masters.flushDiskType=SYNC_FLUSH`: who wanted it. */
  readonly from: string;
}

/** Apache's program in place of ours: an unpacked distribution or folder of jars, or a container image. */
export interface NodeEngine {
  readonly kind: "apache-dist" | "apache";
  /** Folder (absolute) or image. */
  readonly from: string;
}

/** A port of a node: where it listens inside its host, and where the machine reaches it on 127.0.0.1. */
export interface NodePort {
  readonly name: "namesrv" | "broker" | "fast" | "ha" | "dashboard";
  /** What the property file says; the address inside the lab's networks. */
  readonly inner: number;
  /** On 127.0.0.1 of the machine; null = not published (HA in docker). */
  readonly published: number | null;
}

/** One node of the lab. */
export interface LabNode {
  /** `namesrv-1`, `broker-a-master`, … */
  readonly name: string;
  readonly role: NodeRole;
  /** `host-1` or `host-2`. */
  readonly host: string;
  /** `rocketmq-master1`, … resolves inside. */
  readonly alias: string;
  readonly ports: readonly NodePort[];
  readonly resources: NodeResources;
  /** What the node is told at its start beyond its property file; absent when nothing. */
  readonly settings?: readonly NodeSetting[];
  /** What runs the node; absent: our own engine. */
  readonly engine?: NodeEngine;
  /** Brokers only: property file beside topology.yaml, and what it says. */
  readonly broker?: {
    readonly propertiesFile: string;
    readonly clusterName: string;
    readonly brokerName: string;
    readonly brokerId: number;
    readonly brokerRole: "ASYNC_MASTER" | "SYNC_MASTER" | "SLAVE";
    readonly flushDiskType: "ASYNC_FLUSH" | "SYNC_FLUSH";
  };
}

/** A host that is a server of its own instead of a network of this machine. */
export interface Server {
  /** Its Docker Engine: `unix://`, `tcp://` or `ssh://`. */
  readonly engine: string;
  /** Where its published ports are reached, by clients and by the other host. IPv4. */
  readonly address: string;
  /** Where its engine publishes them; differs from `address` behind address translation. */
  readonly bind: string;
}

export interface Topology {
  /** Preset name, or the folder's name for an own topology. */
  readonly name: string;
  readonly description: string;
  /** Folder that holds topology.yaml and the property files. */
  readonly dir: string;
  readonly hosts: readonly string[];
  /** By host, for all hosts; absent: the hosts are networks of this machine. */
  readonly servers?: Readonly<Record<string, Server>>;
  readonly nodes: readonly LabNode[];
  readonly clusterName: string;
  /** One line each: what this mode promises, to be shown by experiment (DESIGN 2). */
  readonly promises: readonly string[];
}
