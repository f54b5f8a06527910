/** Progress: GET_TOPIC_STATS_INFO (202), GET_CONSUME_STATS (208), INVOKE_BROKER_TO_RESET_OFFSET (222) (remoting-protocol 4.12). */
import { decodeHeader, encodeHeader, type HeaderOf } from "../../remoting/command-spec.ts";
import type { ResponseCommand } from "../../remoting/command.ts";
import {
  GET_CONSUME_STATS,
  GET_TOPIC_STATS_INFO,
  INVOKE_BROKER_TO_RESET_OFFSET,
} from "../../remoting/commands/administration.ts";
import { RESET_CONSUMER_CLIENT_OFFSET } from "../../remoting/commands/clients.ts";
import {
  encodeConsumeStats,
  encodeOffsetTable,
  encodeTopicStats,
  type ConsumeOffsetBody,
  type MessageQueueBody,
  type QueueMap,
} from "../../remoting/bodies/message-queue.ts";
import type { Processor } from "../../remoting/processor.ts";
import { REQUEST_CODE } from "../../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext, TopicConfig } from "../broker-context.ts";

type ResetHeader = HeaderOf<typeof INVOKE_BROKER_TO_RESET_OFFSET.request>;

function queuesOf(count: number): readonly number[] {
  return Array.from({ length: count }, (_, queueId) => queueId);
}

function queueBody(context: BrokerContext, topic: TopicConfig, queueId: number): MessageQueueBody {
  return { brokerName: context.config.brokerName, queueId, topic: topic.name.text };
}

/** @returns the processor for code 202 */
export function createTopicStatsProcessor(context: BrokerContext): Processor {
  const { store } = context;
  return (request) => {
    const { topic } = decodeHeader(GET_TOPIC_STATS_INFO.request, request.extFields);
    const config = context.topics.find(topic);
    if (config === undefined)
      return { code: RESPONSE_CODE.TOPIC_NOT_EXIST, remark: `topic[${topic}] not exist` };
    const rows = queuesOf(config.writeQueueNums).map((queueId) => {
      const minOffset = Math.max(0, store.minOffsetInQueue(config.name, queueId));
      const maxOffset = Math.max(0, store.maxOffsetInQueue(config.name, queueId));
      const lastUpdateTimestamp =
        maxOffset > minOffset
          ? Math.max(0, store.storeTimeAt(config.name, queueId, maxOffset - 1))
          : 0;
      return [
        queueBody(context, config, queueId),
        { minOffset, maxOffset, lastUpdateTimestamp },
      ] as const;
    });
    return { code: RESPONSE_CODE.SUCCESS, body: encodeTopicStats(rows) };
  };
}

function consumeRow(
  context: BrokerContext,
  group: string,
  topic: TopicConfig,
  queueId: number,
): ConsumeOffsetBody {
  const { store, offsets } = context;
  const brokerOffset = Math.max(0, store.maxOffsetInQueue(topic.name, queueId));
  const consumerOffset = Math.max(0, offsets.query(group, topic.name.text, queueId));
  const lastTimestamp =
    consumerOffset > 0
      ? Math.max(0, store.storeTimeAt(topic.name, queueId, consumerOffset - 1))
      : 0;
  return { brokerOffset, consumerOffset, lastTimestamp };
}

/** @returns the processor for code 208 */
export function createConsumeStatsProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { consumerGroup, topic } = decodeHeader(GET_CONSUME_STATS.request, request.extFields);
    const subscribed = [
      ...(context.clients.consumerGroup(consumerGroup)?.subscriptions.keys() ?? []),
    ];
    const all =
      topic === undefined || topic === ""
        ? [...new Set([...subscribed, ...context.offsets.topicsOf(consumerGroup)])]
        : [topic];
    const rows = all
      .flatMap((name) => context.topics.find(name) ?? [])
      .flatMap((config) =>
        queuesOf(config.readQueueNums).map(
          (queueId) =>
            [
              queueBody(context, config, queueId),
              consumeRow(context, consumerGroup, config, queueId),
            ] as const,
        ),
      );
    return { code: RESPONSE_CODE.SUCCESS, body: encodeConsumeStats(rows, 0) };
  };
}

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
        remark: `[reset-offset] topic not exist: ${header.topic}`,
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
    const body = encodeOffsetTable(rows);
    const extFields = encodeHeader(RESET_CONSUMER_CLIENT_OFFSET.request, header);
    for (const member of members)
      member.channel.sendOneway({
        code: REQUEST_CODE.RESET_CONSUMER_CLIENT_OFFSET,
        extFields,
        body,
      });
    return { code: RESPONSE_CODE.SUCCESS, body };
  };
}
