/** CONSUMER_SEND_MSG_BACK (36): a message a consumer could not handle, to its retry or dead-letter topic (remoting-protocol 4.6). */
import { PROPERTY } from "../../message/properties.ts";
import { offsetMessageId } from "../../message/message-id.ts";
import { storeHostOf } from "../../message/record-decode.ts";
import { decodeHeader, type HeaderOf } from "../../remoting/command-spec.ts";
import type { ResponseCommand } from "../../remoting/command.ts";
import { CONSUMER_SEND_MSG_BACK } from "../../remoting/commands/clients.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type {
  BrokerContext,
  InternalMessage,
  SubscriptionGroupConfig,
  TopicConfig,
} from "../broker-context.ts";
import { DEAD_LETTER_TOPIC_PREFIX, PERM, RETRY_TOPIC_PREFIX, TOPIC_SYS_FLAG } from "../names.ts";
import { isStored } from "../put-internal.ts";
import { copyOf, readStoredMessage, storedTopic, type StoredMessage } from "../stored-message.ts";

type SendBackHeader = HeaderOf<typeof CONSUMER_SEND_MSG_BACK.request>;

/** From this version on clients say how often they want to retry (1.3). */
const VERSION_WITH_MAX_RECONSUME = 121;
const DEAD_LETTER_QUEUES = 1;
/** First retry waits level 3: 10 s. */
const FIRST_RETRY_LEVEL = 3;

function failure(remark: string): ResponseCommand {
  return { code: RESPONSE_CODE.SYSTEM_ERROR, remark };
}

interface Destination {
  readonly topic: TopicConfig;
  /** 0: none. */
  readonly delayLevel: number;
}

function destinationOf(
  context: BrokerContext,
  header: SendBackHeader,
  group: SubscriptionGroupConfig,
  found: StoredMessage,
): Destination & { readonly max: number } {
  const { reconsumeTimes } = found.record;
  const max = header.maxReconsumeTimes ?? group.retryMaxTimes;
  const readWrite = PERM.READ | PERM.WRITE;
  if (reconsumeTimes >= max || header.delayLevel < 0) {
    return {
      topic: context.topics.ensure(
        DEAD_LETTER_TOPIC_PREFIX + header.group,
        DEAD_LETTER_QUEUES,
        readWrite,
      ),
      delayLevel: 0,
      max,
    };
  }
  const delayLevel =
    header.delayLevel === 0 ? FIRST_RETRY_LEVEL + reconsumeTimes : header.delayLevel;
  return {
    topic: context.topics.ensure(
      RETRY_TOPIC_PREFIX + header.group,
      group.retryQueueNums,
      readWrite,
      header.unitMode === true ? TOPIC_SYS_FLAG.UNIT_SUB : 0,
    ),
    delayLevel,
    max,
  };
}

function retried(found: StoredMessage, destination: Destination): InternalMessage {
  const { bytes, record } = found;
  const properties = new Map(found.properties);
  if (!properties.has(PROPERTY.RETRY_TOPIC))
    properties.set(PROPERTY.RETRY_TOPIC, storedTopic(found));
  if (!properties.has(PROPERTY.ORIGIN_MESSAGE_ID)) {
    properties.set(
      PROPERTY.ORIGIN_MESSAGE_ID,
      offsetMessageId(storeHostOf(bytes, 0, record.sysFlag), record.physicalOffset),
    );
  }
  properties.set(PROPERTY.WAIT, "false");
  // 4.9.0 leaves the last retry's level on a dead letter, which then waits once more; it is cleared (4.6 step 6).
  properties.delete(PROPERTY.DELAY);
  if (destination.delayLevel > 0) properties.set(PROPERTY.DELAY, String(destination.delayLevel));
  const topic = destination.topic.name.text;
  const queueId = Math.floor(Math.random() * destination.topic.writeQueueNums);
  const copy = copyOf(found, { topic, queueId, properties });
  return { ...copy, reconsumeTimes: record.reconsumeTimes + 1 };
}

/** The topic the message was first sent to. */
function originTopic(found: StoredMessage): string {
  return found.properties.get(PROPERTY.RETRY_TOPIC) ?? storedTopic(found);
}

/** @returns the processor for code 36; the answer waits until the new copy is as safe as the broker's mode promises */
export function createSendBackProcessor(context: BrokerContext): Processor {
  return async (request) => {
    const header = decodeHeader(CONSUMER_SEND_MSG_BACK.request, request.extFields);
    const group = context.groups.get(header.group);
    if (group === undefined) {
      return {
        code: RESPONSE_CODE.SUBSCRIPTION_GROUP_NOT_EXIST,
        remark: `subscription group not exist, ${header.group}`,
      };
    }
    if (context.isSlave) return failure("SERVICE_NOT_AVAILABLE");
    if (group.retryQueueNums <= 0) return { code: RESPONSE_CODE.SUCCESS };
    const found = readStoredMessage(context.store, header.offset);
    if (found === null) return failure(`look message by offset failed, ${header.offset}`);
    const asked =
      request.version >= VERSION_WITH_MAX_RECONSUME
        ? header
        : { ...header, maxReconsumeTimes: undefined };
    const destination = destinationOf(context, asked, group, found);
    const result = await context.putInternal(retried(found, destination));
    if (!isStored(result))
      return failure(`the retry copy was refused, put status ${result.status}`);
    context.statsItems.sentBack(header.group, originTopic(found));
    return { code: RESPONSE_CODE.SUCCESS };
  };
}
