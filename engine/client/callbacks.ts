/** Requests brokers start on our connections (remoting-protocol 4.10). Checks of transactions (39) and replies (326) are not served yet. */
import { writeFastjson } from "../base/fastjson.ts";
import { decodeOffsetTable, queueMapValue } from "../remoting/bodies/message-queue.ts";
import type { RemotingCommand, ResponseCommand } from "../remoting/command.ts";
import type { Processor, ProcessorTable } from "../remoting/processor.ts";
import { REQUEST_CODE } from "../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { ConsumerMember } from "./members.ts";

type Find = (group: string) => ConsumerMember | undefined;

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

/** @param find consumer of a group, if this client has one */
export function clientCallbacks(find: Find): ProcessorTable {
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
