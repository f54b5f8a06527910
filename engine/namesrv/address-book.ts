import { parseCidr, type Cidr } from "../base/cidr.ts";
import { EngineError } from "../base/engine-error.ts";
import { formatAddress, parseAddress } from "../remoting/remote-address.ts";

/**
 * Split-horizon routing: a broker registers one address a network, and each asker is answered with the address it can reach. The broker
 * sends `CIDR=host:port,CIDR=host:port,…` as one more field of its registration; Apache's name server ignores the field.
 */
export interface AddressBook {
  /** The `brokerAddr` of the registration: what an asker outside every network gets, and what 4.9 answers to everybody. */
  readonly brokerAddr: string;
  readonly entries: readonly AddressEntry[];
}

interface AddressEntry {
  readonly network: Cidr;
  readonly host: string;
  readonly port: number;
}

const TEXT_LENGTH_MAX = 8_192;

function refuse(entry: string): never {
  throw new EngineError("NAMESRV_REQUEST_REFUSED", {
    message: `advertisedAddresses: "${entry.slice(0, 100)}" is not CIDR=host:port`,
    hint: "write for example 198.51.100.0/28=198.51.100.3:10911, entries separated by commas",
  });
}

function parseEntry(entry: string): AddressEntry {
  const equals = entry.indexOf("=");
  const network = parseCidr(entry.slice(0, Math.max(equals, 0)));
  if (network === null) return refuse(entry);
  try {
    return { network, ...parseAddress(entry.slice(equals + 1)) };
  } catch {
    return refuse(entry);
  }
}

/**
 * @param brokerAddr `host:port` of the registration
 * @param advertised the `advertisedAddresses` field, or undefined
 * @returns the book, longest prefix first
 * @throws EngineError NAMESRV_REQUEST_REFUSED when an entry is not `CIDR=host:port`
 */
export function parseAddressBook(brokerAddr: string, advertised: string | undefined): AddressBook {
  const text = advertised ?? "";
  if (text.length > TEXT_LENGTH_MAX) refuse(text);
  const entries = text
    .split(",")
    .filter((entry) => entry.trim() !== "")
    .map(parseEntry)
    .toSorted((a, b) => b.network.prefixLength - a.network.prefixLength);
  return { brokerAddr, entries };
}

function entryFor(book: AddressBook, asker: string): AddressEntry | undefined {
  return book.entries.find((entry) => entry.network.contains(asker));
}

/**
 * @param book of one broker
 * @param asker source address of the connection that asks
 * @returns the broker's `host:port` for that asker
 */
export function brokerAddressFor(book: AddressBook, asker: string): string {
  const entry = entryFor(book, asker);
  return entry === undefined ? book.brokerAddr : formatAddress(entry.host, entry.port);
}

/**
 * @param book of one broker
 * @param haServerAddr its registered replication address
 * @param asker source address of the slave that asks
 * @returns the replication address for that asker: the matching entry's host with the registered port
 */
export function haAddressFor(book: AddressBook, haServerAddr: string, asker: string): string {
  const entry = entryFor(book, asker);
  if (entry === undefined || haServerAddr === "") return haServerAddr;
  const port = Number(haServerAddr.slice(haServerAddr.lastIndexOf(":") + 1));
  return formatAddress(entry.host, port);
}
