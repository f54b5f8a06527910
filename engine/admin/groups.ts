/** Consumer and producer groups: settings, progress, connections, reset (admin-protocol B.1: 15, 201, 203, 204, 207, 208, 222, 300). */
import { asBoolean, asNumber, asObject, parseFastjson } from "../base/fastjson.ts";
import type { MessageQueue } from "../client/index.ts";
import {
  decodeConsumeStats,
  decodeOffsetTable,
  type QueueMap,
} from "../remoting/bodies/message-queue.ts";
import { decodeRunningInfo } from "../remoting/bodies/running-info.ts";
import { decodeConnectionSet, decodeGroupList } from "../remoting/bodies/simple.ts";
import { decodeHeader, type CommandSpec, type HeaderOf } from "../remoting/command-spec.ts";
import {
  DELETE_SUBSCRIPTIONGROUP,
  GET_CONSUME_STATS,
  GET_CONSUMER_CONNECTION_LIST,
  GET_PRODUCER_CONNECTION_LIST,
  INVOKE_BROKER_TO_RESET_OFFSET,
  QUERY_TOPIC_CONSUME_BY_WHO,
} from "../remoting/commands/administration.ts";
import { CLONE_GROUP_OFFSET, GET_CONSUMER_RUNNING_INFO } from "../remoting/commands/inspection.ts";
import {
  GET_MAX_OFFSET,
  SEARCH_OFFSET_BY_TIMESTAMP,
  UPDATE_CONSUMER_OFFSET,
} from "../remoting/commands/offsets.ts";
import { REQUEST_CODE } from "../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type {
  ClientConnection,
  CloneRequest,
  ConsumeQueueStats,
  ConsumerRunningInfo,
  GroupSettings,
} from "./admin-api.ts";
import { wasRefusedWith, type AdminRequests } from "./requests.ts";

const GET_ALL_GROUPS = {
  code: REQUEST_CODE.GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
  name: "GET_ALL_SUBSCRIPTIONGROUP_CONFIG",
  request: {},
  response: {},
} as const satisfies CommandSpec;

/** Timestamp that means the end of the queue. */
const LATEST = -1;

/** @returns the group's progress in every queue it has an offset in, of one topic or all */
export async function consumeStats(
  requests: AdminRequests,
  brokerAddr: string,
  group: string,
  topic?: string,
): Promise<readonly ConsumeQueueStats[]> {
  const header = { consumerGroup: group, topic };
  const body = await requests.askBody(brokerAddr, GET_CONSUME_STATS, header);
  return decodeConsumeStats(body).map(([queue, stats]) => ({ queue, ...stats }));
}

/** @returns the groups a broker has settings of, by name; 4.9's defaults for members that are not there */
export async function groupSettings(
  requests: AdminRequests,
  brokerAddr: string,
): Promise<readonly GroupSettings[]> {
  const body = await requests.askBody(brokerAddr, GET_ALL_GROUPS, {});
  const table = asObject(
    asObject(parseFastjson(body.toString("utf8"))).get("subscriptionGroupTable"),
  );
  return [...table]
    .map(([group, value]) => {
      const settings = asObject(value);
      return {
        group,
        consumeEnable: asBoolean(settings.get("consumeEnable"), true),
        broadcastEnable: asBoolean(settings.get("consumeBroadcastEnable"), true),
        retryQueueNums: asNumber(settings.get("retryQueueNums"), 1),
        retryMaxTimes: asNumber(settings.get("retryMaxTimes"), 16),
        whichBrokerWhenConsumeSlowly: asNumber(settings.get("whichBrokerWhenConsumeSlowly"), 1),
      };
    })
    .toSorted((a, b) => (a.group < b.group ? -1 : 1));
}

/** Takes a group's settings away on one broker, and its offsets when asked. */
export async function deleteGroup(
  requests: AdminRequests,
  brokerAddr: string,
  header: { readonly groupName: string; readonly removeOffset: boolean },
): Promise<void> {
  await requests.ask(brokerAddr, DELETE_SUBSCRIPTIONGROUP, header);
}

/** Stores where a group goes on in one queue. */
export async function commitOffset(
  requests: AdminRequests,
  brokerAddr: string,
  header: HeaderOf<(typeof UPDATE_CONSUMER_OFFSET)["request"]>,
): Promise<void> {
  await requests.ask(brokerAddr, UPDATE_CONSUMER_OFFSET, header);
}

/** What to reset to where. */
export interface ResetRequest {
  readonly topic: string;
  readonly group: string;
  /** -1: the end. */
  readonly timestampMs: number;
  /** false never moves an offset forward. */
  readonly force: boolean;
}

