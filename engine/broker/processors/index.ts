/** Which code is served by what: the list of a broker's requests (remoting-protocol 8). Codes not here are answered 3 (F-11). */
import type { FrameProcessor, Processor, ProcessorTable } from "../../remoting/processor.ts";
import { REQUEST_CODE as CODE } from "../../remoting/request-codes.ts";
import type { BrokerContext } from "../broker-context.ts";
import type { BrokerClients } from "../client-registry.ts";
import type { DelayedMessages } from "../delayed-messages.ts";
import type { PullPath } from "../pull-path.ts";
import type { QueueLocks } from "../queue-locks.ts";
import type { SendPath } from "../send-path.ts";
import type { OpenTransactions } from "../transactions/open-transactions.ts";
import { createAclProcessors } from "./acl-admin.ts";
import {
  createCheckClientConfigProcessor,
  createConsumerListProcessor,
  createHeartbeatProcessor,
  createUnregisterClientProcessor,
} from "./clients.ts";
import {
  createConsumeDirectlyProcessor,
  createConsumerStatusProcessor,
  createRunningInfoProcessor,
} from "./client-calls.ts";
import {
  createAllProducersProcessor,
  createConsumerConnectionsProcessor,
  createProducerConnectionsProcessor,
} from "./connections.ts";
import { createBrokerConsumeStatsProcessor, createConsumeStatsProcessor } from "./consume-stats.ts";
import {
  createDeleteGroupProcessor,
  createUpdateGroupProcessor,
  createWhoConsumesProcessor,
} from "./group-admin.ts";
import {
  createEarliestStoreTimeProcessor,
  createMaxOffsetProcessor,
  createMinOffsetProcessor,
  createQueryConsumerOffsetProcessor,
  createSearchOffsetProcessor,
  createUpdateConsumerOffsetProcessor,
} from "./offsets.ts";
import {
  createCleanQueuesProcessor,
  createCleanTopicsProcessor,
  createDeleteExpiredProcessor,
} from "./maintenance.ts";
import {
  createCorrectionOffsetProcessor,
  createTimeSpanProcessor,
  createTopicStatsProcessor,
} from "./progress.ts";
import { createEndTransactionProcessor, createResumeCheckProcessor } from "./end-transaction.ts";
import { createPullMessageFrames, createPullMessageProcessor } from "./pull-message.ts";
import { createQueryMessageProcessor, createViewMessageProcessor } from "./query-message.ts";
import { createLogPositionProcessor, createReadLogProcessor } from "./log-tail.ts";
import { createLockBatchProcessor, createUnlockBatchProcessor } from "./queue-locks.ts";
import { createBrokerConfigProcessor, createUpdateBrokerConfigProcessor } from "./broker-config.ts";
import { createQueueQueryProcessor } from "./queue-query.ts";
import { createReplyMessageProcessor } from "./reply-message.ts";
import { createCloneOffsetProcessor, createResetOffsetProcessor } from "./reset-offset.ts";
import { createRuntimeInfoProcessor, type RuntimeInfoParts } from "./runtime-info.ts";
import { createSendBackProcessor } from "./send-back.ts";
import { createSendMessageFrames } from "./send-message-frames.ts";
import { createSendMessageProcessor } from "./send-message.ts";
import { createStatsDataProcessor } from "./stats-data.ts";
import {
  createDelayTableProcessor,
  createGroupTableProcessor,
  createOffsetTableProcessor,
  createOneGroupProcessor,
  createOneTopicProcessor,
  createTopicTableProcessor,
} from "./tables.ts";
import {
  createDeleteTopicProcessor,
  createSystemTopicsProcessor,
  createUpdateTopicProcessor,
} from "./topic-admin.ts";

/** The parts processors are made of. */
export interface BrokerParts {
  readonly context: BrokerContext;
  readonly clients: BrokerClients;
  readonly locks: QueueLocks;
  readonly delayed: DelayedMessages;
  readonly sends: SendPath;
  readonly transactions: OpenTransactions;
  readonly pulls: PullPath;
  readonly runtime: RuntimeInfoParts;
}

function messageProcessors(parts: BrokerParts): [number, Processor][] {
  const { context, sends, pulls, transactions } = parts;
  const send = createSendMessageProcessor(sends);
  const reply = createReplyMessageProcessor(sends);
  return [
    [CODE.SEND_MESSAGE, send],
    [CODE.SEND_MESSAGE_V2, send],
    [CODE.SEND_BATCH_MESSAGE, send],
    [CODE.SEND_REPLY_MESSAGE, reply],
    [CODE.SEND_REPLY_MESSAGE_V2, reply],
    [CODE.END_TRANSACTION, createEndTransactionProcessor(transactions)],
    [CODE.RESUME_CHECK_HALF_MESSAGE, createResumeCheckProcessor(context)],
    [CODE.PULL_MESSAGE, createPullMessageProcessor(pulls)],
    [CODE.QUERY_MESSAGE, createQueryMessageProcessor(context)],
    [CODE.VIEW_MESSAGE_BY_ID, createViewMessageProcessor(context)],
    [CODE.CONSUMER_SEND_MSG_BACK, createSendBackProcessor(context)],
  ];
}

