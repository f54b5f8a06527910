/** A pull from its checks to its answer or its place among the held ones (remoting-protocol 4.2.3 … 4.2.5, store-and-ha 4.7, 7.10). */
import type { Channel } from "../remoting/channel.ts";
import type { ResponseCommand, SerializeType } from "../remoting/command.ts";
import { writePullAnswerHead } from "../remoting/commands/pull-message-response.ts";
import { PULL_FLAG, type PullMessageHeader } from "../remoting/commands/pull-message.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { GetMessageResult, GetMessageStatus, MessageFilter } from "../store/store-api.ts";
import type { TopicName } from "../message/topic-name.ts";
import type { BrokerContext, SubscriptionGroupConfig } from "./broker-context.ts";
import { HeldPulls, type HeldPull, type WakeReason } from "./long-poll.ts";
import { PullChecks } from "./pull-checks.ts";
import type { Refusal } from "./send-checks.ts";

/** One answer carries at most this many (4.2.3, R-18). */
const MESSAGES_MAX = 32;
/** */
const SUSPEND_MS_MAX = 60_000;
/** A peer that has this much left to read gets no further records (F-27). */
const OUTBOUND_BYTES_MAX = 1_048_576;
/** How often such a peer is looked at again, ms. */
const BLOCKED_MS = 100;

/** Who asked, and how to answer. */
export interface PullOrigin {
  readonly channel: Channel;
  readonly opaque: number;
  readonly serializeType: SerializeType;
  readonly isOneway: boolean;
}

/** One pull; it is parked as it is. */
interface Pull extends HeldPull {
  readonly channel: Channel;
  readonly opaque: number;
  readonly serializeType: SerializeType;
  readonly topic: TopicName;
  readonly queueId: number;
  readonly group: SubscriptionGroupConfig;
  readonly filter: MessageFilter | null;
  readonly messagesMax: number;
  /** The offset the client asked for. */
  readonly askedOffset: number;
  /** On the monotonic clock; 0 = must not wait. */
  deadlineMs: number;
  /** Where reading goes on: everything before it was looked at and did not match. */
  resumeOffset: number;
  /** It has waited at least once. */
  isParked: boolean;
  /** What the last read took, whole ms. */
  readMs: number;
}

/** Statuses that say the asked offset is outside the queue. */
const OUTSIDE: ReadonlySet<GetMessageStatus> = new Set([
  "NO_MESSAGE_IN_QUEUE",
  "NO_MATCHED_LOGIC_QUEUE",
  "OFFSET_TOO_SMALL",
  "OFFSET_OVERFLOW_BADLY",
]);

/** Response code of a status; `asked` decides for an empty queue. */
function codeOf(status: GetMessageStatus, asked: number): number {
  switch (status) {
    case "FOUND":
      return RESPONSE_CODE.SUCCESS;
    case "NO_MATCHED_MESSAGE":
    case "MESSAGE_WAS_REMOVING":
      return RESPONSE_CODE.PULL_RETRY_IMMEDIATELY;
    case "OFFSET_FOUND_NULL":
    case "OFFSET_OVERFLOW_ONE":
      return RESPONSE_CODE.PULL_NOT_FOUND;
    case "OFFSET_OVERFLOW_BADLY":
    case "OFFSET_TOO_SMALL":
      return RESPONSE_CODE.PULL_OFFSET_MOVED;
    case "NO_MATCHED_LOGIC_QUEUE":
    case "NO_MESSAGE_IN_QUEUE":
      return asked === 0 ? RESPONSE_CODE.PULL_NOT_FOUND : RESPONSE_CODE.PULL_OFFSET_MOVED;
  }
}

/** Serves pulls; one a broker. */
export class PullPath {
  readonly held: HeldPulls<Pull>;
  private readonly context: BrokerContext;
  private readonly checks: PullChecks;
  private readonly monotonicMs: () => number;

