/** A listener that tells the trace topic of each call (remoting-protocol 4.13). */
import { randomUUID } from "node:crypto";
import { PROPERTY } from "../../message/properties.ts";
import type { ConsumeResult, MessageListener, ReceivedMessage } from "../client-api.ts";
import type { TraceDispatcher } from "./trace-dispatcher.ts";

/** Ordinals of Java's ConsumeReturnType. */
const RETURNED = { SUCCESS: 0, EXCEPTION: 2, FAILED: 4 } as const;

function isTraced(message: ReceivedMessage): boolean {
  return message.properties.get(PROPERTY.TRACE_ON) !== "false";
}

/**
 * @param group of the consumer
 * @returns a listener that does as the given one does
 */
export function tracedListener(
  trace: TraceDispatcher,
  group: string,
  listener: MessageListener,
): MessageListener {
  const before = (messages: readonly ReceivedMessage[], requestId: string): void => {
    const timestampMs = Date.now();
    for (const message of messages) {
      trace.add({
        type: "SubBefore",
        timestampMs,
        region: message.properties.get(PROPERTY.MSG_REGION) ?? "",
        group,
        requestId,
        msgId: message.msgId,
        retryTimes: message.reconsumeTimes,
        keys: message.keys.join(" "),
      });
    }
  };
  const after = (messages: readonly ReceivedMessage[], end: Ended): void => {
    for (const message of messages) {
      trace.add({
        type: "SubAfter",
        requestId: end.requestId,
        msgId: message.msgId,
        costMs: Math.round((performance.now() - end.beganMs) / messages.length),
        success: end.contextCode === RETURNED.SUCCESS,
        keys: message.keys.join(" "),
        contextCode: end.contextCode,
        timestampMs: Date.now(),
        group,
      });
    }
  };
  return async (messages): Promise<ConsumeResult> => {
    const traced = messages.filter(isTraced);
    const requestId = randomUUID();
    before(traced, requestId);
    const beganMs = performance.now();
    let contextCode: number = RETURNED.EXCEPTION;
    try {
      const result = await listener(messages);
      contextCode = result === "success" ? RETURNED.SUCCESS : RETURNED.FAILED;
      return result;
    } finally {
      after(traced, { requestId, beganMs, contextCode });
    }
  };
}

interface Ended {
  readonly requestId: string;
  readonly beganMs: number;
  readonly contextCode: number;
}
