/** PULL_MESSAGE (remoting-protocol 4.2): header in, pull-path.ts does the rest. */
import type { Channel } from "../../remoting/channel.ts";
import { decodeHeader } from "../../remoting/command-spec.ts";
import { FLAG_ONEWAY, FLAG_RESPONSE, isOneway } from "../../remoting/command.ts";
import { PULL_MESSAGE, type PullMessageHeader } from "../../remoting/commands/pull-message.ts";
import { HeaderScan } from "../../remoting/header-scan.ts";
import type { FrameProcessor, FrameView, Processor } from "../../remoting/processor.ts";
import type { PullPath } from "../pull-path.ts";
import { withSafeLongs } from "../safe-longs.ts";

/** @returns the general path for code 11 */
export function createPullMessageProcessor(path: PullPath): Processor {
  return (request, { channel }) => {
    const { opaque, serializeType } = request;
    const ext = withSafeLongs(request.extFields, ["subVersion"]);
    const header = decodeHeader(PULL_MESSAGE.request, ext);
    path.serve(header, { channel, opaque, serializeType, isOneway: isOneway(request) });
    return null;
  };
}

const NAMES = {
  consumerGroup: Buffer.from("consumerGroup"),
  topic: Buffer.from("topic"),
  queueId: Buffer.from("queueId"),
  queueOffset: Buffer.from("queueOffset"),
  maxMsgNums: Buffer.from("maxMsgNums"),
  sysFlag: Buffer.from("sysFlag"),
  commitOffset: Buffer.from("commitOffset"),
  suspendTimeoutMillis: Buffer.from("suspendTimeoutMillis"),
  subscription: Buffer.from("subscription"),
  subVersion: Buffer.from("subVersion"),
  expressionType: Buffer.from("expressionType"),
};

const isInt32 = (value: number): boolean => value === (value | 0);

class PullMessageFrames {
  private readonly path: PullPath;
  private readonly scan = new HeaderScan();

  constructor(path: PullPath) {
    this.path = path;
  }

  serve(frame: FrameView, channel: Channel): boolean {
    const { scan } = this;
    if (!scan.scan(frame) || (scan.flag & FLAG_RESPONSE) !== 0) return false;
    const header = this.readHeader(frame.buffer);
    if (header === null) return false;
    this.path.serve(header, {
      channel,
      opaque: scan.opaque,
      serializeType: frame.serializeType,
      isOneway: (scan.flag & FLAG_ONEWAY) !== 0,
    });
    return true;
  }

  /** @returns null when anything is missing or odd: the general path names it (F-15, F-16) */
  private readHeader(buffer: Buffer): PullMessageHeader | null {
    const consumerGroup = this.text(buffer, NAMES.consumerGroup);
    const topic = this.text(buffer, NAMES.topic);
    const queueId = this.number(NAMES.queueId);
    const maxMsgNums = this.number(NAMES.maxMsgNums);
    const sysFlag = this.number(NAMES.sysFlag);
    if (!isInt32(queueId) || !isInt32(maxMsgNums) || !isInt32(sysFlag)) return null;
    const longs = {
      queueOffset: this.number(NAMES.queueOffset),
      commitOffset: this.number(NAMES.commitOffset),
      suspendTimeoutMillis: this.number(NAMES.suspendTimeoutMillis),
      subVersion: this.number(NAMES.subVersion),
    };
    if (!Object.values(longs).every(Number.isSafeInteger)) return null;
    if (typeof consumerGroup !== "string" || typeof topic !== "string") return null;
    const subscription = this.text(buffer, NAMES.subscription);
    const expressionType = this.text(buffer, NAMES.expressionType);
    if (subscription === null || expressionType === null) return null;
    const numbers = { queueId, maxMsgNums, sysFlag, ...longs };
    return { consumerGroup, topic, ...numbers, subscription, expressionType };
  }

  private number(name: Buffer): number {
    return this.scan.integer(this.scan.find(name));
  }

  /** @returns the text, undefined when absent, null when it needs more than copying */
  private text(buffer: Buffer, name: Buffer): string | undefined | null {
    const { scan } = this;
    const entry = scan.find(name);
    if (entry < 0) return undefined;
    if (scan.escaped[entry] === 1) return null;
    const value = buffer.toString("utf8", scan.valueStart[entry], scan.valueEnd[entry]);
    // Replaced bytes mean it was no UTF-8 (F-08).
    return value.includes("\ufffd") ? null : value;
  }
}

/** @returns the fast path for code 11 */
export function createPullMessageFrames(path: PullPath): FrameProcessor {
  const frames = new PullMessageFrames(path);
  return (frame, channel) => frames.serve(frame, channel);
}
