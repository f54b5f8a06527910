/**
 * Apache's broker and name server as a lab starts them, in both runtimes: main classes, flags, property file, logging. Pure.
 *
 * The property file a node is given is the topology's own file with the lab's lines below it: Java's properties take the last value of a
 * key, and Apache's programs have no other way to be told ports and folders. The topology's file itself is never touched.
 */
import type { LabNode } from "../topology/topology.ts";

/** JDK 9 and later keep these shut; 4.9 needs them (peers.md). Java 8 never reads the variable they are given in. */
const OPEN_FLAGS = [
  "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
  "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
  ...["java.nio", "sun.nio.ch", "java.lang", "jdk.internal.ref", "java.util"].map(
    (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
  ),
];

/** Variable only Java 9 and later read. */
export const JAVA_OPTIONS = "JDK_JAVA_OPTIONS";

/** What `java` runs. */
export const MAIN_CLASSES = {
  namesrv: "org.apache.rocketmq.namesrv.NamesrvStartup",
  broker: "org.apache.rocketmq.broker.BrokerStartup",
} as const;

/** @returns the class `java` runs for this node */
export function mainClass(node: LabNode): string {
  return node.broker === undefined ? MAIN_CLASSES.namesrv : MAIN_CLASSES.broker;
}

/** Variable that Apache's own start scripts put behind their options, so that it wins. */
export const JAVA_OPT_EXT = "JAVA_OPT_EXT";

/** @returns heap as the node's size says, and as much again off the heap, where Netty keeps its buffers */
export function heapFlags(node: LabNode): readonly string[] {
  const { heapMiB } = node.resources;
  return [
    `-Xms${Math.min(heapMiB, 64)}m`,
    `-Xmx${heapMiB}m`,
    `-XX:MaxDirectMemorySize=${heapMiB}m`,
  ];
}

/** What a Java virtual machine takes besides heap and buffers: classes, compiled code, threads. */
const AROUND_HEAP_MIB = 128;

/** @returns the least memory a node of that heap needs, MiB */
export function memoryMinMiB(heapMiB: number): number {
  return 2 * heapMiB + AROUND_HEAP_MIB;
}

/** The collector for small heaps (with few cores the others only cost memory), and no file of figures in /tmp. */
export const SMALL_FLAGS: readonly string[] = ["-XX:+UseSerialGC", "-XX:-UsePerfData"];

/** @returns value of `JDK_JAVA_OPTIONS` */
export function openFlags(): string {
  return OPEN_FLAGS.join(" ");
}

/**
 * @param file content of the topology's property file
 * @param lines `key=value` lines of the lab
 * @returns content of the node's own property file
 */
export function apacheProperties(file: string, lines: string): string {
  return `${file.trimEnd()}\n\n# Written by the lab at every start; the lines above are the topology's own file.\n${lines}\n`;
}

/** Names under which Apache's programs look for their logging below `rocketmq.home.dir`. */
export const LOGBACK_FILES = ["logback_namesrv.xml", "logback_broker.xml"] as const;

/** Logs that repeat themselves every few seconds and say nothing to people. */
const CHATTER = ["RocketmqWaterMark", "RocketmqStats", "RocketmqProtection", "RocketmqFilter"];

/** @returns a logging configuration that sends everything to standard output, where `lab logs` finds it */
export function logbackText(): string {
  const quiet = CHATTER.map((name) => `  <logger name="${name}" level="WARN"/>`);
  return [
    "<configuration>",
    '  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">',
    "    <encoder><pattern>%d{yyyy-MM-dd'T'HH:mm:ss.SSS} %-5level %logger{0} %msg%n</pattern></encoder>",
    "  </appender>",
    ...quiet,
    '  <root level="INFO"><appender-ref ref="OUT"/></root>',
    "</configuration>",
    "",
  ].join("\n");
}
