import { BlockList, isIP } from "node:net";

/** A network: an address block in CIDR form, or a single address. IPv4 or IPv6. */
export interface Cidr {
  /** As it was written. */
  readonly text: string;
  /** Leading bits that count: 0..32 or 0..128. */
  readonly prefixLength: number;
  /** @param address without IPv4-mapped prefix @returns false for another family or no address at all */
  contains(address: string): boolean;
}

type Family = "ipv4" | "ipv6";

function familyOf(address: string): Family | null {
  const version = isIP(address);
  if (version === 0) return null;
  return version === 4 ? "ipv4" : "ipv6";
}

/** @returns true when only this machine can reach a port bound to the address; an empty one stands for every interface */
export function isLoopback(address: string): boolean {
  return address === "::1" || address === "localhost" || /^127(\.\d{1,3}){3}$/.test(address);
}

/**
 * @param text `198.51.100.0/28`, `2001:db8::/32`, or a single address; white space around it is ignored
 * @returns the network, or null when it is none
 */
export function parseCidr(text: string): Cidr | null {
  const trimmed = text.trim();
  const match = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(trimmed);
  const address = match?.[1] ?? "";
  const family = familyOf(address);
  if (family === null) return null;
  const bits = family === "ipv4" ? 32 : 128;
  const prefixLength = match?.[2] === undefined ? bits : Number(match[2]);
  if (prefixLength > bits) return null;
  const block = new BlockList();
  block.addSubnet(address, prefixLength, family);
  return {
    text: trimmed,
    prefixLength,
    contains: (asked) => familyOf(asked) === family && block.check(asked, family),
  };
}
