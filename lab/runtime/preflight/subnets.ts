/**
 * Are a lab's subnets free? A Docker network hides everything else with the same addresses from the whole machine, and the engine compares
 * only with its own networks (docker-lab 2); so the machine's routes and interfaces are looked at too. Nothing is resolved or asked outside.
 */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type Docker from "dockerode";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { LABEL } from "../../compose/service.ts";
import { overlap } from "./cidr.ts";

/** Something that has addresses already. */
export interface NetworkHolder {
  readonly cidr: string;
  /** In words. */
  readonly holder: string;
}

/** The lab that asks; its own networks do not count. */
export interface SubnetClaim {
  readonly labName: string;
  readonly stateDir: string;
  readonly subnets: Readonly<Record<string, string>>;
  /** The engine is on another machine, whose routes cannot be looked at. */
  readonly isElsewhere?: boolean;
}

const ROUTE_TABLE = "/proc/net/route";
/** RTF_REJECT: an `unreachable` route keeps addresses from leaving the machine; it holds none (route(8)). */
const REJECT = 0x200;
const REJECT_INTERFACE = "*";

function fromLittleEndian(hex: string): string {
  const octets = hex.match(/../g) ?? [];
  return octets
    .toReversed()
    .map((octet) => Number.parseInt(octet, 16))
    .join(".");
}

function prefixOf(maskHex: string): number {
  const bits = Number.parseInt(maskHex, 16).toString(2);
  return bits.replaceAll("0", "").length;
}

/**
 * @param table content of /proc/net/route: `Iface Destination Gateway Flags … Mask …`, addresses in hexadecimal, last octet first
 * @returns all routes but the default one and those that reject
 */
export function parseRoutes(
  table: string,
): readonly (NetworkHolder & { readonly device: string })[] {
  return table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [device = "", destination = "", , flags = "0"] = fields;
      const mask = fields[7];
      if (mask === undefined || mask === "00000000") return [];
      if (device === REJECT_INTERFACE || (Number.parseInt(flags, 16) & REJECT) !== 0) return [];
      const cidr = `${fromLittleEndian(destination)}/${prefixOf(mask)}`;
      return [{ cidr, device, holder: `the machine's route to ${cidr} over ${device}` }];
    });
}

function interfaceHolders(): readonly (NetworkHolder & { readonly device: string })[] {
  return Object.entries(networkInterfaces()).flatMap(([device, addresses]) =>
    (addresses ?? []).flatMap((address) =>
      address.family !== "IPv4" || address.cidr === null
        ? []
        : [
            {
              cidr: address.cidr,
              device,
              holder: `the machine's interface ${device} (${address.cidr})`,
            },
          ],
    ),
  );
}

function routeHolders(): readonly (NetworkHolder & { readonly device: string })[] {
  if (process.platform !== "linux") return [];
  try {
    return parseRoutes(readFileSync(ROUTE_TABLE, "utf8"));
  } catch {
    return [];
  }
}

type NetworkInfo = Awaited<ReturnType<Docker["listNetworks"]>>[number];

function bridgeOf(network: NetworkInfo): string {
  const named = network.Options?.["com.docker.network.bridge.name"] as string | undefined;
  return named ?? `br-${network.Id.slice(0, 12)}`;
}

function describeNetwork(network: NetworkInfo): string {
  const lab = network.Labels?.[LABEL.lab];
  if (lab === undefined) return `Docker's network ${network.Name}`;
  const place = network.Labels?.[LABEL.state] ?? "a compose file";
  return `lab "${lab}" of ${place} (network ${network.Name})`;
}

function isOwn(network: NetworkInfo, claim: SubnetClaim): boolean {
  const labels = network.Labels ?? {};
  return labels[LABEL.lab] === claim.labName && labels[LABEL.state] === claim.stateDir;
}

function networkHolders(networks: readonly NetworkInfo[]): readonly NetworkHolder[] {
  return networks.flatMap((network) =>
    (network.IPAM?.Config ?? []).flatMap((config) =>
      config.Subnet === undefined
        ? []
        : [{ cidr: config.Subnet, holder: describeNetwork(network) }],
    ),
  );
}

/** @returns everything that has IPv4 addresses where the engine is but the lab's own networks, Docker's networks first */
async function holdersFor(docker: Docker, claim: SubnetClaim): Promise<readonly NetworkHolder[]> {
  const networks = await docker.listNetworks();
  const others = networkHolders(networks.filter((network) => !isOwn(network, claim)));
  if (claim.isElsewhere === true) return others;
  const bridges = new Set(networks.map(bridgeOf));
  const machine = [...routeHolders(), ...interfaceHolders()].filter(
    (holder) => !bridges.has(holder.device) && holder.device !== "docker0",
  );
  return [...others, ...machine];
}

/**
 * @param docker engine that will make the networks
 * @param claim what the lab wants
 * @throws EngineError LAB_SUBNET_TAKEN naming who has the addresses
 */
export async function checkSubnets(docker: Docker, claim: SubnetClaim): Promise<void> {
  const holders = await holdersFor(docker, claim);
  const lines = Object.entries(claim.subnets).flatMap(([network, cidr]) => {
    const holder = holders.find((candidate) => overlap(candidate.cidr, cidr));
    return holder === undefined
      ? []
      : [`${cidr}, wanted for ${network}, overlaps ${holder.cidr}: ${holder.holder}`];
  });
  if (lines.length === 0) return;
  throw new EngineError("LAB_SUBNET_TAKEN", {
    message: lines.join("\n"),
    hint: "remove the holder (`lab destroy`, `docker network rm`), take another block with `--index 1` or `2`, or use `--runtime process`",
  });
}
