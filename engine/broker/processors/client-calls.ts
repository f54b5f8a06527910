/**
 * Questions the broker passes on to a consumer over its own connection: GET_CONSUMER_RUNNING_INFO (307), CONSUME_MESSAGE_DIRECTLY (309) and
 * INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223, asked as 221) (admin-protocol B.1, B.4).
 */
import { withoutSignature } from "../../acl/request-signature.ts";
import { EngineError } from "../../base/engine-error.ts";
import { parseOffsetMessageId } from "../../message/message-id.ts";
import { decodeClientStatus, encodeConsumerStatus } from "../../remoting/bodies/inspection.ts";
import type { QueueMap } from "../../remoting/bodies/message-queue.ts";
import { decodeHeader, encodeHeader, type HeaderOf } from "../../remoting/command-spec.ts";
import type { ExtFields, RequestCommand, ResponseCommand } from "../../remoting/command.ts";
import {
  CONSUME_MESSAGE_DIRECTLY,
  GET_CONSUMER_RUNNING_INFO,
  GET_CONSUMER_STATUS_FROM_CLIENT,
  INVOKE_BROKER_TO_GET_CONSUMER_STATUS,
} from "../../remoting/commands/inspection.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext, ClientConnection } from "../broker-context.ts";

const RELAY_MS = 10_000;
const STATUS_MS = 5_000;
/** MQVersion ordinals of V3_1_8_SNAPSHOT and V3_0_7_SNAPSHOT (remoting-protocol 1.3). */
const VERSION_OF_RELAYED_CALLS = 62;
const VERSION_OF_STATUS = 28;

type StatusHeader = HeaderOf<typeof INVOKE_BROKER_TO_GET_CONSUMER_STATUS.request>;

function refuse(remark: string): ResponseCommand {
  return { code: RESPONSE_CODE.SYSTEM_ERROR, remark };
}

/** Who is asked. */
interface Relay {
  readonly group: string;
  readonly clientId: string | undefined;
}

/** Asks the client and answers what it answers. */
async function relay(
  context: BrokerContext,
  { group, clientId }: Relay,
  call: RequestCommand & { readonly extFields: ExtFields },
): Promise<ResponseCommand> {
  const member = clientId === undefined ? undefined : context.clients.findConsumer(group, clientId);
  const who = `<${group}> <${clientId ?? "null"}>`;
  if (member === undefined) return refuse(`The Consumer ${who} not online`);
  if (member.version < VERSION_OF_RELAYED_CALLS) {
    return refuse(
      `The Consumer <${member.clientId}> Version <${member.version}> too low to finish, please upgrade it to V3_1_8_SNAPSHOT`,
    );
  }
  try {
    const bare = { ...call, extFields: withoutSignature(call.extFields) };
    const { code, remark, extFields, body } = await member.channel.invoke(bare, RELAY_MS);
    return { code, remark, extFields, body };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof EngineError && error.code === "REMOTING_TIMEOUT") {
      const remark = `consumer ${who} Timeout: ${reason}`;
      return { code: RESPONSE_CODE.CONSUME_MSG_TIMEOUT, remark };
    }
    return refuse(`invoke consumer ${who} Exception: ${reason}`);
  }
}

/** @returns the processor for code 307 */
export function createRunningInfoProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { code, extFields, body } = request;
    const { consumerGroup: group, clientId } = decodeHeader(
      GET_CONSUMER_RUNNING_INFO.request,
      extFields,
    );
    return relay(context, { group, clientId }, { code, extFields, body });
  };
}

/** @returns the processor for code 309: the client gets the stored message, whatever its offsets are */
export function createConsumeDirectlyProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { code } = request;
    const header = decodeHeader(CONSUME_MESSAGE_DIRECTLY.request, request.extFields);
    const { physicalOffset } = parseOffsetMessageId(header.msgId ?? "");
    const record = context.store.recordAt(physicalOffset);
    if (record === null) return refuse(`can not find message by the offset, ${physicalOffset}`);
    const extFields: ExtFields = new Map([
      ...request.extFields,
      ["brokerName", context.config.brokerName],
    ]);
    const who = { group: header.consumerGroup, clientId: header.clientId };
    return relay(context, who, { code, extFields, body: Buffer.from(record.bytes) });
  };
}

async function statusOf(
  member: ClientConnection,
  header: StatusHeader,
): Promise<readonly (readonly [string, QueueMap<number>])[]> {
  const { code } = GET_CONSUMER_STATUS_FROM_CLIENT;
  const extFields = encodeHeader(GET_CONSUMER_STATUS_FROM_CLIENT.request, header);
  try {
    const answer = await member.channel.invoke({ code, extFields }, STATUS_MS);
    const isAnswer = answer.code === RESPONSE_CODE.SUCCESS && answer.body !== null;
    return isAnswer ? [[member.clientId, decodeClientStatus(answer.body)]] : [];
  } catch {
    // A member that does not answer is left out, as 4.9 does: the others are still of use.
    return [];
  }
}

/** @returns the processor for code 223 */
export function createConsumerStatusProcessor(context: BrokerContext): Processor {
  return async (request) => {
    const header = decodeHeader(INVOKE_BROKER_TO_GET_CONSUMER_STATUS.request, request.extFields);
    const { group, clientAddr = "" } = header;
    const all = context.clients.consumerGroup(group)?.members ?? [];
    if (all.length === 0) return refuse(`No Any Consumer online in the consumer group: [${group}]`);
    const old = all.find((member) => member.version < VERSION_OF_STATUS);
    if (old !== undefined)
      return refuse(`the client does not support this feature. version=${old.version}`);
    const asked = all.filter((member) => clientAddr === "" || member.clientId === clientAddr);
    const answers = await Promise.all(asked.map((member) => statusOf(member, header)));
    const body = encodeConsumerStatus(new Map(answers.flat()));
    return { code: RESPONSE_CODE.SUCCESS, body };
  };
}
