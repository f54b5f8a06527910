/** Which cluster `lab admin` works on: the lab's, or any other whose name servers are given. Apache's own as well: everything goes over the protocol. */
import {
  createAdminClient,
  type AdminClient,
  type ClusterInfo,
} from "../../../engine/admin/index.ts";
import { EngineError } from "../../../engine/base/engine-error.ts";
import {
  createClient,
  type BrokerData,
  type MqClient,
  type TopicRoute,
} from "../../../engine/client/index.ts";
import { suggestion } from "../../base/did-you-mean.ts";
import { namesrvEndpoints } from "../../runtime/wait/ready.ts";
import type { Topology } from "../../topology/topology.ts";
import type { CommandContext } from "../define-command.ts";
import { nameFlag, openLab } from "../open-lab.ts";

const TIMEOUT_MS = 5_000;
const MASTER_ID = 0;
const ADDRESS = /^[^\s:;,]+:\d{1,5}$|^\[[^\]]+\]:\d{1,5}$/;

/** One broker process. */
export interface BrokerAddress {
  readonly cluster: string;
  readonly brokerName: string;
  readonly brokerId: number;
  readonly address: string;
}

/** Where the user wants to work. */
export interface PlaceOptions {
  readonly namesrv: string | undefined;
  readonly timeoutMs: number | undefined;
}

/** See the file's head. Closed by who opened it. */
export class AdminPlace {
  readonly admin: AdminClient;
  readonly timeoutMs: number;
  /** The cluster as `namesrvAddr`, the first name server that answered, sees it. */
  readonly info: ClusterInfo;
  /** Null for a cluster that is not this lab's. */
  readonly topology: Topology | null;
  private readonly namesrvAddrs: readonly string[];
  private client: MqClient | undefined;

  /** @param found an admin client, the cluster it sees, and whose it is */
  constructor(found: {
    readonly admin: AdminClient;
    readonly timeoutMs: number;
    readonly info: ClusterInfo;
    readonly topology: Topology | null;
    readonly namesrvAddrs: readonly string[];
  }) {
    this.admin = found.admin;
    this.timeoutMs = found.timeoutMs;
    this.info = found.info;
    this.topology = found.topology;
    this.namesrvAddrs = found.namesrvAddrs;
  }

  get namesrvAddr(): string {
    return this.info.namesrvAddr;
  }

  /** Sends and pulls; connected only when asked for. */
  get messaging(): MqClient {
    this.client ??= createClient({ namesrvAddrs: this.namesrvAddrs, instanceName: "LAB_ADMIN" });
    return this.client;
  }

  /** Every registered broker, by name and id. */
  brokers(): readonly BrokerAddress[] {
    return this.info.brokers
      .flatMap(({ cluster, brokerName, brokerAddrs }: BrokerData) =>
        [...brokerAddrs].map(([brokerId, address]) => ({ cluster, brokerName, brokerId, address })),
      )
      .toSorted((a, b) =>
        a.brokerName === b.brokerName
          ? a.brokerId - b.brokerId
          : a.brokerName < b.brokerName
            ? -1
            : 1,
      );
  }

  masters(): readonly BrokerAddress[] {
    return this.brokers().filter((broker) => broker.brokerId === MASTER_ID);
  }

  /** One broker of each name: the master, else a slave. */
  oneOfEach(): readonly BrokerAddress[] {
    return this.brokers().filter(
      (broker, index, all) =>
        all.findIndex(({ brokerName }) => brokerName === broker.brokerName) === index,
    );
  }

  /**
   * @param word `broker-a` (its master, else a slave), `broker-a:1`, a node of the lab, or `host:port`
   * @throws EngineError ADMIN_NOT_FOUND
   */
  broker(word: string): BrokerAddress {
    const node = this.topology?.nodes.find((candidate) => candidate.name === word)?.broker;
    const [, name, id] = /^(.+?)(?::(\d+))?$/.exec(word) ?? [];
    const found = this.brokers().find((broker) => {
      if (broker.address === word) return true;
      if (node !== undefined)
        return broker.brokerName === node.brokerName && broker.brokerId === node.brokerId;
      return broker.brokerName === name && (id === undefined || broker.brokerId === Number(id));
    });
    if (found !== undefined) return found;
    const known = this.brokers().map((broker) => `${broker.brokerName}:${broker.brokerId}`);
    throw new EngineError("ADMIN_NOT_FOUND", {
      message: `name server ${this.namesrvAddr} knows no broker "${word}"`,
      hint: suggestion(word, known, `it knows ${known.join(", ") || "none"}`),
    });
  }

