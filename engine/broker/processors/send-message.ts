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
import { PUT_STATUS, type BatchMember } from "../../store/store-api.ts";
import type { BrokerContext, TopicConfig } from "../broker-context.ts";
import { delayLevelCount, delayLevelOf, rewriteDelayed } from "../delay-rewrite.ts";
import { DEAD_LETTER_TOPIC_PREFIX, HALF_TOPIC, PERM, RETRY_TOPIC_PREFIX } from "../names.ts";
import { appendPair } from "../property-bytes.ts";
import { admitSend, isRefusal, type Admitted } from "../send-admission.ts";
import {
  bodyRefusal,
  clampReconsumeTimes,
  CLIENT_SYS_FLAGS,
  propertyRefusal,
  refusalOfStatus,
  type Refusal,
} from "../send-checks.ts";
import { SendWaiter, type SendPath } from "../send-path.ts";
import { parkHalf } from "../transactions/half-message.ts";

const MULTI_TAG = 0x2;
const NO_BYTES = Buffer.alloc(0);

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
    const admitted = admitSend(this.path, header, {
      version: request.version,
      remote: channel.remote,
    });
    const { opaque, serializeType } = request;
    const from = { channel, opaque, serializeType, isOneway: isOneway(request) };
    const waiter = new SendWaiter(this.path, from, isRefusal(admitted) ? 0 : admitted.queueId);
    if (isRefusal(admitted)) {
      this.path.refuse(waiter, admitted);
      return;
    }
    waiter.told = admitted.told;
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
    const isRewritten = scan.hasDelay || scan.hasCluster || scan.isTransaction;
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

  /** Sets CLUSTER and parks a half or a delayed message. @returns the property string, or null when DELAY is no number */
  private rewrite(text: Buffer, admitted: Admitted): Buffer | null {
    const properties = decodeProperties(text.toString("utf8"));
    properties.set(PROPERTY.CLUSTER, this.context.config.brokerClusterName);
    // Dead letters wait for nothing; the level of the last retry is still there (4.6).
    if (admitted.isDeadLetter) properties.delete(PROPERTY.DELAY);
    if (Number.isNaN(delayLevelOf(properties.get(PROPERTY.DELAY)))) return null;
    const { input } = this.path;
    const meant = { topic: admitted.topic.name.text, queueId: admitted.queueId, properties };
    const destination = this.isHalf(admitted)
      ? parkHalf(meant)
      : rewriteDelayed(meant, input.sysFlag, this.delayLevelMax);
    input.topic = internTopic(destination.topic);
    input.queueId = destination.queueId;
    return Buffer.from(encodeProperties(destination.properties), "utf8");
  }

  /** A retried copy of a committed message still says TRAN_MSG: it is none again. */
  private isHalf({ topic }: Admitted): boolean {
    const isRetried =
      topic.name.text.startsWith(RETRY_TOPIC_PREFIX) ||
      topic.name.text.startsWith(DEAD_LETTER_TOPIC_PREFIX);
    if (!this.path.scan.isTransaction || isRetried) return false;
    this.context.topics.ensure(HALF_TOPIC, 1, PERM.READ | PERM.WRITE);
    return true;
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
    if (scan.hasDelay || scan.isTransaction) return null;
    if (batch.topic.name.text.startsWith(RETRY_TOPIC_PREFIX)) return null;
    if (batch.topic.name.text.startsWith(DEAD_LETTER_TOPIC_PREFIX)) return null;
    try {
      const members: BatchMember[] = [];
      for (const { flag, body, properties } of decodeBatch(batch.body)) {
        const refusal = this.refusesContent(properties, body);
        if (refusal !== null || scan.hasDelay || scan.isTransaction) return null;
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
