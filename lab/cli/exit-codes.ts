/** The exit codes of every command (lab-and-drills 5.1), and which error ends in which. The one place that knows. */
import { EngineError } from "../../engine/base/engine-error.ts";
import type { ErrorCode } from "../../engine/base/error-codes.ts";

export const EXIT = {
  done: 0,
  bug: 1,
  usage: 2,
  prerequisite: 3,
  conflict: 4,
  notReady: 5,
  notFound: 6,
  drillViolated: 10,
  drillUnknown: 11,
  benchThreshold: 12,
  benchInvalid: 13,
  resources: 20,
  permission: 27,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What `lab help exit-codes` prints. */
export const EXIT_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [EXIT.done, "done; drill valid; thresholds met"],
  [EXIT.bug, "unexpected error (a bug)"],
  [EXIT.usage, "usage or bad configuration"],
  [EXIT.prerequisite, "prerequisite missing (engine, plugin, built programs)"],
  [EXIT.conflict, "conflict (port, name or subnet in use, another command at work)"],
  [EXIT.notReady, "not ready before the time-out, or a request to the cluster failed"],
  [EXIT.notFound, "no such lab, node, snapshot, run, topic, group or message"],
  [EXIT.drillViolated, "drill verdict: violated"],
  [EXIT.drillUnknown, "drill verdict: unknown"],
  [EXIT.benchThreshold, "benchmark threshold missed, lost messages, or comparison worse"],
  [EXIT.benchInvalid, "benchmark invalid: generator too slow or environment not clean"],
  [EXIT.resources, "not enough memory, disk or cores"],
  [EXIT.permission, "permission"],
  [EXIT.interrupted, "ended by Ctrl-C (SIGINT)"],
  [EXIT.terminated, "ended by SIGTERM"],
];

const BY_ERROR: Readonly<Partial<Record<ErrorCode, ExitCode>>> = {
  ADMIN_NOT_FOUND: EXIT.notFound,
  ADMIN_REQUEST_FAILED: EXIT.notReady,
  BENCH_TOPIC_NOT_READY: EXIT.notReady,
  BROKER_CONFIG_INVALID: EXIT.usage,
  CLIENT_BROKER_REFUSED: EXIT.notReady,
  CLIENT_NO_REPLY: EXIT.notReady,
  CLIENT_NO_ROUTE: EXIT.notReady,
  CLI_USAGE: EXIT.usage,
  DASHBOARD_SETTINGS_INVALID: EXIT.usage,
  DOCKER_COMPOSE_FAILED: EXIT.notReady,
  DOCKER_COMPOSE_MISSING: EXIT.prerequisite,
  DOCKER_ENGINE_MISSING: EXIT.prerequisite,
  DOCKER_IMAGE_FAILED: EXIT.prerequisite,
  DOCKER_PERMISSION: EXIT.permission,
  DOCKER_REQUEST_FAILED: EXIT.notReady,
  LAB_BUSY: EXIT.conflict,
  LAB_CONFLICT: EXIT.conflict,
  LAB_DISK_UNSUPPORTED: EXIT.prerequisite,
  LAB_FAULT_FAILED: EXIT.notReady,
  LAB_FAULT_UNKNOWN: EXIT.notFound,
  LAB_FAULT_UNSUPPORTED: EXIT.prerequisite,
  LAB_INTERRUPTED: EXIT.interrupted,
  LAB_JAVA_MISSING: EXIT.prerequisite,
  LAB_MEMORY_SMALL: EXIT.resources,
  LAB_NODE_FAILED: EXIT.notReady,
  LAB_NODE_NOT_RUNNING: EXIT.conflict,
  LAB_NODE_UNKNOWN: EXIT.notFound,
  LAB_NOT_BUILT: EXIT.prerequisite,
  LAB_NOT_FOUND: EXIT.notFound,
  LAB_NOT_READY: EXIT.notReady,
  LAB_PORT_TAKEN: EXIT.conflict,
  LAB_SNAPSHOT_UNKNOWN: EXIT.notFound,
  LAB_STATE_CORRUPT: EXIT.usage,
  LAB_SUBNET_TAKEN: EXIT.conflict,
  NAMESRV_CONFIG_INVALID: EXIT.usage,
  PROPERTIES_FILE_INVALID: EXIT.usage,
  REMOTING_CONNECTION_CLOSED: EXIT.notReady,
  REMOTING_CONNECT_FAILED: EXIT.notReady,
  REMOTING_TIMEOUT: EXIT.notReady,
  TOPOLOGY_INVALID: EXIT.usage,
  TOPOLOGY_NOT_FOUND: EXIT.usage,
};

/**
 * @param error whatever a command threw
 * @returns the exit code; a permission the system refused is 27, anything unforeseen 1
 */
export function exitCodeFor(error: unknown): ExitCode {
  if (error instanceof EngineError) return BY_ERROR[error.code] ?? EXIT.bug;
  const systemCode = (error as NodeJS.ErrnoException | null)?.code;
  if (systemCode === "EACCES" || systemCode === "EPERM") return EXIT.permission;
  return systemCode === "ENOSPC" ? EXIT.resources : EXIT.bug;
}