function clientProcessors({ context, clients, locks }: BrokerParts): [number, Processor][] {
  return [
    [CODE.HEART_BEAT, createHeartbeatProcessor(context, clients)],
    [CODE.UNREGISTER_CLIENT, createUnregisterClientProcessor(clients)],
    [CODE.GET_CONSUMER_LIST_BY_GROUP, createConsumerListProcessor(clients)],
    [CODE.CHECK_CLIENT_CONFIG, createCheckClientConfigProcessor(context)],
    [CODE.LOCK_BATCH_MQ, createLockBatchProcessor(context, locks)],
    [CODE.UNLOCK_BATCH_MQ, createUnlockBatchProcessor(locks)],
    [CODE.QUERY_CONSUMER_OFFSET, createQueryConsumerOffsetProcessor(context)],
    [CODE.UPDATE_CONSUMER_OFFSET, createUpdateConsumerOffsetProcessor(context)],
    [CODE.GET_MAX_OFFSET, createMaxOffsetProcessor(context)],
    [CODE.GET_MIN_OFFSET, createMinOffsetProcessor(context)],
    [CODE.SEARCH_OFFSET_BY_TIMESTAMP, createSearchOffsetProcessor(context)],
    [CODE.GET_EARLIEST_MSG_STORETIME, createEarliestStoreTimeProcessor(context)],
  ];
}

function adminProcessors({ context, delayed, runtime }: BrokerParts): [number, Processor][] {
  return [
    [CODE.GET_BROKER_RUNTIME_INFO, createRuntimeInfoProcessor(runtime)],
    [CODE.GET_BROKER_CONFIG, createBrokerConfigProcessor(context)],
    [CODE.UPDATE_BROKER_CONFIG, createUpdateBrokerConfigProcessor(context)],
    [CODE.UPDATE_AND_CREATE_TOPIC, createUpdateTopicProcessor(context)],
    [CODE.DELETE_TOPIC_IN_BROKER, createDeleteTopicProcessor(context)],
    [CODE.GET_SYSTEM_TOPIC_LIST_FROM_BROKER, createSystemTopicsProcessor(context)],
    [CODE.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, createUpdateGroupProcessor(context)],
    [CODE.DELETE_SUBSCRIPTIONGROUP, createDeleteGroupProcessor(context)],
    [CODE.QUERY_TOPIC_CONSUME_BY_WHO, createWhoConsumesProcessor(context)],
    [CODE.GET_CONSUMER_CONNECTION_LIST, createConsumerConnectionsProcessor(context)],
    [CODE.GET_PRODUCER_CONNECTION_LIST, createProducerConnectionsProcessor(context)],
    [CODE.GET_TOPIC_STATS_INFO, createTopicStatsProcessor(context)],
    [CODE.GET_CONSUME_STATS, createConsumeStatsProcessor(context)],
    [CODE.INVOKE_BROKER_TO_RESET_OFFSET, createResetOffsetProcessor(context)],
    [CODE.GET_ALL_TOPIC_CONFIG, createTopicTableProcessor(context)],
    [CODE.GET_ALL_CONSUMER_OFFSET, createOffsetTableProcessor(context)],
    [CODE.GET_ALL_DELAY_OFFSET, createDelayTableProcessor(delayed)],
    [CODE.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, createGroupTableProcessor(context)],
    [CODE.GET_LOG_POSITION, createLogPositionProcessor(context)],
    [CODE.READ_LOG, createReadLogProcessor(context)],
  ];
}

/** Questions an operator asks now and then. */
function inspectionProcessors({ context }: BrokerParts): [number, Processor][] {
  return [
    [CODE.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, createConsumerStatusProcessor(context)],
    [CODE.QUERY_CONSUME_TIME_SPAN, createTimeSpanProcessor(context)],
    [CODE.CLEAN_EXPIRED_CONSUMEQUEUE, createCleanQueuesProcessor(context)],
    [CODE.GET_CONSUMER_RUNNING_INFO, createRunningInfoProcessor(context)],
    [CODE.QUERY_CORRECTION_OFFSET, createCorrectionOffsetProcessor(context)],
    [CODE.CONSUME_MESSAGE_DIRECTLY, createConsumeDirectlyProcessor(context)],
    [CODE.CLONE_GROUP_OFFSET, createCloneOffsetProcessor(context)],
    [CODE.VIEW_BROKER_STATS_DATA, createStatsDataProcessor(context)],
    [CODE.CLEAN_UNUSED_TOPIC, createCleanTopicsProcessor(context)],
    [CODE.GET_BROKER_CONSUME_STATS, createBrokerConsumeStatsProcessor(context)],
    [CODE.QUERY_CONSUME_QUEUE, createQueueQueryProcessor(context)],
    [CODE.GET_ALL_PRODUCER_INFO, createAllProducersProcessor(context)],
    [CODE.DELETE_EXPIRED_COMMITLOG, createDeleteExpiredProcessor(context)],
    [CODE.GET_TOPIC_CONFIG, createOneTopicProcessor(context)],
    [CODE.GET_SUBSCRIPTIONGROUP_CONFIG, createOneGroupProcessor(context)],
  ];
}

/** @returns everything the broker's ports serve; the fast port serves the same (1.7) */
export function brokerProcessors(parts: BrokerParts): ProcessorTable {
  const sendFrames = createSendMessageFrames(parts.sends);
  const frameProcessors = new Map<number, FrameProcessor>([
    [CODE.SEND_MESSAGE_V2, sendFrames],
    [CODE.SEND_MESSAGE, sendFrames],
    [CODE.PULL_MESSAGE, createPullMessageFrames(parts.pulls)],
  ]);
  const processors = new Map([
    ...messageProcessors(parts),
    ...clientProcessors(parts),
    ...adminProcessors(parts),
    ...inspectionProcessors(parts),
    ...createAclProcessors(parts.context),
  ]);
  return { processors, frameProcessors };
}
