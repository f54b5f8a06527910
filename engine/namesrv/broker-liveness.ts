import type { DataVersionBody } from "../remoting/bodies/topic-config.ts";
import type { Channel } from "../remoting/channel.ts";
import type { AddressBook } from "./address-book.ts";

/** A broker address is dead when it has not registered for this long, ms (remoting-protocol 3.5). */
export const BROKER_EXPIRED_MS = 120_000;

/** What is known of one live broker address (4.9's BrokerLiveInfo). */
export interface LiveBroker {
  /** `host:port` as registered; also the key. */
  readonly address: string;
  /** Monotonic clock, ms. */
  readonly lastUpdateMs: number;
  readonly dataVersion: DataVersionBody;
  /** The connection the last registration came over. */
  readonly channel: Channel;
  /** Empty when the broker sent none. */
  readonly haServerAddr: string;
  readonly book: AddressBook;
  /** Field `masterEpoch` of the registration; undefined from a 4.9 broker (H-12). */
  readonly masterEpoch: number | undefined;
  /** Field `storeId` of the registration; undefined from a 4.9 broker (H-12). */
  readonly storeId: string | undefined;
}

/** Who is alive: broker address → last registration (4.9's brokerLiveTable). Never removes anything from the routes itself. */
export class BrokerLiveness {
  private readonly table = new Map<string, LiveBroker>();

  get(address: string): LiveBroker | undefined {
    return this.table.get(address);
  }

  put(broker: LiveBroker): void {
    this.table.set(broker.address, broker);
  }

  /** A data version query that found nothing changed counts as a registration (3.3). */
  refresh(address: string, nowMs: number): void {
    const broker = this.table.get(address);
    if (broker !== undefined) this.table.set(address, { ...broker, lastUpdateMs: nowMs });
  }

  /** @returns true when the address was alive */
  remove(address: string): boolean {
    return this.table.delete(address);
  }

  /** By identity, so that the old connection of a broker that came back on a new one takes nothing with it (3.5). */
  ownedBy(channel: Channel): LiveBroker[] {
    return [...this.table.values()].filter((broker) => broker.channel === channel);
  }

  /** @returns addresses whose last registration is older than BROKER_EXPIRED_MS */
  expired(nowMs: number): LiveBroker[] {
    return [...this.table.values()].filter(
      (broker) => nowMs - broker.lastUpdateMs > BROKER_EXPIRED_MS,
    );
  }
}
