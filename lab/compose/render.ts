/** A lab as a compose file that docker-compose 1.29 and `docker compose` v2 both take (docker-lab 6). Pure. */
import { INTERNET, gatewayOf, networksOf, nodeAddresses, subnetOf, visitorsOf } from "./subnets.ts";
import {
  CONF_VOLUME,
  hasData,
  labLabels,
  renderService,
  renderVolume,
  volumeKey,
  type ServicePlan,
} from "./service.ts";
import { toComposeYaml } from "./yaml.ts";

/** What a compose file is made from. */
export interface ComposeInput extends Omit<ServicePlan, "addresses"> {
  /** Comment lines at the top, without `#`. */
  readonly heading: readonly string[];
  /** Only this host's nodes, for the engine that is this host; absent: all. */
  readonly host?: string;
}

type Yaml = Readonly<Record<string, unknown>>;

/** Interface names have at most 15 characters and must differ between labs, so the subnet names the bridge. */
function bridgeName(network: string, cidr: string): string {
  const octets = cidr.split("/")[0]?.split(".") ?? [];
  const suffix = network === INTERNET ? "wan" : network.replace("host-", "h");
  return `lab${octets.slice(2).join("-")}-${suffix}`;
}

function renderNetwork(input: ComposeInput, network: string): Yaml {
  const cidr = subnetOf(input.subnets, network);
  return {
    driver: "bridge",
    driver_opts: { "com.docker.network.bridge.name": bridgeName(network, cidr) },
    ipam: {
      config: [{ subnet: cidr, gateway: gatewayOf(cidr), ip_range: visitorsOf(network, cidr) }],
    },
    labels: labLabels(input),
  };
}

/** A server's engine cannot mount a folder of this machine: the lab fills a volume with the property files first. */
function confVolume(input: ComposeInput): Yaml {
  if (input.host === undefined) return {};
  return { [CONF_VOLUME]: { external: true, name: confVolumeName(input.labName) } };
}

/** @returns Docker's name of the volume with the property files */
export function confVolumeName(labName: string): string {
  return `${labName}_${CONF_VOLUME}`;
}

/** @returns text of the compose file */
export function renderCompose(input: ComposeInput): string {
  const plan: ServicePlan = {
    ...input,
    addresses: nodeAddresses(input.topology, input.subnets),
  };
  const { host, topology } = input;
  const nodes = topology.nodes.filter((node) => host === undefined || node.host === host);
  const document = {
    services: Object.fromEntries(nodes.map((node) => [node.name, renderService(plan, node)])),
    networks: Object.fromEntries(
      networksOf(topology)
        .filter((network) => host === undefined || network === host)
        .map((network) => [network, renderNetwork(input, network)]),
    ),
    volumes: {
      ...Object.fromEntries(
        nodes.filter(hasData).map(({ name }) => [volumeKey(name), renderVolume(plan, name)]),
      ),
      ...confVolume(input),
    },
  };
  const heading = input.heading.map((line) => `# ${line}`.trimEnd()).join("\n");
  return `${heading}\n${toComposeYaml(document)}`;
}
