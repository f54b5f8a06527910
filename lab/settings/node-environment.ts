import { availableParallelism, homedir } from "node:os";
import type { LabNode } from "../topology/topology.ts";

/** What the engine's defaults depend on, as the node finds it (admin-protocol D.2). */
export interface NodeEnvironment {
  readonly home: string;
  readonly hostName: string;
  readonly localAddress: string;
  readonly namesrvAddr: string;
  readonly rocketmqHome: string;
  readonly cpus: number;
}

/**
 * @param node of a lab
 * @param home `$HOME` of the node; a container's is its data folder
 */
export function nodeEnvironment(node: LabNode, home = homedir()): NodeEnvironment {
  return {
    home,
    hostName: node.name,
    localAddress: "127.0.0.1",
    namesrvAddr: "",
    rocketmqHome: "",
    cpus: availableParallelism(),
  };
}
