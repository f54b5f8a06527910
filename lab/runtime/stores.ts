/** The data of a lab's nodes as files: what promote, restore, reset and snapshot work on. Two implementations, as of the runtime itself. */
import type { StoreOperation, StoreResult } from "../stores/operations.ts";

/** Name under which copies are made inside a node's data before they are moved into place. */
export const INCOMING = ".incoming";

/** A store that was set aside because it held what its master never had. */
export const ASIDE = "store.aside";

/** Entries of a node's data that are never copied. */
export const LEFT_OUT = [INCOMING, `${INCOMING}.old`, `${INCOMING}.ready`, ASIDE];

/** What work on the data is done with. */
export interface StoreWork {
  /** Snapshot that is read or written; undefined: none. */
  readonly snapshot?: string;
  readonly signal: AbortSignal;
  readonly say: (message: string) => void;
}

/** See the file's head. */
export interface NodeStores {
  /** Path of a node's data, as operations name it. */
  data(node: string): string;
  /** Path of a node's data in a snapshot. */
  saved(snapshot: string, node: string): string;
  /** Entries of a node's data folder that tell of its process, not of its messages. */
  readonly keep: readonly string[];
  /**
   * Does operations in order.
   * @throws whatever the file system says, or the engine of a lab in Docker
   */
  run(operations: readonly StoreOperation[], work: StoreWork): Promise<readonly StoreResult[]>;
  /** Removes what a snapshot holds; nothing when it holds nothing. */
  removeSnapshot(snapshot: string): Promise<void>;
}
