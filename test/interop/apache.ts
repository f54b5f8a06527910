/** Apache's own programs as test peers: fetched from Maven, run as child processes on 127.0.0.1 (peers.md). */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runChild, startChild, type LineChild } from "../helpers/child.ts";

export type ApacheVersion = "4.9.0" | "4.9.7";

const HERE = dirname(fileURLToPath(import.meta.url));
const JAVA = join(HERE, "java");
const CACHE = join(HERE, ".cache");

/** JDK 17 keeps these shut by default; 4.9 needs them. */
export const OPENS = [
  "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
  "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
  ...["java.nio", "sun.nio.ch", "java.lang", "jdk.internal.ref", "java.util"].map(
    (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
  ),
];

const LOGBACK = `<configuration><appender name="F" class="ch.qos.logback.core.FileAppender"><file>LOGFILE</file>
<encoder><pattern>%d %p %c{1} %m%n</pattern></encoder></appender><root level="INFO"><appender-ref ref="F"/></root></configuration>`;

const fetches = new Map<ApacheVersion, Promise<string>>();

/** @returns the folder with all jars of one version, fetched once per checkout */
export function apacheJars(version: ApacheVersion): Promise<string> {
  const known = fetches.get(version) ?? fetchJars(version);
  fetches.set(version, known);
  return known;
}

async function fetchJars(version: ApacheVersion): Promise<string> {
  const target = join(CACHE, version);
  const done = join(CACHE, `${version}.complete`);
  if (existsSync(done)) return target;
  mkdirSync(target, { recursive: true });
  const args = ["-q", "-B", "-U", "-f", join(JAVA, "pom.xml"), `-Drocketmq.version=${version}`];
  const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${target}`];
  const { code, output } = await runChild("mvn", [...args, ...goal], { timeoutMs: 300_000 });
  if (code !== 0)
    throw new Error(`mvn could not fetch RocketMQ ${version}:\n${output.slice(-2_000)}`);
  writeFileSync(done, "");
  return target;
}

const compiled = new Map<ApacheVersion, Promise<string>>();

/** Compiles the test programs of java/src, once a process. @returns a class path for `java -cp` */
export function javaClassPath(version: ApacheVersion): Promise<string> {
  const known = compiled.get(version) ?? compile(version);
  compiled.set(version, known);
  return known;
}

async function compile(version: ApacheVersion): Promise<string> {
  const jars = await apacheJars(version);
  const classes = join(CACHE, "classes", version);
  mkdirSync(classes, { recursive: true });
  const sources = readdirSync(join(JAVA, "src")).map((name) => join(JAVA, "src", name));
  const { code, output } = await runChild(
    "javac",
    ["-d", classes, "-cp", join(jars, "*"), ...sources],
    { timeoutMs: 120_000 },
  );
  if (code !== 0) throw new Error(`javac failed:\n${output}`);
  return `${classes}:${join(jars, "*")}`;
}

/** Our Java test programs. */
type JavaProgram =
  | "LabProducer"
  | "LabConsumer"
  | "LabBench"
  | "LabFilter"
  | "LabFeatures"
  | "LabTransaction"
  | "LabRequest";

/** Starts one of our Java test programs. */
export async function startJava(
  program: JavaProgram,
  options: {
    readonly version: ApacheVersion;
    readonly home: string;
    readonly heapMiB?: number;
    /** System properties, `-Dname=value` each. */
    readonly jvm?: readonly string[];
  },
  args: readonly string[],
): Promise<LineChild> {
  const heap = `-Xmx${options.heapMiB ?? 256}m`;
  const classPath = await javaClassPath(options.version);
  return startChild("java", [
    heap,
    ...OPENS,
    `-Duser.home=${options.home}`,
    ...(options.jvm ?? []),
    "-cp",
    classPath,
    program,
    ...args,
  ]);
}

/** Writes what Apache's programs want to find in their home: where to log. */
export function prepareHome(home: string): void {
  mkdirSync(join(home, "conf"), { recursive: true });
  for (const name of ["namesrv", "broker", "tools"]) {
    const text = LOGBACK.replace("LOGFILE", join(home, `${name}.log`));
    writeFileSync(join(home, "conf", `logback_${name}.xml`), text);
  }
}

/** What an Apache server needs to start. */
export interface ApacheServerOptions {
  readonly version: ApacheVersion;
  /** An empty or earlier used folder of its own. */
  readonly home: string;
  readonly properties: Readonly<Record<string, string | number>>;
  readonly heapMiB?: number;
}

async function startServer(mainClass: string, options: ApacheServerOptions): Promise<LineChild> {
  prepareHome(options.home);
  const file = join(options.home, "server.properties");
  const text = Object.entries(options.properties).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(file, text.join(""));
  const heap = options.heapMiB ?? 512;
  const jars = await apacheJars(options.version);
  const flags = [`-Xms${heap}m`, `-Xmx${heap}m`, "-XX:MaxDirectMemorySize=512m", ...OPENS];
  const where = [
    `-Drocketmq.home.dir=${resolve(options.home)}`,
    `-Duser.home=${resolve(options.home)}`,
  ];
  const child = startChild("java", [
    ...flags,
    ...where,
    "-cp",
    join(jars, "*"),
    mainClass,
    "-c",
    file,
  ]);
  await child.waitForLine((line) => line.includes("boot success"), 60_000);
  return child;
}

/** `listenPort` must be in the properties. */
export function startApacheNamesrv(options: ApacheServerOptions): Promise<LineChild> {
  return startServer("org.apache.rocketmq.namesrv.NamesrvStartup", { heapMiB: 256, ...options });
}

/** Store paths below `home` are filled in; `listenPort`, `namesrvAddr` and names must be in the properties. */
export function startApacheBroker(options: ApacheServerOptions): Promise<LineChild> {
  const store = join(resolve(options.home), "store");
  const paths = {
    storePathRootDir: store,
    storePathCommitLog: join(store, "commitlog"),
    brokerIP1: "127.0.0.1",
    brokerIP2: "127.0.0.1",
  };
  return startServer("org.apache.rocketmq.broker.BrokerStartup", {
    ...options,
    properties: { ...paths, ...options.properties },
  });
}

/** Starts LabAdmin, which runs any number of `mqadmin` commands in one JVM. Files they write by relative names go to `home`. */
export async function startAdminTools(options: {
  readonly version: ApacheVersion;
  readonly home: string;
}): Promise<LineChild> {
  const home = resolve(options.home);
  prepareHome(home);
  const where = [`-Drocketmq.home.dir=${home}`, `-Duser.home=${home}`];
  const classPath = await javaClassPath(options.version);
  const args = ["-Xmx256m", ...OPENS, ...where, "-cp", classPath, "LabAdmin"];
  return startChild("java", args, { cwd: home });
}

/** Runs one `mqadmin` command to its end. */
export async function mqadmin(
  options: {
    readonly version: ApacheVersion;
    readonly home: string;
    readonly jvm?: readonly string[];
  },
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  prepareHome(options.home);
  const jars = await apacheJars(options.version);
  const where = [
    `-Drocketmq.home.dir=${resolve(options.home)}`,
    `-Duser.home=${resolve(options.home)}`,
  ];
  return runChild(
    "java",
    [
      "-Xmx128m",
      ...OPENS,
      ...where,
      ...(options.jvm ?? []),
      "-cp",
      join(jars, "*"),
      "org.apache.rocketmq.tools.command.MQAdminStartup",
      ...args,
    ],
    { timeoutMs: 60_000 },
  );
}
