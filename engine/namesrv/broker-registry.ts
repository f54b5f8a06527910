import type { Logger } from "../base/logger.ts";
import type { RegisterBrokerBody } from "../remoting/bodies/register-broker.ts";
import type { DataVersionBody } from "../remoting/bodies/topic-config.ts";
import type { Channel } from "../remoting/channel.ts";
import { brokerAddressFor, haAddressFor, type AddressBook } from "./address-book.ts";
import { BrokerLiveness, type LiveBroker } from "./broker-liveness.ts";
import { assertMayBeMaster } from "./master-claim.ts";
import { RouteTable, type BrokerSlot } from "./route-table.ts";

/** A checked REGISTER_BROKER. */
export interface Registration {
  readonly cluster: string;
  readonly brokerName: string;
  readonly brokerId: number;
  readonly book: AddressBook;
  readonly haServerAddr: string;
  readonly masterEpoch: number | undefined;
  readonly storeId: string | undefined;
  readonly body: RegisterBrokerBody;
}

/** What a slave learns of its master: addresses as this asker reaches them. */
export interface MasterAddresses {
  readonly masterAddr: string;
  readonly haServerAddr: string;
}

/** Id of the master within a broker name. */
const MASTER_ID = 0;

function sameVersion(a: DataVersionBody | undefined, b: DataVersionBody): boolean {
  return a !== undefined && a.counter === b.counter && a.timestamp === b.timestamp;
}

/**
 * What brokers do to the tables: register, ask, leave, die (remoting-protocol 3.2 to 3.5). One log line a change, none a heartbeat.
 * Filter servers (3.2 step 7) are not kept: 4.9 has none any more, and `filterServerTable` of every route is `{}` (2.3).
 */
export class BrokerRegistry {
  readonly routes = new RouteTable();
  private readonly liveness = new BrokerLiveness();
  private readonly logger: Logger;

  /** @param logger one line for each change */
  constructor(logger: Logger) {
    this.logger = logger;
  }

  /**
   * The exact effects of REGISTER_BROKER in 4.9's order (3.2).
   * @param registration checked header and decoded body
   * @param channel it came over
   * @param nowMs monotonic clock
   * @returns for a slave, its live master's addresses as the slave reaches them; else null
   * @throws EngineError NAMESRV_REQUEST_REFUSED when it claims a master's place it may not have (H-12); nothing is changed
   */
  register(registration: Registration, channel: Channel, nowMs: number): MasterAddresses | null {
    const { brokerName, brokerId, book, body } = registration;
    const address = book.brokerAddr;
    if (brokerId === MASTER_ID) this.assertMayBeMaster(registration);
    const known = this.liveness.get(address);

    this.routes.addToCluster(registration.cluster, brokerName);
    const isNewName = this.routes.addBrokerName(registration.cluster, brokerName);
    this.routes.releaseOtherIds({ brokerName, brokerId }, address);
    const previous = this.routes.putAddress({ brokerName, brokerId }, address);
    const isFirst = isNewName || previous === undefined;
    const isChanged = !sameVersion(known?.dataVersion, body.table.dataVersion);
    const changedTopics =
      brokerId === MASTER_ID && (isFirst || isChanged)
        ? this.routes.putQueues(brokerName, body.table.topics)
        : 0;
    this.liveness.put({
      address,
      lastUpdateMs: nowMs,
      dataVersion: body.table.dataVersion,
      channel,
      haServerAddr: registration.haServerAddr,
      book,
      masterEpoch: registration.masterEpoch,
      storeId: registration.storeId,
    });
    this.logRegistration(registration, { previous, known, changedTopics });
    return brokerId === MASTER_ID ? null : this.masterOf(brokerName, channel.remoteAddress);
  }

  /**
   * QUERY_DATA_VERSION (3.3).
   * @returns the version stored for the address, if any, and whether the broker must register; when not, the address counts as alive now
   */
  queryVersion(
    address: string,
    version: DataVersionBody,
    nowMs: number,
  ): { readonly stored: DataVersionBody | undefined; readonly isChanged: boolean } {
    const stored = this.liveness.get(address)?.dataVersion;
    const isChanged = !sameVersion(stored, version);
    if (!isChanged) this.liveness.refresh(address, nowMs);
    return { stored, isChanged };
  }

  /** UNREGISTER_BROKER (3.4): by id; the address in the slot is not compared, as in 4.9. */
  unregister(slot: BrokerSlot, address: string): void {
    const wasAlive = this.liveness.remove(address);
    const hadSlot = this.routes.removeSlot(slot);
    if (wasAlive || hadSlot) this.logger.info("broker unregistered", { ...slot, address });
  }

  /** A connection is gone: so are the brokers that last registered over it (3.5). */
  channelClosed(channel: Channel): void {
    for (const broker of this.liveness.ownedBy(channel)) this.bury(broker, "connection closed");
  }

  /** Removes brokers that have been silent too long and closes their connections (3.5). */
  expire(nowMs: number): void {
    for (const broker of this.liveness.expired(nowMs)) {
      this.bury(broker, "no registration for 120 s");
      broker.channel.close("broker expired");
    }
  }

  /** @returns the address an asker reaches a registered broker address at */
  addressFor(address: string, asker: string): string {
    const broker = this.liveness.get(address);
    return broker === undefined ? address : brokerAddressFor(broker.book, asker);
  }

  private assertMayBeMaster(registration: Registration): void {
    const holder = this.routes.brokers.get(registration.brokerName)?.addresses.get(MASTER_ID);
    const live = holder === undefined ? undefined : this.liveness.get(holder);
    if (live === undefined) return;
    const { masterEpoch, storeId } = registration;
    const newcomer = { address: registration.book.brokerAddr, masterEpoch, storeId };
    assertMayBeMaster(registration.brokerName, live, newcomer);
  }

  private masterOf(brokerName: string, asker: string): MasterAddresses | null {
    const address = this.routes.brokers.get(brokerName)?.addresses.get(MASTER_ID);
    const master = address === undefined ? undefined : this.liveness.get(address);
    if (master === undefined) return null;
    return {
      masterAddr: brokerAddressFor(master.book, asker),
      haServerAddr: haAddressFor(master.book, master.haServerAddr, asker),
    };
  }

  private bury(broker: LiveBroker, reason: string): void {
    this.liveness.remove(broker.address);
    const slot = this.routes.slotOf(broker.address);
    if (slot !== null) this.routes.removeSlot(slot);
    this.logger.info("broker gone", { ...slot, address: broker.address, reason });
  }

  private logRegistration(
    registration: Registration,
    change: {
      readonly previous: string | undefined;
      readonly known: LiveBroker | undefined;
      readonly changedTopics: number;
    },
  ): void {
    const { brokerName, brokerId, cluster, book } = registration;
    const isMoved = change.previous !== book.brokerAddr;
    if (!isMoved && change.known !== undefined && change.changedTopics === 0) return;
    this.logger.info("broker registered", {
      cluster,
      brokerName,
      brokerId,
      address: book.brokerAddr,
      instead: isMoved ? change.previous : undefined,
      changedTopics: change.changedTopics,
    });
  }
}
