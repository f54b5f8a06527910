/** Can the Apache nodes of a lab be started here, and what is worth a word about them? */
import { EngineError } from "../../engine/base/engine-error.ts";
import { readDistribution } from "../apache/distribution.ts";
import { findJava } from "../apache/java.ts";
import type { NodeEngine } from "../topology/topology.ts";
import type { LabAllocation } from "./runtime.ts";

function refuseImage(engine: NodeEngine): EngineError {
  return new EngineError("CLI_USAGE", {
    message: `apache:${engine.from} is a container image, and this lab runs local processes`,
    hint: "use `apache-dist:DIR` with an unpacked distribution, or a lab in Docker (`--runtime docker`)",
  });
}

/**
 * @param allocation of the lab
 * @returns sentences for the person
 * @throws EngineError CLI_USAGE | LAB_JAVA_MISSING
 */
export function checkEngines({ runtime, topology }: LabAllocation): readonly string[] {
  const engines = topology.nodes.flatMap((node) => (node.engine === undefined ? [] : node.engine));
  if (engines.length === 0) return [];
  const image = engines.find((engine) => engine.kind === "apache");
  if (image !== undefined && runtime === "process") throw refuseImage(image);
  const dirs = new Set(
    engines.filter(({ kind }) => kind === "apache-dist").map(({ from }) => from),
  );
  const versions = [...dirs].map((dir) => `${readDistribution(dir).version} of ${dir}`);
  const found = versions.length === 0 ? [] : [describe(versions)];
  if (runtime === "docker") return found;
  const open =
    "note: Apache's programs listen on every interface of this machine, not on 127.0.0.1 only";
  return [...found, open];
}

function describe(versions: readonly string[]): string {
  return `Apache ${versions.join(", ")} runs with Java ${findJava().version}`;
}
