/** How far groups are: GET_CONSUME_STATS (208) for one, GET_BROKER_CONSUME_STATS (317) for all (admin-protocol B.1). */
import {
  encodeBrokerConsumeStats,
  type TopicProgressBody,
} from "../../remoting/bodies/inspection.ts";
import { encodeConsumeStats, type ConsumeOffsetBody } from "../../remoting/bodies/message-queue.ts";
import { decodeHeader } from "../../remoting/command-spec.ts";
import { GET_CONSUME_STATS } from "../../remoting/commands/administration.ts";
import { GET_BROKER_CONSUME_STATS } from "../../remoting/commands/inspection.ts";
import type { Processor } from "../../remoting/processor.ts";
import { formatAddress } from "../../remoting/remote-address.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext, TopicConfig } from "../broker-context.ts";
import { queueBody, queuesOf } from "../topic-queues.ts";

function progressRow(
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

/** A topic nobody of an online group subscribes to any more is left out; its offsets stay. */
function isLeft(context: BrokerContext, group: string, topic: string): boolean {
  const subscriptions = context.clients.consumerGroup(group)?.subscriptions;
  return subscriptions !== undefined && subscriptions.size > 0 && !subscriptions.has(topic);
}

/** @returns the configured topics among `names` that the group still reads */
function topicsOf(context: BrokerContext, group: string, names: readonly string[]): TopicConfig[] {
  return names
    .filter((name) => !isLeft(context, group, name))
    .flatMap((name) => context.topics.find(name) ?? []);
}

function progressOf(
  context: BrokerContext,
  group: string,
  topic: TopicConfig,
  queues: number,
): TopicProgressBody {
  const rows = queuesOf(queues).map(
    (queueId) =>
      [queueBody(context, topic, queueId), progressRow(context, group, topic, queueId)] as const,
  );
  return { rows, consumeTps: context.statsItems.groupGetTps(group, topic.name.text) };
}

/** @returns the processor for code 208: topics the group has offsets in, or the one asked for */
export function createConsumeStatsProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { consumerGroup, topic } = decodeHeader(GET_CONSUME_STATS.request, request.extFields);
    const names =
      topic === undefined || topic === "" ? context.offsets.topicsOf(consumerGroup) : [topic];
    const all = topicsOf(context, consumerGroup, names).map((config) =>
      progressOf(context, consumerGroup, config, config.readQueueNums),
    );
    const consumeTps = all.reduce((sum, one) => sum + one.consumeTps, 0);
    const rows = all.flatMap((one) => one.rows);
    return { code: RESPONSE_CODE.SUCCESS, body: encodeConsumeStats(rows, consumeTps) };
  };
}

function lagOf({ rows }: TopicProgressBody): number {
  return rows.reduce((sum, [, row]) => sum + row.brokerOffset - row.consumerOffset, 0);
}

/** @returns the processor for code 317: every configured group, with `isOrder` only ordered topics */
export function createBrokerConsumeStatsProcessor(context: BrokerContext): Processor {
  const brokerAddr = formatAddress(context.config.brokerIP1, context.config.listenPort);
  return (request) => {
    const { isOrder } = decodeHeader(GET_BROKER_CONSUME_STATS.request, request.extFields);
    const groups = context.groups.all().map(({ groupName }) => {
      const topics = topicsOf(context, groupName, context.offsets.topicsOf(groupName))
        .filter((topic) => !isOrder || topic.order)
        .map((topic) => progressOf(context, groupName, topic, topic.writeQueueNums));
      return [groupName, topics] as const;
    });
    const totalDiff = groups
      .flatMap(([, topics]) => topics)
      .reduce((sum, one) => sum + lagOf(one), 0);
    return {
      code: RESPONSE_CODE.SUCCESS,
      body: encodeBrokerConsumeStats(brokerAddr, groups, totalDiff),
    };
  };
}
