/**
 * The checks a send passes before anything is written (remoting-protocol 4.1.2, faults-and-security 6): one set for every way a send comes in.
 * A refusal is a definite failure: nothing was appended, nothing was created.
 */
import { isUtf8 } from "node:buffer";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import { PUT_STATUS, type PutStatus } from "../store/store-api.ts";
import type { BrokerContext, TopicConfig } from "./broker-context.ts";
import { isClosedToClients, PERM, topicNameProblem } from "./names.ts";
import { PROPERTIES_BYTES_MAX, type PropertyScan } from "./property-bytes.ts";

/** Why a send is not taken. */
export interface Refusal {
  readonly code: number;
  readonly remark: string;
}

export const FAQ_HINT = "See http://rocketmq.apache.org/docs/faq/ for further details.";

/** Bodies appended and not answered yet, over all connections (F-25). */
export const UNANSWERED_BYTES_MAX = 256 * 1_048_576;

/** Bits of sysFlag a client decides: compressed 0x1, multi-tag 0x2; transaction bits need TRAN_MSG. */
export const CLIENT_SYS_FLAGS = 0x3;

const RECONSUME_TIMES_MAX = 10_000;

const NOT_AVAILABLE =
  "service not available now. It may be caused by one of the following reasons: the broker's disk is full, messages are put to the slave, message store has been shut down, etc.";

/** Response code and remark of a put that was not stored (store-and-ha 4.4). */
export function refusalOfStatus(status: PutStatus): Refusal {
  switch (status) {
    case PUT_STATUS.SERVICE_NOT_AVAILABLE:
      return { code: RESPONSE_CODE.SERVICE_NOT_AVAILABLE, remark: NOT_AVAILABLE };
    case PUT_STATUS.MESSAGE_ILLEGAL:
      return {
        code: RESPONSE_CODE.MESSAGE_ILLEGAL,
        remark:
          "the message is illegal, maybe msg body or properties length not matched. msg body length limit 4M, msg properties length limit 32k.",
      };
    case PUT_STATUS.CREATE_FILE_FAILED:
      return {
        code: RESPONSE_CODE.SYSTEM_ERROR,
        remark: "create mapped file failed, server is busy or broken.",
      };
    case PUT_STATUS.PAGE_CACHE_BUSY:
      // S-28: a hung disk. 4.9 answers 1; 2 keeps clients from retrying at once.
      return {
        code: RESPONSE_CODE.SYSTEM_BUSY,
        remark: "[PC_SYNCHRONIZED]broker busy, start flow control for a while",
      };
    case PUT_STATUS.OK:
    case PUT_STATUS.FLUSH_DISK_TIMEOUT:
    case PUT_STATUS.SLAVE_NOT_AVAILABLE:
    case PUT_STATUS.FLUSH_SLAVE_TIMEOUT:
      return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: "UNKNOWN_ERROR" };
  }
}

/**
 * Checks 1, 2 and the role: what holds for every send at this moment.
 * @param unansweredBytes bodies appended and not answered yet
 */
export function brokerRefusal(context: BrokerContext, unansweredBytes: number): Refusal | null {
  if (unansweredBytes > UNANSWERED_BYTES_MAX) {
    return {
      code: RESPONSE_CODE.SYSTEM_BUSY,
      remark: "[OVERLOAD]system busy, start flow control for a while",
    };
  }
  const startsAt = context.config.startAcceptSendRequestTimeStamp;
  if (startsAt > 0 && context.now() < startsAt) {
    const time = new Date(startsAt).toISOString();
    return {
      code: RESPONSE_CODE.SYSTEM_ERROR,
      remark: `broker unable to service, until ${time}`,
    };
  }
  // Asked before a topic is made: a topic created on a slave would vanish at the next sync (store-and-ha 7.9).
  return context.isSlave ? refusalOfStatus(PUT_STATUS.SERVICE_NOT_AVAILABLE) : null;
}

/** Checks 4 and 5: the name itself. */
export function topicNameRefusal(topic: string): Refusal | null {
  const problem = topicNameProblem(topic);
  if (problem !== null) return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: problem };
  if (!isClosedToClients(topic)) return null;
  return {
    code: RESPONSE_CODE.NO_PERMISSION,
    remark: `Sending message to topic[${topic}] is forbidden.`,
  };
}

/** Check 6. */
export function unknownTopic(topic: string): Refusal {
  return {
    code: RESPONSE_CODE.TOPIC_NOT_EXIST,
    remark: `topic[${topic}] not exist, apply first please!${FAQ_HINT}`,
  };
}

function describe(topic: TopicConfig): string {
  const { perm } = topic;
  const letters = `${perm & PERM.READ ? "R" : "-"}${perm & PERM.WRITE ? "W" : "-"}${perm & PERM.INHERIT ? "X" : "-"}`;
  return `TopicConfig [topicName=${topic.name.text}, readQueueNums=${topic.readQueueNums}, writeQueueNums=${topic.writeQueueNums}, perm=${letters}, topicFilterType=${topic.topicFilterType}, topicSysFlag=${topic.topicSysFlag}, order=${topic.order}]`;
}

/** Checks 3 and 7: an order topic on a broker without write permission; a queue that does not exist. */
export function queueRefusal(
  context: BrokerContext,
  topic: TopicConfig,
  queueId: number,
  producer: string,
): Refusal | null {
  if (topic.order && (context.config.brokerPermission & PERM.WRITE) === 0) {
    return {
      code: RESPONSE_CODE.NO_PERMISSION,
      remark: `the broker[${context.config.brokerIP1}] sending message is forbidden`,
    };
  }
  if (queueId < Math.max(topic.writeQueueNums, topic.readQueueNums)) return null;
  return {
    code: RESPONSE_CODE.SYSTEM_ERROR,
    remark: `request queueId[${queueId}] is illegal, ${describe(topic)} Producer: ${producer}`,
  };
}

/** Check 9, and, F-08 for the property string the scan has just read. */
export function propertyRefusal(
  context: BrokerContext,
  scan: PropertyScan,
  properties: Buffer,
): Refusal | null {
  if (properties.length > PROPERTIES_BYTES_MAX || !scan.isWellFormed) {
    return refusalOfStatus(PUT_STATUS.MESSAGE_ILLEGAL);
  }
  if (!scan.isAscii && !isUtf8(properties)) {
    return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: "invalid UTF-8 in the properties" };
  }
  if (!scan.isTransaction || !context.config.rejectTransactionMessage) return null;
  return {
    code: RESPONSE_CODE.NO_PERMISSION,
    remark: `the broker[${context.config.brokerIP1}] sending transaction message is forbidden`,
  };
}

/** */
export function bodyRefusal(context: BrokerContext, bodyBytes: number): Refusal | null {
  if (bodyBytes <= context.config.maxMessageSize) return null;
  return refusalOfStatus(PUT_STATUS.MESSAGE_ILLEGAL);
}

/** */
export function clampReconsumeTimes(times: number): number {
  return Math.min(RECONSUME_TIMES_MAX, Math.max(0, times));
}
