/** The two sides of replication as a broker's settings want them (store-and-ha 7.1). */
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Logger } from "../base/logger.ts";
import { parseAllowedAddresses } from "../ha/allowed-addresses.ts";
import type { HaClient, HaService } from "../ha/ha-api.ts";
import { createHaClient } from "../ha/ha-client.ts";
import { createHaService } from "../ha/ha-service.ts";
import { TlsAcceptor } from "../remoting/tls-acceptor.ts";
import { clientOptions, type ProgramTls, type ServerTls } from "../remoting/tls.ts";
import type { MessageStore } from "../store/store-api.ts";
import { bindHost, type BrokerConfig } from "./broker-config.ts";

/** A configured haMasterAddress shorter than this is none, as in 4.9. */
const HA_MASTER_ADDRESS_MIN = 6;

/** @returns the master address a slave was told to keep to, or null: ask the name servers */
export function fixedHaMaster(config: BrokerConfig): string | null {
  const { haMasterAddress } = config;
  return haMasterAddress.length >= HA_MASTER_ADDRESS_MIN ? haMasterAddress : null;
}

/** The replication port of a broker with TLS: as its other ports, by the first byte (E-13). */
function secureAccept(tls: ServerTls): (accepted: Socket, ready: (socket: Socket) => void) => void {
  const acceptor = new TlsAcceptor(tls);
  return (accepted, ready) =>
    acceptor.accept(accepted, {
      secure: ready,
      plain: (socket, first) => {
        socket.unshift(first);
        ready(socket);
        socket.resume();
      },
    });
}

/** Makes the master's side and plugs its gate into the store: what SYNC_MASTER promises is decided there. */
export function replicateToSlaves(
  config: BrokerConfig,
  store: MessageStore,
  logger: Logger,
  tls: ProgramTls | undefined,
): HaService {
  const service = createHaService({
    host: bindHost(config),
    port: config.haListenPort,
    log: store.log,
    required: config.brokerRole === "SYNC_MASTER",
    logger: logger.child("ha"),
    secure: tls?.server === undefined ? undefined : secureAccept(tls.server),
    allowed: parseAllowedAddresses(config.haAllowedAddresses),
    housekeepingMs: config.haHousekeepingInterval,
    heartbeatMs: config.haSendHeartbeatInterval,
    transferBytesMax: config.haTransferBatchSize,
    fallbehindMax: config.haSlaveFallbehindMax,
    onGateChanged: () => store.replicationChanged(),
  });
  store.setReplicationGate(service.gate);
  return service;
}

/** Makes the slave's side, idle until its master is known. */
export function followMaster(
  config: BrokerConfig,
  store: MessageStore,
  logger: Logger,
  tls: ProgramTls | undefined,
): HaClient {
  const clientTls = tls?.client;
  return createHaClient({
    log: store.log,
    logger: logger.child("ha"),
    secure:
      clientTls === undefined
        ? undefined
        : (host, port) => connectTls({ host, port, ...clientOptions(clientTls()) }),
    ackFlushed: config.flushDiskType === "SYNC_FLUSH",
    heartbeatMs: config.haSendHeartbeatInterval,
    housekeepingMs: config.haHousekeepingInterval,
  });
}
