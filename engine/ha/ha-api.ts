import type { ReplicationGate } from "../store/store-api.ts";

/** What the master knows of one replication connection. */
export interface SlaveState {
  /** `host:port`. */
  readonly remote: string;
  /** Highest valid report of this connection; -1 before the first. */
  readonly ackedOffset: number;
  /** Next byte to send. */
  readonly sentOffset: number;
  readonly connectedAtMs: number;
}

/** Master side: accepts slaves on the HA port. Made by `createHaService` of ha-service.ts. */
export interface HaService {
  readonly gate: ReplicationGate;
  /** @returns the port */
  start(): Promise<number>;
  stop(): Promise<void>;
  slaves(): readonly SlaveState[];
}

/** Slave side: follows a master. Made by `createHaClient` of ha-client.ts. */
export interface HaClient {
  /** The master's HA address, `host:port`; null stops following (master unknown). */
  setMaster(address: string | null): void;
  readonly state: "idle" | "connecting" | "following" | "diverged";
  readonly masterAddress: string | null;
  stop(): Promise<void>;
}
