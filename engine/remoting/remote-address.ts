import { EngineError } from "../base/engine-error.ts";

/** A host and a port taken apart. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** @param address as a socket reports it @returns it without the IPv4-mapped prefix */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** @returns `host:port`, with brackets around an IPv6 host */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * @param text `host:port` or `[v6]:port`
 * @returns its parts
 * @throws EngineError REMOTING_CONNECT_FAILED when it is neither
 */
export function parseAddress(text: string): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port > 0 && port < 65_536)) {
    throw new EngineError("REMOTING_CONNECT_FAILED", { message: `"${text}" is not host:port` });
  }
  return { host, port };
}
