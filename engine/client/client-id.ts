import { networkInterfaces } from "node:os";

let clientsMade = 0;

/** @returns the first IPv4 address of this machine that is not loopback, else 127.0.0.1 */
export function localAddress(): string {
  for (const addresses of Object.values(networkInterfaces()))
    for (const { family, internal, address } of addresses ?? [])
      if (family === "IPv4" && !internal) return address;
  return "127.0.0.1";
}

/** @returns an instance name no other client of this machine has: two alike in a group break rebalancing (remoting-protocol 5.7) */
export function uniqueInstanceName(): string {
  clientsMade += 1;
  const sinceBoot = Math.round(performance.timeOrigin * 1_000 + performance.now() * 1_000);
  return `${process.pid}#${sinceBoot}${clientsMade}`;
}
