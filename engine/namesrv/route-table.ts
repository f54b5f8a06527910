import type { RouteQueueData } from "../remoting/bodies/route-data.ts";
import type { TopicConfigBody } from "../remoting/bodies/topic-config.ts";

/** What a broker name stands for: the addresses of its master (id 0) and slaves. */
export interface BrokerEntry {
  readonly brokerName: string;
  readonly cluster: string;
  /** Broker id → `host:port` as registered. */
  readonly addresses: ReadonlyMap<number, string>;
}

/** Who is at an id of a broker name. */
export interface BrokerSlot {
  readonly brokerName: string;
  readonly brokerId: number;
}

/** Brokers and queues of one topic. */
export interface TopicRoute {
  readonly brokers: readonly BrokerEntry[];
  readonly queues: readonly RouteQueueData[];
}

interface MutableBrokerEntry extends BrokerEntry {
  readonly addresses: Map<number, string>;
}

const PERM_WRITE = 2;
const PERM_READ_WRITE = 6;

function isSame(a: RouteQueueData | undefined, b: RouteQueueData): boolean {
  return (
    a !== undefined &&
    a.perm === b.perm &&
    a.readQueueNums === b.readQueueNums &&
    a.writeQueueNums === b.writeQueueNums &&
    a.topicSysFlag === b.topicSysFlag
  );
}

/**
 * Clusters, brokers and queues (4.9's clusterAddrTable, brokerAddrTable and topicQueueTable; remoting-protocol 3.1). Knows no connection, no
 * clock and no version: who is alive is broker-liveness.ts, and what a registration does, step by step, is broker-registry.ts.
 */
export class RouteTable {
  private readonly clusterTable = new Map<string, Set<string>>();
  private readonly brokerTable = new Map<string, MutableBrokerEntry>();
  private readonly queueTable = new Map<string, Map<string, RouteQueueData>>();

  /** Cluster → broker names, in order of registration. */
  get clusters(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.clusterTable;
  }

  /** Broker name → its addresses, in order of registration. */
  get brokers(): ReadonlyMap<string, BrokerEntry> {
    return this.brokerTable;
  }

  /** Topics with at least one queue. */
  topics(): string[] {
    return [...this.queueTable.keys()];
  }

  /** @returns the queues of a topic, one entry a broker name, unfiltered */
  queuesOf(topic: string): RouteQueueData[] {
    return [...(this.queueTable.get(topic)?.values() ?? [])];
  }

  /** 3.2 step 1. */
  addToCluster(cluster: string, brokerName: string): void {
    const names = this.clusterTable.get(cluster) ?? new Set();
    this.clusterTable.set(cluster, names.add(brokerName));
  }

  /** 3.2 step 2. @returns true when the name was unknown. A known one keeps the cluster it was first registered with, as in 4.9. */
  addBrokerName(cluster: string, brokerName: string): boolean {
    if (this.brokerTable.has(brokerName)) return false;
    this.brokerTable.set(brokerName, { brokerName, cluster, addresses: new Map() });
    return true;
  }

  /** Frees the other ids of a broker name that hold this address: a slave that became master, or the reverse (3.2 step 3). */
  releaseOtherIds(slot: BrokerSlot, address: string): void {
    const addresses = this.brokerTable.get(slot.brokerName)?.addresses;
    if (addresses === undefined) return;
    for (const [id, held] of addresses) {
      if (id !== slot.brokerId && held === address) addresses.delete(id);
    }
  }

  /** 3.2 step 4. @returns the address that held the slot before, or undefined */
  putAddress(slot: BrokerSlot, address: string): string | undefined {
    const addresses = this.brokerTable.get(slot.brokerName)?.addresses;
    const previous = addresses?.get(slot.brokerId);
    addresses?.set(slot.brokerId, address);
    return previous;
  }