  /** @param context of the broker @param monotonicMs clock for holding */
  constructor(context: BrokerContext, monotonicMs: () => number) {
    this.context = context;
    this.checks = new PullChecks(context);
    this.monotonicMs = monotonicMs;
    this.held = new HeldPulls(monotonicMs, (pull, reason) => this.wake(pull, reason));
    context.store.onArrival((topic, queueId, maxOffset) =>
      this.held.arrived(topic, queueId, maxOffset),
    );
  }

  /** Answers now, or parks the pull and answers later. */
  serve(header: PullMessageHeader, origin: PullOrigin): void {
    if (origin.isOneway) return;
    const admitted = this.checks.admit(header, origin.channel.remote);
    if ("code" in admitted) {
      this.refuse(origin, admitted);
      return;
    }
    const { topic, group, filter } = admitted;
    this.commitOffset(header);
    const { channel, opaque, serializeType } = origin;
    const asked = header.queueOffset;
    this.evaluate({
      channel,
      opaque,
      serializeType,
      topic: topic.name,
      queueId: header.queueId,
      group,
      filter,
      messagesMax: Math.min(MESSAGES_MAX, Math.max(1, header.maxMsgNums)),
      askedOffset: asked,
      resumeOffset: asked,
      isParked: false,
      readMs: 0,
      deadlineMs: this.deadlineOf(header),
    });
  }

  /** The commit of bit 1, on masters only (4.2.5); never past the end of the queue. */
  private commitOffset(header: PullMessageHeader): void {
    const { isSlave, offsets, topics, store } = this.context;
    const wants = (header.sysFlag & PULL_FLAG.COMMIT_OFFSET) !== 0;
    if (!wants || isSlave || header.commitOffset < 0) return;
    const topic = topics.find(header.topic);
    if (topic === undefined) return;
    const end = store.maxOffsetInQueue(topic.name, header.queueId);
    const offset = Math.min(header.commitOffset, end);
    offsets.commit(header.consumerGroup, header.topic, header.queueId, offset);
  }

  private deadlineOf(header: PullMessageHeader): number {
    if ((header.sysFlag & PULL_FLAG.SUSPEND) === 0) return 0;
    const { longPollingEnable, shortPollingTimeMills } = this.context.config;
    const asked = longPollingEnable ? header.suspendTimeoutMillis : shortPollingTimeMills;
    return this.monotonicMs() + Math.min(SUSPEND_MS_MAX, Math.max(0, asked));
  }

  private wake(pull: Pull, reason: WakeReason): void {
    if (reason === "deadline" && this.monotonicMs() >= pull.deadlineMs) pull.deadlineMs = 0;
    this.evaluate(pull);
  }

  private evaluate(pull: Pull): void {
    if (!pull.channel.isOpen) return;
    const isBlocked = pull.channel.outbound.pendingBytes > OUTBOUND_BYTES_MAX;
    if (isBlocked && this.held.hold(pull, this.monotonicMs() + BLOCKED_MS)) return;
    const limits = { messagesMax: pull.messagesMax, filter: pull.filter };
    const { store, stats } = this.context;
    const startedMs = this.monotonicMs();
    const result = store.getMessage(pull.topic, pull.queueId, pull.resumeOffset, limits);
    pull.readMs = Math.floor(this.monotonicMs() - startedMs);
    if (pull.readMs > stats.getLongestMs) stats.getLongestMs = pull.readMs;
    if (result instanceof Promise) {
      result.then(
        (read) => this.decideLate(pull, read),
        (error: unknown) => this.failed(pull, error),
      );
    } else this.decide(pull, result);
  }

  /** A message that became visible during an asynchronous read woke nobody: look again. */
  private decideLate(pull: Pull, result: GetMessageResult): void {
    this.decide(pull, result);
    const end = this.context.store.maxOffsetInQueue(pull.topic, pull.queueId);
    this.held.arrived(pull.topic, pull.queueId, end);
  }

  private decide(pull: Pull, result: GetMessageResult): void {
    if (result.messageCount > 0) this.context.stats.getFound += 1;
    else this.context.stats.getMiss += 1;
    if (pull.deadlineMs > 0 && this.waits(pull, result)) {
      pull.resumeOffset = Math.max(pull.resumeOffset, result.nextBeginOffset);
      if (this.park(pull, result)) return;
    }
    this.answer(pull, result);
  }

