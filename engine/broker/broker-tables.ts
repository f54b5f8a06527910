/** Everything a broker keeps in tables, read from its state files, and the context processors see it through. */
import type { Logger } from "../base/logger.ts";
import type { Vfs } from "../base/vfs.ts";
import { internTopic } from "../message/topic-name.ts";
import { createRemotingClient } from "../remoting/client.ts";
import type { RemotingClient } from "../remoting/server-api.ts";
import type { HostBytes, MessageStore } from "../store/store-api.ts";
import type { BrokerConfig } from "./broker-config.ts";
import type { BrokerContext } from "./broker-context.ts";
import type { BrokerSecurity } from "./broker-security.ts";
import { BrokerCounters } from "./broker-stats.ts";
import { BrokerClients } from "./client-registry.ts";
import { BrokerFilters } from "./consumer-filters.ts";
import { BrokerOffsets } from "./consumer-offsets.ts";
import { LiveBrokerConfig } from "./live-config.ts";
import { topicNameProblem } from "./names.ts";
import { createAppendInternal } from "./put-internal.ts";
import { BrokerGroups } from "./subscription-groups.ts";
import { StatsItems } from "./stats-items.ts";
import { BrokerTopics } from "./topic-config.ts";

/** What tables are made from. */
export interface BrokerTablesWiring {
  readonly config: BrokerConfig;
  readonly vfs: Vfs;
  readonly logger: Logger;
  readonly now: () => number;
  /** Recovered and open: its lock guards the state files too (S-08). */
  readonly store: MessageStore;
  readonly storeHost: HostBytes;
  /** A topic changed. */
  readonly registerSoon: () => void;
  /** As in the context. */
  readonly topicsTold: () => Promise<void>;
  /** An outgoing connection was lost. */
  readonly onDisconnect: (address: string) => void;
  readonly security: Pick<BrokerSecurity, "aclFile" | "sign" | "tls">;
  /** The property file the broker was started with, if any. */
  readonly configFile: string | undefined;
}

/** The tables by their own types, for who owns their life; `context` for everybody else. */
export interface BrokerTables {
  readonly context: BrokerContext;
  readonly topics: BrokerTopics;
  readonly offsets: BrokerOffsets;
  readonly clients: BrokerClients;
  readonly filters: BrokerFilters;
  readonly counters: BrokerCounters;
}

/** @returns a broker's outgoing connections, none open yet */
export function createBrokerClient(
  config: BrokerConfig,
  logger: Logger,
  security: Pick<BrokerSecurity, "sign" | "tls">,
  onDisconnect?: (address: string) => void,
): RemotingClient {
  return createRemotingClient({
    logger,
    connectTimeoutMs: config.connectTimeoutMillis,
    idleTimeoutMs: config.clientChannelMaxIdleTimeSeconds * 1_000,
    sign: security.sign,
    tls: security.tls?.client,
    ...(onDisconnect === undefined ? {} : { onDisconnect }),
  });
}

/** C-01: no group stands past the end of its queue after a recovery. A slave's log may be behind its master's offsets. */
function bringBack(offsets: BrokerOffsets, { config, store, logger }: BrokerTablesWiring): void {
  if (config.brokerRole === "SLAVE") return;
  const count = offsets.clamp((topic, queueId) =>
    topicNameProblem(topic) === null ? store.maxOffsetInQueue(internTopic(topic), queueId) : 0,
  );
  if (count > 0) logger.warn("consumer offsets stood past the end of their queues", { count });
}

/** @throws EngineError STORE_LAYOUT_INVALID when a state file and its copies are damaged (S-06) */
export function openBrokerTables(wiring: BrokerTablesWiring): BrokerTables {
  const { config, vfs, logger, now, store, storeHost, topicsTold, security } = wiring;
  const topics = new BrokerTopics(wiring);
  const groups = new BrokerGroups(wiring);
  const offsets = new BrokerOffsets({ vfs, storePathRootDir: config.storePathRootDir });
  bringBack(offsets, wiring);
  const filters = new BrokerFilters(wiring);
  const counters = new BrokerCounters(store.traffic);
  const clients = new BrokerClients({
    logger,
    now,
    filters,
    mayNotify: (group) =>
      config.notifyConsumerIdsChangedEnable &&
      groups.get(group)?.notifyConsumerIdsChangedEnable !== false,
  });
  const remoting = createBrokerClient(config, logger, security, wiring.onDisconnect);
  const appendInternal = createAppendInternal({ store, config, storeHost });
  const context: BrokerContext = {
    config,
    logger,
    vfs,
    store,
    topics,
    groups,
    offsets,
    clients,
    filters,
    remoting,
    now,
    storeHost,
    isSlave: config.brokerRole === "SLAVE",
    putInternal: (message) => appendInternal(message).safe,
    appendInternal,
    topicsTold,
    bootTimestamp: now(),
    stats: counters,
    aclFile: security.aclFile,
    statsItems: new StatsItems(config.brokerClusterName),
    liveConfig: new LiveBrokerConfig({ config, vfs, logger, now, configFile: wiring.configFile }),
  };
  return { context, topics, offsets, clients, filters, counters };
}
