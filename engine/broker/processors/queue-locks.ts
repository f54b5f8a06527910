/** LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42) of orderly consumers (remoting-protocol 4.5). */
import { EngineError } from "../../base/engine-error.ts";
import type { RemotingCommand } from "../../remoting/command.ts";
import {
  decodeLockBatch,
  encodeLockAnswer,
  type LockBatchBody,
  type MessageQueueBody,
} from "../../remoting/bodies/message-queue.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";
import type { QueueLocks } from "../queue-locks.ts";

/** */
const QUEUES_MAX = 4_096;

function decode(request: RemotingCommand): LockBatchBody {
  if (request.body === null)
    throw new EngineError("REMOTING_HEADER_INVALID", { message: "a lock request without a body" });
  const batch = decodeLockBatch(request.body);
  if (batch.queues.length > QUEUES_MAX)
    throw new EngineError("REMOTING_HEADER_INVALID", { message: `more than ${QUEUES_MAX} queues` });
  return batch;
}

function nameOf(queue: MessageQueueBody): string {
  return `${queue.topic}@${queue.queueId}`;
}

/** @returns the processor for code 41: the queues the client owns after the call, echoed as they were sent */
export function createLockBatchProcessor(context: BrokerContext, locks: QueueLocks): Processor {
  return (request) => {
    const { clientId, consumerGroup, queues } = decode(request);
    const known = queues.filter((queue) => context.topics.find(queue.topic) !== undefined);
    const owned = known.filter((queue) => locks.lock(consumerGroup, nameOf(queue), clientId));
    return { code: RESPONSE_CODE.SUCCESS, body: encodeLockAnswer(owned) };
  };
}

/** @returns the processor for code 42 */
export function createUnlockBatchProcessor(locks: QueueLocks): Processor {
  return (request) => {
    const { clientId, consumerGroup, queues } = decode(request);
    for (const queue of queues) locks.unlock(consumerGroup, nameOf(queue), clientId);
    return { code: RESPONSE_CODE.SUCCESS };
  };
}
