/** Every send the fast path leaves over: SEND_MESSAGE 10, SEND_MESSAGE_V2 310, SEND_BATCH_MESSAGE 320 (remoting-protocol 4.1). */
import { EngineError } from "../../base/engine-error.ts";
import { decodeBatch } from "../../message/batch.ts";
import { decodeProperties, encodeProperties, PROPERTY } from "../../message/properties.ts";
import { internTopic } from "../../message/topic-name.ts";
import { decodeHeader } from "../../remoting/command-spec.ts";
import { isOneway, type RemotingCommand } from "../../remoting/command.ts";
import {
  SEND_MESSAGE,
  SEND_MESSAGE_V2,
  type SendMessageHeader,
} from "../../remoting/commands/send-message.ts";
import type { Channel } from "../../remoting/channel.ts";
import type { Processor } from "../../remoting/processor.ts";
import { REQUEST_CODE } from "../../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import { PUT_STATUS, type BatchMember } from "../../store/store-api.ts";
import type { BrokerContext, TopicConfig } from "../broker-context.ts";
import { delayLevelCount, delayLevelOf, rewriteDelayed } from "../delay-rewrite.ts";
import { DEAD_LETTER_TOPIC_PREFIX, groupNameProblem, PERM, RETRY_TOPIC_PREFIX } from "../names.ts";
import { appendPair } from "../property-bytes.ts";
import {
  bodyRefusal,
  clampReconsumeTimes,
  CLIENT_SYS_FLAGS,
  FAQ_HINT,
  propertyRefusal,
  queueRefusal,
  refusalOfStatus,
  topicNameRefusal,
  unknownTopic,
  type Refusal,
} from "../send-checks.ts";
import { SendWaiter, type SendPath } from "../send-path.ts";

const MULTI_TAG = 0x2;
/** First version whose `maxReconsumeTimes` counts (1.3). */
const VERSION_3_4_9 = 121;
const NO_BYTES = Buffer.alloc(0);

/** Where a send goes once it was admitted. */
interface Admitted {
  readonly topic: TopicConfig;
  readonly queueId: number;
  readonly isDeadLetter: boolean;
}

const isRefusal = (outcome: Refusal | Admitted): outcome is Refusal => "code" in outcome;

class SendMessage {
  private readonly path: SendPath;
  private readonly context: BrokerContext;
  private readonly delayLevelMax: number;

  constructor(path: SendPath) {
    this.path = path;
    this.context = path.context;
    this.delayLevelMax = delayLevelCount(path.context.config.messageDelayLevel);
  }

  serve(request: RemotingCommand, channel: Channel): void {
    const spec = request.code === REQUEST_CODE.SEND_MESSAGE ? SEND_MESSAGE : SEND_MESSAGE_V2;
    const header: SendMessageHeader = decodeHeader(spec.request, request.extFields);
    const isBatch = request.code === REQUEST_CODE.SEND_BATCH_MESSAGE || header.batch === true;
    const admitted = this.admit(header, request.version, channel);
    const { opaque, serializeType } = request;
    const from = { channel, opaque, serializeType, isOneway: isOneway(request) };
    const waiter = new SendWaiter(this.path, from, isRefusal(admitted) ? 0 : admitted.queueId);
    if (isRefusal(admitted)) {
      this.path.refuse(waiter, admitted);
      return;
    }
    const properties = Buffer.from(header.properties ?? "", "utf8");
    const body = request.body ?? NO_BYTES;
    const refusal = this.refusesContent(properties, body);
    if (refusal !== null) {
      this.path.refuse(waiter, refusal);
      return;
    }
    this.fillInput(header, admitted, channel);
    if (isBatch) this.putBatch(waiter, { topic: admitted.topic, properties, body });
    else this.putOne(waiter, { admitted, properties, body });
  }

