/** IPv4 networks as ranges of numbers. */

/** First and last address of a network, as 32-bit numbers. */
export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/** @returns the address as a number, or null when it is no IPv4 address */
function toNumber(address: string): number | null {
  const octets = address.split(".").map(Number);
  if (octets.length !== 4 || octets.some((octet) => !(octet >= 0 && octet <= 255))) return null;
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

/**
 * @param cidr `198.51.100.0/28`; an address alone is a network of one
 * @returns null when it is no IPv4 network
 */
export function parseCidr(cidr: string): AddressRange | null {
  const [address = "", prefix = "32"] = cidr.split("/");
  const base = toNumber(address);
  const bits = Number(prefix);
  if (base === null || !Number.isInteger(bits) || bits < 0 || bits > 32) return null;
  const size = 2 ** (32 - bits);
  const first = Math.floor(base / size) * size;
  return { first, last: first + size - 1 };
}

/** @returns true when two networks share an address; false when either is no IPv4 network */
export function overlap(a: string, b: string): boolean {
  const left = parseCidr(a);
  const right = parseCidr(b);
  if (left === null || right === null) return false;
  return left.first <= right.last && right.first <= left.last;
}
