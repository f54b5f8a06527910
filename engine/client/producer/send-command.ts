/** SEND_MESSAGE_V2, SEND_BATCH_MESSAGE and SEND_REPLY_MESSAGE_V2 as a client writes them, and their answers (remoting-protocol 4.1.1, 4.1.4). */
import { EngineError } from "../../base/engine-error.ts";
import type { RemotingCommand, RequestCommand } from "../../remoting/command.ts";
import { encodeHeader } from "../../remoting/command-spec.ts";
import {
  SEND_BATCH_MESSAGE,
  SEND_MESSAGE_V2,
  SEND_REPLY_MESSAGE_V2,
} from "../../remoting/commands/send-message.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { MessageQueue, SendResult, SendStatus } from "../client-api.ts";
import { TEMPLATE_TOPIC } from "../names.ts";
import type { PreparedMessage } from "./prepare-message.ts";

const STATUS: ReadonlyMap<number, SendStatus> = new Map([
  [RESPONSE_CODE.SUCCESS, "SEND_OK"],
  [RESPONSE_CODE.FLUSH_DISK_TIMEOUT, "FLUSH_DISK_TIMEOUT"],
  [RESPONSE_CODE.FLUSH_SLAVE_TIMEOUT, "FLUSH_SLAVE_TIMEOUT"],
  [RESPONSE_CODE.SLAVE_NOT_AVAILABLE, "SLAVE_NOT_AVAILABLE"],
]);

/** What a send says besides its message. */
export interface SendContext {
  readonly producerGroup: string;
  readonly defaultTopicQueueNums: number;
}

/** @returns the request for one queue */
export function sendRequest(
  prepared: PreparedMessage,
  queueId: number,
  context: SendContext,
): RequestCommand {
  const single = prepared.isReply === true ? SEND_REPLY_MESSAGE_V2 : SEND_MESSAGE_V2;
  const spec = prepared.isBatch ? SEND_BATCH_MESSAGE : single;
  const extFields = encodeHeader(spec.request, {
    producerGroup: context.producerGroup,
    topic: prepared.topic,
    defaultTopic: TEMPLATE_TOPIC,
    defaultTopicQueueNums: context.defaultTopicQueueNums,
    queueId,
    sysFlag: prepared.sysFlag,
    bornTimestamp: Date.now(),
    flag: prepared.flag,
    properties: prepared.properties,
    reconsumeTimes: prepared.reconsumeTimes,
    unitMode: false,
    batch: prepared.isBatch,
    maxReconsumeTimes: prepared.maxReconsumeTimes,
  });
  return { code: spec.code, extFields, body: prepared.body };
}

function offsetOf(response: RemotingCommand, name: string): number {
  const value = Number(response.extFields.get(name));
  if (!Number.isSafeInteger(value)) {
    // The message was appended, but nobody can say where: a broken peer, so the outcome is unknown, not refused.
    throw new EngineError("REMOTING_HEADER_INVALID", {
      message: `the answer to a send carries no valid ${name}`,
    });
  }
  return value;
}

/**
 * @returns the result when the broker says the message is stored (codes 0, 10, 11, 12), else null
 * @throws EngineError REMOTING_HEADER_INVALID when it is stored and the answer is broken
 */
export function sendResultOf(
  response: RemotingCommand,
  sent: {
    readonly prepared: PreparedMessage;
    readonly queue: MessageQueue;
    readonly attempts: number;
  },
): SendResult | null {
  const status = STATUS.get(response.code);
  if (status === undefined) return null;
  const queueId = offsetOf(response, "queueId");
  const { queue, attempts, prepared } = sent;
  return {
    status,
    msgId: prepared.msgId,
    offsetMsgId: response.extFields.get("msgId") ?? "",
    queue: queueId === queue.queueId ? queue : { ...queue, queueId },
    queueOffset: offsetOf(response, "queueOffset"),
    attempts,
  };
}
