/** Which address serves what of a broker name (remoting-protocol 5.7). Pure: it knows what routes said last. */
import { EngineError } from "../base/engine-error.ts";
import type { TopicRoute } from "./client-api.ts";

/** Id of a master. */
export const MASTER_ID = 0;

/** Where to pull from. */
export interface PullTarget {
  readonly address: string;
  /** Of a slave: it takes no offset commits. */
  readonly isSlave: boolean;
}

function noAddress(brokerName: string, what: string): never {
  throw new EngineError("CLIENT_NO_ROUTE", {
    message: `broker ${brokerName} has no ${what} now`,
    hint: "see whether it runs and is registered at the name servers",
  });
}

/** Broker name → id → address, as the newest routes have it. */
export class BrokerTable {
  private readonly brokers = new Map<string, ReadonlyMap<number, string>>();

  /** Takes over what a fresh route says; a name without an address is forgotten. */
  learn(route: TopicRoute): void {
    for (const queue of route.queues) {
      const data = route.brokers.find((broker) => broker.brokerName === queue.brokerName);
      if (data === undefined || data.brokerAddrs.size === 0) this.brokers.delete(queue.brokerName);
      else this.brokers.set(data.brokerName, data.brokerAddrs);
    }
  }

  /** Forgets broker names that no route speaks of any more (5.5, cleanOfflineBroker). */
  retain(routes: Iterable<TopicRoute>): void {
    const named = new Set<string>();
    for (const route of routes) for (const queue of route.queues) named.add(queue.brokerName);
    for (const brokerName of this.brokers.keys())
      if (!named.has(brokerName)) this.brokers.delete(brokerName);
  }

  /** @returns the broker name an address belongs to, empty when no route knows it */
  nameOf(address: string): string {
    for (const [brokerName, addrs] of this.brokers)
      if ([...addrs.values()].includes(address)) return brokerName;
    return "";
  }

  /** @returns address of the master, undefined when there is none now */
  master(brokerName: string): string | undefined {
    return this.brokers.get(brokerName)?.get(MASTER_ID);
  }

  /** @throws EngineError CLIENT_NO_ROUTE when the broker name has no master now */
  requireMaster(brokerName: string): string {
    return this.master(brokerName) ?? noAddress(brokerName, "master");
  }

  /**
   * Where offsets and member lists are asked (5.6, 5.7).
   * @returns the master's address, else any
   * @throws EngineError CLIENT_NO_ROUTE when the broker name has no address now
   */
  requireMasterOrAny(brokerName: string): string {
    const addrs = this.brokers.get(brokerName);
    const address = addrs?.get(MASTER_ID) ?? addrs?.values().next().value;
    return address ?? noAddress(brokerName, "address");
  }

  /**
   * @param brokerName owner of the queue
   * @param suggestedId suggestWhichBrokerId of the last answer, 0 at first
   * @returns the suggested broker, else the next id, else any of that name
   */
  pullTarget(brokerName: string, suggestedId: number): PullTarget | undefined {
    const addrs = this.brokers.get(brokerName);
    if (addrs === undefined) return undefined;
    const wanted = suggestedId === MASTER_ID ? [suggestedId] : [suggestedId, suggestedId + 1];
    const id = [...wanted, ...addrs.keys()].find((candidate) => addrs.has(candidate));
    const address = id === undefined ? undefined : addrs.get(id);
    return address === undefined ? undefined : { address, isSlave: id !== MASTER_ID };
  }

  /** @returns all addresses, or those of masters only */
  addresses(which: "all" | "masters"): string[] {
    const found = new Set<string>();
    for (const addrs of this.brokers.values())
      for (const [id, address] of addrs)
        if (which === "all" || id === MASTER_ID) found.add(address);
    return [...found];
  }
}
