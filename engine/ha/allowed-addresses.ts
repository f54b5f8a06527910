import { parseCidr } from "../base/cidr.ts";
import { EngineError } from "../base/engine-error.ts";

/**
 * Who may replicate (H-04). The port streams the whole log to whoever connects and sends an offset.
 * @param text `haAllowedAddresses`: addresses and CIDRs, separated by commas; empty = everybody, as 4.9
 * @returns whether a peer address may connect
 * @throws EngineError HA_ADDRESSES_INVALID naming the entry
 */
export function parseAllowedAddresses(text: string): (address: string) => boolean {
  const networks = text
    .split(",")
    .filter((entry) => entry.trim() !== "")
    .map((entry) => {
      const network = parseCidr(entry);
      if (network !== null) return network;
      throw new EngineError("HA_ADDRESSES_INVALID", {
        message: `haAllowedAddresses: "${entry.trim()}" is neither an address nor a CIDR`,
        hint: "write for example 198.51.100.0/26,127.0.0.1",
      });
    });
  if (networks.length === 0) return () => true;
  return (address) => networks.some((network) => network.contains(address));
}
