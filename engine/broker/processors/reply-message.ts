/**
 * SEND_REPLY_MESSAGE (324) and its short form (325): the reply to a request goes to the connection of who asked, and into the cluster's reply
 * topic when storeReplyMessageEnable (remoting-protocol 4.8).
 */
import { decodeProperties, encodeProperties, PROPERTY } from "../../message/properties.ts";
import { offsetMessageId } from "../../message/message-id.ts";
import type { Channel } from "../../remoting/channel.ts";
import { decodeHeader, encodeHeader } from "../../remoting/command-spec.ts";
import type { ResponseCommand } from "../../remoting/command.ts";
import {
  PUSH_REPLY_MESSAGE_TO_CLIENT,
  SEND_REPLY_MESSAGE,
  SEND_REPLY_MESSAGE_V2,
  type SendMessageHeader,
} from "../../remoting/commands/send-message.ts";
import type { Processor } from "../../remoting/processor.ts";
import { formatAddress } from "../../remoting/remote-address.ts";
import { REQUEST_CODE } from "../../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext, InternalMessage, InternalPutResult } from "../broker-context.ts";
import { isStored } from "../put-internal.ts";
import { admitSend, isRefusal, type Admitted } from "../send-admission.ts";
import {
  bodyRefusal,
  clampReconsumeTimes,
  CLIENT_SYS_FLAGS,
  propertyRefusal,
  type Refusal,
} from "../send-checks.ts";
import type { SendPath } from "../send-path.ts";

/** As 4.9. */
const PUSH_MS = 10_000;
const NO_BYTES = Buffer.alloc(0);

/** A reply that passed the checks of a send. */
interface Reply {
  readonly header: SendMessageHeader;
  readonly admitted: Admitted;
  readonly properties: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly channel: Channel;
}

function pushRequest(context: BrokerContext, reply: Reply) {
  const { header, admitted, properties, body, channel } = reply;
  const now = context.now();
  const marked = new Map(properties).set(PROPERTY.PUSH_REPLY_TIME, String(now));
  const { brokerIP1, listenPort } = context.config;
  const extFields = encodeHeader(PUSH_REPLY_MESSAGE_TO_CLIENT.request, {
    producerGroup: header.producerGroup,
    topic: header.topic,
    defaultTopic: header.defaultTopic,
    defaultTopicQueueNums: header.defaultTopicQueueNums,
    queueId: admitted.queueId,
    sysFlag: header.sysFlag & CLIENT_SYS_FLAGS,
    bornTimestamp: header.bornTimestamp,
    flag: header.flag,
    properties: encodeProperties(marked),
    reconsumeTimes: header.reconsumeTimes ?? 0,
    unitMode: header.unitMode ?? false,
    bornHost: channel.remote,
    storeHost: formatAddress(brokerIP1, listenPort),
    storeTimestamp: now,
  });
  return { code: PUSH_REPLY_MESSAGE_TO_CLIENT.code, extFields, body };
}

/** Hands the reply to who asked. @returns null when he took it, else the remark of the answer */
async function push(context: BrokerContext, reply: Reply): Promise<string | null> {
  const clientId = reply.properties.get(PROPERTY.REPLY_TO_CLIENT);
  if (clientId === undefined) return "reply message properties[REPLY_TO_CLIENT] is null";
  const asker = context.clients.findProducer(clientId);
  if (asker === undefined || !asker.channel.isOpen)
    return `push reply message fail, channel of <${clientId}> not found.`;
  const failed = `push reply message to ${clientId}fail.`;
  try {
    const answer = await asker.channel.invoke(pushRequest(context, reply), PUSH_MS);
    return answer.code === RESPONSE_CODE.SUCCESS ? null : failed;
  } catch {
    return failed;
  }
}

function messageOf(path: SendPath, reply: Reply): InternalMessage {
  const { header, admitted, properties, body, channel } = reply;
  return {
    topic: admitted.topic.name.text,
    queueId: admitted.queueId,
    flag: header.flag,
    sysFlag: header.sysFlag & CLIENT_SYS_FLAGS,
    bornTimestamp: header.bornTimestamp,
    bornHost: path.bornHost(channel),
    reconsumeTimes: clampReconsumeTimes(header.reconsumeTimes ?? 0),
    preparedTransactionOffset: 0,
    body,
    properties,
  };
}

/** The code says whether the asker has it; where the stored copy stands is said as of a send. */
function answerOf(
  path: SendPath,
  reply: Reply,
  outcome: { readonly problem: string | null; readonly stored: InternalPutResult | null },
): ResponseCommand {
  const { problem, stored } = outcome;
  const at = stored !== null && isStored(stored) ? stored : null;
  const msgId = at === null ? "0" : offsetMessageId(path.context.storeHost, at.physicalOffset);
  return {
    code: problem === null ? RESPONSE_CODE.SUCCESS : RESPONSE_CODE.SYSTEM_ERROR,
    remark: problem,
    extFields: new Map([
      ...path.commonFields,
      ["msgId", msgId],
      ["queueId", String(reply.admitted.queueId)],
      ["queueOffset", String(at?.queueOffset ?? 0)],
    ]),
  };
}

function contentRefusal(path: SendPath, properties: Buffer, body: Buffer): Refusal | null {
  path.scan.scan(properties, 0, properties.length);
  return (
    propertyRefusal(path.context, path.scan, properties) ?? bodyRefusal(path.context, body.length)
  );
}

function refused(path: SendPath, refusal: Refusal): ResponseCommand {
  return { ...refusal, extFields: new Map(path.commonFields) };
}

/** @returns the processor for codes 324 and 325 */
export function createReplyMessageProcessor(path: SendPath): Processor {
  const { context } = path;
  return async (request, { channel }) => {
    const isShort = request.code === REQUEST_CODE.SEND_REPLY_MESSAGE_V2;
    const spec = isShort ? SEND_REPLY_MESSAGE_V2 : SEND_REPLY_MESSAGE;
    const header: SendMessageHeader = decodeHeader(spec.request, request.extFields);
    const from = { version: request.version, remote: channel.remote };
    const admitted = admitSend(path, header, from);
    const body = request.body ?? NO_BYTES;
    const text = header.properties ?? "";
    if (isRefusal(admitted)) return refused(path, admitted);
    const refusal = contentRefusal(path, Buffer.from(text, "utf8"), body);
    if (refusal !== null) return refused(path, refusal);
    const reply = { header, admitted, properties: decodeProperties(text), body, channel };
    const [problem, stored] = await Promise.all([
      push(context, reply),
      context.config.storeReplyMessageEnable ? context.putInternal(messageOf(path, reply)) : null,
    ]);
    return answerOf(path, reply, { problem, stored });
  };
}
