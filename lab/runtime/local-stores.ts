/** Data of local processes: folders of this machine, worked on by the lab itself. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { operate, type StoreOperation, type StoreResult } from "../stores/operations.ts";
import { APACHE_FOLDER } from "./apache-launch.ts";
import { CLOCK_FILES } from "./clock-files.ts";
import { nodeDirectory } from "./node-launch.ts";
import type { LabAllocation } from "./runtime.ts";
import type { NodeStores, StoreWork } from "./stores.ts";

/** @returns access to the data of a lab of local processes */
export function localStores(allocation: LabAllocation): NodeStores {
  const folder = (snapshot: string): string => join(allocation.stateDir, "snapshots", snapshot);
  return {
    data: (node) => nodeDirectory(allocation, node),
    saved: (snapshot, node) => join(folder(snapshot), node),
    keep: ["node.log", "node.log.1", "process.json", APACHE_FOLDER, ...CLOCK_FILES],
    run: async (operations: readonly StoreOperation[], { signal }: StoreWork) => {
      const results: StoreResult[] = [];
      for (const operation of operations) results.push(await operate(operation, signal));
      return results;
    },
    removeSnapshot: (snapshot) => rm(folder(snapshot), { recursive: true, force: true }),
  };
}
