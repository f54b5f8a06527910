/**
 * The outside world of the lab behind one interface (style habit 22). Two implementations: docker-runtime.ts and
 * process-runtime.ts. Drills, benches, dashboard and commands see only this.
 */
import type { Readable } from "node:stream";
import type { Fence } from "./fence.ts";
import type { NodeStores } from "./stores.ts";
import type { Topology } from "../topology/topology.ts";

export type RuntimeKind = "docker" | "process";

/** What a node's process or container is doing, read from the engine or the operating system, never from a file. */
export type NodeProcessState =
  | "running"
  | "paused"
  | "stopped"
  | "missing"
  /** Its server's engine does not answer. */
  | "unreachable";

export interface NodeObservation {
  readonly node: string;
  readonly state: NodeProcessState;
  readonly pid: number | null;
  /** Of the last end: exit code, or 128 + signal; null while it never ended. */
  readonly exitCode: number | null;
  readonly oomKilled: boolean;
  /** Networks of the lab the node runs without: somebody pulled the cable. */
  readonly cutOff: readonly string[];
  readonly startedAtMs: number | null;
  /** Resident memory, bytes; null when not readable. */
  readonly rssBytes: number | null;
}

/** A port of a node as the machine reaches it. */
export interface Endpoint {
  readonly node: string;
  readonly port: string;
  /** `127.0.0.1:10911`. */
  readonly address: string;
  /** Address in the lab's internet network (docker), else the same as `address`. */
  readonly innerAddress: string;
}

/** Everything that is allotted once per lab and remembered in its state: runtime, ports, subnets, topology. */
export interface LabAllocation {
  readonly name: string;
  readonly runtime: RuntimeKind;
  /** The topology with its final published ports. */
  readonly topology: Topology;
  /** Docker only. CIDR of host-1, host-2, internet. */
  readonly subnets: Readonly<Record<string, string>>;
  /** `.lab/NAME`. */
  readonly stateDir: string;
  /** Docker only. Every node with data has a disk of this size; absent or null: it shares the machine's. */
  readonly diskMiB?: number | null;
  /** Nodes that are looked at before they start as slaves; absent: none. */
  readonly fences?: readonly Fence[];
}

/** What a container of the user's own needs to stand beside the lab: `docker run --network NETWORK …`. */
export interface ContainerAccess {
  /** Docker's name of the lab's internet network. */
  readonly network: string;
  /** Image the lab's nodes run. */
  readonly image: string;
  /** `host:port` of every name server inside that network. */
  readonly namesrvAddrs: readonly string[];
}

/** A program of the user's own that is to run where the lab's nodes are. */
export interface GuestCommand {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Host whose network it stands in besides the internet; undefined: the internet only. */
  readonly host: string | undefined;
  /** Docker only; undefined: the image of the nodes. */
  readonly image: string | undefined;
  /** Added to what the lab sets (`NAMESRV_ADDR`). */
  readonly environment: Readonly<Record<string, string>>;
  /** Folder it runs in; a container gets it mounted at the same path. Null: no folder of the machine. */
  readonly directory: string | null;
  readonly stdin: Readable | null;
  readonly onStdout: (chunk: Buffer) => void;
  readonly onStderr: (chunk: Buffer) => void;
  readonly say: (message: string) => void;
  readonly signal: AbortSignal;
}

export interface StartProgress {
  (event: { readonly node: string | null; readonly message: string }): void;
}

/** Everything a command can do to a lab's nodes. Every call is idempotent where its verb allows. */
export interface LabRuntime {
  readonly kind: RuntimeKind;
  readonly allocation: LabAllocation;
  /** Brings every missing or stopped node up; leaves running ones alone. */
  up(progress: StartProgress, signal: AbortSignal): Promise<void>;
  /** Stops and removes processes/containers; keeps data. */
  down(progress: StartProgress): Promise<void>;
  /** `down`, then removes data, networks, volumes and generated files. */
  destroy(progress: StartProgress): Promise<void>;
  start(node: string): Promise<void>;
  /** Graceful: SIGTERM, waits for the end. */
  stop(node: string): Promise<void>;
  /** By default SIGKILL. */
  kill(node: string, signal?: NodeJS.Signals): Promise<void>;
  pause(node: string): Promise<void>;
  unpause(node: string): Promise<void>;
  observe(): Promise<readonly NodeObservation[]>;
  /** The data of nodes that do not run. */
  stores(): NodeStores;
  endpoints(): readonly Endpoint[];
  /** Docker only. */
  containerAccess?(): ContainerAccess;
  /**
   * Runs a guest to its end and leaves nothing of it behind.
   * @returns its exit code, 128 + signal, 127 when there is no such program
   */
  runGuest(guest: GuestCommand): Promise<number>;
  /** Lines of one node, oldest first; with `follow` it goes on until the signal aborts. */
  logs(
    node: string,
    options: { readonly tail: number; readonly follow: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<string>;
}
