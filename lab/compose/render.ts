/** A lab as a compose file that docker-compose 1.29 and `docker compose` v2 both take (docker-lab 6). Pure. */
import { INTERNET, gatewayOf, networksOf, nodeAddresses, subnetOf, visitorsOf } from "./subnets.ts";
import {
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

/** @returns text of the compose file */
export function renderCompose(input: ComposeInput): string {
  const plan: ServicePlan = {
    ...input,
    addresses: nodeAddresses(input.topology, input.subnets),
  };
  const { nodes } = input.topology;
  const document = {
    services: Object.fromEntries(nodes.map((node) => [node.name, renderService(plan, node)])),
    networks: Object.fromEntries(
      networksOf(input.topology).map((network) => [network, renderNetwork(input, network)]),
    ),
    volumes: Object.fromEntries(
      nodes.filter(hasData).map(({ name }) => [volumeKey(name), renderVolume(plan, name)]),
    ),
  };
  const heading = input.heading.map((line) => `# ${line}`.trimEnd()).join("\n");
  return `${heading}\n${toComposeYaml(document)}`;
}
