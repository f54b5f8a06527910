/** INVOKE_BROKER_TO_RESET_OFFSET (222) and CLONE_GROUP_OFFSET (314): consumer offsets moved by an administrator (admin-protocol B.1). */
import { decodeHeader, encodeHeader, type HeaderOf } from "../../remoting/command-spec.ts";
import { LANGUAGE_CPP, type ResponseCommand } from "../../remoting/command.ts";
import { INVOKE_BROKER_TO_RESET_OFFSET } from "../../remoting/commands/administration.ts";
import { RESET_CONSUMER_CLIENT_OFFSET } from "../../remoting/commands/clients.ts";
import { CLONE_GROUP_OFFSET } from "../../remoting/commands/inspection.ts";
import {
  encodeOffsetList,
  encodeOffsetTable,
  type MessageQueueBody,
  type QueueMap,
} from "../../remoting/bodies/message-queue.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext, TopicConfig } from "../broker-context.ts";
import { groupNameProblem } from "../names.ts";
import { queueBody, queuesOf } from "../topic-queues.ts";

/** MQVersion ordinal of V3_0_7_SNAPSHOT: older clients do not know 220 (remoting-protocol 1.3). */
const VERSION_OF_RESETS = 28;

type ResetHeader = HeaderOf<typeof INVOKE_BROKER_TO_RESET_OFFSET.request>;

/** New offset of each queue; not forced, an offset never moves forward. */
function resetOffsets(
  context: BrokerContext,
  header: ResetHeader,
  topic: TopicConfig,
): QueueMap<number> | string {
  const { store, offsets } = context;
  const rows: (readonly [MessageQueueBody, number])[] = [];
  for (const queueId of queuesOf(topic.writeQueueNums)) {
    const current = offsets.query(header.group, header.topic, queueId);
    if (current === -1) return `THe consumer group <${header.group}> not exist`;
    const target =
      header.timestamp === -1
        ? store.maxOffsetInQueue(topic.name, queueId)
        : store.offsetByTime(topic.name, queueId, header.timestamp);
    rows.push([
      queueBody(context, topic, queueId),
      header.isForce ? Math.max(0, target) : Math.min(current, Math.max(0, target)),
    ]);
  }
  return rows;
}

/** @returns the processor for code 222: asks every member (220) to go to the new offsets; their own commits store them */
export function createResetOffsetProcessor(context: BrokerContext): Processor {
  return (request): ResponseCommand => {
    const header = decodeHeader(INVOKE_BROKER_TO_RESET_OFFSET.request, request.extFields);
    const topic = context.topics.find(header.topic);
    if (topic === undefined)
      return {
        code: RESPONSE_CODE.SYSTEM_ERROR,
        remark: `[reset-offset] reset offset failed, no topic in this broker. topic=${header.topic}`,
      };
    const rows = resetOffsets(context, header, topic);
    if (typeof rows === "string") return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: rows };
    const members = context.clients.consumerGroup(header.group)?.members ?? [];
    if (members.length === 0) {
      return {
        code: RESPONSE_CODE.CONSUMER_NOT_ONLINE,
        remark: `Consumer not online, so can not reset offset, Group: ${header.group} Topic: ${header.topic} Timestamp: ${header.timestamp}`,
      };
    }
    const old = members.find((member) => member.version < VERSION_OF_RESETS);
    if (old !== undefined) {
      const remark = `the client does not support this feature. version=${old.version}`;
      return { code: RESPONSE_CODE.SYSTEM_ERROR, remark };
    }
    const { code } = RESET_CONSUMER_CLIENT_OFFSET;
    const extFields = encodeHeader(RESET_CONSUMER_CLIENT_OFFSET.request, header);
    const body =
      request.language === LANGUAGE_CPP ? encodeOffsetList(rows) : encodeOffsetTable(rows);
    for (const member of members) member.channel.sendOneway({ code, extFields, body });
    return { code: RESPONSE_CODE.SUCCESS, body: encodeOffsetTable(rows) };
  };
}

/**
 * @returns the processor for code 314: the destination gets the source's offsets of one topic, or of all it has (4.9 stores those of "all"
 * under no topic at all)
 */
export function createCloneOffsetProcessor(context: BrokerContext): Processor {
  const { offsets, clients, logger } = context;
  return (request, { channel }) => {
    const header = decodeHeader(CLONE_GROUP_OFFSET.request, request.extFields);
    const { srcGroup, destGroup, topic = "" } = header;
    const problem = groupNameProblem(srcGroup) ?? groupNameProblem(destGroup);
    if (problem !== null) return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: problem };
    const subscriptions = clients.consumerGroup(srcGroup)?.subscriptions;
    const isRead = (name: string): boolean =>
      header.offline === true || subscriptions === undefined || subscriptions.has(name);
    const all = topic === "" ? offsets.topicsOf(srcGroup) : [topic];
    const cloned = all.filter((name) => context.topics.find(name) !== undefined && isRead(name));
    for (const name of cloned) {
      for (const [queueId, offset] of offsets.ofGroup(srcGroup, name))
        offsets.commit(destGroup, name, queueId, offset);
    }
    logger.info("consumer offsets cloned", {
      srcGroup,
      destGroup,
      topics: cloned.join(","),
      by: channel.remote,
    });
    return { code: RESPONSE_CODE.SUCCESS };
  };
}
