/** An Apache node as a local process: this machine's Java, the distribution's jars, everything it writes below the node's own folder. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readDistribution } from "../apache/distribution.ts";
import { findJava } from "../apache/java.ts";
import {
  JAVA_OPTIONS,
  LOGBACK_FILES,
  SMALL_FLAGS,
  apacheProperties,
  heapFlags,
  logbackText,
  mainClass,
  openFlags,
} from "../apache/program.ts";
import { NAMESRV_PROPERTIES, type LabNode, type NodeEngine } from "../topology/topology.ts";
import type { NodeLaunch } from "./node-launch.ts";

/** Folder of a node's directory for what Apache's programs need and leave: configuration, home. Made anew at every start. */
export const APACHE_FOLDER = "apache";

/** Where the node lives and what it is told. */
export interface ApacheNode {
  readonly node: LabNode;
  readonly engine: NodeEngine;
  /** The node's own folder. */
  readonly directory: string;
  /** Folder of the topology's property files. */
  readonly topologyDir: string;
  /** `key=value` lines that win over the property file. */
  readonly overrides: string;
}

/**
 * @param input which node
 * @throws EngineError LAB_JAVA_MISSING | CLI_USAGE when the jars are gone
 */
export function apacheLaunch(input: ApacheNode): NodeLaunch {
  const { node, engine, overrides } = input;
  const home = join(input.directory, APACHE_FOLDER);
  const conf = join(home, "conf");
  const properties = join(conf, "node.properties");
  const name = node.broker?.propertiesFile ?? NAMESRV_PROPERTIES;
  const text = apacheProperties(readFileSync(join(input.topologyDir, name), "utf8"), overrides);
  return {
    program: findJava().program,
    args: [
      ...heapFlags(node),
      ...SMALL_FLAGS,
      `-Drocketmq.home.dir=${home}`,
      `-Duser.home=${home}`,
      "-cp",
      join(readDistribution(engine.from).dir, "*"),
      mainClass(node),
      "-c",
      properties,
    ],
    env: { [JAVA_OPTIONS]: openFlags(), LAB_NODE: node.name },
    files: [
      { path: properties, text },
      ...LOGBACK_FILES.map((file) => ({ path: join(conf, file), text: logbackText() })),
    ],
  };
}
