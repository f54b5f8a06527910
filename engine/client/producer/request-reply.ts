/** What makes a message a request, and how a reply finds its way back (remoting-protocol 4.8). Pure. */
import { EngineError } from "../../base/engine-error.ts";
import { PROPERTY } from "../../message/properties.ts";
import type { MessageQueue, ReceivedMessage } from "../client-api.ts";
import type { MessageMarks } from "./prepare-message.ts";

const REPLY_TYPE = "reply";

/**
 * @param correlationId unique
 * @param clientId who asks
 * @param timeoutMs how long he waits
 */
export function requestMarks(
  correlationId: string,
  clientId: string,
  timeoutMs: number,
): MessageMarks {
  const properties = {
    [PROPERTY.CORRELATION_ID]: correlationId,
    [PROPERTY.REPLY_TO_CLIENT]: clientId,
    [PROPERTY.TTL]: String(timeoutMs),
  };
  return { properties, onlyOnce: true };
}

/** Where a reply goes and what it says of itself. */
export interface ReplyAddress {
  readonly queue: MessageQueue;
  readonly marks: MessageMarks;
}

/**
 * @param request as a consumer got it
 * @returns the way back: the reply topic of its cluster, on the broker it came from, which knows who asked
 * @throws EngineError MESSAGE_INVALID when the message is no request
 */
export function replyAddress(request: ReceivedMessage): ReplyAddress {
  const { properties, brokerName } = request;
  const cluster = properties.get(PROPERTY.CLUSTER);
  const correlationId = properties.get(PROPERTY.CORRELATION_ID);
  const asker = properties.get(PROPERTY.REPLY_TO_CLIENT);
  if (cluster === undefined || correlationId === undefined || asker === undefined) {
    throw new EngineError("MESSAGE_INVALID", {
      message: `message ${request.msgId} is no request: it does not say who asks`,
      hint: "only messages sent with request() can be replied to",
    });
  }
  const ttl = properties.get(PROPERTY.TTL);
  const own = {
    [PROPERTY.MSG_TYPE]: REPLY_TYPE,
    [PROPERTY.CORRELATION_ID]: correlationId,
    [PROPERTY.REPLY_TO_CLIENT]: asker,
    ...(ttl === undefined ? {} : { [PROPERTY.TTL]: ttl }),
  };
  const queue = { topic: `${cluster}_REPLY_TOPIC`, brokerName, queueId: 0 };
  return { queue, marks: { properties: own, isReply: true } };
}
