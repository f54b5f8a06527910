/**
 * What every send has in common once it passed its checks: one append, one waiter, one answer. The waiter is the only object a message
 * leaves behind; its answer is written into the connection's slab when the store says the message is as safe as it was promised.
 */
import { setTimeout } from "node:timers/promises";
import type { Channel } from "../remoting/channel.ts";
import type { SerializeType } from "../remoting/command.ts";
import { SendAnswerEncoder, type SendAnswer } from "../remoting/commands/send-message-response.ts";
import {
  PUT_STATUS,
  type BatchMember,
  type HostBytes,
  type MessageInput,
  type PutStatus,
  type PutWaiter,
} from "../store/store-api.ts";
import { addressBytes, hostHex, offsetMessageId } from "../message/message-id.ts";
import { internTopic } from "../message/topic-name.ts";
import type { BrokerContext } from "./broker-context.ts";
import { SCHEDULE_TOPIC } from "./names.ts";
import { clusterPair, PropertyScan } from "./property-bytes.ts";
import { brokerRefusal, refusalOfStatus, type Refusal } from "./send-checks.ts";

const NO_BYTES = Buffer.alloc(0);
const DRAIN_STEP_MS = 5;

/** One send between its append and its answer. */
export class SendWaiter implements PutWaiter, SendAnswer {
  code = 0;
  readonly opaque: number;
  /** The queue the message will be seen in; for delayed ones not the one it was stored in (4.1.4). */
  readonly queueId: number;
  queueOffset = 0;
  physicalOffset = 0;
  endOffset = 0;
  /** Of a batch: physical offsets of all members. */
  memberOffsets: readonly number[] | null = null;
  /** What the answer waits for besides the store: the topic's route, when this send made it. */
  told: Promise<void> | null = null;
  readonly channel: Channel;
  readonly serializeType: SerializeType;
  readonly isOneway: boolean;
  private readonly path: SendPath;

  /** @param request who asked, and for which queue */
  constructor(
    path: SendPath,
    request: {
      readonly channel: Channel;
      readonly opaque: number;
      readonly serializeType: SerializeType;
      readonly isOneway: boolean;
    },
    queueId: number,
  ) {
    this.path = path;
    this.channel = request.channel;
    this.opaque = request.opaque;
    this.serializeType = request.serializeType;
    this.isOneway = request.isOneway;
    this.queueId = queueId;
  }

  complete(status: PutStatus): void {
    this.code = status;
    if (this.told === null) this.path.answer(this);
    else void this.told.then(() => this.path.answer(this));
  }
}

/** Appends and answers; one a broker. */
export class SendPath {
  readonly context: BrokerContext;
  readonly scan = new PropertyScan();
  readonly clusterPair: Buffer;
  /** Refilled for every message (engine-performance 7). */
  readonly input: MessageInput;
  /** Bytes appended whose senders were not answered yet (F-25). */
  unansweredBytes = 0;
  /** The broker is stopping: nothing new is taken. */
  isClosed = false;
  private readonly encoder: SendAnswerEncoder;
  /** What every answer says (4.1.4). */
  readonly commonFields: readonly (readonly [string, string])[];
  private readonly hosts = new WeakMap<Channel, HostBytes>();

  /** @param context of the broker */
  constructor(context: BrokerContext) {
    const { config, storeHost } = context;
    this.context = context;
    this.clusterPair = clusterPair(config.brokerClusterName);
    this.encoder = new SendAnswerEncoder({
      storeHostHex: hostHex(storeHost.address, storeHost.port),
      region: config.regionId,
      traceOn: config.traceOn,
    });
    this.commonFields = [
      ["MSG_REGION", config.regionId],
      ["TRACE_ON", String(config.traceOn)],
    ];
    this.input = {
      topic: internTopic(SCHEDULE_TOPIC),
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      bornHost: storeHost,
      storeHost,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: NO_BYTES,
      bodyStart: 0,
      bodyEnd: 0,
      properties: NO_BYTES,
      propertiesStart: 0,
      propertiesEnd: 0,
    };
  }

  /** Why nothing at all is taken at this moment, or null. */
  refusal(): Refusal | null {
    if (this.isClosed) return refusalOfStatus(PUT_STATUS.SERVICE_NOT_AVAILABLE);
    return brokerRefusal(this.context, this.unansweredBytes);
  }

  /** Takes no more sends. Resolves when everybody was answered, or after `drainMs`. */
  async close(drainMs: number): Promise<void> {
    this.isClosed = true;
    const deadline = performance.now() + drainMs;
    while (this.unansweredBytes > 0 && performance.now() < deadline) {
      await setTimeout(DRAIN_STEP_MS);
    }
  }

  /** @returns address and port of the peer as records keep them */
  bornHost(channel: Channel): HostBytes {
    let host = this.hosts.get(channel);
    if (host === undefined) {
      host = { address: addressBytes(channel.remoteAddress), port: channel.remotePort };
      this.hosts.set(channel, host);
    }
    return host;
  }

  /**
   * Appends `input`, or all of `members` with it, and answers when it is safe.
   * @param waiter who is answered
   * @param waits false for WAIT=false
   * @param members of a batch, null for one message
   */
  submit(waiter: SendWaiter, waits: boolean, members: readonly BatchMember[] | null): void {
    const { store, statsItems } = this.context;
    const result =
      members === null ? store.append(this.input) : store.appendBatch(this.input, members);
    if (result.status !== PUT_STATUS.OK) {
      this.refuse(waiter, refusalOfStatus(result.status));
      return;
    }
    waiter.physicalOffset = result.physicalOffset;
    waiter.queueOffset = result.queueOffset;
    waiter.endOffset = result.endOffset;
    if (members !== null) waiter.memberOffsets = result.memberOffsets;
    const bytes = result.endOffset - result.physicalOffset;
    statsItems.put(this.input.topic, members === null ? 1 : members.length, bytes);
    this.unansweredBytes += bytes;
    store.whenSafe(waiter, waits);
  }

  /** Answers a send that was not taken. */
  refuse(waiter: SendWaiter, refusal: Refusal): void {
    if (waiter.isOneway) return;
    waiter.channel.respond(waiter.opaque, waiter.serializeType, {
      ...refusal,
      extFields: new Map(this.commonFields),
    });
  }

  /** Answers a send whose message is in the log; its code says how safe it is. */
  answer(waiter: SendWaiter): void {
    this.unansweredBytes -= waiter.endOffset - waiter.physicalOffset;
    const { stats } = this.context;
    if (waiter.code === PUT_STATUS.OK)
      stats.ackedOkOffset = Math.max(stats.ackedOkOffset, waiter.endOffset);
    else stats.ackedWeakOffset = Math.max(stats.ackedWeakOffset, waiter.endOffset);
    if (waiter.isOneway || !waiter.channel.isOpen) return;
    if (waiter.memberOffsets !== null) {
      this.answerBatch(waiter, waiter.memberOffsets);
      return;
    }
    const { outbound } = waiter.channel;
    this.encoder.write(outbound, waiter, waiter.serializeType);
    outbound.schedule();
  }

  private answerBatch(waiter: SendWaiter, offsets: readonly number[]): void {
    const ids = offsets.map((offset) => offsetMessageId(this.context.storeHost, offset));
    waiter.channel.respond(waiter.opaque, waiter.serializeType, {
      code: waiter.code,
      extFields: new Map([
        ...this.commonFields,
        ["msgId", ids.join(",")],
        ["queueId", String(waiter.queueId)],
        ["queueOffset", String(waiter.queueOffset)],
      ]),
    });
  }
}
