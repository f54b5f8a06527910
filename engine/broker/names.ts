/** Names of topics and groups: which are legal, which are the broker's own (faults-and-security N-01 … N-03, R-01; remoting-protocol 4.0). */

export const RETRY_TOPIC_PREFIX = "%RETRY%";
export const DEAD_LETTER_TOPIC_PREFIX = "%DLQ%";
/** Template topic of automatic creation (4.1.5). */
export const AUTO_CREATE_TOPIC = "TBW102";
/** Where delayed messages wait; queue id = level - 1 (store-and-ha 6.1). */
export const SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX";
export const OFFSET_MOVED_EVENT_TOPIC = "OFFSET_MOVED_EVENT";
/** Where half messages stand, all in queue 0 (store-and-ha 6.2). */
export const HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC";
/** Which half messages have ended, queue 0 (store-and-ha 6.4). It has queue files only, no settings. */
export const OP_TOPIC = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
/** Half messages nobody could tell the end of (store-and-ha 6.5). */
export const CHECK_MAX_TOPIC = "TRANS_CHECK_MAX_TIME_TOPIC";
/** Its consumer offsets say how far both queues are done. */
export const TRANSACTION_GROUP = "CID_RMQ_SYS_TRANS";

/** A slave's tables are its master's: refused as 4.9.4 and later do (admin-protocol A.3). */
export const NOT_ON_SLAVES =
  "Can't modify topic or subscription group from slave broker, please execute it from master broker.";

/** Bits of a topic's or broker's permission (2.6). */
export const PERM = { INHERIT: 1, WRITE: 2, READ: 4 } as const;

/** Bits of topicSysFlag, set when a client in unit mode makes a topic (2.6). */
export const TOPIC_SYS_FLAG = { UNIT: 1, UNIT_SUB: 2 } as const;

const TOPIC_LENGTH_MAX = 127;
/** So that `%RETRY%` + group is a legal topic (N-01). */
const GROUP_LENGTH_MAX = 120;
const LEGAL = /^[%|a-zA-Z0-9_-]+$/;

/** System topics no client may send to: the list of 4.9.4 and later. */
const CLOSED_TOPICS: ReadonlySet<string> = new Set([
  SCHEDULE_TOPIC,
  HALF_TOPIC,
  OP_TOPIC,
  CHECK_MAX_TOPIC,
  "SELF_TEST_TOPIC",
  OFFSET_MOVED_EVENT_TOPIC,
]);

/** Topics with messages that no table needs to name: delayed and half messages wait there. */
export function isKeptWithoutConfig(topic: string): boolean {
  return topic === SCHEDULE_TOPIC || topic.startsWith("RMQ_SYS_TRANS_");
}

/** System topics by fixed name (store-and-ha 6.6); cluster, broker and reply topics are added by topic-config.ts. */
export const SYSTEM_TOPICS: ReadonlySet<string> = new Set([
  ...CLOSED_TOPICS,
  AUTO_CREATE_TOPIC,
  "BenchmarkTest",
  "RMQ_SYS_TRACE_TOPIC",
]);

/**
 * @param topic name as received
 * @returns the remark of the refusal, or null when the name is legal
 */
export function topicNameProblem(topic: string): string | null {
  if (topic.trim() === "") return "The specified topic is blank.";
  if (!LEGAL.test(topic)) {
    return "The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$";
  }
  if (topic.length > TOPIC_LENGTH_MAX) {
    return "The specified topic is longer than topic max length.";
  }
  return null;
}

/**
 * @param group name as received
 * @returns the remark of the refusal, or null when the name is legal
 */
export function groupNameProblem(group: string): string | null {
  if (group.trim() === "") return "The specified group is blank.";
  if (!LEGAL.test(group)) {
    return `The specified group[${group.slice(0, 60)}] contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$`;
  }
  if (group.length > GROUP_LENGTH_MAX) {
    return `The specified group is longer than group max length ${GROUP_LENGTH_MAX}.`;
  }
  return null;
}

/** @returns true when clients must not send to it: system topics and dead-letter topics (N-02) */
export function isClosedToClients(topic: string): boolean {
  return CLOSED_TOPICS.has(topic) || topic.startsWith(DEAD_LETTER_TOPIC_PREFIX);
}
