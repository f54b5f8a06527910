/** What the trace topic is told of an answered send (remoting-protocol 4.13). */
import { decodeProperties, PROPERTY } from "../../message/properties.ts";
import type { RemotingCommand } from "../../remoting/command.ts";
import type { SendResult } from "../client-api.ts";
import type { PreparedMessage } from "../producer/prepare-message.ts";
import type { TraceDispatcher } from "./trace-dispatcher.ts";

const NORMAL = 0;
const DELAYED = 3;

/** An answered send. */
export interface TracedSend {
  readonly group: string;
  readonly prepared: PreparedMessage;
  readonly address: string;
  /** Clock of `performance.now()`. */
  readonly beganMs: number;
  readonly response: RemotingCommand;
  readonly result: SendResult;
}

/** Adds one record, unless the broker switched tracing off in its answer. */
export function traceSend(trace: TraceDispatcher, send: TracedSend): void {
  const { group, prepared, address, beganMs, response, result } = send;
  if (response.extFields.get(PROPERTY.TRACE_ON) === "false") return;
  const properties = decodeProperties(prepared.properties);
  const costMs = Math.round(performance.now() - beganMs);
  trace.add({
    type: "Pub",
    timestampMs: Date.now() - costMs,
    region: response.extFields.get(PROPERTY.MSG_REGION) ?? "",
    group,
    topic: prepared.topic,
    msgId: prepared.msgId,
    tags: properties.get(PROPERTY.TAGS) ?? "",
    keys: properties.get(PROPERTY.KEYS) ?? "",
    storeHost: address,
    bodyLength: prepared.body.length,
    costMs,
    messageType: properties.has(PROPERTY.DELAY) ? DELAYED : NORMAL,
    offsetMsgId: result.offsetMsgId,
    success: result.status === "SEND_OK",
  });
}
