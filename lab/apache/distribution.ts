/** Apache RocketMQ as it is unpacked: `lib/*.jar` of a distribution, or a folder of jars as Maven copies them. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";

/** The jars of one distribution. */
export interface Distribution {
  /** Folder that holds the jars. */
  readonly dir: string;
  /** File names, sorted. */
  readonly jars: readonly string[];
  /** `4.9.0`, from the broker's jar. */
  readonly version: string;
}

const NEEDED = ["rocketmq-broker", "rocketmq-namesrv", "rocketmq-store", "rocketmq-remoting"];
const BROKER_JAR = /^rocketmq-broker-(\d.*)\.jar$/;

function jarsIn(dir: string): readonly string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => name.endsWith(".jar"))
    .toSorted();
}

/**
 * @param dir distribution or folder of jars
 * @throws EngineError CLI_USAGE saying which jar is not there
 */
export function readDistribution(dir: string): Distribution {
  const below = jarsIn(join(dir, "lib"));
  const jars = below.length > 0 ? below : jarsIn(dir);
  const missing = NEEDED.filter((name) => !jars.some((jar) => jar.startsWith(`${name}-`)));
  if (missing.length > 0) {
    throw new EngineError("CLI_USAGE", {
      message: `${dir} is no RocketMQ distribution: no ${missing.join(".jar, no ")}.jar in it or in its lib folder`,
      hint: "unpack a binary release of RocketMQ 4.9 and name that folder, or a folder with all jars of rocketmq-broker and rocketmq-namesrv",
    });
  }
  const version = jars.map((jar) => BROKER_JAR.exec(jar)?.[1]).find((text) => text !== undefined);
  return { dir: below.length > 0 ? join(dir, "lib") : dir, jars, version: version ?? "unknown" };
}
