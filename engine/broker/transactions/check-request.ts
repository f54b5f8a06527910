/** CHECK_TRANSACTION_STATE (39) as it goes to a producer: the half message with the face of the real one (remoting-protocol 4.7). */
import { offsetMessageId } from "../../message/message-id.ts";
import { bornHostOf, storeHostOf } from "../../message/record-decode.ts";
import { encodeRecord } from "../../message/record-encode.ts";
import { recordBytes } from "../../message/record-layout.ts";
import { encodeHeader } from "../../remoting/command-spec.ts";
import type { RequestCommand } from "../../remoting/command.ts";
import { CHECK_TRANSACTION_STATE } from "../../remoting/commands/transactions.ts";
import type { HalfMessage } from "./half-message.ts";

/** The record with its real topic and queue. */
function recordOf(
  half: HalfMessage,
  destination: { readonly topic: string; readonly queueId: number },
): Buffer {
  const { bytes, record } = half.stored;
  const topic = Buffer.from(destination.topic, "utf8");
  const size = recordBytes(record.sysFlag, {
    body: record.bodyEnd - record.bodyStart,
    topic: topic.length,
    properties: record.propertiesEnd - record.propertiesStart,
  });
  const target = Buffer.alloc(size);
  const view = new DataView(target.buffer, target.byteOffset, target.length);
  encodeRecord(target, view, 0, {
    ...record,
    queueId: destination.queueId,
    bornHost: bornHostOf(bytes, 0, record.sysFlag),
    storeHost: storeHostOf(bytes, 0, record.sysFlag),
    body: bytes,
    topic,
    properties: bytes,
  });
  return target;
}

/** @returns the request for a half message as it stands in the half queue; null when it has no real topic */
export function checkRequest(half: HalfMessage): RequestCommand | null {
  const { destination, uniqueKey, stored } = half;
  if (destination === null) return null;
  const storeHost = storeHostOf(stored.bytes, 0, stored.record.sysFlag);
  const extFields = encodeHeader(CHECK_TRANSACTION_STATE.request, {
    tranStateTableOffset: half.offset,
    commitLogOffset: half.physicalOffset,
    msgId: uniqueKey,
    transactionId: uniqueKey,
    offsetMsgId: offsetMessageId(storeHost, half.physicalOffset),
  });
  return { code: CHECK_TRANSACTION_STATE.code, extFields, body: recordOf(half, destination) };
}