/**
 * Resets on one master. Online members are told by the broker and store the new offsets themselves; for a group without members they are
 * stored here (222).
 * @returns new offset of each queue
 */
export async function resetOffset(
  requests: AdminRequests,
  brokerAddr: string,
  reset: ResetRequest,
): Promise<QueueMap<number>> {
  const { topic, group, timestampMs, force } = reset;
  try {
    const header = { topic, group, timestamp: timestampMs, isForce: force };
    const body = await requests.askBody(brokerAddr, INVOKE_BROKER_TO_RESET_OFFSET, header);
    return decodeOffsetTable(body);
  } catch (error) {
    if (!wasRefusedWith(error, RESPONSE_CODE.CONSUMER_NOT_ONLINE)) throw error;
    return resetOffline(requests, brokerAddr, reset);
  }
}

async function resetOffline(
  requests: AdminRequests,
  brokerAddr: string,
  reset: ResetRequest,
): Promise<QueueMap<number>> {
  const { group, topic } = reset;
  const stats = await consumeStats(requests, brokerAddr, group, topic);
  return Promise.all(
    stats.map(async ({ queue, consumerOffset }) => {
      const target = await targetOf(requests, brokerAddr, queue, reset.timestampMs);
      const to = reset.force || target < consumerOffset ? target : consumerOffset;
      const next = { consumerGroup: group, topic, queueId: queue.queueId, commitOffset: to };
      await commitOffset(requests, brokerAddr, next);
      return [queue, to] as const;
    }),
  );
}

async function targetOf(
  requests: AdminRequests,
  brokerAddr: string,
  queue: MessageQueue,
  timestamp: number,
): Promise<number> {
  const { topic, queueId } = queue;
  const answer =
    timestamp === LATEST
      ? await requests.ask(brokerAddr, GET_MAX_OFFSET, { topic, queueId })
      : await requests.ask(brokerAddr, SEARCH_OFFSET_BY_TIMESTAMP, { topic, queueId, timestamp });
  return decodeHeader(GET_MAX_OFFSET.response, answer.extFields).offset ?? 0;
}

/** Copies a group's offsets to another group, on one broker (314). */
export async function cloneOffsets(
  requests: AdminRequests,
  brokerAddr: string,
  clone: CloneRequest,
): Promise<void> {
  const { sourceGroup: srcGroup, destinationGroup: destGroup, topic } = clone;
  await requests.ask(brokerAddr, CLONE_GROUP_OFFSET, { srcGroup, destGroup, topic, offline: true });
}

/** @returns what the member tells of itself, asked through the broker (307) */
export async function consumerRunningInfo(
  requests: AdminRequests,
  brokerAddr: string,
  group: string,
  clientId: string,
): Promise<ConsumerRunningInfo> {
  const header = { consumerGroup: group, clientId, jstackEnable: false };
  return decodeRunningInfo(await requests.askBody(brokerAddr, GET_CONSUMER_RUNNING_INFO, header));
}

/** @returns members connected to that broker */
export async function consumerConnections(
  requests: AdminRequests,
  brokerAddr: string,
  group: string,
): Promise<readonly ClientConnection[]> {
  try {
    const header = { consumerGroup: group };
    return decodeConnectionSet(
      await requests.askBody(brokerAddr, GET_CONSUMER_CONNECTION_LIST, header),
    );
  } catch (error) {
    if (wasRefusedWith(error, RESPONSE_CODE.CONSUMER_NOT_ONLINE)) return [];
    throw error;
  }
}

/** @returns producers connected to that broker */
export async function producerConnections(
  requests: AdminRequests,
  brokerAddr: string,
  group: string,
): Promise<readonly ClientConnection[]> {
  try {
    const header = { producerGroup: group };
    return decodeConnectionSet(
      await requests.askBody(brokerAddr, GET_PRODUCER_CONNECTION_LIST, header),
    );
  } catch (error) {
    // "the producer group[X] not exist": the group has nobody there.
    if (wasRefusedWith(error, RESPONSE_CODE.SYSTEM_ERROR)) return [];
    throw error;
  }
}

/** @returns groups that read the topic on that broker */
export async function groupsOfTopic(
  requests: AdminRequests,
  brokerAddr: string,
  topic: string,
): Promise<readonly string[]> {
  return decodeGroupList(await requests.askBody(brokerAddr, QUERY_TOPIC_CONSUME_BY_WHO, { topic }));
}