  /** Writes each topic's queues for one broker name; topics that are not listed stay (3.2 step 5). @returns how many changed */
  putQueues(brokerName: string, topics: readonly TopicConfigBody[]): number {
    let changed = 0;
    for (const topic of topics) {
      const { perm, readQueueNums, topicSysFlag, writeQueueNums } = topic;
      const data = { brokerName, perm, readQueueNums, topicSysFlag, writeQueueNums };
      const queues = this.queueTable.get(topic.topicName) ?? new Map<string, RouteQueueData>();
      if (isSame(queues.get(brokerName), data)) continue;
      queues.set(brokerName, data);
      this.queueTable.set(topic.topicName, queues);
      changed += 1;
    }
    return changed;
  }

  /**
   * Frees an id of a broker name. With its last address gone the name leaves its cluster and every topic; with one left, queues and
   * permissions stay as they are, also when it was the master that went (3.4, 3.5).
   * @returns true when the name had this id
   */
  removeSlot(slot: BrokerSlot): boolean {
    const entry = this.brokerTable.get(slot.brokerName);
    const wasThere = entry?.addresses.delete(slot.brokerId) ?? false;
    if (entry !== undefined && entry.addresses.size === 0) this.removeBrokerName(slot.brokerName);
    return wasThere;
  }

  /** @returns the slot that holds an address, or null */
  slotOf(address: string): BrokerSlot | null {
    for (const { brokerName, addresses } of this.brokerTable.values()) {
      for (const [brokerId, held] of addresses) {
        if (held === address) return { brokerName, brokerId };
      }
    }
    return null;
  }

  /** @returns what clients need to use a topic, or null when nobody serves it (3.6) */
  route(topic: string): TopicRoute | null {
    const queues = this.queuesOf(topic);
    const brokers = queues.flatMap(({ brokerName }) => this.brokerTable.get(brokerName) ?? []);
    return brokers.length === 0 ? null : { brokers, queues };
  }

  /** @returns topics with queues on some broker of the cluster */
  topicsOfCluster(cluster: string): string[] {
    const names = this.clusterTable.get(cluster);
    if (names === undefined) return [];
    return this.topics().filter((topic) =>
      this.queuesOf(topic).some(({ brokerName }) => names.has(brokerName)),
    );
  }

  /** Takes the write permission of a broker's queues away (205). @returns how many topics it has */
  wipeWritePermission(brokerName: string): number {
    return this.changePermission(brokerName, (perm) => perm & ~PERM_WRITE);
  }

  /** Gives a broker's queues read and write permission (327): 6, also where it was 7 before. @returns how many topics it has */
  addWritePermission(brokerName: string): number {
    return this.changePermission(brokerName, () => PERM_READ_WRITE);
  }

  /** Forgets a topic, or only its queues on one cluster's brokers (216). @returns true when something was removed */
  deleteTopic(topic: string, cluster?: string): boolean {
    if (cluster === undefined) return this.queueTable.delete(topic);
    const names = this.clusterTable.get(cluster) ?? new Set<string>();
    return [...names].filter((brokerName) => this.removeQueues(topic, brokerName)).length > 0;
  }

  private changePermission(brokerName: string, change: (perm: number) => number): number {
    let topics = 0;
    for (const queues of this.queueTable.values()) {
      const data = queues.get(brokerName);
      if (data === undefined) continue;
      queues.set(brokerName, { ...data, perm: change(data.perm) });
      topics += 1;
    }
    return topics;
  }

  private removeBrokerName(brokerName: string): void {
    this.brokerTable.delete(brokerName);
    for (const [cluster, names] of this.clusterTable) {
      names.delete(brokerName);
      if (names.size === 0) this.clusterTable.delete(cluster);
    }
    for (const topic of this.topics()) this.removeQueues(topic, brokerName);
  }

  private removeQueues(topic: string, brokerName: string): boolean {
    const queues = this.queueTable.get(topic);
    const wasThere = queues?.delete(brokerName) ?? false;
    if (queues !== undefined && queues.size === 0) this.queueTable.delete(topic);
    return wasThere;
  }
}
