/** This machine's Java: `$JAVA_HOME`, else the `java` on the PATH. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";

/** A Java that can be run. */
export interface Java {
  /** The program, links resolved. */
  readonly program: string;
  readonly home: string;
  /** `17.0.15`, or `unknown`. */
  readonly version: string;
}

const PROGRAM = process.platform === "win32" ? "java.exe" : "java";

function candidates(environment: NodeJS.ProcessEnv): readonly string[] {
  const home = environment["JAVA_HOME"];
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const fromHome = home === undefined || home === "" ? [] : [join(home, "bin", PROGRAM)];
  return [...fromHome, ...folders.map((folder) => join(folder, PROGRAM))];
}

function versionOf(home: string): string {
  const file = join(home, "release");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  return /^JAVA_VERSION="([^"]+)"/m.exec(text)?.[1] ?? "unknown";
}

/**
 * @param environment of the command
 * @throws EngineError LAB_JAVA_MISSING
 */
export function findJava(environment: NodeJS.ProcessEnv = process.env): Java {
  const found = candidates(environment).find((path) => existsSync(path));
  if (found === undefined) {
    throw new EngineError("LAB_JAVA_MISSING", {
      message: "Apache's broker and name server need Java, and there is no `java` on this machine",
      hint: "install a JRE (on Debian and Ubuntu: `apt-get install openjdk-17-jre-headless`), set JAVA_HOME, or use `--engine ts`",
    });
  }
  const program = realpathSync(found);
  const home = dirname(dirname(program));
  return { program, home, version: versionOf(home) };
}