  /** @returns true when there is nothing to say yet */
  private waits(pull: Pull, result: GetMessageResult): boolean {
    // A held pull that was woken by messages its filter does not want waits on (4.2.5); a first one is answered 20.
    if (result.status === "NO_MATCHED_MESSAGE") {
      return pull.isParked && result.nextBeginOffset >= result.maxOffset;
    }
    // Not on this slave (yet). 4.9 answers 20 at once here, and the consumer spins until that changes.
    if (this.isElsewhere(result)) return true;
    const isNothingNew = codeOf(result.status, pull.resumeOffset) === RESPONSE_CODE.PULL_NOT_FOUND;
    return isNothingNew && result.nextBeginOffset <= pull.resumeOffset;
  }

  private isElsewhere(result: GetMessageResult): boolean {
    return this.keepsAskedOffset && OUTSIDE.has(result.status);
  }

  /** A slave that may only be behind corrects nobody's offset (4.2.3, R-17). */
  private get keepsAskedOffset(): boolean {
    return this.context.isSlave && !this.context.config.offsetCheckInSlave;
  }

  private park(pull: Pull, result: GetMessageResult): boolean {
    if (!this.held.hold(pull, pull.deadlineMs)) return false;
    pull.isParked = true;
    result.release();
    return true;
  }

  private answer(pull: Pull, result: GetMessageResult): void {
    if (!pull.channel.isOpen) {
      result.release();
      return;
    }
    const asked = pull.resumeOffset;
    const isMoved = this.isElsewhere(result);
    const plainCode = codeOf(result.status, asked);
    const isRetry = isMoved && plainCode === RESPONSE_CODE.PULL_OFFSET_MOVED;
    const { outbound } = pull.channel;
    let bodyLength = 0;
    for (const buffer of result.buffers) bodyLength += buffer.length;
    const head = {
      code: isRetry ? RESPONSE_CODE.PULL_RETRY_IMMEDIATELY : plainCode,
      opaque: pull.opaque,
      remark: result.status,
      suggestWhichBrokerId: isRetry ? pull.group.brokerId : this.suggest(pull, result),
      nextBeginOffset: isMoved ? asked : result.nextBeginOffset,
      minOffset: result.minOffset,
      maxOffset: result.maxOffset,
      bodyLength,
    };
    writePullAnswerHead(outbound, head, pull.serializeType);
    const { buffers } = result;
    const last = buffers.length - 1;
    for (let i = 0; i < last; i += 1) outbound.append(buffers[i] ?? Buffer.alloc(0));
    const tail = buffers[last];
    if (tail === undefined) result.release();
    else outbound.append(tail, () => result.release());
    outbound.schedule();
    if (result.messageCount > 0) this.count(pull, result.messageCount, bodyLength);
  }

  private count(pull: Pull, messages: number, bytes: number): void {
    const { stats, statsItems } = this.context;
    const { queueId, readMs: ms } = pull;
    stats.getMessages += messages;
    stats.getBytes += bytes;
    statsItems.get(pull.group.groupName, pull.topic, { queueId, messages, bytes, ms });
  }

  private suggest(pull: Pull, result: GetMessageResult): number {
    if (!this.context.config.slaveReadEnable) return 0;
    return result.suggestPullingFromSlave
      ? pull.group.whichBrokerWhenConsumeSlowly
      : pull.group.brokerId;
  }

  private refuse(origin: PullOrigin, refusal: Refusal): void {
    const response: ResponseCommand = { ...refusal, extFields: new Map() };
    origin.channel.respond(origin.opaque, origin.serializeType, response);
  }

  private failed(pull: Pull, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.context.logger.error("a pull could not be read", {
      topic: pull.topic.text,
      queueId: pull.queueId,
      offset: pull.resumeOffset,
      reason,
    });
    const remark = "the messages could not be read";
    pull.channel.respond(pull.opaque, pull.serializeType, {
      code: RESPONSE_CODE.SYSTEM_ERROR,
      remark,
      extFields: new Map(),
    });
  }
}