  /**
   * @param wanted as the user said it
   * @throws EngineError ADMIN_NOT_FOUND | CLI_USAGE when there are several and none was named
   */
  cluster(wanted: string | undefined): string {
    const known = [...this.info.clusters.keys()];
    const [only] = known;
    if (wanted === undefined && known.length === 1 && only !== undefined) return only;
    if (wanted !== undefined && known.includes(wanted)) return wanted;
    if (wanted === undefined && known.length > 1) {
      throw new EngineError("CLI_USAGE", {
        message: `there are several clusters: ${known.join(", ")}`,
        hint: "say which with --cluster",
      });
    }
    throw new EngineError("ADMIN_NOT_FOUND", {
      message:
        wanted === undefined
          ? `no broker is registered at name server ${this.namesrvAddr}`
          : `name server ${this.namesrvAddr} knows no cluster ${wanted}`,
      hint:
        known.length === 0
          ? "is a broker running? see `lab status`"
          : `it knows ${known.join(", ")}`,
    });
  }

  /** @throws EngineError ADMIN_NOT_FOUND with the nearest names */
  async route(topic: string): Promise<TopicRoute> {
    const route = await this.admin.route(this.namesrvAddr, topic);
    if (route !== null) return route;
    const known = await this.admin.topics(this.namesrvAddr);
    throw new EngineError("ADMIN_NOT_FOUND", {
      message: `there is no topic ${topic} in this cluster`,
      hint: suggestion(topic, known, "`lab admin topics list` lists them"),
    });
  }

  async close(): Promise<void> {
    this.admin.close();
    await this.client?.close();
  }
}

function addressesFrom(text: string): readonly string[] {
  const addresses = text.split(/[;,]/).map((part) => part.trim());
  const wrong = addresses.find((address) => !ADDRESS.test(address));
  if (wrong === undefined) return addresses;
  throw new EngineError("CLI_USAGE", {
    message: `--namesrv: "${wrong}" is no address`,
    hint: "host:port, several with ; between them: for example 10.0.0.1:9876;10.0.0.2:9876",
  });
}

async function firstAnswer(
  admin: AdminClient,
  namesrvAddrs: readonly string[],
  hint: string,
): Promise<ClusterInfo> {
  const reasons: string[] = [];
  for (const address of namesrvAddrs) {
    try {
      return await admin.clusterInfo(address);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      reasons.push(error.message);
    }
  }
  throw new EngineError("ADMIN_REQUEST_FAILED", {
    message: `no name server answers: ${reasons.join("; ")}`,
    hint,
  });
}

/**
 * @param context whose lab is meant unless name servers are given
 * @throws EngineError LAB_NOT_FOUND | CLI_USAGE | ADMIN_REQUEST_FAILED when no name server answers
 */
export async function openPlace(
  context: CommandContext,
  options: PlaceOptions,
): Promise<AdminPlace> {
  const lab = options.namesrv === undefined ? await openLab(context) : null;
  const namesrvAddrs =
    lab === null ? addressesFrom(options.namesrv ?? "") : namesrvEndpoints(lab.runtime);
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const admin = createAdminClient({ namesrvAddrs, timeoutMs });
  const flag = nameFlag(context.labName);
  const hint =
    lab === null
      ? "check the address given with --namesrv"
      : `\`lab status${flag}\` shows each node; \`lab up${flag}\` starts what is down`;
  try {
    const info = await firstAnswer(admin, namesrvAddrs, hint);
    const topology = lab?.state.topology ?? null;
    return new AdminPlace({ admin, timeoutMs, info, topology, namesrvAddrs });
  } catch (error) {
    admin.close();
    throw error;
  }
}
