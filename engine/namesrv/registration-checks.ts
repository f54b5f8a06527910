import { EngineError } from "../base/engine-error.ts";
import type { RegisterBrokerBody } from "../remoting/bodies/register-broker.ts";
import type { RegisterBrokerHeader } from "../remoting/commands/name-server.ts";
import { parseAddressBook } from "./address-book.ts";
import type { Registration } from "./broker-registry.ts";

/** Host names are legal broker names in 4.9 (its default is one), so dots are. */
const NAME = /^[%|a-zA-Z0-9_.-]{1,127}$/;
const ADDRESS = /^(?:\[[0-9a-fA-F:.]{2,45}\]|[a-zA-Z0-9._-]{1,253}):\d{1,5}$/;
const TOPICS_MAX = 100_000;

function refuse(message: string): never {
  throw new EngineError("NAMESRV_REQUEST_REFUSED", { message });
}

function assertAddress(field: string, address: string): void {
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  if (!ADDRESS.test(address) || port < 1 || port > 65_535) {
    refuse(`${field} "${address.slice(0, 100)}" is not host:port`);
  }
}

function assertOwnAddress(field: string, address: string, peer: string): void {
  const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  if (host === peer) return;
  refuse(`${field} ${address} is not an address of ${peer}, and allowForeignBrokerAddr is false`);
}

/** What a registration is judged by besides its content. */
export interface RegistrationPolicy {
  /** Source address of the connection. */
  readonly peer: string;
  readonly allowForeignBrokerAddr: boolean;
}

/**
 * names, addresses and sizes of a registration.
 * @param header as decoded
 * @param body as decoded
 * @param policy who sent it, and whether it may name other hosts
 * @returns the registration, safe to apply
 * @throws EngineError NAMESRV_REQUEST_REFUSED naming the field
 */
export function checkedRegistration(
  header: RegisterBrokerHeader,
  body: RegisterBrokerBody,
  policy: RegistrationPolicy,
): Registration {
  const { brokerName, brokerAddr, clusterName, brokerId } = header;
  const haServerAddr = header.haServerAddr ?? "";
  if (!NAME.test(brokerName)) refuse(`brokerName "${brokerName.slice(0, 100)}" is illegal`);
  if (!NAME.test(clusterName)) refuse(`clusterName "${clusterName.slice(0, 100)}" is illegal`);
  if (brokerId < 0) refuse(`brokerId ${brokerId} is negative`);
  assertAddress("brokerAddr", brokerAddr);
  if (haServerAddr !== "") assertAddress("haServerAddr", haServerAddr);
  if (!policy.allowForeignBrokerAddr) {
    assertOwnAddress("brokerAddr", brokerAddr, policy.peer);
    if (haServerAddr !== "") assertOwnAddress("haServerAddr", haServerAddr, policy.peer);
  }
  if (body.table.topics.length > TOPICS_MAX) {
    refuse(`${body.table.topics.length} topics are more than ${TOPICS_MAX}`);
  }
  return {
    cluster: clusterName,
    brokerName,
    brokerId,
    book: parseAddressBook(brokerAddr, header.advertisedAddresses),
    haServerAddr,
    masterEpoch: header.masterEpoch,
    storeId: header.storeId,
    body,
  };
}