  /** Checks 2 to 8, in order; makes the topic when that is allowed. */
  private admit(header: SendMessageHeader, version: number, channel: Channel): Refusal | Admitted {
    const refusal = this.path.refusal() ?? topicNameRefusal(header.topic);
    if (refusal !== null) return refusal;
    const isRetry = header.topic.startsWith(RETRY_TOPIC_PREFIX);
    const retryGroup = header.topic.slice(RETRY_TOPIC_PREFIX.length);
    const groupRefusal = isRetry ? this.refusesRetryGroup(retryGroup) : null;
    if (groupRefusal !== null) return groupRefusal;
    const topic = this.findOrCreate(header, isRetry);
    if (topic === undefined) return unknownTopic(header.topic);
    const queue = queueRefusal(this.context, topic, header.queueId, channel.remote);
    if (queue !== null) return queue;
    if (isRetry && this.isExhausted(header, version, retryGroup)) {
      const deadLetters = this.context.topics.ensure(
        DEAD_LETTER_TOPIC_PREFIX + retryGroup,
        1,
        PERM.READ | PERM.WRITE,
      );
      return { topic: deadLetters, queueId: 0, isDeadLetter: true };
    }
    const queueId =
      header.queueId < 0 ? Math.floor(Math.random() * topic.writeQueueNums) : header.queueId;
    return { topic, queueId, isDeadLetter: false };
  }

