import type { ReplicationGate } from "../store/store-api.ts";
import type { HaClientState } from "./ha-state.ts";

/** What the master knows of one replication connection. */
export interface SlaveState {
  /** `host:port`. */
  readonly remote: string;
  /** Highest valid report of this connection; -1 before the first. */
  readonly ackedOffset: number;
  /** Next byte to send; -1 before the first report. */
  readonly sentOffset: number;
  /** Wall clock, ms. */
  readonly connectedAtMs: number;
  /** It asked for bytes the master has deleted: it gets heartbeats only, and must be set up anew (store-and-ha 7.4). */
  readonly isBehindMinimum: boolean;
}

/** Master side: accepts slaves on the HA port. Made by `createHaService` of ha-service.ts. */
export interface HaService {
  readonly gate: ReplicationGate;
  /** Reports that were no possible offset since the start; each closed its connection (H-02). */
  readonly refusedReports: number;
  /** @returns the port */
  start(): Promise<number>;
  stop(): Promise<void>;
  slaves(): readonly SlaveState[];
}

/** How far a slave is. */
export interface HaClientOffsets {
  /** End of the last complete, verified record in the own log. */
  readonly verified: number;
  /** Last offset reported to the present or last master; -1 before the first. */
  readonly reported: number;
  /** How far the master's stream was: end of its last frame or heartbeat; -1 before the first. Caught up = equal to `verified`. */
  readonly masterSent: number;
  /** Since the last frame or heartbeat, ms; null before the first. A master of ours and of 4.9 is silent for 5 s at most. */
  readonly silentMs: number | null;
}

/** Slave side: follows a master. Made by `createHaClient` of ha-client.ts. */
export interface HaClient {
  /** The master's HA address, `host:port`; null stops following (master unknown). The same address again changes nothing. */
  setMaster(address: string | null): void;
  readonly state: HaClientState;
  readonly masterAddress: string | null;
  readonly offsets: HaClientOffsets;
  stop(): Promise<void>;
}
