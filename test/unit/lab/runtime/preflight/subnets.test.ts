import { describe, expect, it } from "vitest";
import { overlap, parseCidr } from "../../../../../lab/runtime/preflight/cidr.ts";
import { parseRoutes } from "../../../../../lab/runtime/preflight/subnets.ts";

describe("cidr", () => {
  it.each([
    ["198.51.100.0/28", "198.51.100.15", true],
    ["198.51.100.0/28", "198.51.100.16/28", false],
    ["198.51.100.32/27", "198.51.100.0/24", true],
    ["10.0.0.0/8", "198.51.100.0/24", false],
    ["0.0.0.0/0", "198.51.100.0/24", true],
    ["192.168.1.77/24", "192.168.1.0/30", true],
    ["fd00::/64", "198.51.100.0/24", false],
    ["198.51.100.0/33", "198.51.100.0/24", false],
  ])("%s and %s overlap: %s", (a, b, expected) => {
    expect(overlap(a, b)).toBe(expected);
    expect(overlap(b, a)).toBe(expected);
  });

  it("starts a network at its first address, whatever address is written", () => {
    expect(parseCidr("198.51.100.77/28")).toEqual(parseCidr("198.51.100.64/28"));
    expect(parseCidr("255.255.255.255")).toEqual({ first: 2 ** 32 - 1, last: 2 ** 32 - 1 });
    expect(parseCidr("1.2.3")).toBeNull();
    expect(parseCidr("1.2.3.400/8")).toBeNull();
  });
});

describe("routes of the machine", () => {
  const table = [
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    "vpn0\t000033C6\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
    "*\t006433C6\t00000000\t0200\t0\t0\t4096\t00FFFFFF\t0\t0\t0",
    "",
  ].join("\n");

  it("are read from /proc/net/route, without the default route and without `unreachable` ones", () => {
    expect(parseRoutes(table).map(({ cidr, device }) => [cidr, device])).toEqual([
      ["192.0.2.0/24", "eth0"],
      ["198.51.0.0/16", "vpn0"],
    ]);
  });
});
