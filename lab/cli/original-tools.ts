/** Apache's own `mqadmin` on a lab: how it is run from a distribution, from a folder of jars, or from its image. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";

/** The last 4.9 on Docker Hub. */
const IMAGE = "apache/rocketmq:4.9.7";
const MAIN = "org.apache.rocketmq.tools.command.MQAdminStartup";
const LOGBACK = join("conf", "logback_tools.xml");
const TOOLS_JAR = /^rocketmq-tools-.*\.jar$/;

/** Java 8 does not know this variable, so newer ones get what 4.9 needs of them without a look at the version. */
const JAVA_OPTIONS = ["java.base/java.nio", "java.base/sun.nio.ch", "java.base/java.lang"]
  .map((name) => `--add-opens=${name}=ALL-UNNAMED`)
  .join(" ");

/** mqadmin wants a configuration of its log; without a distribution it is this. */
const LOGBACK_TEXT = `<configuration><appender name="file" class="ch.qos.logback.core.FileAppender"><file>LOGFILE</file>
<encoder><pattern>%d %p %c{1} %m%n</pattern></encoder></appender><root level="INFO"><appender-ref ref="file"/></root></configuration>
`;

function quoted(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function line(words: readonly string[]): string {
  return words.map(quoted).join(" ");
}

/** Where the lab's name servers are for the tool. */
export interface ToolAddresses {
  readonly namesrvAddr: string;
  /** Docker: the lab's network and the name servers' addresses inside it. */
  readonly inside: { readonly network: string; readonly namesrvAddr: string } | null;
}

/** @returns shell lines that run the original from a distribution, and from Apache's image */
export function originalForms(
  args: readonly string[],
  at: ToolAddresses,
): { readonly local: string; readonly container: string } {
  const network = at.inside?.network ?? "host";
  const address = at.inside?.namesrvAddr ?? at.namesrvAddr;
  const run = ["docker", "run", "--rm", "--network", network, "-e", `NAMESRV_ADDR=${address}`];
  return {
    local: `NAMESRV_ADDR=${quoted(at.namesrvAddr)} sh "$ROCKETMQ_HOME/bin/mqadmin" ${line(args)}`,
    container: line([...run, IMAGE, "sh", "mqadmin", ...args]),
  };
}

function jarsOf(dist: string): string {
  const folders = [join(dist, "lib"), dist];
  const found = folders.find(
    (folder) => existsSync(folder) && readdirSync(folder).some((name) => TOOLS_JAR.test(name)),
  );
  if (found !== undefined) return found;
  throw new EngineError("CLI_USAGE", {
    message: `${dist} holds no RocketMQ: no rocketmq-tools-VERSION.jar in it or in its lib`,
    hint: "unpack rocketmq-all-4.9.7-bin-release.zip and name that folder with --dist, or unset ROCKETMQ_HOME",
  });
}

/** A program to run. */
export interface OriginalTool {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * @param dist a distribution's folder, or one with its jars
 * @param home where the tool's log goes when the distribution has no configuration for it
 * @throws EngineError CLI_USAGE when there is no RocketMQ
 */
export function originalTool(
  dist: string,
  home: string,
  options: { readonly args: readonly string[]; readonly javaHome: string | undefined },
): OriginalTool {
  const jars = jarsOf(resolve(dist));
  const hasLogback = existsSync(join(dist, LOGBACK));
  if (!hasLogback) {
    mkdirSync(join(home, "conf"), { recursive: true });
    writeFileSync(join(home, LOGBACK), LOGBACK_TEXT.replace("LOGFILE", join(home, "tools.log")));
  }
  const { args, javaHome } = options;
  const java = javaHome === undefined || javaHome === "" ? "java" : join(javaHome, "bin", "java");
  const where = `-Drocketmq.home.dir=${hasLogback ? resolve(dist) : home}`;
  return {
    command: [java, "-Xmx256m", where, "-cp", join(jars, "*"), MAIN, ...args],
    environment: { JDK_JAVA_OPTIONS: JAVA_OPTIONS },
  };
}
