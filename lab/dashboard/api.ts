/**
 * The contract between the dashboard's server and its page: types only, the single file both sides share. Offsets and sizes that
 * may pass 2^53 do not occur in a lab; they are plain numbers here.
 */

/** A figure with its age, or the reason why it is not known. Unknown is a value: never zero, never blank. */
export type Measured<Value> =
  | { readonly value: Value; readonly at: number }
  | {
      readonly unknown: true;
      readonly why: string;
      readonly lastValue?: Value;
      readonly lastAt?: number;
    };

export type NodeState = "ok" | "degraded" | "down" | "unknown";

export type ViewRole = "namesrv" | "master" | "slave" | "dashboard";

/** What one name server says about one broker address right now. */
export interface Belief {
  readonly namesrv: string;
  readonly lists: Measured<boolean>;
}

/** One node as the map shows it. */
export interface NodeView {
  readonly node: string;
  readonly role: ViewRole;
  readonly host: string;
  readonly address: string;
  readonly state: NodeState;
  /** One sentence: why the state is not ok; empty when it is. */
  readonly reason: string;
  /** Brokers only. */
  readonly broker?: BrokerView;
  /** Name servers only: registered broker addresses of those that should be. */
  readonly registered?: { readonly listed: Measured<number>; readonly expected: number };
}

export interface BrokerView {
  readonly brokerName: string;
  readonly brokerId: number;
  readonly version: Measured<string>;
  /** Messages a second put and handed out, over the last round. */
  readonly inRate: Measured<number>;
  readonly outRate: Measured<number>;
  readonly logEnd: Measured<number>;
  /** Bytes not yet covered by an fdatasync. */
  readonly unflushed: Measured<number>;
  readonly diskRatio: Measured<number>;
  readonly rssBytes: Measured<number>;
  readonly beliefs: readonly Belief[];
}

/** A master and its slave. */
export interface PairView {
  readonly brokerName: string;
  readonly masterHost: string;
  readonly slaveHost: string;
  readonly mode: string;
  readonly lagBytes: Measured<number>;
  readonly lagSeconds: Measured<number>;
  readonly state: NodeState;
  /** Acknowledged SEND_OK bytes that would be gone if the master's host were lost now. */
  readonly okAtRisk: Measured<number>;
}

/** Something that changed, newest first in lists. */
export interface ClusterEvent {
  readonly at: number;
  readonly node: string;
  readonly text: string;
  readonly state: NodeState;
}

/** In and out rates of one broker over time; null is a gap. */
export interface RateSeries {
  readonly node: string;
  readonly inRate: readonly (number | null)[];
  readonly outRate: readonly (number | null)[];
}

/** Everything the cluster page shows, of one collector round. */
export interface ClusterSnapshot {
  readonly schema: "lab.dashboard.cluster/1";
  readonly seq: number;
  readonly at: number;
  readonly lab: string;
  readonly preset: string;
  readonly verdict: { readonly state: NodeState; readonly text: string };
  readonly hosts: readonly string[];
  readonly nodes: readonly NodeView[];
  readonly pairs: readonly PairView[];
  readonly events: readonly ClusterEvent[];
}

/** Rates of the last 15 minutes, one point a second. */
export interface ClusterHistory {
  readonly schema: "lab.dashboard.history/1";
  readonly times: readonly number[];
  readonly series: readonly RateSeries[];
}

/** URLs of the server. */
export const PATHS = {
  cluster: "/api/cluster",
  history: "/api/history",
  live: "/api/live",
  health: "/api/health",
} as const;
