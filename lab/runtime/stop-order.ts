import type { NodeRole } from "../topology/topology.ts";

/** Clients before those they talk to: masters hand their last bytes to slaves, brokers sign off at the name servers. */
export const STOP_ORDER: readonly NodeRole[] = [
  "dashboard",
  "broker-master",
  "broker-slave",
  "namesrv",
];
