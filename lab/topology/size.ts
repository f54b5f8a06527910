/** How large a lab is made: memory, heap and file sizes of its nodes. `small` is what topology.yaml and the property files say. */
import type { LabNode, NodeResources, NodeSetting } from "./topology.ts";

export const LAB_SIZES = ["tiny", "small", "large"] as const;
export type LabSize = (typeof LAB_SIZES)[number];

interface Profile {
  readonly broker: NodeResources;
  readonly namesrv: NodeResources;
  readonly dashboard: NodeResources;
  /** Bytes and entries of the store's files; a store never changes them once it has files. */
  readonly files: Readonly<Record<string, number>>;
}

const MIB = 1_048_576;

const PROFILES: Readonly<Record<Exclude<LabSize, "small">, Profile>> = {
  // For many labs at once and for CI machines: full heaps of all seven nodes of 2m-2s fit into 1 GiB.
  tiny: {
    broker: { memoryMiB: 256, heapMiB: 96, cpus: 1 },
    namesrv: { memoryMiB: 128, heapMiB: 48, cpus: 0.5 },
    dashboard: { memoryMiB: 160, heapMiB: 64, cpus: 0.5 },
    files: {
      mappedFileSizeCommitLog: 16 * MIB,
      mappedFileSizeConsumeQueue: 240_000,
      maxHashSlotNum: 50_000,
      maxIndexNum: 200_000,
    },
  },
  // RocketMQ's own file sizes (store-and-ha appendix A), and room for long benchmarks.
  large: {
    broker: { memoryMiB: 2_048, heapMiB: 768, cpus: 4 },
    namesrv: { memoryMiB: 512, heapMiB: 256, cpus: 1 },
    dashboard: { memoryMiB: 512, heapMiB: 256, cpus: 1 },
    files: {
      mappedFileSizeCommitLog: 1_024 * MIB,
      mappedFileSizeConsumeQueue: 6_000_000,
      maxHashSlotNum: 5_000_000,
      maxIndexNum: 20_000_000,
    },
  },
};

/** Settings a store is made with: another value later is refused by the broker, so the lab refuses it first. */
export const FILE_KEYS: ReadonlySet<string> = new Set(Object.keys(PROFILES.tiny.files));

/**
 * @param node of a topology as loaded
 * @param size wanted
 * @returns what the size makes of its limits and settings
 */
export function sizeOf(
  node: LabNode,
  size: LabSize,
): { readonly resources: NodeResources; readonly settings: readonly NodeSetting[] } {
  if (size === "small") return { resources: node.resources, settings: [] };
  const profile = PROFILES[size];
  const from = `--size ${size}`;
  if (node.role === "namesrv") return { resources: profile.namesrv, settings: [] };
  if (node.role === "dashboard") return { resources: profile.dashboard, settings: [] };
  const settings = Object.entries(profile.files).map(([key, value]) => ({
    key,
    value: String(value),
    from,
  }));
  return { resources: profile.broker, settings };
}
