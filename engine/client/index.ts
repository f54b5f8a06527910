/** The client library: what other folders may import of it. */
import { assert } from "../base/assert.ts";
import type {
  ClientOptions,
  LitePullConsumer,
  LitePullConsumerOptions,
  MqClient,
  Producer,
  ProducerOptions,
  PushConsumer,
  PushConsumerOptions,
} from "./client-api.ts";
import { LiteConsumer } from "./consumer/lite-pull.ts";
import { GroupConsumer } from "./consumer/push.ts";
import { SharedClient } from "./mq-client.ts";
import type { TransactionProducer, TransactionProducerOptions } from "./producer-api.ts";
import { MessageProducer } from "./producer/send.ts";
import { TransactionMessageProducer } from "./producer/transaction.ts";
import { createTrace } from "./trace/create-trace.ts";

export type * from "./client-api.ts";
export type * from "./producer-api.ts";
export {
  allocateAverage,
  allocateByCircle,
  allocateByConfig,
  allocateByMachineRoom,
  allocateConsistentHash,
  allocateNearby,
  type MachineRooms,
} from "./consumer/allocate.ts";
export {
  pullMessages,
  type PullRequest,
  type PullResult,
  type PullStatus,
} from "./consumer/pull.ts";
export { decodeMessages } from "./consumer/received-message.ts";
export { SendFailedError, sendOutcomeOf } from "./producer/outcome.ts";
export { selectByHash } from "./producer/select-queue.ts";
export { decodeTrace, type TraceRecord } from "./trace/trace-records.ts";
export { invokeOk, isRefusedWith, RefusedError, type Call } from "./request.ts";
export { decodeTopicRoute } from "./route-cache.ts";

/**
 * @param options name servers and timers
 * @returns connections, routes and heartbeats for any number of producers and consumers; nothing is connected yet
 * @throws EngineError CLIENT_NO_ROUTE without a name server address
 */
export function createClient(options: ClientOptions): MqClient {
  return new SharedClient(options);
}

function sharedClient(client: MqClient): SharedClient {
  assert(client instanceof SharedClient, "the client was not made by createClient");
  return client;
}

/**
 * @param client made by `createClient`
 * @returns a producer to be started
 * @throws EngineError MESSAGE_INVALID for a bad group name
 */
export function createProducer(client: MqClient, options: ProducerOptions): Producer {
  const shared = sharedClient(client);
  const trace = createTrace(shared, options.trace, { group: options.group, role: "PRODUCE" });
  return new MessageProducer(shared, options, trace);
}

/**
 * @param client made by `createClient`
 * @param options `check` answers brokers that ask what became of a transaction of the group
 * @returns a producer to be started; it sends ordinary messages too
 * @throws EngineError MESSAGE_INVALID for a bad group name
 */
export function createTransactionProducer(
  client: MqClient,
  options: TransactionProducerOptions,
): TransactionProducer {
  const shared = sharedClient(client);
  const trace = createTrace(shared, options.trace, { group: options.group, role: "PRODUCE" });
  return new TransactionMessageProducer(shared, options, trace);
}

/**
 * @param client made by `createClient`; at most one consumer of a group on it
 * @returns a consumer to be subscribed and started
 * @throws EngineError MESSAGE_INVALID for a bad group name; STORE_LAYOUT_INVALID for a damaged local offset file
 */
export function createPushConsumer(client: MqClient, options: PushConsumerOptions): PushConsumer {
  return new GroupConsumer(sharedClient(client), options);
}

/**
 * @param client made by `createClient`; at most one consumer of a group on it
 * @returns a consumer to be subscribed or assigned queues, started, and polled
 * @throws EngineError MESSAGE_INVALID for a bad group name
 */
export function createLitePullConsumer(
  client: MqClient,
  options: LitePullConsumerOptions,
): LitePullConsumer {
  return new LiteConsumer(sharedClient(client), options);
}
