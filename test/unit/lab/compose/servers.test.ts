import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderCompose } from "../../../../lab/compose/render.ts";
import { subnetsFor } from "../../../../lab/compose/subnets.ts";
import { loadTopologyFolder } from "../../../../lab/topology/load.ts";
import { serversTopology } from "../../../helpers/servers-topology.ts";

interface Service {
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly networks: Readonly<Record<string, { ipv4_address: string }>>;
  readonly extra_hosts: readonly string[];
  readonly volumes?: readonly string[];
}
interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

function partOf(host: string): ComposeFile {
  using folder = serversTopology();
  const { topology } = loadTopologyFolder(folder.dir);
  const text = renderCompose({
    labName: "far",
    topology,
    subnets: subnetsFor(0, topology),
    image: "image",
    confSource: "conf",
    stateDir: "/state",
    cpusMax: 8,
    heading: [],
    host,
  });
  return parse(text, { version: "1.1" }) as ComposeFile;
}

function overridesOf(service: Service | undefined): ReadonlyMap<string, string> {
  const lines = (service?.environment["ROCKETMQ_OVERRIDES"] ?? "").split("\n");
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

describe("the compose file of one server", () => {
  it("has that host's nodes, its network, and the property files in a volume", () => {
    const file = partOf("host-2");
    expect(Object.keys(file.services)).toEqual(["namesrv-2", "broker-a-slave", "broker-b-master"]);
    expect(Object.keys(file.networks)).toEqual(["host-2"]);
    expect(file.volumes["conf"]).toEqual({ external: true, name: "far_conf" });
    expect(file.services["broker-b-master"]?.volumes).toContain("conf:/conf:ro,z");
    expect(file.services["broker-b-master"]?.networks).toMatchObject({
      "host-2": { ipv4_address: "198.51.100.20" },
    });
  });

  it("publishes every port of the property files at the server's own address, replication too", () => {
    const { services } = partOf("host-2");
    expect(services["broker-b-master"]?.ports).toEqual([
      "10.0.0.2:10911:10911",
      "10.0.0.2:10909:10909",
      "10.0.0.2:10912:10912",
    ]);
  });

  it("names other hosts by their server's address and its own by their network's", () => {
    const hosts = partOf("host-2").services["broker-b-master"]?.extra_hosts;
    expect(hosts).toContain("rocketmq-nameserver1:203.0.113.1");
    expect(hosts).toContain("rocketmq-nameserver2:198.51.100.18");
  });

  it("has brokers register at the server's address, and lets in its set's other server only", () => {
    const overrides = overridesOf(partOf("host-2").services["broker-b-master"]);
    expect(overrides.get("brokerIP1")).toBe("203.0.113.2");
    expect(overrides.get("brokerIP2")).toBe("203.0.113.2");
    expect(overrides.get("haAllowedAddresses")?.split(",")).toContain("203.0.113.1");
    expect(overrides.get("advertisedAddresses")?.split(",")).toContain(
      "0.0.0.0/0=203.0.113.2:10911",
    );
  });

  it("lets the dashboard answer to the server's address", () => {
    const text = partOf("host-1").services["dashboard"]?.environment["LAB_DASHBOARD"] ?? "{}";
    expect(JSON.parse(text)).toMatchObject({ names: ["203.0.113.1"] });
  });
});
