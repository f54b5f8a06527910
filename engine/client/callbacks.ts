/** Requests brokers start on our connections (remoting-protocol 4.10). */
import { writeFastjson } from "../base/fastjson.ts";
import { PROPERTY } from "../message/properties.ts";
import { decodeOffsetTable, queueMapValue } from "../remoting/bodies/message-queue.ts";
import type { Channel } from "../remoting/channel.ts";
import type { RemotingCommand, RequestCommand, ResponseCommand } from "../remoting/command.ts";
import { decodeHeader } from "../remoting/command-spec.ts";
import { CHECK_TRANSACTION_STATE } from "../remoting/commands/transactions.ts";
import type { Processor, ProcessorTable } from "../remoting/processor.ts";
import { REQUEST_CODE } from "../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import { decodeMessages } from "./consumer/received-message.ts";
import type { ConsumerMember, ProducerMember } from "./members.ts";
import { endTransactionRequest } from "./producer/end-transaction.ts";

type Find = (group: string) => ConsumerMember | undefined;

/** Who answers what. */
export interface CallbackParts {
  /** Consumer of a group, if this client has one. */
  readonly consumer: Find;
  /** Producers of a group. */
  readonly producers: (group: string) => readonly ProducerMember[];
  readonly brokerName: (address: string) => string;
  /** Sends one-way to a broker, signed when this client signs. */
  readonly send: (address: string, request: RequestCommand) => Promise<void>;
  /** Takes replies in. */
  readonly onReply: (request: RemotingCommand) => void;
}

function unknownGroup(group: string): ResponseCommand {
  return {
    code: RESPONSE_CODE.SYSTEM_ERROR,
    remark: `The Consumer Group <${group}> not exist in the consumer`,
  };
}

function field(request: RemotingCommand, name: string): string {
  return request.extFields.get(name) ?? "";
}

function success(body?: Buffer): ResponseCommand {
  return { code: RESPONSE_CODE.SUCCESS, body: body ?? null };
}

async function resetOffsets(find: Find, request: RemotingCommand): Promise<ResponseCommand> {
  const group = field(request, "group");
  const consumer = find(group);
  if (consumer === undefined) return unknownGroup(group);
  const offsets = request.body === null ? [] : decodeOffsetTable(request.body);
  await consumer.resetOffsets(field(request, "topic"), offsets);
  return success();
}

function progress(find: Find, request: RemotingCommand): ResponseCommand {
  const table = find(field(request, "group"))?.progress(field(request, "topic")) ?? [];
  const text = writeFastjson({
    consumerTable: {},
    messageQueueTable: queueMapValue(table, (offset) => offset),
  });
  return success(Buffer.from(text, "utf8"));
}

/** The first producer that knows tells the broker that asked; nobody knows: no answer, it asks again. */
async function checkTransaction(
  parts: CallbackParts,
  request: RemotingCommand,
  channel: Channel,
): Promise<null> {
  const header = decodeHeader(CHECK_TRANSACTION_STATE.request, request.extFields);
  const body = request.body ?? Buffer.alloc(0);
  const [message] = decodeMessages(body, parts.brokerName(channel.remote));
  if (message === undefined) return null;
  const producerGroup = message.properties.get(PROPERTY.PGROUP) ?? "";
  for (const producer of parts.producers(producerGroup)) {
    const state = await producer.checkTransaction(message);
    if (state === "unknown") continue;
    await parts.send(
      channel.remote,
      endTransactionRequest({
        producerGroup,
        state,
        halfOffset: header.tranStateTableOffset,
        physicalOffset: header.commitLogOffset,
        msgId: message.msgId,
        transactionId: header.transactionId,
        fromTransactionCheck: true,
      }),
    );
    return null;
  }
  return null;
}

/** @returns what a client serves on the connections it opened */
export function clientCallbacks(parts: CallbackParts): ProcessorTable {
  const find = parts.consumer;
  const byGroup =
    (serve: (consumer: ConsumerMember, request: RemotingCommand) => ReturnType<Processor>) =>
    (request: RemotingCommand): ReturnType<Processor> => {
      const group = field(request, "consumerGroup");
      const consumer = find(group);
      return consumer === undefined ? unknownGroup(group) : serve(consumer, request);
    };
  const membersChanged = byGroup((consumer) => {
    consumer.membersChanged();
    return success();
  });
  const processors: readonly (readonly [number, Processor])[] = [
    [
      REQUEST_CODE.CHECK_TRANSACTION_STATE,
      (request, { channel }) => checkTransaction(parts, request, channel),
    ],
    [
      REQUEST_CODE.PUSH_REPLY_MESSAGE_TO_CLIENT,
      (request) => {
        parts.onReply(request);
        return success();
      },
    ],
    [REQUEST_CODE.NOTIFY_CONSUMER_IDS_CHANGED, membersChanged],
    [REQUEST_CODE.RESET_CONSUMER_CLIENT_OFFSET, (request) => resetOffsets(find, request)],
    [REQUEST_CODE.GET_CONSUMER_STATUS_FROM_CLIENT, (request) => progress(find, request)],
    [
      REQUEST_CODE.GET_CONSUMER_RUNNING_INFO,
      byGroup((consumer) => success(consumer.runningInfo())),
    ],
    [
      REQUEST_CODE.CONSUME_MESSAGE_DIRECTLY,
      byGroup((consumer, request) => consumer.consumeDirectly(request)),
    ],
  ];
  return { processors: new Map(processors) };
}