  /** Check 8 and N-02, asked before the retry topic is made. */
  private refusesRetryGroup(group: string): Refusal | null {
    const problem = groupNameProblem(group);
    if (problem !== null) return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: problem };
    if (this.context.groups.getOrCreate(group) !== undefined) return null;
    return {
      code: RESPONSE_CODE.SUBSCRIPTION_GROUP_NOT_EXIST,
      remark: `subscription group not exist, ${group} ${FAQ_HINT}`,
    };
  }

  private findOrCreate(header: SendMessageHeader, isRetry: boolean): TopicConfig | undefined {
    const { topics } = this.context;
    const known = topics.find(header.topic);
    if (known !== undefined) return known;
    if (isRetry) return topics.ensure(header.topic, 1, PERM.READ | PERM.WRITE);
    return topics.createBySend(header.topic, header.defaultTopic, header.defaultTopicQueueNums);
  }

  /** A retried message that had all its chances goes to the dead letters (4.1.2). */
  private isExhausted(header: SendMessageHeader, version: number, group: string): boolean {
    const ofGroup = this.context.groups.get(group)?.retryMaxTimes ?? 0;
    const ofRequest = version >= VERSION_3_4_9 ? header.maxReconsumeTimes : undefined;
    return (header.reconsumeTimes ?? 0) >= (ofRequest ?? ofGroup);
  }

  private refusesContent(properties: Buffer, body: Buffer): Refusal | null {
    this.path.scan.scan(properties, 0, properties.length);
    return (
      propertyRefusal(this.context, this.path.scan, properties) ??
      bodyRefusal(this.context, body.length)
    );
  }

  private fillInput(header: SendMessageHeader, admitted: Admitted, channel: Channel): void {
    const { input } = this.path;
    input.topic = admitted.topic.name;
    input.queueId = admitted.queueId;
    input.flag = header.flag;
    input.sysFlag = header.sysFlag & CLIENT_SYS_FLAGS;
    if (admitted.topic.topicFilterType === "MULTI_TAG") input.sysFlag |= MULTI_TAG;
    input.bornTimestamp = header.bornTimestamp;
    input.bornHost = this.path.bornHost(channel);
    input.reconsumeTimes = clampReconsumeTimes(header.reconsumeTimes ?? 0);
    input.preparedTransactionOffset = 0;
  }

  private setContent(body: Buffer, properties: Buffer): void {
    const { input } = this.path;
    input.body = body;
    input.bodyStart = 0;
    input.bodyEnd = body.length;
    input.properties = properties;
    input.propertiesStart = 0;
    input.propertiesEnd = properties.length;
  }

  private putOne(
    waiter: SendWaiter,
    message: { readonly admitted: Admitted; readonly properties: Buffer; readonly body: Buffer },
  ): void {
    const { scan, input } = this.path;
    const waits = scan.waitStoreMsgOk;
    const isRewritten = scan.hasDelay || scan.hasCluster;
    const properties = isRewritten
      ? this.rewrite(message.properties, message.admitted)
      : this.withCluster(message.properties, NO_BYTES);
    if (properties === null) {
      this.path.refuse(waiter, refusalOfStatus(PUT_STATUS.MESSAGE_ILLEGAL));
      return;
    }
    if (!isRewritten) input.queueId = message.admitted.queueId;
    this.setContent(message.body, properties);
    this.path.submit(waiter, waits, null);
  }

  /** Sets CLUSTER and parks a delayed message. @returns the property string, or null when DELAY is no number */
  private rewrite(text: Buffer, admitted: Admitted): Buffer | null {
    const properties = decodeProperties(text.toString("utf8"));
    properties.set(PROPERTY.CLUSTER, this.context.config.brokerClusterName);
    // Dead letters wait for nothing; the level of the last retry is still there (4.6).
    if (admitted.isDeadLetter) properties.delete(PROPERTY.DELAY);
    if (Number.isNaN(delayLevelOf(properties.get(PROPERTY.DELAY)))) return null;
    const { input } = this.path;
    const meant = { topic: admitted.topic.name.text, queueId: admitted.queueId, properties };
    const destination = rewriteDelayed(meant, input.sysFlag, this.delayLevelMax);
    input.topic = internTopic(destination.topic);
    input.queueId = destination.queueId;
    return Buffer.from(encodeProperties(destination.properties), "utf8");
  }

  /** Own properties, those of the batch, CLUSTER: each behind a 0x02. */
  private withCluster(own: Buffer, ofBatch: Buffer): Buffer {
    const { clusterPair } = this.path;
    const whole = Buffer.alloc(own.length + ofBatch.length + clusterPair.length + 2);
    let end = own.copy(whole, 0);
    if (ofBatch.length > 0) end = appendPair(whole, 0, end, ofBatch);
    return whole.subarray(0, appendPair(whole, 0, end, clusterPair));
  }

  private putBatch(
    waiter: SendWaiter,
    batch: { readonly topic: TopicConfig; readonly properties: Buffer; readonly body: Buffer },
  ): void {
    const waits = this.path.scan.waitStoreMsgOk;
    const members = this.readMembers(batch);
    if (members === null) {
      this.path.refuse(waiter, refusalOfStatus(PUT_STATUS.MESSAGE_ILLEGAL));
      return;
    }
    this.setContent(NO_BYTES, NO_BYTES);
    this.path.submit(waiter, waits, members);
  }

  /** @returns the members with complete properties, or null when the batch is not legal */
  private readMembers(batch: {
    readonly topic: TopicConfig;
    readonly properties: Buffer;
    readonly body: Buffer;
  }): BatchMember[] | null {
    const { scan } = this.path;
    if (scan.hasDelay || batch.topic.name.text.startsWith(RETRY_TOPIC_PREFIX)) return null;
    if (batch.topic.name.text.startsWith(DEAD_LETTER_TOPIC_PREFIX)) return null;
    try {
      const members: BatchMember[] = [];
      for (const { flag, body, properties } of decodeBatch(batch.body)) {
        const refusal = this.refusesContent(properties, body);
        if (refusal !== null || scan.hasDelay) return null;
        members.push({ flag, body, properties: this.withCluster(properties, batch.properties) });
      }
      return members;
    } catch (error) {
      if (error instanceof EngineError && error.code === "MESSAGE_INVALID") return null;
      throw error;
    }
  }
}

/** @returns the general path for codes 310, 10 and 320; it answers through the waiter, never by its result */
export function createSendMessageProcessor(path: SendPath): Processor {
  const sends = new SendMessage(path);
  return (request, { channel }) => {
    sends.serve(request, channel);
    return null;
  };
}
